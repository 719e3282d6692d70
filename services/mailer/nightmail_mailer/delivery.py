"""A mail to each of its recipients, once: the ledger before the mail, the event before the ack."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import structlog

from nightmail_common.broker.log import EventLog
from nightmail_common.contract.envelope import run_message_id
from nightmail_common.contract.events import MailEvent, MailFailed, MailKind, MailSent, RecipientOutcome
from nightmail_common.contract.job import Job
from nightmail_mailer.compose.message_ids import message_id
from nightmail_mailer.metrics import ATTEMPTS, MAILS
from nightmail_mailer.records.delivery_ledger import Entry, Sent
from nightmail_mailer.smtp.client import SmtpClient

#: A mail whose connection is lost after DATA is sent again, with the same Message-ID: it may be there twice. A server
#: that takes mails and never says so must not send hundreds.
MAX_LOST = 3

logger = structlog.get_logger()


@dataclass(frozen=True)
class Order:
    """One kind of mail of one run to some people. `request_id` is set when somebody wants it sent again."""

    job: Job
    run_id: UUID
    kind: MailKind
    recipients: tuple[str, ...]
    request_id: UUID | None = None
    traceparent: str | None = None

    @property
    def message_id(self) -> str:
        return message_id(self.run_id, self.kind, self.request_id)


class Deliverer:
    """Sends, and says in the log what became of it."""

    def __init__(self, log: EventLog, smtp: SmtpClient, sent: Sent) -> None:
        self._log = log
        self._smtp = smtp
        self._sent = sent

    async def deliver(
        self, order: Order, mail_to: Callable[[str], bytes], attachment_sha256: str | None = None
    ) -> bool:
        """Send a mail to those who have not got it; True when the outcome for all is in the log.

        Args:
            mail_to: makes the mail to one recipient.

        Raises:
            nats.errors.Error: the ledger or the log does not answer.
        """
        entries = await asyncio.gather(*(self._send_once(order, address, mail_to) for address in order.recipients))
        final = [
            RecipientOutcome(address=address, outcome=entry.outcome, answer=entry.answer)
            for address, entry in zip(order.recipients, entries, strict=True)
            if entry is not None and entry.final
        ]
        if len(final) < len(entries):
            logger.info("mail_deferred", kind=order.kind, waiting=len(entries) - len(final))
            return False
        await self._tell(order, tuple(final), attachment_sha256)
        return True

    async def fail(self, order: Order, reason: str) -> None:
        """Say in the log that nobody gets a mail, and why."""
        outcomes = tuple(RecipientOutcome(address=one, outcome="refused", answer=reason) for one in order.recipients)
        await self._publish(order, _event(order, outcomes, None, reason))

    async def _send_once(self, order: Order, recipient: str, mail_to: Callable[[str], bytes]) -> Entry | None:
        """Return what is known of a recipient's mail now; None if it was not taken and is to be tried again."""
        async with self._sent.alone(order.run_id, order.kind, recipient, order.request_id):
            return await self._send_unless_sent(order, recipient, mail_to)

    async def _send_unless_sent(self, order: Order, recipient: str, mail_to: Callable[[str], bytes]) -> Entry | None:
        before = await self._sent.find(order.run_id, order.kind, recipient, order.request_id)
        if before is not None and before.final:
            return before
        answer = await self._smtp.send(mail_to, recipient)
        ATTEMPTS.labels(order.kind, answer.outcome).inc()
        lost = 0 if before is None else before.lost
        if answer.outcome == "deferred":
            logger.warning("mail_not_taken", kind=order.kind, why=_code(answer.text))
            return None
        if answer.outcome == "lost":
            logger.warning("connection_lost_after_data", kind=order.kind, tries=lost + 1)
            entry = Entry(outcome="uncertain", answer=answer.text, final=lost + 1 >= MAX_LOST, lost=lost + 1)
        elif answer.outcome == "refused" and lost:
            entry = Entry(outcome="uncertain", answer=f"lost after DATA, then {answer.text}", lost=lost)
        elif lost:
            text = f"{answer.text} (an earlier try was lost after DATA: it may be there twice)"
            entry = Entry(outcome="accepted", answer=text, lost=lost)
        else:
            entry = Entry(outcome="accepted" if answer.outcome == "accepted" else "refused", answer=answer.text)
        await self._sent.record(order.run_id, order.kind, recipient, order.request_id, entry)
        return entry

    async def _tell(self, order: Order, outcomes: tuple[RecipientOutcome, ...], attachment_sha256: str | None) -> None:
        counts = {
            answer: sum(one.outcome == answer for one in outcomes) for answer in ("accepted", "refused", "uncertain")
        }
        reason = None
        if not counts["accepted"]:
            reason = "every recipient was refused" if not counts["uncertain"] else "nobody knows whether it arrived"
        event = _event(order, outcomes, attachment_sha256, reason)
        await self._publish(order, event)
        for outcome, count in counts.items():
            MAILS.labels(order.kind, outcome).inc(count)
        logger.info(event.name.replace("-", "_"), kind=order.kind, **counts)

    async def _publish(self, order: Order, event: MailEvent) -> None:
        again = () if order.request_id is None else (str(order.request_id),)
        identity = run_message_id(order.run_id, "mail", order.kind, *again)
        await self._log.publish(event, message_id=identity, traceparent=order.traceparent)


def _event(
    order: Order, outcomes: tuple[RecipientOutcome, ...], attachment_sha256: str | None, reason: str | None
) -> MailEvent:
    sent = MailSent(
        job_name=order.job.job_name,
        run_id=order.run_id,
        kind=order.kind,
        message_id=order.message_id,
        recipients=outcomes,
        attachment_sha256=attachment_sha256,
    )
    return sent if reason is None else MailFailed(**sent.model_dump(), reason=reason)


def _code(answer: str) -> str:
    """Return the server's code without its text, which may hold an address."""
    code = answer.partition(" ")[0]
    return code if code.isdigit() else "connection lost"
