"""What the reader of bounces needs of a mailbox."""

from typing import Protocol


class MailboxUnavailable(Exception):
    """The mailbox cannot be read now; the message says why, without a secret."""


class Mailbox(Protocol):
    """Mails that anybody may have sent. A mail stays until it is marked, whatever happens before.

    Each method raises MailboxUnavailable or OSError while the mailbox cannot be read.
    """

    #: From one look to the next. Notifications come minutes or days after their mail.
    poll_seconds: float

    async def unread(self) -> list[str]:
        """Return the names of the first mails that are not marked, `MAX_BOUNCES_READ` at most."""

    async def read(self, name: str) -> bytes | None:
        """Return the first `MAX_BOUNCE_BYTES` of a mail; None if it is gone."""

    async def mark(self, name: str, *, is_bounce: bool) -> None:
        """Mark a mail as read."""

    async def close(self) -> None:
        """Release what `unread` has opened."""
