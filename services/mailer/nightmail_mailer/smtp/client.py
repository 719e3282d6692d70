"""One mail to one recipient over SMTP, and what the server made of it."""

import time
from dataclasses import dataclass
from typing import Literal

import aiosmtplib

from nightmail_mailer.metrics import DURATION
from nightmail_mailer.smtp import smtp_errors as reasons
from nightmail_mailer.smtp.addresses import on_the_wire
from nightmail_mailer.smtp.breaker import Breaker
from nightmail_mailer.smtp.pool import COMMAND_TIMEOUT_SECONDS, Pool

#: For the answer to a mail's end. Who gives up early gets a mail twice where the server was only slow: RFC 1047, and
#: RFC 5321 section 4.5.3.2.6.
DATA_END_TIMEOUT_SECONDS = 600.0

_START_MAIL_INPUT = 354
_SERVICE_CLOSES = 421


@dataclass(frozen=True)
class Answer:
    """What became of a mail.

    `deferred`: not taken now, worth another try. `lost`: the connection ended after the mail was handed over and
    before the answer, so it may be there or not (RFC 1047).
    """

    outcome: Literal["accepted", "refused", "deferred", "lost"]
    text: str


class Smtp:
    """Hands mails to the server."""

    def __init__(self, pool: Pool, breaker: Breaker, sender: str) -> None:
        self._pool = pool
        self._breaker = breaker
        self._sender = sender

    def why_not_ready(self) -> str | None:
        """Return why no connection can be made, or None if the last try worked."""
        return self._breaker.reason

    async def max_mail_bytes(self) -> int | None:
        """Return the largest mail that the server says it takes, once it was there; None if it does not say."""
        await self._breaker.until_closed()
        return self._pool.max_mail_bytes

    async def send(self, mail: bytes, recipient: str) -> Answer:
        """Hand over a mail; wait for the server if it is away.

        Args:
            mail: lines end in CRLF.
        """
        handed_over = False
        try:
            async with self._pool.lend() as loan:
                connection = loan.connection
                begun = time.perf_counter()
                await self._begin(connection, mail, recipient)
                if (protocol := connection.protocol) is None:
                    raise aiosmtplib.SMTPServerDisconnected("lost before the mail was handed over")
                handed_over = True
                loan.turn.handed_over_at = time.monotonic()
                protocol.write(mail.replace(b"\r\n.", b"\r\n..") + b".\r\n")
                said = await protocol.read_response(timeout=DATA_END_TIMEOUT_SECONDS)
                DURATION.observe(time.perf_counter() - begun)
                if said.code == _SERVICE_CLOSES:
                    connection.close()
                return _answer(said.code, said.message)
        except aiosmtplib.SMTPNotSupported as error:
            return Answer("refused", str(error))
        except aiosmtplib.SMTPResponseException as said:
            return _answer(said.code, said.message)
        except (aiosmtplib.SMTPException, OSError) as error:
            return Answer("lost" if handed_over else "deferred", reasons.why(error))

    async def _begin(self, connection: aiosmtplib.SMTP, mail: bytes, recipient: str) -> None:
        """Go through the envelope up to the server's 354."""
        address = on_the_wire(recipient)
        options = [f"SIZE={len(mail)}"] if connection.supports_extension("size") else []
        if not address.isascii():
            if not connection.supports_extension("smtputf8"):
                raise aiosmtplib.SMTPNotSupported("the server takes no addresses like this one (no SMTPUTF8)")
            options.append("SMTPUTF8")
        timeout = COMMAND_TIMEOUT_SECONDS
        try:
            await connection.mail(self._sender, options=options, encoding="utf-8", timeout=timeout)
            await connection.rcpt(address, encoding="utf-8", timeout=timeout)
            said = await connection.execute_command(b"DATA", timeout=timeout)
            if said.code != _START_MAIL_INPUT:
                raise aiosmtplib.SMTPDataError(said.code, said.message)
        except aiosmtplib.SMTPResponseException as error:
            try:
                if error.code != _SERVICE_CLOSES:
                    await connection.rset(timeout=timeout)
            except (aiosmtplib.SMTPException, OSError):  # what it said of the mail counts
                connection.close()
            raise


def _answer(code: int, message: str) -> Answer:
    text = reasons.answer(code, message)
    if 200 <= code < 300:
        return Answer("accepted", text)
    return Answer("refused" if code >= 500 else "deferred", text)
