"""The command `nightmail`: runs the system on this machine, and is a client of the API and of the log."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from nightmail_cli.backup import backup
from nightmail_cli.commands import events, files, jobs, login, mail, mails, mcp, open_console, runs, status, tokens
from nightmail_cli.local import nats_config
from nightmail_cli.output import AsJson, fail

#: The order of the help: what a new user needs first.
ORDER = (
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


class _Commands(TyperGroup):
    def list_commands(self, ctx: Any) -> list[str]:
        return sorted(super().list_commands(ctx), key=ORDER.index)


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(jobs.app, name="jobs", help="Create, change, show and run jobs.")
app.add_typer(runs.app, name="runs", help="Show runs, their logs and their results.")
app.add_typer(events.app, name="events", help="Read the event log.")
app.add_typer(files.app, name="files", help="List, upload, download and delete the files that jobs read.")
app.add_typer(mails.app, name="mails", help="List what was mailed to whom: sent, refused, waiting.")
app.add_typer(mail.app, name="mail", help="Show caught mails, and test the SMTP server.")
app.add_typer(tokens.app, name="tokens", help="Create, list and revoke tokens of the API.")
app.command("status")(status.status)
app.command("open")(open_console.open_console)
app.command("login")(login.login)
app.command("mcp")(mcp.mcp)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.command("nats-config")(nats_config.nats_config)


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
    from nightmail_cli.doctor.doctor import doctor  # every service's settings; no other command needs them

    doctor(nats_monitor or [], as_json=as_json)


def main() -> None:
    app()


if __name__ == "__main__":
    main()
