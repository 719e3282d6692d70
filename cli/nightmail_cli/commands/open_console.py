"""`nightmail open`: a link that opens the console once, for the holder of the client's token."""

import webbrowser
from typing import Annotated
from urllib.parse import quote

import typer

from nightmail_cli.client import Client, job_path
from nightmail_cli.option_checks import check_run_id
from nightmail_cli.output import AsJson, print_done

#: The pages of one object, by the word that the console's address has for them.
OBJECTS = {"jobs": "job", "runs": "run"}


def open_console(
    kind: Annotated[
        str | None, typer.Argument(help="`jobs` or `runs`: open the page of one.", metavar="jobs|runs")
    ] = None,
    name: Annotated[
        str | None, typer.Argument(help="The job's name, or the run's id or a beginning of it.", metavar="NAME")
    ] = None,
    browser: Annotated[bool, typer.Option("--browser", help="Open the link in this machine's browser, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print a link that opens the console.

    It works once, within ten minutes.
    """
    if kind is not None and (kind not in OBJECTS or name is None):
        raise typer.BadParameter("name a page as `jobs NAME` or `runs ID`, or no page for the overview")
    client = Client()
    page = "" if kind is None or name is None else f"{kind}/{quote(_existing(client, kind, name), safe='')}"
    made = client.ask(lambda api: api.console_code())
    url = f"{client.url}/console/{page}#start={made['code']}"
    print_done(f"Open {url}  (once, 10 minutes)", {"url": url, "expires_at": made["expires_at"]}, as_json=as_json)
    if browser:
        webbrowser.open(url)


def _existing(client: Client, kind: str, name: str) -> str:
    """Return the name of a job or the whole id of a run; one that does not exist ends the command."""
    if kind == "runs":
        return client.run_id(check_run_id(name))
    client.call("GET", job_path(name))
    return name
