"""`nightmail mail`: look at what the catcher caught, and find out where sending fails."""

import asyncio
import json
import tempfile
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from nightmail_cli.local.mailbox import MAILBOX, Caught, NoSuchMail, content, file_name, find_mail, head, kept_mails
from nightmail_cli.local.supervisor import STATE_FILE
from nightmail_cli.output import FAILED, AsJson, fail, print_fields, print_json, print_table
from nightmail_common.service.settings import ServiceSettings, load_without_broker

app = typer.Typer(no_args_is_help=True)
MailId = Annotated[
    str | None, typer.Argument(help="The mail's id, or how it begins. [default: the newest]", metavar="[ID]")
]

#: What `show` says of a mail before its text; `--json` has every header.
_SHOWN_HEADERS = ("Date", "From", "To", "Subject", "Message-ID", "X-Nightmail-Run", "List-Unsubscribe")


@app.command("list")
def list_mails(
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 50, as_json: AsJson = False
) -> None:
    """List the mails that were caught, the newest first."""
    mails = _kept()[:limit]
    if as_json:
        print_json([mail.summary() for mail in mails])
        return
    rows = (
        (
            mail.id,
            mail.received_at.isoformat(sep=" ", timespec="seconds"),
            mail.recipients,
            mail.header("Subject"),
            ", ".join(file_name(part) for part in mail.attachments),
        )
        for mail in mails
    )
    print_table(("id", "when", "to", "subject", "attachments"), rows, empty="no mail was caught yet", whole="id")


@app.command("show")
def show(mail_id: MailId = None, as_json: AsJson = False) -> None:
    """Show a caught mail: its headers, its text, and how its CSV begins."""
    mail = _find(mail_id)
    if as_json:
        print_json(mail.details())
        return
    print_fields({name: mail.header(name) for name in _SHOWN_HEADERS if name in mail.mail})
    typer.echo(f"\n{mail.text().rstrip()}")
    for part in mail.attachments:
        typer.echo(f"\nattached: {file_name(part)}, {part.get_content_type()}, {len(content(part)):,} bytes")
        for line in head(part):
            typer.echo(f"    {line}")


@app.command("open")
def open_mail(
    mail_id: MailId = None,
    path_only: Annotated[bool, typer.Option("--path", help="Print the file's path and open nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Open a caught mail in the browser, as a mail program would show it."""
    html = _find(mail_id).html()
    if html is None:
        fail("this mail has no HTML part; nightmail mail show prints its text")
    # Not removed here: the browser reads it after this command has ended. Only its owner can (mode 0600).
    with tempfile.NamedTemporaryFile("w", prefix="nightmail-", suffix=".html", encoding="utf-8", delete=False) as file:
        file.write(html)
    path = Path(file.name)
    opened = not path_only and webbrowser.open(path.as_uri())
    if not path_only and not opened:
        fail(f"no browser can be started here; the mail is in {path}")
    if as_json:
        print_json({"path": str(path), "opened": opened})
    else:
        typer.echo(path)


@app.command("test")
def check_sending(
    address: Annotated[str, typer.Argument(help="Who gets the test mail.", metavar="ADDRESS")], as_json: AsJson = False
) -> None:
    """Send a test mail as the mailer would, and say at which step it fails. Exit 1 if it does."""
    from nightmail_common.contract.job_definition import normalise_email  # takes long to import, as what sends does
    from nightmail_mailer.settings import MailerSettings
    from nightmail_mailer.smtp.smtp_check import CheckStep, check_smtp

    try:
        recipient = normalise_email(address)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="ADDRESS") from error
    given = {} if _smtp_host_is_set() else _reach_the_catcher()
    # The key signs links, of which a test mail has none.
    settings = load_without_broker(MailerSettings, secret_key="not used", **given)  # noqa: S106
    steps: list[CheckStep] = []

    async def go() -> None:
        async for step in check_smtp(settings, recipient):
            steps.append(step)
            if step.ok and not as_json:
                typer.echo(f"{step.name:<9}  ok  {step.detail}")

    asyncio.run(go())
    failed = next((step for step in steps if not step.ok), None)
    if as_json:
        done = [{"step": step.name, "ok": step.ok, "detail": step.detail} for step in steps]
        print_json({"ok": failed is None, "failed_at": failed and failed.name, "steps": done})
    elif failed is None:
        typer.echo(f"the server took the mail to {recipient}")
    if failed is not None:
        typer.echo(f"error: {failed.name}: {failed.detail}", err=True)
        raise typer.Exit(FAILED)


class _SmtpHost(ServiceSettings):
    smtp_host: str | None = None


def _smtp_host_is_set() -> bool:
    return load_without_broker(_SmtpHost).smtp_host is not None


def _reach_the_catcher() -> dict[str, object]:
    """Return the settings that reach the catcher of the `nightmail up` that runs here."""
    data_dir = load_without_broker(ServiceSettings).data_dir
    try:
        processes = json.loads((data_dir / STATE_FILE).read_text())["processes"]
        port = next(process["ready_port"] for process in processes if process["name"] == "catcher")
    except (OSError, StopIteration, ValueError, LookupError):
        fail("NIGHTMAIL_SMTP_HOST is not set, and no nightmail up runs here that would catch the mail")
    typer.echo(f"NIGHTMAIL_SMTP_HOST is not set: the mail is caught in {data_dir}/{MAILBOX}", err=True)
    return {"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_security": "none"}


def _kept() -> list[Caught]:
    data_dir = load_without_broker(ServiceSettings).data_dir
    try:
        return kept_mails(data_dir)
    except OSError as error:
        fail(f"cannot read {data_dir / MAILBOX}: {error.strerror}")


def _find(mail_id: str | None) -> Caught:
    try:
        return find_mail(_kept(), mail_id)
    except NoSuchMail as error:
        fail(f"{error}; nightmail mail list shows what there is")
