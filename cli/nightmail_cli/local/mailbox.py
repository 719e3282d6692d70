"""The caught mails in `DATA_DIR/mailbox` (a Maildir), for `nightmail mail`."""

import base64
import hashlib
import io
import mailbox
import os
import zipfile
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage, Message, MIMEPart
from email.policy import default
from functools import cached_property
from pathlib import Path
from typing import Any

MAILBOX = "mailbox"
#: The header and the first rows of a CSV.
HEAD_LINES = 6
#: Enough to be unique in a mailbox, and short enough to type.
ID_CHARACTERS = 8
#: The part of a compressed CSV that is decompressed to show its head.
_HEAD_BYTES = 64 * 1024


class NoSuchMail(Exception):
    """No mail has an id with this prefix, or more than one has."""


@dataclass(frozen=True)
class CaughtMail:
    """A caught mail. Texts have no control characters, which could steer the terminal."""

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
        """Return the HTML with the mail's images in it, as a browser needs it."""
        page = self._body("html")
        if page is None:
            return None
        for part in self.mail.walk():
            content_id = str(part["Content-ID"] or "").strip("<>")
            if content_id and part.get_content_maintype() == "image":
                image = base64.b64encode(content(part)).decode()
                page = page.replace(f'"cid:{content_id}"', f'"data:{part.get_content_type()};base64,{image}"')
        return page

    def summary(self) -> dict[str, Any]:
        """Return the fields for a list."""
        return {
            "id": self.id,
            "received_at": self.received_at.isoformat(timespec="seconds"),
            "from": self.header("X-Envelope-From"),
            "to": self.recipients,
            "subject": self.header("Subject"),
            "attachments": [file_name(part) for part in self.attachments],
        }

    def details(self) -> dict[str, Any]:
        """Return every field, with headers, bodies and attachments."""
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


def caught_mails(data_dir: Path) -> list[CaughtMail]:
    """Return the mails of the mailbox, newest first; none if there is no mailbox.

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
        CaughtMail(_id(entry.name), Path(entry.path), datetime.fromtimestamp(time / 1e9, UTC).astimezone())
        for time, entry in sorted(found, key=lambda one: (-one[0], one[1].name))
    ]


def find_mail(mails: list[CaughtMail], mail_id: str | None) -> CaughtMail:
    """Return the one of some mails whose id has this prefix; the newest if it is None.

    Raises:
        NoSuchMail: no mail or several mails match.
    """
    found = mails[:1] if mail_id is None else [one for one in mails if one.id.startswith(mail_id.lower())]
    if mail_id == "" or not found:
        raise NoSuchMail(f"there is no mail {mail_id!r}")
    if len(found) > 1:
        raise NoSuchMail(f"{len(found)} mails have an id that begins with {mail_id!r}")
    return found[0]


def file_name(part: MIMEPart) -> str:
    return _one_line(part.get_filename() or part.get_content_type())


def content(part: Message) -> bytes:
    decoded = part.get_payload(decode=True)
    return decoded if isinstance(decoded, bytes) else b""


def head(part: MIMEPart) -> list[str]:
    """Return the first lines of an attached CSV; no lines of another type."""
    if part.get_content_type() not in {"text/csv", "application/zip"}:
        return []
    data = content(part)
    if part.get_content_type() == "application/zip":
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                name = next(name for name in archive.namelist() if name.endswith(".csv"))
                with archive.open(name) as unpacked:
                    data = unpacked.read(_HEAD_BYTES)
        except (StopIteration, NotImplementedError, RuntimeError, OSError, EOFError, zipfile.BadZipFile, zlib.error):
            return []
    lines = data[:_HEAD_BYTES].decode("utf-8", "replace").splitlines()
    return [_one_line(line) for line in lines[:HEAD_LINES]]


def _id(name: str) -> str:
    key = name.partition(mailbox.Maildir.colon)[0]  # the flags after the colon change
    return hashlib.sha256(key.encode()).hexdigest()[:ID_CHARACTERS]


def _one_line(text: str) -> str:
    return _printable(" ".join(text.split()))


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() or char in "\n\t" else "�" for char in text.replace("\r\n", "\n"))
