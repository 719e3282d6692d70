"""What becomes of a requested run: worked on, tried again, handed back, or ended with its outcome in the log."""

import asyncio
import random
from datetime import UTC, datetime, timedelta

import structlog

from nightmail_common.broker.log import EventLog
from nightmail_common.broker.work_queue import BROKER_ERRORS, Delivery, Patience, WorkQueue
from nightmail_common.contract.envelope import run_message_id
from nightmail_common.contract.events import AttemptFailed, ResultReady, RunError, RunRequested, RunStarted
from nightmail_runner.execute import RunExecutor, Stopwatch, run_failed
from nightmail_runner.outcome import HANDED_BACK, History, Outcomes

DURABLE = "runner"
#: After so many deliveries that ended with their runner dead, the request is the likely reason (a job's failed attempts
#: and runs handed back are not counted).
MAX_DELIVERIES = 3
#: From a failed attempt to the next, when a job asks for retries; doubled each time.
FIRST_RETRY_SECONDS = 2.0
LONGEST_RETRY_SECONDS = 300.0
#: When a runner stops, what runs may take so long to end; then it is handed back.
DRAIN_SECONDS = 5.0
#: And then so long until the broker knows.
HAND_BACK_SECONDS = 3.0
#: What a broker has in flight for all runners together; each has only as many as it has slots.
MAX_ACK_PENDING = 10_000

_STOPPED = RunError(stage="runner", type=HANDED_BACK, message="the runner was stopped and handed the run back")

logger = structlog.get_logger()


class Consumer:
    """Brings each requested run to its end.

    Args:
        runner: this process's name, for `run-started`.
    """

    def __init__(self, log: EventLog, outcomes: Outcomes, executor: RunExecutor, runner: str, slots: int) -> None:
        self._log = log
        self._outcomes = outcomes
        self._executor = executor
        self._runner = runner
        self.queue = WorkQueue(DURABLE, [RunRequested], self._finish, MAX_ACK_PENDING, Patience(None, aside=slots))

    async def _finish(self, delivery: Delivery[RunRequested]) -> float | None:
        """Work on a run; return None when it has ended, or in how many seconds it is to be delivered again."""
        request = delivery.event
        history = History()
        if delivery.number > 1:
            history = await self._outcomes.history(request, after=delivery.sequence)
        if history.ended:
            logger.info("run_has_ended_already", delivery=delivery.number)
            return None
        if (killed := history.killed(delivery.number)) >= MAX_DELIVERIES:
            message = f"the runner died {killed} times while it worked on this run"
            error = RunError(stage="runner", type="RunnerKilled", message=message)
            await self._outcomes.publish(run_failed(request, error, Stopwatch()), delivery.traceparent)
            return None
        saying = asyncio.create_task(self._say_started(delivery))
        outcome = await self.queue.or_give_up(self._executor.execute(request))
        delivery.leave_slot()  # the next run may begin while this one's outcome is stored
        await saying
        if isinstance(outcome, ResultReady) or (outcome is not None and history.failed >= request.job.retries):
            await self._outcomes.publish(outcome, delivery.traceparent)
            return None
        error, wait = (outcome.error, retry_wait(history.failed)) if outcome is not None else (_STOPPED, 0.0)
        event = AttemptFailed(
            job_name=request.job_name,
            run_id=request.run_id,
            attempt=delivery.number,
            error=error,
            retry_at=datetime.now(UTC) + timedelta(seconds=wait),
        )
        await self._outcomes.publish_attempt(event, delivery.traceparent)
        logger.info("run_is_tried_again", error=error.type, wait_seconds=wait)
        return wait

    async def _say_started(self, delivery: Delivery[RunRequested]) -> None:
        request = delivery.event
        logger.info("run_started", attempt=delivery.number)
        event = RunStarted(
            job_name=request.job_name, run_id=request.run_id, runner=self._runner, attempt=delivery.number
        )
        message_id = run_message_id(request.run_id, "started", str(delivery.number))
        try:
            await self._log.publish(event, message_id=message_id, traceparent=delivery.traceparent)
        except BROKER_ERRORS as error:  # the outcome says more
            logger.warning("run_started_not_told", error=str(error) or type(error).__name__)


def retry_wait(failed_before: int) -> float:
    """Return the seconds from a failed attempt to the next: exponential with jitter."""
    longest = min(FIRST_RETRY_SECONDS * 2**failed_before, LONGEST_RETRY_SECONDS)
    return random.uniform(longest / 2, longest)
