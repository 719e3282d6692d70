"""Handles events that ask for mail: done, handed back, or delivered again at the time of the next attempt."""

from datetime import UTC, datetime

import structlog

from nightmail_common.broker.delivery import Ack, Delivery, Retry, SlotPolicy
from nightmail_common.broker.work_queue import WorkQueue
from nightmail_common.contract.events import MailRequested, ResultReady, RunCancelled, RunFailed
from nightmail_mailer.compose.errors import JobWasDeleted
from nightmail_mailer.records.log_record import LogRecord
from nightmail_mailer.workflow import MailWorkflow

#: More slots than connections: an event that waits for a store or a large result must not keep a connection idle. A mail
#: that hangs releases its slot after a second.
SLOTS = SlotPolicy(slots=12, release_after=1.0, max_detached=100)
#: When a mailer stops, sends may continue for this time; then their events are handed back.
DRAIN_SECONDS = 4.0
HAND_BACK_SECONDS = 2.0

AsksForMail = ResultReady | RunFailed | MailRequested

logger = structlog.get_logger()


class MailHandler:
    """Sends the mails of each event, until the log has the outcome of all of them."""

    def __init__(self, queue: WorkQueue, workflow: MailWorkflow, cancelled_runs: LogRecord[RunCancelled]) -> None:
        self._queue = queue
        self._workflow = workflow
        self._cancelled_runs = cancelled_runs

    async def handle(self, event: AsksForMail, delivery: Delivery) -> Ack | Retry:
        answer = await self._queue.run_unless_shutdown(self._send(event, delivery))
        if answer is None:
            logger.info("mail_handed_back")
            return Retry(0.0)
        return answer

    async def _send(self, event: AsksForMail, delivery: Delivery) -> Ack | Retry:
        try:
            next_attempt = await self._next_attempt(event, delivery)
        except JobWasDeleted as deleted:
            assert not isinstance(event, MailRequested)  # what a user asks for is sent
            await self._workflow.skip_deleted(event, deleted.kind)
            return Ack()
        if next_attempt is None:
            return Ack()
        return Retry(max((next_attempt - datetime.now(UTC)).total_seconds(), 0.0))

    async def _next_attempt(self, event: AsksForMail, delivery: Delivery) -> datetime | None:
        match event:
            case ResultReady() | RunFailed() if self._cancelled_runs.has_before(event.run_id, delivery.sequence):
                logger.info("mail_not_sent", reason="cancelled")  # the run's last event says so
                return None
            case ResultReady():
                return await self._workflow.mail_result(event, delivery.sequence)
            case RunFailed():
                return await self._workflow.mail_failure(event, delivery.sequence, delivery.time)
            case MailRequested():
                return await self._workflow.resend(event)
