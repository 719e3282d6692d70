"""`nightmail login`: keep the URL and token of a Nightmail elsewhere for this user's commands."""

import sys
from typing import Annotated

import typer

from nightmail_cli.location import Api, login_file, write_login
from nightmail_cli.output import AsJson, fail, print_done


def login(
    url: Annotated[
        str | None, typer.Argument(help="The API's URL: https://nightmail.example.com", metavar="URL")
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Forget the login.")] = False,
    as_json: AsJson = False,
) -> None:
    """Sign this user's shell in to a Nightmail elsewhere.

    The token is asked for, or read from standard input. It is kept in a file that only this user can read. The settings
    NIGHTMAIL_URL and NIGHTMAIL_TOKEN, and a nightmail up in whose folder the user stands, come before it.
    """
    if remove:
        login_file().unlink(missing_ok=True)
        print_done("there is no login any more", {"url": None}, as_json=as_json)
        return
    if url is None:
        raise typer.BadParameter("name the API's URL, or --remove", param_hint="URL")
    if not url.startswith(("https://", "http://")):
        raise typer.BadParameter("a URL begins with https:// or http://", param_hint="URL")
    token = typer.prompt("Token", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline()
    if not token.strip():
        fail("no token was given: enter it, or send it to standard input; nightmail tokens create prints one")
    wanted = Api(url.rstrip("/"), token.strip())
    me = _who(wanted)
    write_login(wanted)
    done = f"signed in to {wanted.url} as {me['name']} ({me['role']}); the login is kept in {login_file()}"
    print_done(done, {"url": wanted.url, "name": me["name"], "role": me["role"]}, as_json=as_json)


def _who(login: Api) -> dict[str, str]:
    """Return the name and role of the token's holder; a URL or token that does not work ends the command."""
    import httpx  # it takes long to import

    try:
        answer = httpx.get(f"{login.url}/me", headers={"Authorization": f"Bearer {login.token}"}, timeout=10)
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeEncodeError) as error:
        fail(f"cannot sign in to {login.url}: {error}")
    if answer.status_code == 401:
        fail(f"{login.url} refuses the token")
    try:
        me: dict[str, str] = answer.json()
        return {"name": me["name"], "role": me["role"]}
    except (ValueError, KeyError, TypeError):
        fail(f"no Nightmail answers at {login.url}: the answer to /me is {answer.status_code}")
