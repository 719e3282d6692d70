"""The connections to the SMTP server: limited, kept open, reused, and aborted when they hang."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import aiosmtplib
import structlog

from nightmail_common.broker.backoff import Backoff
from nightmail_mailer.metrics import SENDER_REFUSED, SLOW_SENDS, UNREACHABLE
from nightmail_mailer.settings import MailerSettings
from nightmail_mailer.smtp.access_tokens import access_tokens
from nightmail_mailer.smtp.connection import (
    CONNECT_ERRORS,
    abort,
    answers,
    check_sender,
    is_catcher,
    open_connection,
    quit_connection,
    size_limit,
)
from nightmail_mailer.smtp.smtp_errors import describe_smtp_error, is_about_sender

#: Eight connections are enough for thousands of mails a second.
MAX_SENDING = 8
#: A send that takes longer is slow: it continues, and no longer counts against `MAX_SENDING`.
SLOW_AFTER_SECONDS = 1.0
#: Slow sends beyond `MAX_SENDING`. The sum of both is below what servers allow one client (Postfix: 50).
MAX_SLOW = 40
#: The oldest send is aborted when more are slow, or when the server accepts no more connections, but not before this
#: time. After DATA it has longer, because the mail may then be sent twice (RFC 1047).
ABORT_AFTER_SECONDS = 10.0
ABORT_AFTER_DATA_SECONDS = 60.0
#: A connection idle for longer is checked before its use: servers close idle ones (Postfix: 300 s).
NOOP_AFTER_SECONDS = 5.0
#: A connection idle for longer is closed: it takes one of the server's places.
IDLE_SECONDS = 60.0
#: After the server turned a connection away beside those in use, none is opened for this time.
FULL_SECONDS = 10.0
#: How often a sender that waits for a slot checks whether another send has become slow.
POLL_SECONDS = 0.1
#: A server that restarts is found within a moment; one that is down for hours sees two connections a minute.
PROBE_BACKOFF = Backoff(first=0.25, longest=30.0)

#: The reason why no mail is sent until the first attempt to connect has ended.
NOT_CONNECTED_YET = "not connected yet"

logger = structlog.get_logger()


@dataclass(eq=False)
class SendSlot:
    """A connection in use for one mail. Times are monotonic seconds; `data_sent_at` is when all of the mail was sent."""

    connection: aiosmtplib.SMTP
    began_at: float
    data_sent_at: float | None = None

    def may_be_aborted(self) -> bool:
        if self.data_sent_at is not None:
            return time.monotonic() - self.data_sent_at >= ABORT_AFTER_DATA_SECONDS
        return time.monotonic() - self.began_at >= ABORT_AFTER_SECONDS


class SmtpPool:
    """Lends connections for at most `MAX_SENDING` sends at a time, slow ones not counted.

    While the server is unreachable or refuses the sender, senders wait and only `run` connects, with backoff.
    """

    def __init__(self, settings: MailerSettings) -> None:
        self._settings = settings
        self.server = f"{settings.smtp_host}:{settings.smtp_port}"
        self._tokens = access_tokens(settings)
        self._in_use: dict[SendSlot, None] = {}  # the oldest first
        self._idle: list[tuple[aiosmtplib.SMTP, float]] = []  # with the time of the last use, the oldest first
        self._acquiring = asyncio.Lock()
        self._released = asyncio.Event()
        self._full_until = 0.0
        #: Why the server is unreachable; None while it is reachable.
        self.unreachable_reason: str | None = NOT_CONNECTED_YET
        self._failed_connects = 0
        #: The server refuses MAIL from us, and only a probe that it accepts ends that.
        self._sender_refused = False
        self._credentials_refused = False
        self._reachable = asyncio.Event()
        self._unreachable = asyncio.Event()
        self._unreachable.set()
        #: The largest mail that the server accepts, as it said at the last connect; None if it does not say.
        self.max_mail_bytes: int | None = None
        #: It said that it delivers nothing.
        self.is_catcher = False
        SLOW_SENDS.set_function(lambda: self.slow_sends)
        UNREACHABLE.set_function(lambda: self.unreachable_reason is not None)
        SENDER_REFUSED.set_function(lambda: self.refuses_us)

    @property
    def slow_sends(self) -> int:
        return sum(time.monotonic() - slot.began_at >= SLOW_AFTER_SECONDS for slot in self._in_use)

    @property
    def refuses_us(self) -> bool:
        """Whether the server answers, and refuses the sender or the credentials."""
        return self._sender_refused or self._credentials_refused

    async def until_reachable(self) -> None:
        await self._reachable.wait()

    async def until_unreachable(self) -> None:
        await self._unreachable.wait()

    def hold_all(self, reason: str) -> None:
        """Send nothing until a probe finds that the server accepts the sender: any mail would be refused alike."""
        if self._sender_refused:
            return
        self._sender_refused = True
        while self._idle:
            abort(self._idle.pop()[0])
        self._set_unreachable(reason)

    @asynccontextmanager
    async def send_slot(self, *, new_connection: bool = False) -> AsyncIterator[SendSlot]:
        """Wait for a free slot and for the server, however long it is unreachable; hold the slot while inside.

        The connection is reused, unless an error other than a reply of the server ends the block.

        Args:
            new_connection: take one that is not in the pool, if the server accepts a further one.
        """
        async with self._acquiring:  # FIFO, and one connect at a time
            slot = SendSlot(await self._acquire(new_connection), time.monotonic())
            self._in_use[slot] = None
        try:
            yield slot
        except aiosmtplib.SMTPResponseException:
            raise
        except BaseException:
            abort(slot.connection)
            raise
        finally:
            del self._in_use[slot]
            if slot.connection.is_connected:
                self._add_idle(slot.connection)
            self._released.set()

    async def run(self) -> None:
        """Probe the server while it is unreachable; close connections that are idle for long. Never returns."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(IDLE_SECONDS):
                    await self._unreachable.wait()
                if self._failed_connects:
                    await asyncio.sleep(PROBE_BACKOFF.wait(self._failed_connects))
                if self.unreachable_reason is not None and (connection := await self._probe()) is not None:
                    self._add_idle(connection)
            while self._idle and time.monotonic() - self._idle[0][1] > IDLE_SECONDS:
                await quit_connection(self._idle.pop(0)[0])

    async def close(self) -> None:
        while self._idle:
            await quit_connection(self._idle.pop()[0])

    async def _acquire(self, new_connection: bool) -> aiosmtplib.SMTP:
        """Return a connection: an idle one, unless a new one is asked for; else a new one, else the next released."""
        while True:
            slow = self.slow_sends
            is_full = bool(self._in_use) and time.monotonic() < self._full_until
            if len(self._in_use) - min(slow, MAX_SLOW) < MAX_SENDING:
                if (is_full or not new_connection) and (idle := await self._take_idle()) is not None:
                    return idle
                if self.unreachable_reason is not None:
                    await self._reachable.wait()
                    continue
                if not is_full:
                    if (connection := await self._connect()) is not None:
                        return connection
                    new_connection = False  # rather a connection that is open than none
                    continue
            if is_full or slow > MAX_SLOW:
                self._abort_oldest()
            self._released.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._released.wait()

    async def _take_idle(self) -> aiosmtplib.SMTP | None:
        """Return the connection that was used last. If it does not answer, those idle for longer do not either."""
        while self._idle:
            connection, used_at = self._idle.pop()
            if connection.is_connected and time.monotonic() - used_at < NOOP_AFTER_SECONDS:
                return connection
            if await answers(connection):
                return connection
            for stale in (connection, *(older for older, _ in self._idle)):
                abort(stale)
            self._idle.clear()
        return None

    def _abort_oldest(self) -> None:
        if (slot := next((slot for slot in self._in_use if slot.may_be_aborted()), None)) is not None:
            logger.warning("slow_send_aborted", seconds=round(time.monotonic() - slot.began_at))
            abort(slot.connection)
            self._full_until = 0.0  # one of the server's places is free

    async def _probe(self) -> aiosmtplib.SMTP | None:
        """Return a connection on which mail can be sent; None if there is none, and why is set."""
        if not self._sender_refused:
            return await self._connect()
        connection = None
        try:
            connection = await open_connection(self._settings, self._tokens)
            await check_sender(connection, self._settings.smtp_from)
        except CONNECT_ERRORS as error:
            if connection is not None:
                abort(connection)
            self._set_unreachable(describe_smtp_error(error))
            return None
        self._sender_refused = False
        self._learn(connection)
        return connection

    async def _connect(self) -> aiosmtplib.SMTP | None:
        try:
            connection = await open_connection(self._settings, self._tokens)
        except CONNECT_ERRORS as error:
            if (self._in_use or self._idle) and isinstance(error, aiosmtplib.SMTPConnectResponseError):
                self._full_until = time.monotonic() + FULL_SECONDS
            else:
                self._credentials_refused = is_about_sender(error)
                self._set_unreachable(describe_smtp_error(error))
            return None
        if self._sender_refused:  # found by a mail on another connection, in the meantime
            abort(connection)
            return None
        self._learn(connection)
        self._set_reachable()
        return connection

    def _learn(self, connection: aiosmtplib.SMTP) -> None:
        self.max_mail_bytes = size_limit(connection)
        self.is_catcher = is_catcher(connection)

    def _add_idle(self, connection: aiosmtplib.SMTP) -> None:
        if self._sender_refused:
            abort(connection)
            return
        self._idle.append((connection, time.monotonic()))
        self._set_reachable()  # a connection that works outweighs failed attempts to open another

    def _set_reachable(self) -> None:
        if self.unreachable_reason is not None:
            logger.info("smtp_reachable", server=self.server)
        self.unreachable_reason = None
        self._failed_connects = 0
        self._credentials_refused = False
        self._unreachable.clear()
        self._reachable.set()

    def _set_unreachable(self, reason: str) -> None:
        reason = f"{self.server}: {reason}"
        if self.unreachable_reason in {None, NOT_CONNECTED_YET}:
            logger.warning("smtp_unreachable", reason=reason)
        self.unreachable_reason = reason
        self._failed_connects += 1
        self._reachable.clear()
        self._unreachable.set()
