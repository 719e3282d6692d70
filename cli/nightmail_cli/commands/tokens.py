"""`nightmail tokens`: make, list and revoke tokens, over REST."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import quote

import typer

from nightmail_cli.client import Client
from nightmail_cli.output import AsJson, moment, print_done, print_json, print_table

app = typer.Typer(no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="Whose token it is: the name in the audit log.", metavar="NAME")]


class Role(StrEnum):
    """What a token may do; each what those before it may."""

    viewer = "viewer"
    editor = "editor"
    admin = "admin"


@app.command("create")
def create(
    name: Name,
    role: Annotated[Role, typer.Option(help="viewer reads, editor changes jobs, admin makes tokens.")] = Role.viewer,
    days: Annotated[
        int | None, typer.Option(min=1, max=36500, help="Until when it is good. [default: for ever]")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a token and print it: nobody can be told it again."""
    wanted: dict[str, Any] = {"name": name, "role": role.value}
    if days is not None:
        wanted["expires_at"] = (datetime.now(UTC) + timedelta(days=days)).isoformat()
    made = Client().call("POST", "/tokens", json=wanted).json()
    print_done(made["token"], made, as_json=as_json)


@app.command("list")
def list_tokens(as_json: AsJson = False) -> None:
    """List the tokens, without the tokens themselves."""
    tokens = Client().call("GET", "/tokens").json()["items"]
    if as_json:
        print_json(tokens)
        return
    rows = (
        (one["name"], one["role"], moment(one["created_at"]), one["created_by"], moment(one["expires_at"]))
        for one in tokens
    )
    print_table(("name", "role", "made", "by", "good until"), rows, empty="there are no tokens but the admin's")


@app.command("revoke")
def revoke(name: Name, as_json: AsJson = False) -> None:
    """End a token, at once."""
    Client().call("DELETE", f"/tokens/{quote(name, safe='')}")
    print_done(f"revoked {name!r}", {"name": name, "status": "revoked"}, as_json=as_json)
