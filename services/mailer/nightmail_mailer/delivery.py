"""A mail is sent to each of its recipients once: the ledger entry comes before the event, the event before the ack."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, cast

import structlog

from nightmail_common.broker.backoff import Backoff
from nightmail_common.broker.errors import BROKER_ERRORS
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.envelope import run_message_id
from nightmail_common.contract.events import JobDeleted, MailDeferred, MailEvent, MailFailed, MailKind, MailSent
from nightmail_common.contract.mail_outcomes import MailAnswer, RecipientOutcome, WaitingRecipient
from nightmail_mailer.compose.errors import CannotRender, JobWasDeleted
from nightmail_mailer.compose.mail_job import MailJob
from nightmail_mailer.compose.render import RenderFor
from nightmail_mailer.compose.renditions import Renditions
from nightmail_mailer.metrics import ATTEMPTS, LOST_REPORTS, MAILS
from nightmail_mailer.operator_mails import OperatorMails
from nightmail_mailer.records.acceptances import Acceptances
from nightmail_mailer.records.delivery_ledger import DeliveryLedger, LedgerEntry, ledger_key
from nightmail_mailer.records.log_record import LogRecord
from nightmail_mailer.smtp.addresses import domain_of
from nightmail_mailer.smtp.client import SendResult, SmtpClient
from nightmail_mailer.smtp.pool import PROBE_BACKOFF

#: A mail whose connection is lost after DATA is sent again with the same Message-ID, so the recipient may have it
#: twice. A server that accepts mails and never replies must not send hundreds.
MAX_LOST = 3
#: From a mail that was not accepted to the next attempt.
ATTEMPT_BACKOFF = Backoff(first=1.0, longest=300.0)
#: The same for a quota: providers count by the hour or the day.
QUOTA_BACKOFF = Backoff(first=2 * 3600.0, longest=8 * 3600.0)
#: RFC 5321 section 4.5.4.1: the time after which a sender gives up is at least 4 to 5 days.
GIVE_UP_AFTER = timedelta(days=5)
#: From one `mail-deferred` event about a recipient to the next: a mail that waits for days must not fill the log.
REPORT_INTERVAL = timedelta(hours=1)
#: A mail that the pool holds back for this long is reported as waiting: a server that restarts is no news.
HOLD_REPORT_SECONDS = 60.0
JOB_DELETED = "not sent: the job was deleted"
_NOT_SENT = LedgerEntry(outcome="refused", answer=JOB_DELETED)
#: The entry of a whole mail: its existence counts, its `outcome` is not read.
_SETTLED = LedgerEntry(outcome="accepted", answer="the outcome is in the log")

logger = structlog.get_logger()


@dataclass(frozen=True)
class Attempt:
    """The entry of each recipient after an attempt that began at this time."""

    began_at: datetime
    entries: Sequence[LedgerEntry]


class MailDelivery:
    """Sends mails and publishes their outcome."""

    def __init__(
        self,
        log: EventLog,
        smtp: SmtpClient,
        ledger: DeliveryLedger,
        deleted_jobs: LogRecord[JobDeleted],
        operator: OperatorMails | None,
    ) -> None:
        self._log = log
        self._smtp = smtp
        self._ledger = ledger
        self._deleted_jobs = deleted_jobs
        self._operator = operator
        self._acceptances = Acceptances()

    async def deliver(
        self, mail_job: MailJob, renditions: Renditions, attachment_sha256: str | None = None
    ) -> datetime | None:
        """Attempt a mail and report it; the return value and the errors are those of `report` and `attempt`."""
        return await self.report(mail_job, await self.attempt(mail_job, renditions), attachment_sha256)

    async def attempt(self, mail_job: MailJob, renditions: Renditions) -> Attempt:
        """Send a mail to each recipient who does not have it yet, and record that in the ledger.

        Raises:
            JobWasDeleted: the job was deleted before the mail went to any recipient.
            nats.errors.Error: the ledger does not answer.
        """
        began_at = datetime.now(UTC)
        entries = await asyncio.gather(*(self._send_once(mail_job, one, renditions) for one in mail_job.recipients))
        if entries and all(entry is _NOT_SENT for entry in entries):
            raise JobWasDeleted(mail_job.kind)
        if any(entry.consequence == "refuse_if_others_accepted" for entry in entries):
            entries = await self._settle_policy_refusals(mail_job, entries)
        return Attempt(began_at, entries)

    async def report(
        self, mail_job: MailJob, attempt: Attempt, attachment_sha256: str | None = None
    ) -> datetime | None:
        """Publish the outcome of a mail, or that it waits.

        Returns:
            None when the outcome for all is in the log, else the time of the next attempt.

        Raises:
            nats.errors.Error: the log does not answer.
        """
        entries, began_at = attempt.entries, attempt.began_at
        waiting = [entry.next_attempt for entry in entries if not entry.final and entry.next_attempt is not None]
        if waiting:
            logger.info("mail_deferred", kind=mail_job.kind, waiting=len(waiting))
            if any(entry.reported_at is not None and entry.reported_at >= began_at for entry in entries):
                await self._publish_deferral(mail_job, entries, began_at)
            return min(waiting)
        outcomes = _outcomes(mail_job, entries)
        await self._publish_outcome(mail_job, outcomes, attachment_sha256)
        return None

    @asynccontextmanager
    async def reporting_hold(self, mail_job: MailJob) -> AsyncIterator[None]:
        """Report the mail as waiting while the block waits for a server that takes no mail: no attempt does."""
        watching = asyncio.create_task(self._report_hold(mail_job))
        try:
            yield
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching

    async def _report_hold(self, mail_job: MailJob) -> None:
        began_at = datetime.now(UTC)
        while True:
            await asyncio.sleep(HOLD_REPORT_SECONDS)
            reason = self._smtp.hold_reason()
            # A log that does not answer gets the report a minute later.
            with suppress(*BROKER_ERRORS):
                if reason is not None:
                    await self._publish_hold(mail_job, reason, began_at)
                    await asyncio.sleep(REPORT_INTERVAL.total_seconds())

    async def _publish_hold(self, mail_job: MailJob, reason: str, began_at: datetime) -> None:
        now = datetime.now(UTC)
        next_attempt = now + timedelta(seconds=PROBE_BACKOFF.longest)
        held = LedgerEntry(outcome="waiting", answer=reason, final=False, since=began_at, next_attempt=next_attempt)
        entries = []
        for address in mail_job.recipients:
            before = await self._ledger.find(_key(mail_job, address))
            if before is not None and not before.final:  # the server deferred earlier attempts
                before = held.model_copy(update={"since": before.since or held.since, "attempts": before.attempts})
            entries.append(before or held)
        if not all(entry.final for entry in entries):
            # Of several mailers, and of one that restarts, the first reports it in this hour.
            await self._publish_deferral(mail_job, entries, now.replace(minute=0, second=0, microsecond=0))
            logger.info("mail_deferred", kind=mail_job.kind, waiting=sum(not entry.final for entry in entries))

    async def fail(self, mail_job: MailJob, reason: str) -> None:
        """Publish that no recipient gets the mail, and why."""
        outcomes = tuple(RecipientOutcome(address=one, outcome="refused", answer=reason) for one in mail_job.recipients)
        await self._publish(mail_job, self._event(mail_job, outcomes, None, reason))
        self.report_lost(mail_job, outcomes, reason)

    async def is_settled(self, mail_job: MailJob) -> bool:
        """Return whether the outcome of the mail is in the log (`settle`)."""
        return await self._ledger.find(_key(mail_job, "")) is not None

    async def settle(self, mail_job: MailJob) -> None:
        """Record that the outcome of a mail is in the log, whose memory of a Message-ID is shorter than a mail's attempts."""
        await self._ledger.record(_key(mail_job, ""), _SETTLED)

    async def _send_once(self, mail_job: MailJob, recipient: str, renditions: Renditions) -> LedgerEntry:
        """Return the entry of a recipient's mail after an attempt, if one is due."""
        key = _key(mail_job, recipient)
        async with self._ledger.lock_for(key):
            before = await self._ledger.find(key)
            began_at = datetime.now(UTC)
            # The event may come before the next attempt: for another recipient, or because the broker was restarted.
            if before is not None and (before.final or (before.next_attempt and began_at < before.next_attempt)):
                return before
            try:
                result = await self._send(mail_job, recipient, renditions)
            except JobWasDeleted:
                return _entry_of_deleted(before)
            except CannotRender as error:
                result = SendResult("refused", str(error), "refuse")
            if result.outcome == "accepted":
                self._acceptances.accepted(recipient)
            entry = entry_after(result, before, began_at, datetime.now(UTC))
            if not entry.final:
                logger.warning(
                    "recipient_deferred" if result.outcome == "deferred" else "connection_lost_after_data",
                    kind=mail_job.kind,
                    reply=_code(result.text),
                    attempts=entry.attempts,
                )
            await self._ledger.record(key, entry)
            return entry

    async def _send(self, mail_job: MailJob, recipient: str, renditions: Renditions) -> SendResult:
        return await send_renditions(
            self._smtp, mail_job.kind, renditions, recipient, lambda render: self._unless_deleted(mail_job, render)
        )

    def _unless_deleted(self, mail_job: MailJob, render_for: RenderFor) -> RenderFor:
        """Return a rendering that raises JobWasDeleted if the job is deleted by the time that there is a connection."""

        def render(recipient: str) -> bytes:
            if mail_job.request_id is None and mail_job.job.job_id in self._deleted_jobs:
                raise JobWasDeleted(mail_job.kind)
            return render_for(recipient)

        return render

    async def _settle_policy_refusals(self, mail_job: MailJob, entries: Sequence[LedgerEntry]) -> list[LedgerEntry]:
        """Make refusals final that are about their recipient; the others wait, because they are about the sender."""
        undecided = [entry.consequence == "refuse_if_others_accepted" for entry in entries]
        for recipient, is_undecided in zip(mail_job.recipients, undecided, strict=True):
            if is_undecided:
                self._acceptances.refused(recipient)
        accepted = any(entry.outcome == "accepted" for entry in entries)
        settled = []
        for recipient, entry, is_undecided in zip(mail_job.recipients, entries, undecided, strict=True):
            since = entry.since or datetime.now(UTC)
            if is_undecided and self._acceptances.is_about(recipient, since, others_have_it=accepted):
                entry = LedgerEntry(outcome="refused", answer=entry.answer)
                await self._ledger.record(_key(mail_job, recipient), entry)
            settled.append(entry)
        return settled

    async def _publish_deferral(self, mail_job: MailJob, entries: Sequence[LedgerEntry], reported_at: datetime) -> None:
        deferred = MailDeferred(
            job_name=mail_job.job.job_name,
            run_id=mail_job.run_id,
            kind=mail_job.kind,
            message_id=mail_job.message_id(domain_of(self._smtp.sender)),
            recipients=tuple(
                WaitingRecipient(
                    address=address,
                    answer=entry.answer,
                    attempts=entry.attempts,
                    since=entry.since,
                    next_attempt=entry.next_attempt,
                )
                for address, entry in zip(mail_job.recipients, entries, strict=True)
                if not entry.final and entry.since is not None and entry.next_attempt is not None
            ),
            settled=_outcomes(mail_job, entries),
            split_value=mail_job.split_value,
        )
        moment = reported_at.isoformat()
        identity = run_message_id(mail_job.run_id, "mail-deferred", mail_job.kind, *mail_job.identity, moment)
        await self._log.publish(deferred, message_id=identity)

    async def _publish_outcome(
        self, mail_job: MailJob, outcomes: tuple[RecipientOutcome, ...], attachment_sha256: str | None
    ) -> None:
        counts = {name: sum(one.outcome == name for one in outcomes) for name in ("accepted", "refused", "uncertain")}
        reason = None
        if not counts["accepted"]:
            reason = "every recipient was refused" if not counts["uncertain"] else "it is unknown whether it arrived"
        event = self._event(mail_job, outcomes, attachment_sha256, reason)
        await self._publish(mail_job, event)
        if reason is not None:
            self.report_lost(mail_job, outcomes, reason)
        for outcome, count in counts.items():
            MAILS.labels(mail_job.kind, outcome).inc(count)
        logger.info(event.name.replace("-", "_"), kind=mail_job.kind, **counts)

    def report_lost(self, mail_job: MailJob, outcomes: Sequence[RecipientOutcome], reason: str) -> None:
        """Count a mail that no recipient got, and notify the operator."""
        LOST_REPORTS.labels(mail_job.kind).inc()
        if self._operator is not None:
            self._operator.report_lost(mail_job, outcomes, reason)

    def _event(
        self,
        mail_job: MailJob,
        outcomes: tuple[RecipientOutcome, ...],
        attachment_sha256: str | None,
        reason: str | None,
    ) -> MailEvent:
        sent = MailSent(
            job_name=mail_job.job.job_name,
            run_id=mail_job.run_id,
            kind=mail_job.kind,
            message_id=mail_job.message_id(domain_of(self._smtp.sender)),
            recipients=outcomes,
            attachment_sha256=attachment_sha256,
            split_value=mail_job.split_value,
        )
        return sent if reason is None else MailFailed(**sent.model_dump(), reason=reason)

    async def _publish(self, mail_job: MailJob, event: MailEvent) -> None:
        identity = run_message_id(mail_job.run_id, "mail", mail_job.kind, *mail_job.identity)
        await self._log.publish(event, message_id=identity)


