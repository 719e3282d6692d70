"""One mail to one recipient over SMTP, and how the server replies to it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import aiosmtplib

from nightmail_common.broker import tracing
from nightmail_mailer.metrics import DURATION, REPLIES
from nightmail_mailer.smtp.addresses import to_ascii_domain
from nightmail_mailer.smtp.pool import SmtpPool
from nightmail_mailer.smtp.reply_rules import Consequence, Phase, Reply, rule_for
from nightmail_mailer.smtp.smtp_errors import describe_sender_refusal, describe_smtp_error, format_reply

#: The time-out of every reply except the last. RFC 5321 section 4.5.3.2 says 5 minutes; a server that takes so long gets
#: the mail at a later attempt.
COMMAND_TIMEOUT_SECONDS = 60.0
#: The time-out of the reply to the end of a mail. A shorter one makes duplicates at a slow server: RFC 1047, and RFC
#: 5321 section 4.5.3.2.6.
DATA_END_TIMEOUT_SECONDS = 600.0

_START_MAIL_INPUT = 354
#: What follows from a reply that refuses only this mail and only for good.
_FINAL: frozenset[Consequence] = frozenset({"refuse", "smaller"})


@dataclass(frozen=True)
class SendResult:
    """The outcome of one attempt, with the server's reply or the error.

    `deferred`: not accepted now, worth a retry. `lost`: the connection ended after the mail was sent and before the
    reply, so it is unknown whether the server has it (RFC 1047). `consequence`: what follows, if it was not accepted.
    """

    outcome: Literal["accepted", "refused", "deferred", "lost"]
    text: str
    consequence: Consequence = "retry"


class SmtpClient:
    """Sends mails over the pool's connections."""

    def __init__(self, pool: SmtpPool, sender: str) -> None:
        self._pool = pool
        self.sender = sender

    async def max_mail_bytes(self) -> int | None:
        """Return the largest mail that the server accepts, once it is reachable; None if it does not say."""
        await self._pool.until_reachable()
        return self._pool.max_mail_bytes

    def hold_reason(self) -> str | None:
        """Return why no mail is sent: the server is unreachable or refuses the sender; None if mail is sent."""
        return self._pool.unreachable_reason

    async def send(
        self,
        render_for: Callable[[str], bytes],
        recipient: str,
        *,
        new_connection: bool = False,
        null_sender: bool = False,
    ) -> SendResult:
        """Send a mail; wait while the server is unreachable.

        Args:
            render_for: returns the mail to a recipient, in lines that end in CRLF. Called once there is a connection:
                mails that wait take no memory.
            new_connection: do not reuse a connection, unless the server accepts no further one.
            null_sender: ask for no delivery status notification (RFC 5321 section 4.5.5), unless the server accepts only
                the usual sender.
        """
        with tracing.span("SMTP", "CLIENT", server__address=self._pool.server):
            result = await self._send(render_for, recipient, new_connection, null_sender)
            tracing.annotate(nightmail__outcome=result.outcome)
            return result

    async def _send(
        self, render_for: Callable[[str], bytes], recipient: str, new_connection: bool, null_sender: bool
    ) -> SendResult:
        data_sent = False
        try:
            async with self._pool.send_slot(new_connection=new_connection) as slot:
                connection = slot.connection
                mail = render_for(recipient)
                begun = time.perf_counter()
                if (refused := await self._send_envelope(connection, len(mail), recipient, null_sender)) is not None:
                    return refused
                if (protocol := connection.protocol) is None:
                    raise aiosmtplib.SMTPServerDisconnected("lost before the mail was sent")
                data_sent = True
                slot.data_sent_at = time.monotonic()
                protocol.write(mail.replace(b"\r\n.", b"\r\n..") + b".\r\n")
                reply = await protocol.read_response(timeout=DATA_END_TIMEOUT_SECONDS)
                DURATION.observe(time.perf_counter() - begun)
                if 200 <= reply.code < 300:
                    return SendResult("accepted", format_reply(reply.code, reply.message))
                return self._consider(connection, Reply("end", reply.code, reply.message))
        except (aiosmtplib.SMTPException, OSError) as error:
            return SendResult("lost" if data_sent else "deferred", describe_smtp_error(error))

    async def _send_envelope(
        self, connection: aiosmtplib.SMTP, mail_bytes: int, recipient: str, null_sender: bool
    ) -> SendResult | None:
        """Send MAIL, RCPT and DATA, up to the server's 354; return the result if it refuses one of them."""
        try:
            address = to_ascii_domain(recipient)
        except ValueError as error:
            return SendResult("refused", f"the domain of this address is not valid (IDNA 2008): {error}", "refuse")
        options = [f"SIZE={mail_bytes}"] if connection.supports_extension("size") else []
        if not address.isascii():
            if not connection.supports_extension("smtputf8"):
                return SendResult("refused", "the server accepts no addresses like this one (no SMTPUTF8)", "refuse")
            options.append("SMTPUTF8")
        timeout = COMMAND_TIMEOUT_SECONDS
        phase: Phase = "mail"
        try:
            if not null_sender or not await _begin_without_sender(connection, options):
                await connection.mail(self.sender, options=options, encoding="utf-8", timeout=timeout)
            phase = "rcpt"
            await connection.rcpt(address, encoding="utf-8", timeout=timeout)
            phase = "data"
            reply = await connection.execute_command(b"DATA", timeout=timeout)
            if reply.code != _START_MAIL_INPUT:
                raise aiosmtplib.SMTPDataError(reply.code, reply.message)
        except aiosmtplib.SMTPResponseException as error:
            result = self._consider(connection, Reply(phase, error.code, error.message))
            if connection.is_connected:
                try:
                    await connection.rset(timeout=timeout)
                except (aiosmtplib.SMTPException, OSError):  # the reply to the mail counts
                    connection.close()
            return result
        return None

    def _consider(self, connection: aiosmtplib.SMTP, reply: Reply) -> SendResult:
        """Return the result of a mail that was not accepted; close the connection or hold all mail if the rule says so."""
        rule = rule_for(reply)
        text = format_reply(reply.code, reply.text)
        REPLIES.labels(reply.phase, rule.about, rule.consequence).inc()
        if rule.consequence == "reconnect":
            connection.close()
        elif rule.consequence == "hold_all":
            connection.close()
            self._pool.hold_all(describe_sender_refusal(reply.code, reply.text))
        return SendResult("refused" if rule.consequence in _FINAL else "deferred", text, rule.consequence)


async def _begin_without_sender(connection: aiosmtplib.SMTP, options: list[str]) -> bool:
    """Return whether the server accepts the null sender. A refusal says nothing about the usual one."""
    try:
        await connection.mail("", options=options, encoding="utf-8", timeout=COMMAND_TIMEOUT_SECONDS)
    except aiosmtplib.SMTPResponseException:
        return False
    return True
