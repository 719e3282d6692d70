"""`nightmail tokens`: create, list and revoke tokens, over REST."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import quote

import typer

from nightmail_cli.client import Client
from nightmail_cli.help import WholeHelp
from nightmail_cli.output import AsJson, format_time, print_done, print_json, print_table

app = typer.Typer(cls=WholeHelp, no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="The token's name, which the audit log shows as the actor.", metavar="NAME")]


class Role(StrEnum):
    """What a token permits; each role includes the ones before it."""

    viewer = "viewer"
    editor = "editor"
    admin = "admin"


@app.command("create")
def create(
    name: Name,
    role: Annotated[Role, typer.Option(help="viewer reads, editor changes jobs, admin manages tokens.")] = Role.viewer,
    days: Annotated[
        int | None, typer.Option(min=1, max=36500, help="The days until it expires. [default: it never expires]")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Create a token and print it. It cannot be shown again."""
    wanted: dict[str, Any] = {"name": name, "role": role.value}
    if days is not None:
        wanted["expires_at"] = (datetime.now(UTC) + timedelta(days=days)).isoformat()
    made = Client().call("POST", "/tokens", json=wanted).json()
    print_done(made["token"], made, as_json=as_json)


@app.command("list")
def list_tokens(as_json: AsJson = False) -> None:
    """List the tokens, without their secret values."""
    tokens = Client().call("GET", "/tokens").json()["items"]
    if as_json:
        print_json(tokens)
        return
    rows = (
        (one["name"], one["role"], format_time(one["created_at"]), one["created_by"], format_time(one["expires_at"]))
        for one in tokens
    )
    print_table(("name", "role", "created", "by", "expires"), rows, empty="there are no tokens besides the admin token")


@app.command("revoke")
def revoke(name: Name, as_json: AsJson = False) -> None:
    """Revoke a token. It stops working at once."""
    Client().call("DELETE", f"/tokens/{quote(name, safe='')}")
    print_done(f"revoked {name!r}", {"name": name, "status": "revoked"}, as_json=as_json)
