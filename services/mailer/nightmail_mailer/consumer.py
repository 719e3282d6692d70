"""The queue: what asks for mail, taken one event per slot, and acknowledged when its outcome is in the log."""

import asyncio
import random
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

from nightmail_common.envelope import TRACEPARENT
from nightmail_common.events import MailRequested, ResultReady, RunEvent, RunFailed
from nightmail_common.logging import run_context
from nightmail_common.streams import STREAM
from nightmail_common.subjects import events_named
from nightmail_mailer.work import Work

DURABLE = "mailer"
EVENTS: tuple[type[ResultReady] | type[RunFailed] | type[MailRequested], ...] = (ResultReady, RunFailed, MailRequested)
#: Events worked on at once. More than there are connections: one that waits for a retry's store or a large result
#: must not keep a connection from the next.
SLOTS = 12
#: A mailer that died is noticed after so long without a heartbeat; its events are then delivered to another.
ACK_WAIT_SECONDS = 4.0
HEARTBEAT_SECONDS = 1.0
#: From a mail that was not taken to the next try; doubled each time.
FIRST_RETRY_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 300.0
#: When a mailer stops, mails on their way may take so long; then they are handed back.
DRAIN_SECONDS = 4.0
HAND_BACK_SECONDS = 2.0
#: How long one pull request waits at the broker. After the broker's restart a new one must be made, so not for long.
PULL_SECONDS = 2.0
#: Mails that wait for their next try count as in flight at the broker: a server that refuses a hundred thousand for
#: now must not stop the others.
MAX_ACK_PENDING = 1_000_000

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
    """Takes events from the queue and has them worked on."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._giving_up = asyncio.Event()

    def subscribe(self, broker: Broker) -> None:
        """Take events in slots: subscribers that pull one when they are free (nats-py's fetch of several waits)."""
        for _ in range(SLOTS):
            broker.subscriber(
                stream=JStream(STREAM, declare=False),
                durable=DURABLE,
                pull_sub=PullSub(batch_size=1, timeout=PULL_SECONDS),
                ack_policy=AckPolicy.MANUAL,
                config=ConsumerConfig(
                    filter_subjects=[events_named(event.name) for event in EVENTS],
                    ack_wait=ACK_WAIT_SECONDS,
                    max_ack_pending=MAX_ACK_PENDING,
                ),
                decoder=_undecoded,
            )(self.take)

    def give_up(self) -> None:
        """Hand back what is being worked on, now."""
        self._giving_up.set()

    async def take(self, message: NatsMessage) -> None:
        """Work on one event, from its delivery to its ack."""
        subject = message.raw_message.subject
        model = next(event for event in EVENTS if subject.endswith(f".{event.name}"))
        try:
            event = model.model_validate_json(message.body)
        except ValidationError as error:
            logger.error("event_unreadable", subject=subject, problems=error.error_count())  # noqa: TRY400 no values
            await message.reject()
            return
        with run_context(event.run_id, event.job_name):
            async with _heartbeats(message):
                again_in = await self._finish(event, message)
            try:
                await (message.ack() if again_in is None else message.nack(delay=again_in or None))
            except nats.errors.Error as error:  # it is delivered again, and the ledger says who has got it
                logger.warning("ack_failed", error=str(error) or type(error).__name__)

    async def _finish(self, event: RunEvent, message: NatsMessage) -> float | None:
        """Work on an event; return None when it is done, or in how many seconds it is to be delivered again."""
        working = asyncio.create_task(self._work_on(event, message))
        giving_up = asyncio.create_task(self._giving_up.wait())
        try:
            await asyncio.wait({working, giving_up}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                logger.info("mail_handed_back")
                return 0.0
            if working.result():
                return None
        except (nats.errors.Error, TimeoutError, OSError) as error:
            logger.warning("mail_postponed", error=str(error) or type(error).__name__)
        except Exception:
            # Whatever is wrong with this one mail, it must neither be lost nor be tried without a pause.
            logger.exception("mail_cannot_be_made")
        finally:
            giving_up.cancel()
            working.cancel()
        return retry_wait(message.raw_message.metadata.num_delivered)

    async def _work_on(self, event: RunEvent, message: NatsMessage) -> bool:
        metadata = message.raw_message.metadata
        sequence, time = metadata.sequence.stream, metadata.timestamp
        traceparent = message.headers.get(TRACEPARENT)
        match event:
            case ResultReady():
                return await self._work.result(event, sequence, traceparent)
            case RunFailed():
                return await self._work.failure(event, sequence, time, traceparent)
            case MailRequested():
                return await self._work.again(event, traceparent)
        raise AssertionError(event.name)


async def _undecoded(message: Any) -> Any:
    return message


@asynccontextmanager
async def _heartbeats(message: NatsMessage) -> AsyncIterator[None]:
    """Tell the broker while inside that the event is being worked on."""

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


def retry_wait(deliveries: int) -> float:
    """Return the seconds from a try to the next: exponential with jitter."""
    longest = min(FIRST_RETRY_SECONDS * 2.0 ** min(deliveries - 1, 16), LONGEST_RETRY_SECONDS)
    return random.uniform(longest / 2, longest)
