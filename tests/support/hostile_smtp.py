"""SMTP servers that behave as public bug reports say, one after the other on the same port."""

import asyncio
import itertools
from collections.abc import Callable, Iterator
from email import message_from_bytes

from support.smtp_server import DROP, SmtpServer

#: A mail to this recipient is refused by every one of the servers.
UNKNOWN = "unknown@example.com"
#: What the server takes when a mail is too large for it, without having announced a SIZE.
MAX_BYTES = 60_000

Behaviour = Callable[["HostileServer"], None]


class HostileServer:
    """Changes what a server does; the mails of `UNKNOWN` are refused whatever it does."""

    def __init__(self, server: SmtpServer) -> None:
        self.server = server
        self._seen: set[tuple[str, str]] = set()

    def behave(self, name: str) -> None:
        """Behave in one of the ways of `BEHAVIOURS`."""
        self._usual()
        BEHAVIOURS[name](self)

    def is_first(self, kind: str, recipient: str) -> bool:
        """Return whether a mail (or, before its text is known, a recipient) meets this kind of refusal for the first time."""
        subject = message_from_bytes(self.server.last_content)["Message-ID"] if kind == "lost" else ""
        key = (kind, f"{recipient} {subject}")
        is_new = key not in self._seen
        self._seen.add(key)
        return is_new

    def _usual(self) -> None:
        server = self.server

        async def refuse_unknown(recipient: str) -> str | None:
            return "550 5.1.1 no such user" if recipient == UNKNOWN else None

        server.on_mail, server.after_data = _go_on, _go_on
        server.on_rcpt = refuse_unknown
        server.max_connections = 1000


async def _go_on(_: object) -> str | None:
    return None


def _used_up_session(hostile: HostileServer) -> None:
    async def refuse(count: int) -> str | None:
        return "452 4.4.5 Insufficient system storage" if count > 2 else None

    hostile.server.on_mail = refuse


def _at_mail(*replies: str) -> Behaviour:
    def behave(hostile: HostileServer) -> None:
        turns: Iterator[str] = itertools.cycle(replies)

        async def refuse(_: int) -> str | None:
            return next(turns)

        hostile.server.on_mail = refuse

    return behave


def _after_data(*replies: str) -> Behaviour:
    def behave(hostile: HostileServer) -> None:
        turns: Iterator[str] = itertools.cycle(replies)

        async def refuse(_: str) -> str | None:
            return next(turns)

        hostile.server.after_data = refuse

    return behave


def _size(hostile: HostileServer) -> None:
    async def refuse(_: str) -> str | None:
        too_large = len(hostile.server.last_content) > MAX_BYTES
        return "552 5.3.4 message exceeds the fixed maximum size" if too_large else None

    hostile.server.after_data = refuse


def _greylisting(hostile: HostileServer) -> None:
    usual = hostile.server.on_rcpt

    async def refuse(recipient: str) -> str | None:
        if hostile.is_first("greylisting", recipient):
            return "450 4.2.0 greylisted, try again later"
        return await usual(recipient)

    hostile.server.on_rcpt = refuse


def _lost(hostile: HostileServer) -> None:
    async def drop(recipient: str) -> str | None:
        return DROP if hostile.is_first("lost", recipient) else None

    hostile.server.after_data = drop


def _slow(hostile: HostileServer) -> None:
    async def wait(_: str) -> str | None:
        await asyncio.sleep(2)
        return None

    hostile.server.after_data = wait


def _few_connections(hostile: HostileServer) -> None:
    hostile.server.max_connections = 1


def _usual(_: HostileServer) -> None:
    """Accept mail."""


BEHAVIOURS: dict[str, Behaviour] = {
    "usual": _usual,
    "used up session": _used_up_session,
    "sender refused": _at_mail("530 5.7.0 Must issue a STARTTLS command first", "553 sorry", "550 5.7.1 not allowed"),
    "closes": _at_mail("421 4.3.2 shutting down"),
    "quota": _after_data("550 5.4.5 Daily user sending quota exceeded", "554 5.2.0 submission quota exceeded"),
    "rate": _after_data("550 5.7.1 Our system has detected an unusual rate of mail", "451 4.7.1 try again later"),
    "size": _size,
    "greylisting": _greylisting,
    "lost": _lost,
    "slow": _slow,
    "few connections": _few_connections,
}
