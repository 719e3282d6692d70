"""Which mails an event asks for: a result, a failure, a job that works again, a mail once more."""

import asyncio
import hashlib
from datetime import datetime
from uuid import UUID

import structlog
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError, ObjectNotFoundError

from nightmail_common.broker.log import EventLog
from nightmail_common.broker.streams import RESULTS, STREAM
from nightmail_common.contract.envelope import run_message_id
from nightmail_common.contract.events import (
    Blob,
    MailKind,
    MailRequested,
    MailSkipped,
    MailSkipReason,
    ResultReady,
    RunFailed,
)
from nightmail_mailer.compose.attachment import carried
from nightmail_mailer.compose.render import Mails
from nightmail_mailer.delivery import Deliverer, Order
from nightmail_mailer.records.failure_streaks import Streaks
from nightmail_mailer.records.unsubscribes import Left
from nightmail_mailer.smtp.client import SmtpClient

#: nats-py's `get` waits for ever for a chunk that is lost.
RESULT_TIMEOUT_SECONDS = 60.0
#: Below this no server's SIZE is in question: it need not be known before the mail is made.
SMALL_BYTES = 256 * 1024

logger = structlog.get_logger()


class ResultGone(Exception):
    """A result's bytes are no longer in the store, or are not those that the runner wrote."""


class Work:
    """Each method returns True when all is in the log, False if some mail is to be tried again.

    Any of them raises `nats.errors.Error` or `TimeoutError` if the log or a store does not answer.
    """

    def __init__(
        self,
        js: JetStreamContext,
        log: EventLog,
        deliverer: Deliverer,
        streaks: Streaks,
        left: Left,
        mails: Mails,
        smtp: SmtpClient,
        max_attachment_bytes: int,
    ) -> None:
        self._js = js
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
        event = await self._outcome(request.outcome_sequence)
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
            csv = await self._csv(event.csv)
        except ResultGone as gone:
            await self._deliverer.fail(order, str(gone))
            return True
        limit = self._max_attachment_bytes
        if len(csv) > SMALL_BYTES and (server_limit := await self._smtp.max_mail_bytes()) is not None:
            limit = min(limit, server_limit)
        mail = self._mails.result(order, event, csv, carried(csv, limit))
        return await self._deliverer.deliver(order, mail, event.csv.sha256)

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

    async def _csv(self, blob: Blob) -> bytes:
        if blob.data is not None:
            return blob.data
        assert blob.object_name is not None
        try:
            data = await asyncio.wait_for(
                self._stored(blob.bucket or RESULTS, blob.object_name), RESULT_TIMEOUT_SECONDS
            )
        except (NotFoundError, ObjectNotFoundError):
            raise ResultGone("the result is kept no longer") from None
        if hashlib.sha256(data).hexdigest() != blob.sha256:
            raise ResultGone("the result is damaged in the store")
        return data

    async def _stored(self, bucket: str, object_name: str) -> bytes:
        found = await (await self._js.object_store(bucket)).get(object_name)
        return bytes(found.data or b"")

    async def _outcome(self, sequence: int) -> ResultReady | RunFailed | None:
        try:
            stored = await self._js.get_msg(STREAM, sequence)
        except NotFoundError:
            return None
        for model in (ResultReady, RunFailed):
            if str(stored.subject).endswith(f".{model.name}"):
                return model.model_validate_json(stored.data or b"")
        return None
