"""The command `nightmail`: runs the system on this machine, and is a client of the API and of the log."""

import gc
import os
from pathlib import Path
from typing import Annotated, ClassVar

import typer

from nightmail_cli.help import LazyCommands, Place
from nightmail_cli.output import AsJson, fail

_COMMANDS = "nightmail_cli.commands."


class _Commands(LazyCommands):
    places: ClassVar = {
        "open": Place(_COMMANDS + "open_console", "open_console", "Print a link that opens the console."),
        "login": Place(_COMMANDS + "login", "login", "Sign this user's shell in to a Nightmail elsewhere."),
        "jobs": Place(_COMMANDS + "jobs", "app", "Create, change, show and run jobs."),
        "runs": Place(_COMMANDS + "runs", "app", "Show runs, their logs and their results."),
        "files": Place(_COMMANDS + "files", "app", "List, upload, download and delete the files that jobs read."),
        "mails": Place(_COMMANDS + "mails", "app", "List what was mailed to whom: sent, refused, waiting."),
        "mail": Place(_COMMANDS + "mail", "app", "Show caught mails, and test the SMTP server."),
        "events": Place(_COMMANDS + "events", "app", "Read the event log."),
        "status": Place(_COMMANDS + "status", "status", "Show the services, their backlog, and what is wrong."),
        "tokens": Place(_COMMANDS + "tokens", "app", "Create, list and revoke tokens of the API."),
        "mcp": Place(_COMMANDS + "mcp", "mcp", "Serve agents over MCP on stdin and stdout."),
        "backup": Place("nightmail_cli.backup.backup", "backup", "Copy the log, results and tokens into a folder."),
        "restore": Place("nightmail_cli.backup.backup", "restore", "Restore a backup, while no service runs."),
        "nats-config": Place(
            "nightmail_cli.local.nats_config", "nats_config", "Print the users of a nats-server, and write their seeds."
        ),
    }
    # What a new user needs first.
    order = (
        "up",
        "open",
        "login",
        "jobs",
        "runs",
        "files",
        "mails",
        "mail",
        "events",
        "status",
        "doctor",
        "tokens",
        "mcp",
        "backup",
        "restore",
        "nats-config",
    )


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"nightmail {version('nightmail-cli')}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Run pandas scripts on schedule and mail the result."""


@app.command("up")
def _up(
    data_dir: Annotated[Path | None, typer.Option(help="The data folder. [default: ./data]")] = None,
    host: Annotated[str | None, typer.Option(help="The address on which the API listens. [default: 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="The API's port. [default: 8080]")] = None,
    nats_port: Annotated[int, typer.Option(min=1, max=65535, help="The embedded nats-server's port.")] = 4222,
    runners: Annotated[
        int,
        typer.Option(
            min=0,
            help="The number of runner processes; 0 if runners run elsewhere. [default: one per core]",
            show_default=False,
        ),
    ] = len(os.sched_getaffinity(0)),
    mail_catcher: Annotated[
        bool,
        typer.Option("--mail-catcher", help="Keep every mail in NIGHTMAIL_DATA_DIR/mailbox instead of sending it."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Start the whole system on this machine and keep it running."""
    from nightmail_cli.local.up import up  # only this command needs it
    from nightmail_common.contract.errors import CannotStart

    try:
        up(data_dir, host, port, nats_port, runners, mail_catcher, as_json)
    except CannotStart as error:
        fail(str(error))


@app.command("doctor")
def _doctor(
    nats_monitor: Annotated[
        list[str] | None,
        typer.Option(help="The monitoring URL of a nats-server (http://nats-0:8222); repeat it for each server."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check the machine, the broker and the SMTP server.

    Each problem comes with its fix. Exit 1 if there is one.
    """
    # Garbage collection during the imports would take a tenth of the command's time.
    gc.disable()
    from nightmail_cli.doctor.doctor import doctor  # every service's settings; no other command needs them

    doctor(nats_monitor or [], as_json=as_json)


def main() -> None:
    app()


if __name__ == "__main__":
    main()
