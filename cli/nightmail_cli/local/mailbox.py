"""The mails that the catcher of `nightmail up` keeps in `DATA_DIR/mailbox`, as `nightmail mail` shows them."""

import gzip
import hashlib
import io
import mailbox
import os
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage, MIMEPart
from email.policy import default
from functools import cached_property
from pathlib import Path
from typing import Any

MAILBOX = "mailbox"
#: Of a CSV: its header and the first rows.
HEAD_LINES = 6
#: Enough to name every mail of a mailbox, and short enough to type.
ID_CHARACTERS = 8
#: Of a compressed CSV no more than this is unpacked to show its head.
_HEAD_BYTES = 64 * 1024


class NoSuchMail(Exception):
    """No mail, or more than one, has an id that begins like this."""


@dataclass(frozen=True)
class Caught:
    """A kept mail. Texts are printable: what a mail says must not steer the terminal."""

    id: str
    path: Path
    received_at: datetime

    @cached_property
    def mail(self) -> EmailMessage:
        return message_from_bytes(self.path.read_bytes(), policy=default)

    def header(self, name: str) -> str:
        return _one_line(str(self.mail[name] or ""))

    @property
    def recipients(self) -> str:
        return self.header("X-Envelope-To")

    @property
    def attachments(self) -> list[MIMEPart]:
        return list(self.mail.iter_attachments())

    def text(self) -> str:
        return _printable(self._body("plain") or "")

    def html(self) -> str | None:
        return self._body("html")

    def summary(self) -> dict[str, Any]:
        """Return what a list says of it."""
        return {
            "id": self.id,
            "received_at": self.received_at.isoformat(timespec="seconds"),
            "from": self.header("X-Envelope-From"),
            "to": self.recipients,
            "subject": self.header("Subject"),
            "attachments": [file_name(part) for part in self.attachments],
        }

    def details(self) -> dict[str, Any]:
        """Return all that can be said of it."""
        attachments = [
            {
                "file_name": file_name(part),
                "content_type": part.get_content_type(),
                "bytes": len(content(part)),
                "head": head(part),
            }
            for part in self.attachments
        ]
        headers = [[name, _one_line(str(value))] for name, value in self.mail.items()]
        return self.summary() | {
            "headers": headers,
            "text": self.text(),
            "html": self.html(),
            "attachments": attachments,
            "path": str(self.path),
        }

    def _body(self, kind: str) -> str | None:
        part = self.mail.get_body((kind,))
        return None if part is None else str(part.get_content())


def kept_mails(data_dir: Path) -> list[Caught]:
    """Return the mails of a mailbox, the newest first; none if there is no mailbox.

    Raises:
        OSError: the mailbox cannot be read.
    """
    folder = data_dir / MAILBOX
    found = [
        (entry.stat().st_mtime_ns, entry)
        for part in ("new", "cur")
        if (folder / part).is_dir()
        for entry in os.scandir(folder / part)
        if entry.is_file() and not entry.name.startswith(".")
    ]
    return [
        Caught(_id(entry.name), Path(entry.path), datetime.fromtimestamp(time / 1e9, UTC).astimezone())
        for time, entry in sorted(found, key=lambda one: (-one[0], one[1].name))
    ]


def find_mail(mails: list[Caught], mail_id: str | None) -> Caught:
    """Return the mail whose id begins so; the newest if none is given.

    Raises:
        NoSuchMail: there is none, or there are several.
    """
    found = mails[:1] if mail_id is None else [one for one in mails if one.id.startswith(mail_id.lower())]
    if mail_id == "" or not found:
        raise NoSuchMail("no mail was caught yet" if not mails else f"there is no mail {mail_id!r}")
    if len(found) > 1:
        raise NoSuchMail(f"{len(found)} mails have an id that begins with {mail_id!r}")
    return found[0]


def file_name(part: MIMEPart) -> str:
    return _one_line(part.get_filename() or part.get_content_type())


def content(part: MIMEPart) -> bytes:
    decoded = part.get_payload(decode=True)
    return decoded if isinstance(decoded, bytes) else b""


def head(part: MIMEPart) -> list[str]:
    """Return the first lines of an attached CSV; none of anything else."""
    if part.get_content_type() not in {"text/csv", "application/gzip"}:
        return []
    data = content(part)
    if part.get_content_type() == "application/gzip":
        try:
            with gzip.open(io.BytesIO(data)) as unpacked:
                data = unpacked.read(_HEAD_BYTES)
        except (OSError, EOFError, zlib.error):
            return []
    lines = data[:_HEAD_BYTES].decode("utf-8", "replace").splitlines()
    return [_one_line(line) for line in lines[:HEAD_LINES]]


def _id(name: str) -> str:
    key = name.partition(mailbox.Maildir.colon)[0]  # behind it stand flags, which change
    return hashlib.sha256(key.encode()).hexdigest()[:ID_CHARACTERS]


def _one_line(text: str) -> str:
    return _printable(" ".join(text.split()))


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() or char in "\n\t" else "�" for char in text.replace("\r\n", "\n"))
