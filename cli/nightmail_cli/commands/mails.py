"""`nightmail mails`: the delivery ledger, over REST."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from nightmail_cli.client import Client
from nightmail_cli.commands.completion import MAIL_OUTCOMES, job_names, mail_outcomes
from nightmail_cli.commands.run_view import short_ids
from nightmail_cli.help import WholeHelp
from nightmail_cli.option_checks import check_choice, check_time
from nightmail_cli.output import AsJson, first_of, format_time, print_json, print_table

app = typer.Typer(cls=WholeHelp, no_args_is_help=True)


@app.callback()
def mails() -> None:
    """Show which mails were sent, refused, or wait."""


@app.command("list")
def list_mails(
    recipient: Annotated[str | None, typer.Option(help="Only mails to this address.")] = None,
    outcome: Annotated[
        str | None,
        typer.Option(
            help="Only mails with this outcome: accepted, refused, uncertain, waiting, bounced.",
            autocompletion=mail_outcomes,
        ),
    ] = None,
    job: Annotated[str | None, typer.Option(help="Only mails of this job.", autocompletion=job_names)] = None,
    message_id: Annotated[str | None, typer.Option(help="Only the mail with this Message-ID.")] = None,
    since: Annotated[
        str | None, typer.Option(help="Only mails with an answer at this time or later (ISO 8601 with an offset).")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="The maximum number of items.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List mails, one line for each recipient, newest first."""
    check_choice(outcome, MAIL_OUTCOMES, "--outcome")
    check_time(since, "--since")
    of = {"recipient": recipient, "outcome": outcome, "job_name": job, "message_id": message_id}
    found = first_of(Client().pages("/mails", limit + 1, since=since, **of), limit)
    if as_json:
        print_json(found)
        return
    ids = short_ids([mail["run_id"] for mail in found])
    rows = (
        (
            format_time(mail["time"]),
            mail["job_name"],
            mail["recipient"],
            mail_outcome(mail),
            mail["answer"],
            ids[mail["run_id"]],
        )
        for mail in found
    )
    columns = ("when", "job", "recipient", "outcome", "answer", "run")
    print_table(columns, rows, empty="there are no mails", whole="run", optional=("answer", "run"))


def mail_outcome(mail: dict[str, Any]) -> str:
    """Return the outcome; the log has a deferral at most hourly, so a time in the past is that of an earlier attempt."""
    time = mail["next_attempt"]
    if time is None or datetime.fromisoformat(time) <= datetime.now(UTC):
        return str(mail["outcome"])
    return f"waiting until {format_time(time)}"
