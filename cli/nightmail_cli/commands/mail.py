"""`nightmail mail`: show caught mails, and test the SMTP server step by step."""

import webbrowser
from typing import Annotated, Any

import typer

from nightmail_cli.commands.completion import caught_mails
from nightmail_cli.help import WholeHelp
from nightmail_cli.local import mailbox
from nightmail_cli.local.mailbox import CaughtMail, content, file_name
from nightmail_cli.local.private_files import write_private
from nightmail_cli.location import data_folder, located, running_processes
from nightmail_cli.output import (
    FAILED,
    AsJson,
    echo,
    fail,
    first_of,
    format_time,
    print_fields,
    print_json,
    print_table,
)

app = typer.Typer(cls=WholeHelp, no_args_is_help=True)
MailId = Annotated[
    str | None,
    typer.Argument(
        help="The mail's id, or a unique beginning of it. [default: the newest]",
        metavar="ID",
        autocompletion=caught_mails,
    ),
]

#: The folder of the mails that were opened in the browser, in the data folder.
OPENED = "opened-mails"
#: The headers that `show` prints; `--json` has every header.
_SHOWN_HEADERS = ("Date", "From", "To", "Subject", "Message-ID", "X-Nightmail-Run", "List-Unsubscribe")


@app.command("list")
def list_mails(
    limit: Annotated[int, typer.Option(min=1, help="The maximum number of mails.")] = 50, as_json: AsJson = False
) -> None:
    """List the caught mails, newest first."""
    mails = first_of(_caught(), limit)
    if as_json:
        print_json([mail.summary() for mail in mails])
        return
    rows = (
        (
            mail.id,
            format_time(mail.received_at.isoformat()),
            mail.recipients,
            mail.header("Subject"),
            ", ".join(file_name(part) for part in mail.attachments),
        )
        for mail in mails
    )
    print_table(("id", "when", "to", "subject", "attachments"), rows, empty=_nothing_caught(), whole="id")


@app.command("show")
def show(mail_id: MailId = None, as_json: AsJson = False) -> None:
    """Show a caught mail: headers, text, and the first lines of its CSV."""
    mail = _find(mail_id)
    if as_json:
        print_json(mail.details())
        return
    print_fields({name: mail.header(name) for name in _SHOWN_HEADERS if name in mail.mail})
    echo(f"\n{mail.text().rstrip()}")
    for part in mail.attachments:
        echo(f"\nattached: {file_name(part)}, {part.get_content_type()}, {len(content(part)):,} bytes")
        for line in mailbox.head(part):
            echo(f"    {line}")


@app.command("open")
def open_mail(
    mail_id: MailId = None,
    path_only: Annotated[bool, typer.Option("--path", help="Print the file's path and open nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Open the HTML part of a caught mail in the browser."""
    mail = _find(mail_id)
    html = mail.html()
    if html is None:
        fail("this mail has no HTML part; nightmail mail show prints its text")
    # The browser reads the file after this command has ended, so it stays: in the data folder, once for each mail.
    folder = data_folder().absolute() / OPENED
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"{mail.id}.html"
    write_private(path, html)
    opened = not path_only and webbrowser.open(path.as_uri())
    if not path_only and not opened:
        fail(f"no browser can be started here; the mail is in {path}")
    if as_json:
        print_json({"path": str(path), "opened": opened})
    else:
        echo(str(path))


@app.command("test")
def send_test_mail(
    address: Annotated[str, typer.Argument(help="The recipient of the test mail.", metavar="ADDRESS")],
    as_json: AsJson = False,
) -> None:
    """Send a test mail as the mailer would, and print each SMTP step.

    For a system elsewhere, one of its mailers sends it. Exit 1 if a step fails.
    """
    import asyncio

    from nightmail_common.contract.job_definition import normalise_email  # it and the mailer take long to import
    from nightmail_mailer.settings import MailerSettings
    from nightmail_mailer.smtp.smtp_check import check_smtp

    try:
        recipient = normalise_email(address)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="ADDRESS") from error
    steps: list[dict[str, Any]] = []

    def add(step: dict[str, Any]) -> None:
        steps.append(step)
        if step["ok"] and not as_json:
            echo(f"{step['step']:<9}  ok  {step['detail']}")

    async def send(settings: MailerSettings) -> None:
        async for step in check_smtp(settings, recipient):
            add({"step": step.name, "ok": step.ok, "detail": step.detail})

    if (given := {} if _smtp_host_is_set() else _catcher_settings()) is None:
        echo(
            "NIGHTMAIL_SMTP_HOST is not set, and no mail catcher runs here: a mailer of the API sends the mail",
            err=True,
        )
        from nightmail_cli.client import Client  # httpx takes long to import

        for step in Client().ask(lambda api: api.send_test_mail(recipient)):
            add(step)
    else:
        # The key signs links; a test mail has none.
        asyncio.run(send(located(MailerSettings, secret_key="not used by a test", **given)))  # noqa: S106
    failed = next((step for step in steps if not step["ok"]), None)
    if as_json:
        print_json({"ok": failed is None, "failed_at": failed and failed["step"], "steps": steps})
    elif failed is None:
        echo(f"the server accepted the mail to {recipient}")
    if failed is not None:
        echo(f"error: {failed['step']}: {failed['detail']}", err=True)
        raise typer.Exit(FAILED)


def _smtp_host_is_set() -> bool:
    from nightmail_common.service.settings import ServiceSettings

    class _SmtpHost(ServiceSettings):
        smtp_host: str | None = None

    return located(_SmtpHost).smtp_host is not None


def _catcher_settings() -> dict[str, Any] | None:
    """Return the SMTP settings of the catcher of the `nightmail up` that runs on this data folder; None if none runs."""
    data_dir = data_folder()
    port = next((one["ready_port"] for one in running_processes(data_dir) if one["name"] == "catcher"), None)
    if port is None:
        return None
    echo(f"NIGHTMAIL_SMTP_HOST is not set: the mail is caught in {data_dir}/{mailbox.MAILBOX}", err=True)
    return {"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_security": "none"}


def _caught() -> list[CaughtMail]:
    data_dir = data_folder()
    try:
        return mailbox.caught_mails(data_dir)
    except OSError as error:
        fail(f"cannot read {data_dir / mailbox.MAILBOX}: {error.strerror}")


def _nothing_caught() -> str:
    return f"no mail was caught yet in {data_folder() / mailbox.MAILBOX}"


def _find(mail_id: str | None) -> CaughtMail:
    mails = _caught()
    if not mails:
        fail(_nothing_caught())
    try:
        return mailbox.find_mail(mails, mail_id)
    except mailbox.NoSuchMail as error:
        fail(f"{error}; nightmail mail list shows the caught mails")
