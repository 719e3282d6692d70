"""Which mails an event asks for: a result, a failure, a recovery, or a mail sent again."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

import structlog

from nightmail_common.broker.log import EventLog
from nightmail_common.broker.results import ResultDamaged, ResultGone
from nightmail_common.contract.envelope import run_message_id
from nightmail_common.contract.events import (
    MailKind,
    MailRequested,
    MailSkipped,
    MailSkipReason,
    ResultReady,
    RunFailed,
    RunSkipped,
)
from nightmail_mailer.compose.errors import CannotRender
from nightmail_mailer.compose.mail_job import MailJob
from nightmail_mailer.compose.render import MailRenderer, RenderFor
from nightmail_mailer.compose.renditions import Renditions
from nightmail_mailer.delivery import MailDelivery
from nightmail_mailer.records.failure_streaks import FailureStreaks
from nightmail_mailer.records.log_record import Unsubscribes
from nightmail_mailer.result_mails import ResultMails
from nightmail_mailer.split_mails import SplitMails

logger = structlog.get_logger()


class MailWorkflow:
    """Each public method returns None when the outcome is in the log, else the time of the next attempt.

    Each raises `nats.errors.Error` or `TimeoutError` if the log or a store does not answer.
    """

    def __init__(
        self,
        result_mails: ResultMails,
        log: EventLog,
        delivery: MailDelivery,
        streaks: FailureStreaks,
        unsubscribes: Unsubscribes,
        renderer: MailRenderer,
    ) -> None:
        self._result_mails = result_mails
        self._log = log
        self._delivery = delivery
        self._streaks = streaks
        self._unsubscribes = unsubscribes
        self._renderer = renderer
        self._splits = SplitMails(result_mails.results, delivery, unsubscribes, result_mails.render, self._skip)

    async def mail_result(self, event: ResultReady, sequence: int) -> datetime | None:
        """Mail a result and, if it ends a failure streak, the recovery."""
        recipients = self._unsubscribes.subscribed(event.job.job_id, event.job.result_recipients)
        mail_job = MailJob(event.job, event.run_id, "result", recipients)
        if event.rows == 0 and (event.job.when_empty == "skip" or event.job.split_by is not None):
            await self._skip(mail_job, "empty")
            next_attempt = None
        elif event.job.split_by is not None:
            next_attempt = await self._splits.deliver(mail_job, event)
        else:
            next_attempt = await self._deliver_result(mail_job, event)
        of_recovery = await self._deliver_recovery(event, sequence)
        return min(filter(None, (next_attempt, of_recovery)), default=None)

    async def mail_failure(self, event: RunFailed, sequence: int, failed_at: datetime) -> datetime | None:
        """Mail a failure, unless the job disables that or the streak's last failure mail is less than an hour old."""
        if not event.job.notify_on_failure:
            return None
        streak = await self._streaks.failed(event.job.job_id, sequence, failed_at)
        recipients = self._unsubscribes.subscribed(event.job.job_id, event.job.failure_recipients)
        mail_job = MailJob(event.job, event.run_id, "failure", recipients)
        if streak.notified != sequence:
            await self._skip(mail_job, "streak")
            return None
        return await self._deliver_failure(mail_job, event, streak.count, streak.since)

    async def resend(self, request: MailRequested) -> datetime | None:
        """Send a run's mail again, to the requested recipients who are still subscribed."""
        event = await self._log.outcome(request.outcome_sequence)
        if event is None or isinstance(event, RunSkipped) or event.run_id != request.run_id:
            logger.warning("resend_without_outcome", sequence=request.outcome_sequence)
            return None
        if isinstance(event, ResultReady) and event.job.split_by is not None:
            mail_job = MailJob(event.job, event.run_id, "result", (), request.request_id)
            wanted = frozenset(request.recipients)
            return await self._splits.deliver(mail_job, event, request.split_value, wanted)
        kind: MailKind = "result" if isinstance(event, ResultReady) else "failure"
        known = event.job.result_recipients if kind == "result" else event.job.failure_recipients
        requested = [address for address in known if address in request.recipients]
        recipients = self._unsubscribes.subscribed(event.job.job_id, requested)
        mail_job = MailJob(event.job, event.run_id, kind, recipients, request.request_id)
        if isinstance(event, ResultReady):
            return await self._deliver_result(mail_job, event)
        return await self._deliver_failure(mail_job, event, 1, None)

    async def render(self, event: ResultReady | RunFailed) -> RenderFor:
        """Return the mail of an outcome as `resend` would send it first.

        Raises:
            ResultGone: the result has expired or was erased.
            ResultDamaged: the bytes are not those that the runner stored.
        """
        if isinstance(event, RunFailed):
            return self._renderer.failure(MailJob(event.job, event.run_id, "failure", ()), event, 1, None)
        mail_job = MailJob(event.job, event.run_id, "result", ())
        renditions = await self._result_mails.render(mail_job, event, *await self._result_mails.read(event))
        return await renditions.get(0)

    async def skip_deleted(self, event: ResultReady | RunFailed, kind: MailKind) -> None:
        """Publish that a mail is not sent, because its job was deleted."""
        if kind != "result":
            await self._skip(MailJob(event.job, event.run_id, kind, ()), "deleted")
            return
        skipped = RunSkipped(
            job_name=event.job_name,
            run_id=event.run_id,
            job_id=event.job.job_id,
            job_version=event.job.version,
            scheduled_at=event.scheduled_at,
            reason="deleted",
            detail="the job was deleted before the result was mailed",
        )
        await self._log.publish(skipped, message_id=run_message_id(event.run_id, "mail", kind))
        logger.info("mail_skipped", kind=kind, reason="deleted")

    async def _deliver_result(self, mail_job: MailJob, event: ResultReady) -> datetime | None:
        if not mail_job.recipients:
            await self._skip(mail_job, "unsubscribed")
            return None
        async with self._delivery.reporting_hold(mail_job):
            try:
                csv, files, images = await self._result_mails.read(event)
                renditions = await self._result_mails.render(mail_job, event, csv, files, images)
            except (ResultGone, ResultDamaged, CannotRender) as error:
                await self._delivery.fail(mail_job, str(error))
                return None
            of_others = {one.format: one.blob.sha256 for one in event.attachments}
            return await self._delivery.deliver(mail_job, renditions, of_others.get(files[0].format, event.csv.sha256))

    async def _deliver_failure(
        self, mail_job: MailJob, event: RunFailed, count: int, since: datetime | None
    ) -> datetime | None:
        if not mail_job.recipients:
            await self._skip(mail_job, "unsubscribed")
            self._delivery.report_lost(mail_job, (), "every recipient has unsubscribed")
            return None
        return await self._deliver(mail_job, partial(self._renderer.failure, mail_job, event, count, since))

    async def _deliver_recovery(self, event: ResultReady, sequence: int) -> datetime | None:
        if not event.job.notify_on_failure:
            return None
        streak = await self._streaks.recovered(event.job.job_id, sequence)
        recipients = self._unsubscribes.subscribed(event.job.job_id, event.job.failure_recipients)
        if streak is None or streak.notified is None or not recipients:
            return None
        mail_job = MailJob(event.job, event.run_id, "recovery", recipients)
        return await self._deliver(
            mail_job, partial(self._renderer.recovery, mail_job, event, streak.count, streak.since)
        )

    async def _deliver(self, mail_job: MailJob, render: Callable[[], RenderFor]) -> datetime | None:
        try:
            first = render()
        except CannotRender as error:
            await self._delivery.fail(mail_job, str(error))
            return None
        async with self._delivery.reporting_hold(mail_job):
            return await self._delivery.deliver(mail_job, Renditions(first))

    async def _skip(self, mail_job: MailJob, reason: MailSkipReason) -> None:
        skipped = MailSkipped(
            job_name=mail_job.job.job_name,
            run_id=mail_job.run_id,
            kind=mail_job.kind,
            reason=reason,
            split_value=mail_job.split_value,
        )
        identity = run_message_id(mail_job.run_id, "mail", mail_job.kind, *mail_job.identity)
        await self._log.publish(skipped, message_id=identity)
        logger.info("mail_skipped", kind=mail_job.kind, reason=reason)
