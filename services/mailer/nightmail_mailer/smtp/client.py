"""One mail to one recipient over SMTP, and how the server replies to it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import aiosmtplib

from nightmail_mailer.metrics import DURATION
from nightmail_mailer.smtp.addresses import to_ascii_domain
from nightmail_mailer.smtp.pool import SmtpPool
from nightmail_mailer.smtp.smtp_errors import describe_smtp_error, format_reply

#: For any reply but the one to a mail's end. RFC 5321 section 4.5.3.2 says 5 minutes; a server that takes so long gets
#: the mail at a later attempt.
COMMAND_TIMEOUT_SECONDS = 60.0
#: For the reply to a mail's end. A shorter timeout makes duplicates where the server is only slow: RFC 1047, and RFC
#: 5321 section 4.5.3.2.6.
DATA_END_TIMEOUT_SECONDS = 600.0

_START_MAIL_INPUT = 354
_SERVICE_CLOSES = 421


@dataclass(frozen=True)
class SendResult:
    """The outcome of one attempt, with the server's reply or the error.

    `deferred`: not accepted now, worth a retry. `lost`: the connection ended after the mail was sent and before the
    reply, so it is unknown whether the server has it (RFC 1047).
    """

    outcome: Literal["accepted", "refused", "deferred", "lost"]
    text: str


class SmtpClient:
    """Sends mails over the pool's connections."""

    def __init__(self, pool: SmtpPool, sender: str) -> None:
        self._pool = pool
        self._sender = sender

    async def max_mail_bytes(self) -> int | None:
        """Return the largest mail that the server accepts, once it is reachable; None if it does not say."""
        await self._pool.until_reachable()
        return self._pool.max_mail_bytes

    async def send(self, render_for: Callable[[str], bytes], recipient: str) -> SendResult:
        """Send a mail; wait while the server is unreachable.

        Args:
            render_for: returns the mail to a recipient, in lines that end in CRLF. Called once there is a connection:
                mails that wait take no memory.
        """
        data_sent = False
        try:
            async with self._pool.send_slot() as slot:
                connection = slot.connection
                mail = render_for(recipient)
                begun = time.perf_counter()
                await self._send_envelope(connection, len(mail), recipient)
                if (protocol := connection.protocol) is None:
                    raise aiosmtplib.SMTPServerDisconnected("lost before the mail was sent")
                data_sent = True
                slot.data_sent_at = time.monotonic()
                protocol.write(mail.replace(b"\r\n.", b"\r\n..") + b".\r\n")
                reply = await protocol.read_response(timeout=DATA_END_TIMEOUT_SECONDS)
                DURATION.observe(time.perf_counter() - begun)
                if reply.code == _SERVICE_CLOSES:
                    connection.close()
                return _result(reply.code, reply.message)
        except aiosmtplib.SMTPNotSupported as error:
            return SendResult("refused", str(error))
        except aiosmtplib.SMTPResponseException as reply:
            return _result(reply.code, reply.message)
        except (aiosmtplib.SMTPException, OSError) as error:
            return SendResult("lost" if data_sent else "deferred", describe_smtp_error(error))

    async def _send_envelope(self, connection: aiosmtplib.SMTP, mail_bytes: int, recipient: str) -> None:
        """Send MAIL, RCPT and DATA, up to the server's 354."""
        address = to_ascii_domain(recipient)
        options = [f"SIZE={mail_bytes}"] if connection.supports_extension("size") else []
        if not address.isascii():
            if not connection.supports_extension("smtputf8"):
                raise aiosmtplib.SMTPNotSupported("the server accepts no addresses like this one (no SMTPUTF8)")
            options.append("SMTPUTF8")
        timeout = COMMAND_TIMEOUT_SECONDS
        try:
            await connection.mail(self._sender, options=options, encoding="utf-8", timeout=timeout)
            await connection.rcpt(address, encoding="utf-8", timeout=timeout)
            reply = await connection.execute_command(b"DATA", timeout=timeout)
            if reply.code != _START_MAIL_INPUT:
                raise aiosmtplib.SMTPDataError(reply.code, reply.message)
        except aiosmtplib.SMTPResponseException as error:
            try:
                if error.code != _SERVICE_CLOSES:
                    await connection.rset(timeout=timeout)
            except (aiosmtplib.SMTPException, OSError):  # the reply to the mail counts
                connection.close()
            raise


def _result(code: int, message: str) -> SendResult:
    text = format_reply(code, message)
    if 200 <= code < 300:
        return SendResult("accepted", text)
    return SendResult("refused" if code >= 500 else "deferred", text)
