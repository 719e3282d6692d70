"""The SMTP connections: a few, kept open and reused."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiosmtplib

from nightmail_common.events import RecipientOutcome
from nightmail_mailer.settings import MailerSettings

TIMEOUT_SECONDS = 30.0
MAX_CONNECTIONS = 4
#: Servers close idle connections after minutes (RFC 5321 section 4.5.3.2.7); we do so before they do.
IDLE_SECONDS = 30.0
#: How often a server that is not there is looked for.
WATCH_SECONDS = 0.5


class TemporaryFailure(Exception):
    """The server cannot take this mail now (4xx, or no connection); the message is what it said."""


class Smtp:
    """Sends mails over a small pool of connections to one server."""

    def __init__(self, settings: MailerSettings) -> None:
        self._settings = settings
        self._idle: list[tuple[aiosmtplib.SMTP, float]] = []
        self._slots = asyncio.Semaphore(MAX_CONNECTIONS)
        self._trouble: str | None = "not connected yet"

    def why_not_ready(self) -> str | None:
        """Return what the last try to reach the server failed with, or None if it worked."""
        return self._trouble

    async def send(self, mail: bytes, recipient: str) -> RecipientOutcome:
        """Hand a mail for one recipient to the server, and return what it said for good.

        Raises:
            TemporaryFailure: it is worth trying again later.
        """
        options = [] if recipient.isascii() else ["SMTPUTF8"]
        try:
            async with self._connection() as connection:
                errors, answer = await connection.sendmail(
                    self._settings.smtp_from, [recipient], mail, mail_options=options
                )
        except aiosmtplib.SMTPRecipientsRefused as refused:
            refusal = refused.recipients[0]
            return _refused(recipient, refusal.code, refusal.message)
        except aiosmtplib.SMTPResponseException as refused:
            return _refused(recipient, refused.code, refused.message)
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise TemporaryFailure(f"{type(error).__name__}: {error}") from error
        assert not errors
        return RecipientOutcome(address=recipient, outcome="accepted", answer=f"250 {answer}")

    async def watch(self) -> None:
        """Try to connect for as long as the server is not there, so that readiness tells when it is back."""
        while True:
            if self._trouble is not None:
                with suppress(aiosmtplib.SMTPException, OSError):
                    async with self._connection():
                        pass
            await asyncio.sleep(WATCH_SECONDS)

    async def close(self) -> None:
        while self._idle:
            connection, _ = self._idle.pop()
            await _quit(connection)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[aiosmtplib.SMTP]:
        async with self._slots:
            connection = await self._take()
            try:
                yield connection
            except aiosmtplib.SMTPResponseException:
                raise  # the server answered: the connection is fine
            except BaseException:
                connection.close()
                raise
            finally:
                if connection.is_connected:
                    self._idle.append((connection, time.monotonic()))

    async def _take(self) -> aiosmtplib.SMTP:
        while self._idle:
            connection, since = self._idle.pop()
            if connection.is_connected and time.monotonic() - since < IDLE_SECONDS:
                return connection
            await _quit(connection)
        settings = self._settings
        connection = aiosmtplib.SMTP(
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            username=settings.smtp_username,
            password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
            use_tls=settings.smtp_security == "tls",
            start_tls=settings.smtp_security == "starttls",
            timeout=TIMEOUT_SECONDS,
        )
        try:
            await connection.connect()
        except (aiosmtplib.SMTPException, OSError) as error:
            self._trouble = f"{settings.smtp_host}:{settings.smtp_port}: {error}"
            raise
        self._trouble = None
        return connection


async def _quit(connection: aiosmtplib.SMTP) -> None:
    with suppress(aiosmtplib.SMTPException, OSError):
        await connection.quit(timeout=1)
    connection.close()


def _refused(recipient: str, code: int, message: str) -> RecipientOutcome:
    answer = f"{code} {message}"
    if 400 <= code < 500:
        raise TemporaryFailure(answer)
    return RecipientOutcome(address=recipient, outcome="refused", answer=answer)
