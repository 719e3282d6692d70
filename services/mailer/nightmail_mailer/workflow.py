"""Which mails an event asks for: a result, a failure, a job that works again, a mail once more."""

import asyncio
from datetime import datetime
from uuid import UUID

import structlog

from nightmail_common.broker.log import EventLog
from nightmail_common.broker.results import ResultDamaged, ResultGone, ResultStore
from nightmail_common.contract.envelope import run_message_id
from nightmail_common.contract.events import (
    MailKind,
    MailRequested,
    MailSkipped,
    MailSkipReason,
    ResultReady,
    RunFailed,
)
from nightmail_mailer.compose.attachment import carried
from nightmail_mailer.compose.render import Mails, MailTo
from nightmail_mailer.delivery import Deliverer, Order
from nightmail_mailer.records.failure_streaks import Streaks
from nightmail_mailer.records.unsubscribes import Left
from nightmail_mailer.smtp.client import SmtpClient

#: Up to this size the server's SIZE is not asked for, and a mail is rendered in the event loop (a millisecond).
SMALL_BYTES = 256 * 1024

logger = structlog.get_logger()


class Work:
    """Each method returns True when all is in the log, False if some mail is to be tried again.

    Any of them raises `nats.errors.Error` or `TimeoutError` if the log or a store does not answer.
    """

    def __init__(
        self,
        results: ResultStore,
        log: EventLog,
        deliverer: Deliverer,
        streaks: Streaks,
        left: Left,
        mails: Mails,
        smtp: SmtpClient,
        max_attachment_bytes: int,
    ) -> None:
        self._results = results
        self._log = log
        self._deliverer = deliverer
        self._streaks = streaks
        self._left = left
        self._mails = mails
        self._smtp = smtp
        self._max_attachment_bytes = max_attachment_bytes

    async def result(self, event: ResultReady, sequence: int, traceparent: str | None) -> bool:
        """Mail a result; and, if the job had failed before, that it works again."""
        recipients = self._left.staying(event.job.job_id, event.job.consumer_emails)
        order = Order(event.job, event.run_id, "result", recipients, traceparent=traceparent)
        if event.rows == 0 and event.job.when_empty == "skip":
            await self._skip(event, "result", "empty")
            done = True
        else:
            done = await self._mail_result(order, event)
        return await self._mail_recovery(event, order, sequence) and done

    async def failure(self, event: RunFailed, sequence: int, failed_at: datetime, traceparent: str | None) -> bool:
        """Tell that a run failed, unless the job's owner does not want that or it was told within the hour."""
        if not event.job.notify_on_failure:
            return True
        streak = await self._streaks.failed(event.job.job_id, sequence, failed_at)
        if streak.told != sequence:
            await self._skip(event, "failure", "streak")
            return True
        recipients = self._left.staying(event.job.job_id, event.job.consumer_emails)
        order = Order(event.job, event.run_id, "failure", recipients, traceparent=traceparent)
        return await self._mail_failure(order, event, streak.count, streak.since)

    async def again(self, request: MailRequested, traceparent: str | None) -> bool:
        """Send a run's mail once more, to those who were asked for and have not left."""
        event = await self._log.outcome(request.outcome_sequence)
        if event is None or event.run_id != request.run_id:
            logger.warning("nothing_to_send_again", sequence=request.outcome_sequence)
            return True
        wanted = [address for address in event.job.consumer_emails if address in request.recipients]
        recipients = self._left.staying(event.job.job_id, wanted)
        kind: MailKind = "result" if isinstance(event, ResultReady) else "failure"
        order = Order(event.job, event.run_id, kind, recipients, request.request_id, traceparent)
        if isinstance(event, ResultReady):
            return await self._mail_result(order, event)
        return await self._mail_failure(order, event, 1, None)

    async def _mail_result(self, order: Order, event: ResultReady) -> bool:
        if not order.recipients:
            await self._skip(event, "result", "unsubscribed", order.request_id)
            return True
        try:
            csv = await self._results.get(event.csv)
        except (ResultGone, ResultDamaged) as error:
            await self._deliverer.fail(order, str(error))
            return True
        mail = await self._render_result(order, event, csv)
        return await self._deliverer.deliver(order, mail, event.csv.sha256)

    async def _render_result(self, order: Order, event: ResultReady, csv: bytes) -> MailTo:
        limit = self._max_attachment_bytes
        if len(csv) <= SMALL_BYTES:
            return self._mails.result(order, event, csv, carried(csv, limit))
        if (server_limit := await self._smtp.max_mail_bytes()) is not None:
            limit = min(limit, server_limit)
        # A large CSV takes longer to compress and to encode than the heartbeats may pause.
        return await asyncio.to_thread(lambda: self._mails.result(order, event, csv, carried(csv, limit)))

    async def _mail_failure(self, order: Order, event: RunFailed, count: int, since: datetime | None) -> bool:
        if not order.recipients:
            await self._skip(event, "failure", "unsubscribed", order.request_id)
            return True
        return await self._deliverer.deliver(order, self._mails.failure(order, event, count, since))

    async def _mail_recovery(self, event: ResultReady, order: Order, sequence: int) -> bool:
        if not event.job.notify_on_failure:
            return True
        streak = await self._streaks.worked(event.job.job_id, sequence)
        if streak is None or streak.told is None or not order.recipients:
            return True
        recovery = Order(event.job, event.run_id, "recovery", order.recipients, traceparent=order.traceparent)
        return await self._deliverer.deliver(
            recovery, self._mails.recovery(recovery, event, streak.count, streak.since)
        )

    async def _skip(
        self, event: ResultReady | RunFailed, kind: MailKind, reason: MailSkipReason, request_id: UUID | None = None
    ) -> None:
        skipped = MailSkipped(job_name=event.job_name, run_id=event.run_id, kind=kind, reason=reason)
        again = () if request_id is None else (str(request_id),)
        await self._log.publish(skipped, message_id=run_message_id(event.run_id, "mail", kind, *again))
        logger.info("mail_skipped", kind=kind, reason=reason)
