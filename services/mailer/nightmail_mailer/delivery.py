"""A mail is sent to each of its recipients once: the ledger entry comes before the event, the event before the ack."""

import asyncio
from collections.abc import Callable

import structlog

from nightmail_common.broker.log import EventLog
from nightmail_common.contract.envelope import run_message_id
from nightmail_common.contract.events import MailEvent, MailFailed, MailSent, RecipientOutcome
from nightmail_mailer.compose.mail_job import MailJob
from nightmail_mailer.metrics import ATTEMPTS, MAILS
from nightmail_mailer.records.delivery_ledger import DeliveryLedger, LedgerEntry, ledger_key
from nightmail_mailer.smtp.client import SendResult, SmtpClient

#: A mail whose connection is lost after DATA is sent again with the same Message-ID, so the recipient may have it
#: twice. A server that accepts mails and never replies must not send hundreds.
MAX_LOST = 3

logger = structlog.get_logger()


class MailDelivery:
    """Sends mails and publishes their outcome."""

    def __init__(self, log: EventLog, smtp: SmtpClient, ledger: DeliveryLedger) -> None:
        self._log = log
        self._smtp = smtp
        self._ledger = ledger

    async def deliver(
        self, mail_job: MailJob, render_for: Callable[[str], bytes], attachment_sha256: str | None = None
    ) -> bool:
        """Send a mail to each recipient who does not have it yet; True when the outcome for all is in the log.

        Args:
            render_for: returns the mail to one recipient.

        Raises:
            nats.errors.Error: the ledger or the log does not answer.
        """
        entries = await asyncio.gather(*(self._send_once(mail_job, one, render_for) for one in mail_job.recipients))
        outcomes = tuple(
            RecipientOutcome(address=address, outcome=entry.outcome, answer=entry.answer)
            for address, entry in zip(mail_job.recipients, entries, strict=True)
            if entry is not None and entry.final
        )
        if len(outcomes) < len(entries):
            logger.info("mail_deferred", kind=mail_job.kind, waiting=len(entries) - len(outcomes))
            return False
        await self._publish_outcome(mail_job, outcomes, attachment_sha256)
        return True

    async def fail(self, mail_job: MailJob, reason: str) -> None:
        """Publish that no recipient gets the mail, and why."""
        outcomes = tuple(RecipientOutcome(address=one, outcome="refused", answer=reason) for one in mail_job.recipients)
        await self._publish(mail_job, _event(mail_job, outcomes, None, reason))

    async def _send_once(
        self, mail_job: MailJob, recipient: str, render_for: Callable[[str], bytes]
    ) -> LedgerEntry | None:
        """Return the entry of a recipient's mail; None if the mail was deferred."""
        key = ledger_key(mail_job.run_id, mail_job.kind, recipient, mail_job.request_id)
        async with self._ledger.lock_for(key):
            before = await self._ledger.find(key)
            if before is not None and before.final:
                return before
            result = await self._smtp.send(render_for, recipient)
            ATTEMPTS.labels(mail_job.kind, result.outcome).inc()
            if result.outcome == "deferred":
                logger.warning("recipient_deferred", kind=mail_job.kind, reply=_code(result.text))
                return None
            entry = _entry(result, 0 if before is None else before.lost)
            if result.outcome == "lost":
                logger.warning("connection_lost_after_data", kind=mail_job.kind, attempts=entry.lost)
            await self._ledger.record(key, entry)
            return entry

    async def _publish_outcome(
        self, mail_job: MailJob, outcomes: tuple[RecipientOutcome, ...], attachment_sha256: str | None
    ) -> None:
        counts = {name: sum(one.outcome == name for one in outcomes) for name in ("accepted", "refused", "uncertain")}
        reason = None
        if not counts["accepted"]:
            reason = "every recipient was refused" if not counts["uncertain"] else "it is unknown whether it arrived"
        event = _event(mail_job, outcomes, attachment_sha256, reason)
        await self._publish(mail_job, event)
        for outcome, count in counts.items():
            MAILS.labels(mail_job.kind, outcome).inc(count)
        logger.info(event.name.replace("-", "_"), kind=mail_job.kind, **counts)

    async def _publish(self, mail_job: MailJob, event: MailEvent) -> None:
        resend = () if mail_job.request_id is None else (str(mail_job.request_id),)
        identity = run_message_id(mail_job.run_id, "mail", mail_job.kind, *resend)
        await self._log.publish(event, message_id=identity)


def _entry(result: SendResult, lost: int) -> LedgerEntry:
    """Return the entry after an attempt that was not deferred. `lost` earlier ones had no reply after DATA."""
    if result.outcome == "lost":
        return LedgerEntry(outcome="uncertain", answer=result.text, final=lost + 1 >= MAX_LOST, lost=lost + 1)
    if result.outcome == "refused" and lost:
        return LedgerEntry(outcome="uncertain", answer=f"lost after DATA, then {result.text}", lost=lost)
    if result.outcome == "refused":
        return LedgerEntry(outcome="refused", answer=result.text)
    note = " (an earlier attempt was lost after DATA: the mail may have arrived twice)" if lost else ""
    return LedgerEntry(outcome="accepted", answer=result.text + note, lost=lost)


def _event(
    mail_job: MailJob, outcomes: tuple[RecipientOutcome, ...], attachment_sha256: str | None, reason: str | None
) -> MailEvent:
    sent = MailSent(
        job_name=mail_job.job.job_name,
        run_id=mail_job.run_id,
        kind=mail_job.kind,
        message_id=mail_job.message_id,
        recipients=outcomes,
        attachment_sha256=attachment_sha256,
    )
    return sent if reason is None else MailFailed(**sent.model_dump(), reason=reason)


def _code(text: str) -> str:
    """Return a reply's code without its text, which may hold an address."""
    code = text.partition(" ")[0]
    return code if code.isdigit() else "connection lost"
