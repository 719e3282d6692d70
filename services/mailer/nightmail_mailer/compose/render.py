"""Mails as bytes: headers, a text, the same as HTML, and the CSV."""

import quopri
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime as format_date_header

from css_inline import CSSInliner
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from nightmail_common.contract.events import ResultReady, RunFailed
from nightmail_common.contract.text import shorten
from nightmail_mailer.bounces.notification import token_header
from nightmail_mailer.compose import formatting
from nightmail_mailer.compose.attachment import Attachment
from nightmail_mailer.compose.errors import rendering
from nightmail_mailer.compose.figures import embed_figures, inline_figures
from nightmail_mailer.compose.file_names import file_stem, to_ascii
from nightmail_mailer.compose.links import Links
from nightmail_mailer.compose.mail_job import MailJob
from nightmail_mailer.compose.message import render_message
from nightmail_mailer.compose.mime_headers import MAIL_POLICY, new_boundary
from nightmail_mailer.compose.subject import default_subject, render_subject
from nightmail_mailer.compose.table_preview import preview_csv
from nightmail_mailer.smtp.addresses import domain_of, to_ascii_domain

SHOWN_LOG_LINES = 20
#: Characters of the table in the text part: mail programs fold longer lines.
TEXT_WIDTH = 100

_templates = Environment(
    loader=PackageLoader("nightmail_mailer"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
    finalize=formatting.remove_control_characters,
)
#: Mail programs that drop <style> keep these styles; the rules of @media, which have no place inline, stay in <style>.
_inliner = CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
_templates.globals.update(format_datetime=formatting.format_datetime, format_duration=formatting.format_duration)

#: Stands in a rendered body for the recipient's link to unsubscribe. Nobody can know it, and write it into a result.
_UNSUBSCRIBE = f"unsubscribe.{secrets.token_hex(16)}"

#: Returns the mail to one recipient, in lines that end in CRLF.
RenderFor = Callable[[str], bytes]


@dataclass(frozen=True)
class MailRenderer:
    """Renders mails.

    `links` is None where recipients cannot reach the API, `bounce_key` where nobody reads delivery status notifications.
    """

    sender: str
    links: Links | None
    bounce_key: str | None = None

    @rendering()
    def result(
        self,
        mail_job: MailJob,
        event: ResultReady,
        csv: bytes,
        attachments: Sequence[Attachment],
        images: Sequence[bytes] = (),
    ) -> RenderFor:
        """Return the mail with a result: its files attached, or its CSV linked without attachments.

        Args:
            images: the PNGs of all figures, or none if the mail is too large with them, which it says.
        """
        due = formatting.to_job_timezone(event.scheduled_at, event.job)
        value = mail_job.split_value
        names = [f"{result_file_stem(event, value)}.{one.format}" for one in attachments]
        marks = event.changes.marks if event.changes else ()
        shown = preview_csv(csv if event.columns else b"", event.rows, event.job.csv, marks, event.text_columns)
        message_text, message_html = render_message(event, due, value)
        link, expires_at = self.links.result(event.run_id, value) if not attachments and self.links else (None, None)
        figures = inline_figures(event, images, domain_of(self.sender))
        subject, subject_problem = render_subject(event, due, value)
        context: dict[str, object] = {
            "due": due,
            "subject_problem": subject_problem,
            "split_value": value,
            "trigger": formatting.describe_trigger(event.trigger, event.late),
            "late": formatting.describe_lateness(event.late),
            "figures": figures,
            "hidden_figures": len(event.figures) - len(figures),
            "changes": formatting.describe_changes(event, due),
            "message_text": message_text,
            "message_html": message_html,
            "notes": [note.text for note in event.notes if note.stage != "output"],
            "output_notes": [note.text for note in event.notes if note.stage == "output"],
            "preview": shown,
            "table": shown.narrowed(TEXT_WIDTH),
            "file_names": names,
            "is_zip": any(one.format == "zip" for one in attachments),
            "link": link,
            "expires_at": expires_at and formatting.to_job_timezone(expires_at, event.job),
            "size": formatting.format_size(len(csv)),
            "total_ms": event.timings.total_ms,
        }
        mail = self._mail(mail_job, subject, "result", context)
        embed_figures(mail, figures)
        if attachments:
            mail.make_mixed(new_boundary())
        for name, attachment in zip(names, attachments, strict=True):
            _attach(mail, attachment, name)
        return self._with_recipient(mail_job, mail)

    @rendering()
    def failure(self, mail_job: MailJob, event: RunFailed, count: int, since: datetime | None) -> RenderFor:
        """Return the mail about a failed run, the `count`-th in a row since then."""
        due = formatting.to_job_timezone(event.scheduled_at, event.job)
        context = {
            "due": due,
            "trigger": formatting.describe_trigger(event.trigger, event.late),
            "late": formatting.describe_lateness(event.late),
            "error": event.error,
            "attempts": 1 if event.error.stage == "runner" else event.job.retries + 1,
            "what_failed": formatting.describe_failure(event.error, event.job),
            "script": formatting.script_excerpt(event.error, event.job),
            "message": shorten(event.error.message, formatting.MESSAGE_CHARACTERS),
            "log": [shorten(line, formatting.LINE_CHARACTERS) for line in event.log.splitlines()[-SHOWN_LOG_LINES:]],
            "count": count,
            "since": since and formatting.to_job_timezone(since, event.job),
            "next_due": formatting.next_due(event.job, datetime.now(UTC)),
        }
        return self._with_recipient(
            mail_job, self._mail(mail_job, default_subject(f"{event.job_name} failed", due), "failure", context)
        )

    @rendering()
    def recovery(self, mail_job: MailJob, event: ResultReady, count: int, since: datetime) -> RenderFor:
        """Return the mail about a job that works again after `count` failures since then."""
        due = formatting.to_job_timezone(event.scheduled_at, event.job)
        context = {
            "due": due,
            "trigger": formatting.describe_trigger(event.trigger, event.late),
            "count": count,
            "since": formatting.to_job_timezone(since, event.job),
        }
        title = default_subject(f"{event.job_name} works again", due)
        return self._with_recipient(mail_job, self._mail(mail_job, title, "recovery", context))

    def _mail(self, mail_job: MailJob, title: str, template: str, context: dict[str, object]) -> EmailMessage:
        mail = EmailMessage(policy=MAIL_POLICY)
        mail["Subject"] = title
        mail["From"] = Address(display_name=mail_job.job.sender_name or "Nightmail", addr_spec=self.sender)
        if mail_job.job.reply_to is not None:
            mail["Reply-To"] = Address(addr_spec=to_ascii_domain(mail_job.job.reply_to))
        mail["Date"] = format_date_header(datetime.now(UTC))
        mail["Message-ID"] = mail_job.message_id(domain_of(self.sender))
        mail["Auto-Submitted"] = "auto-generated"
        mail["List-Id"] = f"<{mail_job.job.job_id}.{domain_of(self.sender)}>"
        mail["X-Nightmail-Run"] = str(mail_job.run_id)
        context = {
            "job": mail_job.job,
            "run_id": mail_job.run_id,
            "title": title,
            "named_for_failures": mail_job.kind != "result" and bool(mail_job.job.failure_emails),
            "unsubscribe": _UNSUBSCRIBE if self._shows_unsubscribe else None,
        } | context
        # The link differs by recipient; it is put into the encoded text, which must be quoted-printable for that.
        encoding = "quoted-printable" if self._shows_unsubscribe else None
        mail.set_content(_templates.get_template(f"{template}.txt").render(context), cte=encoding)
        mail.make_alternative(new_boundary())
        html = _inline_styles(_templates.get_template(f"{template}.html").render(context))
        mail.add_alternative(html, subtype="html", cte=encoding)
        return mail

    @property
    def _shows_unsubscribe(self) -> bool:
        return self.links is not None and self.links.is_beyond_this_machine

    def _with_recipient(self, mail_job: MailJob, mail: EmailMessage) -> RenderFor:
        """Return the renderer for one recipient, who sees no other's address but those of `cc` in a result.

        The body is the same bytes for all, but for the link to unsubscribe.
        """
        rest = mail.as_bytes()
        cc = [_header(to_ascii_domain(one)) for one in mail_job.job.cc] if mail_job.kind == "result" else []

        @rendering()
        def render_for(recipient: str) -> bytes:
            to = _header(to_ascii_domain(recipient))
            lines = [f"To: {to}"]
            if others := [one for one in cc if one != to]:
                lines.append("Cc: " + ",\r\n ".join(others))  # folded: a line has at most 998 bytes
            body = rest
            if self.links is not None and self._shows_unsubscribe:
                url = _header(self.links.unsubscribe(mail_job.job.job_id, recipient))
                body = rest.replace(_UNSUBSCRIBE.encode(), _quoted_printable(url))
                if self.links.is_public:
                    lines += [f"List-Unsubscribe: <{url}>", "List-Unsubscribe-Post: List-Unsubscribe=One-Click"]
            if self.bounce_key is not None:
                message_id = mail_job.message_id(domain_of(self.sender))
                lines.append(token_header(self.bounce_key, mail_job, message_id, recipient))
            return "".join(f"{line}\r\n" for line in lines).encode() + body

        return render_for


@rendering()
def result_file_stem(event: ResultReady, split_value: str | None) -> str:
    """Return the name of the files of a result, or of a slice, without an ending: the job and the day in its zone."""
    return file_stem(event.job_name, formatting.to_job_timezone(event.scheduled_at, event.job), split_value)


def _attach(mail: EmailMessage, attachment: Attachment, name: str) -> None:
    """Attach a file. The type's `name` is in ASCII: older versions of Outlook do not read the `filename*` of RFC 2231."""
    main, _, rest = attachment.mime_type.partition("/")
    subtype, _, charset = rest.partition("; charset=")
    parameters = {"name": to_ascii(name)} | ({"charset": charset} if charset else {})
    mail.add_attachment(attachment.data, main, subtype, filename=name, params=parameters)


def _inline_styles(html: str) -> str:
    """Return a page with its styles in its elements.

    The link to unsubscribe gets a line of its own: quoted-printable would fold it in a longer one.
    """
    link = f'href="{_UNSUBSCRIBE}"'
    return _inliner.inline(html).replace(link, f"\n{link}\n")


def _quoted_printable(url: str) -> bytes:
    """Return a URL encoded, on lines of its own that the decoder joins with those around (RFC 2045 section 6.7)."""
    return b"=\r\n" + quopri.encodestring(url.encode()).replace(b"\n", b"\r\n") + b"=\r\n"


def _header(value: str) -> str:
    """Return a value that a header can hold unchanged.

    Raises:
        ValueError: the value has a line break or a control character.
    """
    if not value.isprintable():
        raise ValueError("a header must be one line")
    return value
