"""The mails themselves: headers, a text, the same as HTML, and the CSV."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from nightmail_common.contract.events import ResultReady, RunFailed
from nightmail_mailer.compose import formatting as words
from nightmail_mailer.compose.attachment import Attachment
from nightmail_mailer.compose.links import Links
from nightmail_mailer.compose.message_ids import DOMAIN
from nightmail_mailer.compose.subject import one_line, plain_subject, subject
from nightmail_mailer.compose.table_preview import preview
from nightmail_mailer.delivery import Order
from nightmail_mailer.smtp.addresses import to_ascii_domain

SHOWN_LOG_LINES = 20
#: Of the table in a text, which mail programs fold where their window ends.
TEXT_WIDTH = 100

_templates = Environment(
    loader=PackageLoader("nightmail_mailer"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
    finalize=words.readable,
)
_templates.globals.update(in_words=words.in_words, duration=words.duration)

#: Makes the mail to one recipient, as the bytes that go over the wire.
MailTo = Callable[[str], bytes]


@dataclass(frozen=True)
class Mails:
    """Makes mails. `links` is None where recipients cannot reach the API."""

    sender: str
    links: Links | None

    def result(self, order: Order, event: ResultReady, csv: bytes, attachment: Attachment | None) -> MailTo:
        """Return the mail with a result: attached, or linked if it is too large for that."""
        due = words.local(event.scheduled_at, event.job)
        file_name = one_line(f"{event.job_name} {due:%Y-%m-%d}.csv")
        if attachment is not None and attachment.gzipped:
            file_name += ".gz"
        shown = preview(csv, event.rows)
        link, expires_at = self.links.result(event.run_id) if attachment is None and self.links else (None, None)
        facts = {
            "due": due,
            "why": words.why_it_ran(event.trigger, event.late),
            "late": words.late(event.late),
            "preview": shown,
            "table": shown.narrowed(TEXT_WIDTH),
            "file_name": None if attachment is None else file_name,
            "link": link,
            "expires_at": expires_at and words.local(expires_at, event.job),
            "size": words.size(len(csv)),
            "total_ms": event.timings.total_ms,
        }
        mail = self._mail(order, subject(event, due), "result", facts)
        if attachment is not None:
            kind = {"subtype": "gzip"} if attachment.gzipped else {"subtype": "csv", "params": {"charset": "utf-8"}}
            main = "application" if attachment.gzipped else "text"
            mail.add_attachment(attachment.data, main, filename=file_name, **kind)
        return self._addressed(order, mail)

    def failure(self, order: Order, event: RunFailed, count: int, since: datetime | None) -> MailTo:
        """Return the mail that tells of a failed run, the `count`-th in a row since then."""
        due = words.local(event.scheduled_at, event.job)
        facts = {
            "due": due,
            "why": words.why_it_ran(event.trigger, event.late),
            "late": words.late(event.late),
            "error": event.error,
            "tries": 1 if event.error.stage == "runner" else event.job.retries + 1,
            "what_failed": words.what_failed(event.error, event.job),
            "script": words.script_around(event.error, event.job),
            "message": words.shortened(event.error.message, words.MESSAGE_CHARACTERS),
            "log": [words.shortened(line, words.LINE_CHARACTERS) for line in event.log.splitlines()[-SHOWN_LOG_LINES:]],
            "count": count,
            "since": since and words.local(since, event.job),
            "next_due": words.next_due(event.job, datetime.now(UTC)),
        }
        return self._addressed(
            order, self._mail(order, plain_subject(f"{event.job_name} failed", due), "failure", facts)
        )

    def recovery(self, order: Order, event: ResultReady, count: int, since: datetime) -> MailTo:
        """Return the mail that tells that a job works again after `count` failures since then."""
        due = words.local(event.scheduled_at, event.job)
        facts = {
            "due": due,
            "why": words.why_it_ran(event.trigger, event.late),
            "count": count,
            "since": words.local(since, event.job),
        }
        title = plain_subject(f"{event.job_name} works again", due)
        return self._addressed(order, self._mail(order, title, "recovery", facts))

    def _mail(self, order: Order, title: str, template: str, facts: dict[str, object]) -> EmailMessage:
        mail = EmailMessage(policy=SMTP)
        mail["Subject"] = title
        mail["From"] = Address(display_name="Nightmail", addr_spec=self.sender)
        mail["Date"] = format_datetime(datetime.now(UTC))
        mail["Message-ID"] = order.message_id
        mail["Auto-Submitted"] = "auto-generated"
        mail["List-Id"] = f"<{order.job.job_id}.{DOMAIN}>"
        mail["X-Nightmail-Run"] = str(order.run_id)
        facts = {"job": order.job, "run_id": order.run_id, "title": title, "has_links": self.links is not None} | facts
        mail.set_content(_templates.get_template(f"{template}.txt").render(facts))
        mail.add_alternative(_templates.get_template(f"{template}.html").render(facts), subtype="html")
        return mail

    def _addressed(self, order: Order, mail: EmailMessage) -> MailTo:
        """Return a maker of the mail to one recipient, who learns of no other. The body is made once for all."""
        rest = mail.as_bytes()

        def to(recipient: str) -> bytes:
            lines = [f"To: {_header(to_ascii_domain(recipient))}"]
            if self.links is not None:
                url = _header(self.links.unsubscribe(order.job.job_id, recipient))
                lines += [f"List-Unsubscribe: <{url}>", "List-Unsubscribe-Post: List-Unsubscribe=One-Click"]
            return "".join(f"{line}\r\n" for line in lines).encode() + rest

        return to


def _header(value: str) -> str:
    """Return a value that can stand in a header as it is.

    Raises:
        ValueError: a line would end in it.
    """
    if not value.isprintable():
        raise ValueError("a header is one line")
    return value
