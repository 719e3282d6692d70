"""The shared queue of requested runs: every runner takes from it as many as it has free slots, and no more."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import nats.errors
import structlog
from faststream import AckPolicy
from faststream.nats import JStream, NatsBroker, PullSub
from faststream.nats.annotations import NatsMessage
from nats.aio.client import Client
from nats.js.api import ConsumerConfig
from pydantic import ValidationError

from nightmail_common.envelope import TRACEPARENT, run_message_id
from nightmail_common.events import RunError, RunRequested, RunStarted
from nightmail_common.log import EventLog
from nightmail_common.logging import run_context
from nightmail_common.streams import STREAM
from nightmail_common.subjects import events_named
from nightmail_runner.outcome import Outcomes
from nightmail_runner.work import Clock, Work, failure

DURABLE = "runner"
#: A runner that died is noticed after so long without a heartbeat; its request is then delivered to another.
ACK_WAIT_SECONDS = 6.0
HEARTBEAT_SECONDS = 2.0
#: After so many deliveries that ended with their runner dead, the request is the likely reason.
MAX_DELIVERIES = 3
#: How long one pull request waits at the broker. After the broker's restart a new one must be made, so not for long.
PULL_SECONDS = 2.0
#: What a broker has in flight for all runners together; each has only as many as it has slots.
MAX_ACK_PENDING = 10_000

logger = structlog.get_logger()


class Broker(NatsBroker):
    """FastStream on the connection that the service has."""

    def __init__(self, client: Client) -> None:
        super().__init__(logger=None, apply_types=False)
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
                await self._finish(request, message)
            await _ack(message)

    async def _finish(self, request: RunRequested, message: NatsMessage) -> None:
        metadata = message.raw_message.metadata
        delivery = metadata.num_delivered
        traceparent = message.headers.get(TRACEPARENT)
        if delivery > 1 and await self._outcomes.exists(request, after=metadata.sequence.stream):
            logger.info("run_has_ended_already", delivery=delivery)
            return
        if delivery > MAX_DELIVERIES:
            error = RunError(
                stage="runner",
                type="RunnerKilled",
                message=f"the runner died {MAX_DELIVERIES} times while it worked on this run",
            )
            await self._outcomes.publish(failure(request, error, Clock()), traceparent)
            return
        started = asyncio.create_task(self._say_started(request, delivery, traceparent))
        outcome = await self._work.do(request)
        await started
        await self._outcomes.publish(outcome, traceparent)

    async def _say_started(self, request: RunRequested, attempt: int, traceparent: str | None) -> None:
        logger.info("run_started", attempt=attempt)
        event = RunStarted(job_name=request.job_name, run_id=request.run_id, runner=self._runner, attempt=attempt)
        message_id = run_message_id(request.run_id, "started", str(attempt))
        try:
            await self._log.publish(event, message_id=message_id, traceparent=traceparent)
        except nats.errors.Error as error:  # the outcome says more
            logger.warning("run_started_not_told", error=str(error) or type(error).__name__)


async def _undecoded(message: Any) -> Any:
    return message


@asynccontextmanager
async def _heartbeats(message: NatsMessage) -> AsyncIterator[None]:
    """Tell the broker while inside that the run is being worked on."""

    async def beat() -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            with suppress(nats.errors.Error):
                await message.in_progress()

    beating = asyncio.create_task(beat())
    try:
        yield
    finally:
        beating.cancel()


async def _ack(message: NatsMessage) -> None:
    try:
        await message.ack()
    except nats.errors.Error as error:  # it is delivered again, and then only acked
        logger.warning("ack_failed", error=str(error) or type(error).__name__)
