"""A few SMTP connections to one server, kept open and reused."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial

import aiosmtplib

from nightmail_mailer.settings import MailerSettings
from nightmail_mailer.smtp.breaker import Breaker
from nightmail_mailer.smtp.smtp_errors import why
from nightmail_mailer.smtp.turns import Turn, Turns

#: Together fewer than what servers allow one client (Postfix: 50). Eight are enough for thousands of mails a second.
MAX_CONNECTIONS = 8
MAX_HANGING = 40
#: After so long without use, a connection is asked whether it still is one: servers close idle ones (Postfix: 300 s).
NOOP_AFTER_SECONDS = 5.0
NOOP_TIMEOUT_SECONDS = 5.0
#: And after so long it is given up: a server's slots are for those who send.
IDLE_SECONDS = 60.0
CONNECT_TIMEOUT_SECONDS = 15.0
#: For any answer but the one to a mail's end (RFC 5321 section 4.5.3.2 says 5 minutes; a server that takes so long is
#: tried again later).
COMMAND_TIMEOUT_SECONDS = 60.0
#: When the server took no more connections, it is asked for another after so long; meanwhile ours go round.
FULL_SECONDS = 10.0
#: So often it is looked whether one that hangs can be cut off for that.
LOOK_SECONDS = 1.0


class NotConnected(Exception):
    """No connection to the server can be made; the message says why."""


@dataclass(frozen=True)
class Loan:
    """A connection that is ready for a mail, for one turn."""

    connection: aiosmtplib.SMTP
    turn: Turn


class Pool:
    """Connections; the breaker says whether it is any use to ask for one."""

    def __init__(self, settings: MailerSettings, breaker: Breaker) -> None:
        self._settings = settings
        self._breaker = breaker
        self._idle: list[tuple[aiosmtplib.SMTP, float]] = []
        self._lent = 0
        self._returned = asyncio.Condition()
        self._taking = asyncio.Lock()
        self._full_until = 0.0
        self.turns = Turns(MAX_CONNECTIONS, MAX_HANGING)
        #: The largest mail that the server takes (RFC 1870), as it said last; None if it does not say.
        self.max_mail_bytes: int | None = None

    @asynccontextmanager
    async def lend(self) -> AsyncIterator[Loan]:
        """Lend a connection that is ready for a mail; however long the server is away, it is waited for.

        One that is left with an error is closed, unless the server answered.
        """
        async with self.turns.turn() as turn:
            async with self._taking:  # in turn: a server that takes no more connections is asked by one of us
                connection = await self._take()
            self.turns.begin(turn, partial(_abort, connection))
            self._lent += 1
            try:
                yield Loan(connection, turn)
            except aiosmtplib.SMTPResponseException:
                raise
            except BaseException:
                _abort(connection)
                raise
            finally:
                self._lent -= 1
                if connection.is_connected:
                    self._idle.append((connection, time.monotonic()))
                    self._breaker.close()  # it is there, whoever could not connect meanwhile
                async with self._returned:
                    self._returned.notify()

    async def probe(self) -> None:
        """For ever: when the server is away, look from time to time whether it is back; close what is idle for long."""
        while True:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._breaker.until_probe(), IDLE_SECONDS)
                with suppress(NotConnected):
                    self._idle.append((await self._connect(), time.monotonic()))
            while self._idle and time.monotonic() - self._idle[0][1] > IDLE_SECONDS:
                await _quit(self._idle.pop(0)[0])

    async def close(self) -> None:
        while self._idle:
            await _quit(self._idle.pop()[0])

    async def _take(self) -> aiosmtplib.SMTP:
        while True:
            while self._idle:
                connection, since = self._idle.pop()
                if await _is_alive(connection, time.monotonic() - since):
                    return connection
                while self._idle:  # they were idle for longer
                    _abort(self._idle.pop()[0])
            if self._breaker.reason is not None:
                await self._breaker.until_closed()
                continue
            if self._lent and time.monotonic() < self._full_until:
                self.turns.cut_oldest()
                await self._one_returned()
                continue
            with suppress(NotConnected):
                return await self._connect()

    async def _one_returned(self) -> None:
        with suppress(asyncio.TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS), self._returned:
                await self._returned.wait_for(lambda: self._idle)

    async def _connect(self) -> aiosmtplib.SMTP:
        settings = self._settings
        connection = aiosmtplib.SMTP(
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            username=settings.smtp_username,
            password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
            use_tls=settings.smtp_security == "tls",
            start_tls=settings.smtp_security == "starttls",
            timeout=CONNECT_TIMEOUT_SECONDS,
        )
        try:
            await connection.connect()
            if connection.is_ehlo_or_helo_needed:
                await connection.ehlo()
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            connection.close()
            reason = f"{settings.smtp_host}:{settings.smtp_port}: {why(error)}"
            if (self._lent or self._idle) and isinstance(error, aiosmtplib.SMTPConnectResponseError):
                self._full_until = time.monotonic() + FULL_SECONDS  # it is there, and wants no more than we have
            else:
                self._breaker.open(reason)
            raise NotConnected(reason) from error
        size = connection.esmtp_extensions.get("size", "")
        self.max_mail_bytes = int(size) or None if size.isdigit() else None
        self._breaker.close()
        return connection


async def _is_alive(connection: aiosmtplib.SMTP, idle_seconds: float) -> bool:
    if connection.is_connected and idle_seconds < NOOP_AFTER_SECONDS:
        return True
    try:
        await connection.noop(timeout=NOOP_TIMEOUT_SECONDS)
    except (aiosmtplib.SMTPException, OSError):
        _abort(connection)
        return False
    return True


def _abort(connection: aiosmtplib.SMTP) -> None:
    """Close a connection at once: closing as usual waits for what a server that hangs does not read."""
    if isinstance(connection.transport, asyncio.WriteTransport):
        connection.transport.abort()
    connection.close()


async def _quit(connection: aiosmtplib.SMTP) -> None:
    with suppress(aiosmtplib.SMTPException, OSError):
        await connection.quit(timeout=1)
    connection.close()
