"""Delivery status notifications (RFC 3464) as anybody may have sent them: untrusted, and read up to a ceiling.

A notification counts only with the token of a mail that this installation has sent (`bounce_token`), from the headers that it
returns (RFC 6522): nobody else can make one, and a recipient can report only a mail of their own.
"""

import email
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import compat32
from uuid import UUID

from nightmail_common.contract.events import MailKind
from nightmail_common.contract.limits import MAX_BOUNCE_ANSWER_CHARS, MAX_BOUNCE_PARTS
from nightmail_common.contract.signing import LinkNotValid, read, sign
from nightmail_mailer.compose.mail_job import MailJob
from nightmail_mailer.smtp.smtp_errors import redact_addresses

#: The header of a mail that a notification returns.
TOKEN_HEADER = "X-Nightmail-Delivery"  # noqa: S105
#: Servers give up after 5 days (RFC 5321 section 4.5.4.1), and some notifications are late.
VALID_FOR = timedelta(days=14)
_PURPOSE = "bounce"
#: Shorter than the lines that every server passes on unchanged (RFC 5322 section 2.1.1).
_LINE_CHARS = 70
#: The parser compares each line with the boundaries of all parts around it: 400 of them took a second and a half.
_MAX_BOUNDARIES = 50
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_RETURNED = frozenset({"text/rfc822-headers", "message/rfc822", "message/global-headers", "message/global"})


@dataclass(frozen=True)
class Bounce:
    """A mail that a recipient did not get, and why: the enhanced status code (RFC 3463) and the last server's reply."""

    job_name: str
    run_id: UUID
    kind: MailKind
    message_id: str
    recipient: str
    status: str
    answer: str
    split_value: str | None = None


def token_header(key: str, mail_job: MailJob, message_id: str, recipient: str) -> str:
    """Return the header, folded and without a line end, by which the bounce of one recipient's mail is recognised."""
    payload = {
        "job": mail_job.job.job_name,
        "run": str(mail_job.run_id),
        "kind": mail_job.kind,
        "mail": message_id,
        "to": recipient,
    }
    if mail_job.split_value is not None:
        payload["slice"] = mail_job.split_value
    token = sign(key, _PURPOSE, payload, datetime.now(UTC) + VALID_FOR)
    lines = (token[start : start + _LINE_CHARS] for start in range(0, len(token), _LINE_CHARS))
    return f"{TOKEN_HEADER}: " + "\r\n ".join(lines)


def read_bounce(key: str, content: bytes) -> Bounce | None:
    """Return the bounce that a mail reports; None if it is another mail, a delay, or not about a mail of this installation.

    Args:
        content: the mail, or its beginning.
    """
    if content.lower().count(b"boundary") > _MAX_BOUNDARIES:
        return None
    message = email.message_from_bytes(content, policy=compat32)
    if message.get_content_type() != "multipart/report":
        return None
    payload = message.get_payload()
    if not isinstance(payload, list):
        return None
    parts = [part for part in payload[:MAX_BOUNCE_PARTS] if isinstance(part, Message)]
    failed = next((block for part in parts for block in _failed(part)), None)
    if failed is None:
        return None
    for part in parts:
        if (token := _token(part)) and (named := _verified(key, token)) is not None:
            return _bounce(named, failed)
    return None


def _failed(part: Message) -> Iterator[Message]:
    """Yield the recipients of a report whose mail is given up."""
    blocks = part.get_payload() if part.get_content_type() == "message/delivery-status" else None
    for block in blocks[:MAX_BOUNCE_PARTS] if isinstance(blocks, list) else ():
        if isinstance(block, Message) and _text(block, "Action").lower() == "failed":
            yield block


def _token(part: Message) -> str:
    if part.get_content_type() not in _RETURNED:
        return ""
    returned = part.get_payload()
    if isinstance(returned, list) and returned and isinstance(returned[0], Message):
        return "".join(_text(returned[0], TOKEN_HEADER).split())
    decoded = part.get_payload(decode=True)
    if isinstance(decoded, bytes):
        return "".join(_text(BytesHeaderParser(policy=compat32).parsebytes(decoded), TOKEN_HEADER).split())
    return ""


def _verified(key: str, token: str) -> dict[str, str] | None:
    try:
        return read(key, _PURPOSE, token)
    except LinkNotValid:
        return None


def _bounce(named: dict[str, str], failed: Message) -> Bounce:
    status = _STATUS.search(_text(failed, "Status"))
    said = _text(failed, "Diagnostic-Code").partition(";")[2] or "no reason given"
    answer = redact_addresses(" ".join(part for part in said.split() if part.isprintable()))
    kind = named["kind"]
    assert kind in {"result", "failure", "recovery"}
    return Bounce(
        job_name=named["job"],
        run_id=UUID(named["run"]),
        kind=kind,  # type: ignore[arg-type]
        message_id=named["mail"],
        recipient=named["to"],
        status=status[0] if status else "5.0.0",
        answer=answer[:MAX_BOUNCE_ANSWER_CHARS],
        split_value=named.get("slice"),
    )


def _text(message: Message, name: str) -> str:
    return str(message.get(name, "")).strip()