async def send_renditions(
    smtp: SmtpClient,
    kind: MailKind,
    renditions: Renditions,
    recipient: str,
    guard: Callable[[RenderFor], RenderFor] = lambda render_for: render_for,
) -> SendResult:
    """Send a mail; a second time on a new connection, or smaller, if the reply asks for that.

    Args:
        guard: wraps each rendition; what it raises is raised once there is a connection.

    Raises:
        CannotRender: the mail cannot be made.
    """
    for number in range(renditions.count):
        render_for = guard(await renditions.get(number))
        result = await smtp.send(render_for, recipient)
        ATTEMPTS.labels(kind, result.outcome).inc()
        if result.outcome == "deferred" and result.consequence == "reconnect":
            result = await smtp.send(render_for, recipient, new_connection=True)
            ATTEMPTS.labels(kind, result.outcome).inc()
        if result.consequence != "smaller":
            return result
        logger.warning("mail_too_large", kind=kind, reply=_code(result.text))
    return SendResult("refused", f"{renditions.too_large}: {result.text}", "refuse")


def entry_after(result: SendResult, before: LedgerEntry | None, began_at: datetime, now: datetime) -> LedgerEntry:
    """Return the entry after an attempt.

    Args:
        before: the entry after the previous attempt.
        began_at: when this attempt began, in UTC, as `now`.
    """
    lost = (0 if before is None else before.lost) + (result.outcome == "lost")
    if result.outcome == "accepted":
        note = " (an earlier attempt was lost after DATA: the mail may have arrived twice)" if lost else ""
        return LedgerEntry(outcome="accepted", answer=result.text + note, lost=lost)
    is_held = result.consequence in {"hold_hours", "refuse_if_others_accepted"}
    if result.outcome == "refused":
        if lost:
            return LedgerEntry(outcome="uncertain", answer=f"lost after DATA, then {result.text}", lost=lost)
        return LedgerEntry(outcome="refused", answer=result.text)
    attempts = (0 if before is None else before.attempts) + 1
    since = began_at if before is None or before.since is None else before.since
    given_up = now - since >= GIVE_UP_AFTER
    outcome: Literal["refused", "uncertain", "waiting"] = "uncertain" if lost else "refused" if given_up else "waiting"
    if given_up or lost >= MAX_LOST:
        note = f"given up after {GIVE_UP_AFTER.days} days and {attempts} attempts; the last: " if given_up else ""
        return LedgerEntry(outcome=outcome, answer=note + result.text, lost=lost)
    reported_at = None if before is None else before.reported_at
    backoff = QUOTA_BACKOFF if is_held else ATTEMPT_BACKOFF
    return LedgerEntry(
        outcome=outcome,
        answer=result.text,
        final=False,
        lost=lost,
        attempts=attempts,
        since=since,
        next_attempt=now + timedelta(seconds=backoff.wait(attempts)),
        reported_at=now if reported_at is None or now - reported_at >= REPORT_INTERVAL else reported_at,
        consequence=result.consequence,
    )


def _entry_of_deleted(before: LedgerEntry | None) -> LedgerEntry:
    """Return the entry of a mail that is not sent any more; it may have arrived if an earlier attempt was lost after DATA."""
    if before is None or not before.lost:
        return _NOT_SENT
    return LedgerEntry(outcome="uncertain", answer=f"{before.answer}, then {JOB_DELETED}", lost=before.lost)


def _outcomes(mail_job: MailJob, entries: Sequence[LedgerEntry]) -> tuple[RecipientOutcome, ...]:
    """Return the outcomes that are final."""
    return tuple(
        RecipientOutcome(address=address, outcome=cast("MailAnswer", entry.outcome), answer=entry.answer)
        for address, entry in zip(mail_job.recipients, entries, strict=True)
        if entry.final
    )


def _key(mail_job: MailJob, recipient: str) -> str:
    return ledger_key(mail_job.run_id, mail_job.kind, recipient, mail_job.request_id, mail_job.split_value)


def _code(text: str) -> str:
    """Return a reply's code without its text, which may hold an address."""
    code = text.partition(" ")[0]
    return code if code.isdigit() else "connection lost"
