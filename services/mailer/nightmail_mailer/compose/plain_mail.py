"""A mail of plain text that Nightmail writes by itself: a notice, or a test mail."""

from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from uuid import uuid4

from nightmail_mailer.compose.subject import one_line
from nightmail_mailer.smtp.addresses import domain_of, to_ascii_domain


def plain_mail(sender: str, recipient: str, title: str, text: str, kind: str) -> bytes:
    """Return a mail; `kind` is a part of its Message-ID.

    Raises:
        ValueError: the recipient's domain has a character that no domain may have.
    """
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = one_line(title)
    mail["From"] = Address(display_name="Nightmail", addr_spec=sender)
    mail["Date"] = format_datetime(datetime.now(UTC))
    mail["Message-ID"] = f"<{uuid4()}.{kind}@{domain_of(sender)}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text)
    return f"To: {to_ascii_domain(recipient)}\r\n".encode() + mail.as_bytes()
