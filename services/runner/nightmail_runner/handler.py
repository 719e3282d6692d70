"""Handles requested runs: execute, retry, hand back, or end with the outcome in the log."""

import asyncio
from datetime import UTC, datetime, timedelta

import structlog

from nightmail_common.broker.backoff import Backoff
from nightmail_common.broker.delivery import Ack, Delivery, Retry
from nightmail_common.broker.errors import BROKER_ERRORS
from nightmail_common.broker.log import EventLog
from nightmail_common.broker.work_queue import WorkQueue
from nightmail_common.contract.envelope import run_message_id
from nightmail_common.contract.errors import describe_error
from nightmail_common.contract.events import AttemptFailed, RunError, RunFailed, RunRequested, RunStarted
from nightmail_runner.execute import RunExecutor, Stopwatch, run_failed, run_skipped
from nightmail_runner.kept_inputs import InputKeeper, RunInputs
from nightmail_runner.outcome import HANDED_BACK, History, Outcomes
from nightmail_runner.stops import RunStopped, StopReason, Stops

#: A run whose runner or sandbox dies has not failed by itself: it is tried again. After
#: so many faults, the request is their likely reason.
MAX_FAULTS = 3
#: A request that is delivered for the first time and is older may have been handled before: somebody may have deleted
#: the durable consumer, which then counts from 1 again. The log is read for the outcome (some 3 ms).
MAX_FRESH_AGE = timedelta(minutes=1)
#: From a failed attempt to the next, when a job asks for retries.
ATTEMPT_BACKOFF = Backoff(first=2.0, longest=300.0)
#: When a runner stops, its runs may continue for this time; then they are handed back.
DRAIN_SECONDS = 5.0
#: How long the broker may take to store that they are.
HAND_BACK_SECONDS = 3.0

_STOPPED = RunError(stage="runner", type=HANDED_BACK, message="the runner was stopped and handed the run back")

logger = structlog.get_logger()


class RequestHandler:
    """Brings each requested run to its end.

    Args:
        runner: this process's name, for `run-started`.
    """

    def __init__(
        self,
        queue: WorkQueue,
        log: EventLog,
        outcomes: Outcomes,
        executor: RunExecutor,
        keeper: InputKeeper,
        stops: Stops,
        runner: str,
    ) -> None:
        self._queue = queue
        self._log = log
        self._outcomes = outcomes
        self._executor = executor
        self._keeper = keeper
        self._stops = stops
        self._runner = runner

    async def handle(self, request: RunRequested, delivery: Delivery) -> Ack | Retry:
        history = History()
        if delivery.number > 1 or delivery.age > MAX_FRESH_AGE:
            history = await self._outcomes.history(request, after=delivery.sequence)
        if history.ended:
            logger.info("run_has_ended_already", delivery=delivery.number)
            return Ack()
        if (reason := self._stops.reason(request)) is not None:
            return await self._end_stopped(request, reason)
        if (faults := history.faults(delivery.number)) >= MAX_FAULTS:
            message = f"the runner died {faults} times while it worked on this run"
            error = RunError(stage="runner", type="RunnerKilled", message=message)
            await self._outcomes.publish(run_failed(request, error, Stopwatch()))
            return Ack()
        with self._keeper.inputs_of(request) as inputs:
            return await self._execute(request, delivery, history, inputs)

    async def _execute(
        self, request: RunRequested, delivery: Delivery, history: History, inputs: RunInputs
    ) -> Ack | Retry:
        """Make one attempt: end the run with its outcome and keep its inputs, or try again."""
        faults = history.faults(delivery.number)
        started = asyncio.create_task(self._publish_started(request, delivery))
        execution = self._stops.run_unless_stopped(request, self._executor.execute(request, inputs))
        try:
            outcome = await self._queue.run_unless_shutdown(execution)
        except RunStopped as stop:
            await started
            return await self._end_stopped(request, stop.reason)
        delivery.release_slot()  # the next run may begin while this one's outcome is stored
        await started
        if outcome is None:
            return await self._retry(request, delivery, _STOPPED, 0.0)
        if isinstance(outcome, RunFailed) and outcome.error.stage == "runner" and faults + 1 < MAX_FAULTS:
            return await self._retry(request, delivery, outcome.error, ATTEMPT_BACKOFF.wait(faults + 1))
        if isinstance(outcome, RunFailed) and outcome.error.stage != "runner" and history.failed < request.job.retries:
            return await self._retry(request, delivery, outcome.error, ATTEMPT_BACKOFF.wait(history.failed + 1))
        await self._outcomes.publish(outcome)
        await self._queue.run_unless_shutdown(self._keeper.keep(request, inputs))
        return Ack()

    async def _end_stopped(self, request: RunRequested, reason: StopReason) -> Ack:
        """End a run that must not continue. For a cancelled run, the log has its end already."""
        logger.info("run_stopped", reason=reason)
        if reason == "deleted":
            await self._outcomes.publish(run_skipped(request, "deleted", "the job was deleted before the run ended"))
        return Ack()

    async def _retry(self, request: RunRequested, delivery: Delivery, error: RunError, wait: float) -> Retry:
        event = AttemptFailed(
            job_name=request.job_name,
            run_id=request.run_id,
            attempt=delivery.number,
            error=error,
            retry_at=datetime.now(UTC) + timedelta(seconds=wait),
        )
        await self._outcomes.publish_attempt(event)
        logger.info("run_retried", error=error.type, wait_seconds=wait)
        return Retry(wait)

    async def _publish_started(self, request: RunRequested, delivery: Delivery) -> None:
        logger.info("run_started", attempt=delivery.number)
        event = RunStarted(
            job_name=request.job_name, run_id=request.run_id, runner=self._runner, attempt=delivery.number
        )
        message_id = run_message_id(request.run_id, "started", str(delivery.number))
        try:
            await self._log.publish(event, message_id=message_id)
        except BROKER_ERRORS as error:  # the outcome says more
            logger.warning("run_started_not_published", error=describe_error(error))
