"""The mails: what a recipient reads."""

import csv
import io
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from nightmail_common.events import MailKind, ResultReady, RunFailed
from nightmail_common.job import Job

SHOWN_ROWS = 20
#: The domain of Message-IDs. Not the host's name, which is nobody's business and differs between mailers.
MESSAGE_ID_DOMAIN = "nightmail.invalid"

_templates = Environment(
    loader=PackageLoader("nightmail_mailer"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True)
class Preview:
    """The first rows of a result: cells as text."""

    columns: list[str]
    rows: list[list[str]]
    total: int

    @property
    def caption(self) -> str:
        if self.total > len(self.rows):
            return f"first {len(self.rows)} of {self.total:,} rows"
        return "1 row" if self.total == 1 else f"{self.total:,} rows"


def message_id(run_id: UUID, kind: MailKind) -> str:
    """Return the Message-ID of a run's mail: the same at every try, so that a duplicate can be recognised."""
    return f"<{run_id}.{kind}@{MESSAGE_ID_DOMAIN}>"


def result_mail(event: ResultReady, csv_bytes: bytes, sender: str) -> EmailMessage:
    """Return the mail with a result, without recipient."""
    due = _local(event.scheduled_at, event.job)
    mail = _mail(event, "result", sender, event.job.subject or f"{event.job_name} · {due:%Y-%m-%d %H:%M}")
    preview = _preview(csv_bytes, event.rows)
    facts = {"event": event, "job": event.job, "due": due, "preview": preview, "file_name": _file_name(event.job, due)}
    _write(mail, "result", facts)
    mail.add_attachment(
        csv_bytes, maintype="text", subtype="csv", filename=_file_name(event.job, due), params={"charset": "utf-8"}
    )
    return mail


def failure_mail(event: RunFailed, sender: str) -> EmailMessage:
    """Return the mail that tells of a failed run, without recipient."""
    due = _local(event.scheduled_at, event.job)
    mail = _mail(event, "failure", sender, f"{event.job_name} failed · {due:%Y-%m-%d %H:%M}")
    _write(mail, "failure", {"event": event, "job": event.job, "due": due, "log": event.log.splitlines()[-20:]})
    return mail


def _mail(event: ResultReady | RunFailed, kind: MailKind, sender: str, subject: str) -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"] = subject
    mail["From"] = Address(display_name="Nightmail", addr_spec=sender)
    mail["Date"] = format_datetime(datetime.now(UTC))
    mail["Message-ID"] = message_id(event.run_id, kind)
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Nightmail-Run"] = str(event.run_id)
    return mail


def _write(mail: EmailMessage, template: str, facts: dict[str, object]) -> None:
    mail.set_content(_templates.get_template(f"{template}.txt").render(facts))
    mail.add_alternative(_templates.get_template(f"{template}.html").render(facts), subtype="html")


def _preview(csv_bytes: bytes, total: int) -> Preview:
    lines = csv.reader(io.TextIOWrapper(io.BytesIO(csv_bytes), "utf-8", newline=""))
    columns = next(lines, [])
    return Preview(columns, [row for _, row in zip(range(SHOWN_ROWS), lines, strict=False)], total)


def _local(moment: datetime, job: Job) -> datetime:
    return moment.astimezone(ZoneInfo(job.timezone))


def _file_name(job: Job, due: datetime) -> str:
    return f"{job.job_name} {due:%Y-%m-%d}.csv"
