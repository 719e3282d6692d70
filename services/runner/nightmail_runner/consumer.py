"""The shared queue of requested runs: every runner takes from it as many as it has free slots, and no more."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from faststream import AckPolicy
from faststream.nats import JStream, NatsBroker, PullSub
from faststream.nats.annotations import NatsMessage
from nats.aio.client import Client
from nats.js.api import ConsumerConfig
from pydantic import ValidationError

from nightmail_common.envelope import TRACEPARENT, run_message_id
from nightmail_common.events import AttemptFailed, ResultReady, RunError, RunFailed, RunRequested, RunStarted
from nightmail_common.log import EventLog
from nightmail_common.logging import run_context
from nightmail_common.streams import STREAM
from nightmail_common.subjects import events_named
from nightmail_runner.outcome import HANDED_BACK, History, Outcomes
from nightmail_runner.patience import BROKER_ERRORS
from nightmail_runner.work import Clock, Work, failure

DURABLE = "runner"
#: A runner that died is noticed after so long without a heartbeat; its request is then delivered to another.
ACK_WAIT_SECONDS = 4.0
HEARTBEAT_SECONDS = 1.0
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
#: How long one pull request waits at the broker. After the broker's restart a new one must be made, so not for long.
PULL_SECONDS = 2.0
#: What a broker has in flight for all runners together; each has only as many as it has slots.
MAX_ACK_PENDING = 10_000

_STOPPED = RunError(stage="runner", type=HANDED_BACK, message="the runner was stopped and handed the run back")

logger = structlog.get_logger()


class Broker(NatsBroker):
    """FastStream on the connection that the service has."""

    def __init__(self, client: Client) -> None:
        super().__init__(logger=None, apply_types=False, graceful_timeout=DRAIN_SECONDS + HAND_BACK_SECONDS)
        self._client = client

    async def _connect(self) -> Client:
        self.config.connect(self._client)
        return self._client


class Consumer:
    """Takes requests from the queue, has them worked on, and acknowledges each when its outcome is in the log.

    Args:
        runner: this process's name, for `run-started`.
    """

    def __init__(self, log: EventLog, outcomes: Outcomes, work: Work, runner: str) -> None:
        self._log = log
        self._outcomes = outcomes
        self._work = work
        self._runner = runner
        self._giving_up = asyncio.Event()

    def subscribe(self, broker: Broker, slots: int) -> None:
        """Take requests in as many slots.

        A slot is a subscriber that pulls one message when it is free: a pull of several would wait until they have
        come (nats-py's `fetch`), and a worker pool would hold messages that nobody works on.
        """
        for _ in range(slots):
            broker.subscriber(
                events_named(RunRequested.name),
                stream=JStream(STREAM, declare=False),
                durable=DURABLE,
                pull_sub=PullSub(batch_size=1, timeout=PULL_SECONDS),
                ack_policy=AckPolicy.MANUAL,
                config=ConsumerConfig(ack_wait=ACK_WAIT_SECONDS, max_ack_pending=MAX_ACK_PENDING),
                decoder=_undecoded,
            )(self.take)

    def give_up(self) -> None:
        """Hand back what is being worked on, now."""
        self._giving_up.set()

    async def take(self, message: NatsMessage) -> None:
        """Do one requested run, from its delivery to its ack."""
        try:
            request = RunRequested.model_validate_json(message.body)
        except ValidationError as error:
            subject, problems = message.raw_message.subject, error.error_count()
            logger.error("request_unreadable", subject=subject, problems=problems)  # noqa: TRY400 no values in lines
            await message.reject()
            return
        with run_context(request.run_id, request.job_name):
            async with _heartbeats(message):
                again_in = await self._finish(request, message)
            try:
                await (message.ack() if again_in is None else message.nack(delay=again_in or None))
            except BROKER_ERRORS as error:  # it is delivered again, and the log says how far it came
                logger.warning("ack_failed", error=str(error) or type(error).__name__)

    async def _finish(self, request: RunRequested, message: NatsMessage) -> float | None:
        """Work on a run; return None when it has ended, or in how many seconds it is to be delivered again."""
        metadata = message.raw_message.metadata
        delivery = metadata.num_delivered
        traceparent = message.headers.get(TRACEPARENT)
        history = History()
        if delivery > 1:
            history = await self._outcomes.history(request, after=metadata.sequence.stream)
        if history.ended:
            logger.info("run_has_ended_already", delivery=delivery)
            return None
        if history.killed(delivery) >= MAX_DELIVERIES:
            message_text = f"the runner died {history.killed(delivery)} times while it worked on this run"
            error = RunError(stage="runner", type="RunnerKilled", message=message_text)
            await self._outcomes.publish(failure(request, error, Clock()), traceparent)
            return None
        saying = asyncio.create_task(self._say_started(request, delivery, traceparent))
        outcome = await self._work_or_give_up(request)
        await saying
        if isinstance(outcome, ResultReady) or (outcome is not None and history.failed >= request.job.retries):
            await self._outcomes.publish(outcome, traceparent)
            return None
        error, wait = (outcome.error, retry_wait(history.failed)) if outcome is not None else (_STOPPED, 0.0)
        event = AttemptFailed(
            job_name=request.job_name,
            run_id=request.run_id,
            attempt=delivery,
            error=error,
            retry_at=datetime.now(UTC) + timedelta(seconds=wait),
        )
        await self._outcomes.publish_attempt(event, traceparent)
        logger.info("run_is_tried_again", error=error.type, wait_seconds=wait)
        return wait

    async def _work_or_give_up(self, request: RunRequested) -> ResultReady | RunFailed | None:
        """Return what came of a run, or None if it was given up because this runner stops."""
        working = asyncio.create_task(self._work.do(request))
        giving_up = asyncio.create_task(self._giving_up.wait())
        try:
            await asyncio.wait({working, giving_up}, return_when=asyncio.FIRST_COMPLETED)
            return working.result() if working.done() else None
        finally:
            giving_up.cancel()
            working.cancel()

    async def _say_started(self, request: RunRequested, attempt: int, traceparent: str | None) -> None:
        logger.info("run_started", attempt=attempt)
        event = RunStarted(job_name=request.job_name, run_id=request.run_id, runner=self._runner, attempt=attempt)
        message_id = run_message_id(request.run_id, "started", str(attempt))
        try:
            await self._log.publish(event, message_id=message_id, traceparent=traceparent)
        except BROKER_ERRORS as error:  # the outcome says more
            logger.warning("run_started_not_told", error=str(error) or type(error).__name__)


async def _undecoded(message: Any) -> Any:
    return message


@asynccontextmanager
async def _heartbeats(message: NatsMessage) -> AsyncIterator[None]:
    """Tell the broker while inside that the run is being worked on."""

    async def beat() -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            with suppress(*BROKER_ERRORS):
                await message.in_progress()

    beating = asyncio.create_task(beat())
    try:
        yield
    finally:
        beating.cancel()


def retry_wait(failed_before: int) -> float:
    """Return the seconds from a failed attempt to the next: exponential with jitter."""
    longest = min(FIRST_RETRY_SECONDS * 2**failed_before, LONGEST_RETRY_SECONDS)
    return random.uniform(longest / 2, longest)
