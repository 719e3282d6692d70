"""The address of a mailbox on an IMAP server: `imaps://user@host:993/mailbox` (RFC 5092)."""

from dataclasses import dataclass
from typing import Self
from urllib.parse import unquote, urlsplit

#: IMAP over TLS from the first byte (RFC 8314 section 7.3).
IMAPS_PORT = 993
_EXAMPLE = (
    "an imaps:// URL with the user and without a password, as in imaps://reports%40example.com@imap.example.com/INBOX"
)


@dataclass(frozen=True)
class ImapAddress:
    """Where the mailbox is. `mailbox` is its name on the server, in modified UTF-7 if it is not ASCII (RFC 3501 section 5.1.3)."""

    host: str
    port: int
    user: str
    mailbox: str

    @classmethod
    def of(cls, url: str) -> Self:
        """Read a URL.

        Raises:
            ValueError: it is no such URL; the message has the required form.
        """
        parts = urlsplit(url)
        user, mailbox = unquote(parts.username or ""), unquote(parts.path.removeprefix("/")) or "INBOX"
        # Not in the password's place either: a URL is in process lists and logs.
        if parts.scheme != "imaps" or not parts.hostname or not user or parts.password is not None:
            raise ValueError(_EXAMPLE)
        if not (user.isprintable() and mailbox.isascii() and mailbox.isprintable()) or parts.query or parts.fragment:
            raise ValueError(_EXAMPLE)
        return cls(parts.hostname, parts.port or IMAPS_PORT, user, mailbox)

    @property
    def quoted_mailbox(self) -> str:
        """The mailbox as a quoted string of IMAP."""
        escaped = self.mailbox.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
