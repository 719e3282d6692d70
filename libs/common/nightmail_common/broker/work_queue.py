"""A shared queue of the log: a durable consumer that any number of processes work off, one event per free slot.

An event stays the queue's until its worker acknowledges it. A worker that dies is noticed by its missing heartbeats,
and what it had goes to another; a worker that is too busy to fetch leaves the event to others.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import nats.errors
import structlog
from faststream import AckPolicy
from faststream.nats import JStream, NatsBroker, PullSub
from faststream.nats.annotations import NatsMessage
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, ConsumerInfo
from nats.js.errors import ServiceUnavailableError
from pydantic import ValidationError
from structlog.contextvars import bound_contextvars

from nightmail_common.broker.cancellation import end_if_cancelled
from nightmail_common.broker.stored_messages import AckSubject, broker_time
from nightmail_common.broker.streams import STREAM
from nightmail_common.contract.envelope import TRACEPARENT
from nightmail_common.contract.events import RunEvent
from nightmail_common.contract.subjects import events_named

#: A worker that died is noticed after so long without a heartbeat; its events are then delivered to another.
ACK_WAIT_SECONDS = 4.0
HEARTBEAT_SECONDS = 1.0
#: How long one pull request waits at the broker. After the broker's restart a new one must be made, so not for long.
PULL_SECONDS = 2.0
#: From a pull that found no consumer to the next: a cluster elects who has it, or somebody has deleted it.
ABSENT_SECONDS = 0.5
#: Between two looks at how much waits; Prometheus asks every 15 to 60 seconds.
LOOK_SECONDS = 5.0

#: What a call to a broker that is away raises; nats-py lets errors of the socket through.
BROKER_ERRORS = (nats.errors.Error, OSError)

EventT = TypeVar("EventT", bound=RunEvent)
ResultT = TypeVar("ResultT")

logger = structlog.get_logger()


class Broker(NatsBroker):
    """FastStream on the connection that the service has.

    Args:
        drain_seconds: what is being worked on when the broker stops may take so long.
    """

    def __init__(self, client: Client, drain_seconds: float) -> None:
        super().__init__(logger=None, apply_types=False, graceful_timeout=drain_seconds)
        self._client = client
        #: What the connection's own inboxes begin with: the broker may let it listen to no others.
        self.inbox_prefix = f"{client.new_inbox().rpartition('.')[0]}.".encode()

    async def start(self) -> None:
        await super().start()
        for subscriber in self.subscribers:
            if isinstance(pulls := getattr(subscriber, "subscription", None), JetStreamContext.PullSubscription):
                _pace(pulls)

    async def _connect(self) -> Client:
        self.config.connect(self._client)
        return self._client


@dataclass(frozen=True)
class Delivery(Generic[EventT]):
    """An event as the queue hands it out. `number` counts its deliveries from 1.

    `leave_slot`: to be called when what is left to do needs no slot; the next event is then fetched meanwhile.
    """

    event: EventT
    number: int
    sequence: int
    time: datetime
    traceparent: str | None
    leave_slot: Callable[[], None]


@dataclass(frozen=True)
class Patience:
    """How long an event has its slot for itself: then it goes on without one, as long as fewer than `aside` do so.

    `seconds`: None for as long as it does not leave its slot by itself.
    """

    seconds: float | None
    aside: int


class WorkQueue(Generic[EventT]):
    """Takes events from the queue and has them worked on, each in a slot.

    Args:
        durable: the consumer's name; whoever uses the same shares the work.
        work: works on one delivery; returns None when the event is done, or in how many seconds it is to be delivered
            again.
        max_ack_pending: what the broker has in flight for all workers together, waiting for a retry included.
        patience: with it, what takes long does not keep its slot from others.
    """

    def __init__(
        self,
        durable: str,
        events: Sequence[type[EventT]],
        work: Callable[[Delivery[EventT]], Awaitable[float | None]],
        max_ack_pending: int,
        patience: Patience | None = None,
    ) -> None:
        self._durable = durable
        self._models = {event.name: event for event in events}
        self._work = work
        self._max_ack_pending = max_ack_pending
        self._patience = patience
        self._aside: set[asyncio.Task[None]] = set()
        self._giving_up = asyncio.Event()

    def subscribe(self, broker: Broker, slots: int) -> None:
        """Take events in as many slots.

        A slot is a subscriber that pulls one event when it is free: a pull of several would wait until they have come
        (nats-py's `fetch`), and a worker pool would hold events that nobody works on.
        """
        names = [events_named(name) for name in self._models]
        one = len(names) == 1
        for _ in range(slots):
            broker.subscriber(
                # A single filter stands in the subject of the request, too, where the broker's permissions can see it.
                names[0] if one else "",
                stream=JStream(STREAM, declare=False),
                durable=self._durable,
                pull_sub=PullSub(batch_size=1, timeout=PULL_SECONDS),
                ack_policy=AckPolicy.MANUAL,
                config=ConsumerConfig(
                    filter_subjects=None if one else names,
                    ack_wait=ACK_WAIT_SECONDS,
                    max_ack_pending=self._max_ack_pending,
                ),
                inbox_prefix=broker.inbox_prefix,
                decoder=_undecoded,
            )(self.take)

    def give_up(self) -> None:
        """Tell what `or_give_up` waits for to end, now: this process stops."""
        self._giving_up.set()

    async def or_give_up(self, work: Coroutine[Any, Any, ResultT]) -> ResultT | None:
        """Return what comes of work, or None if this process stops before it is done."""
        working = asyncio.create_task(work)
        giving_up = asyncio.create_task(self._giving_up.wait())
        try:
            await asyncio.wait({working, giving_up}, return_when=asyncio.FIRST_COMPLETED)
            return working.result() if working.done() else None
        finally:
            giving_up.cancel()
            working.cancel()

    async def take(self, message: NatsMessage) -> None:
        """Work on one event, from its delivery to its ack, or until it goes on without a slot."""
        if self._patience is None:
            await self._take(message, lambda: None)
            return
        left = asyncio.Event()
        taking = asyncio.create_task(self._take(message, left.set))
        leaving = asyncio.create_task(left.wait())
        await asyncio.wait({taking, leaving}, timeout=self._patience.seconds, return_when=asyncio.FIRST_COMPLETED)
        leaving.cancel()
        if len(self._aside) >= self._patience.aside:
            await asyncio.wait({taking})
        if taking.done():
            taking.result()
        else:
            self._aside.add(taking)
            taking.add_done_callback(self._aside.discard)

    async def stop(self, broker: Broker) -> None:
        """Take no more events, and wait until those that were taken are done or handed back."""
        await asyncio.gather(*(subscriber.stop() for subscriber in broker.subscribers))
        if self._aside:
            await asyncio.wait(self._aside)

    async def _take(self, message: NatsMessage, leave_slot: Callable[[], None]) -> None:
        delivery = self._read(message, leave_slot)
        if delivery is None:
            await message.reject()
            return
        with bound_contextvars(run_id=str(delivery.event.run_id), job_name=delivery.event.job_name):
            async with _heartbeats(message):
                again_in = await self._work(delivery)
            try:
                await (message.ack() if again_in is None else message.nack(delay=again_in or None))
            except BROKER_ERRORS as error:  # it is delivered again, and the log says how far it came
                logger.warning("ack_failed", error=str(error) or type(error).__name__)

    def _read(self, message: NatsMessage, leave_slot: Callable[[], None]) -> Delivery[EventT] | None:
        subject, ack = message.raw_message.subject, AckSubject.of(message.raw_message)
        try:
            event = self._models[subject.rpartition(".")[2]].model_validate_json(message.body)
        except ValidationError as error:
            logger.error("event_unreadable", subject=subject, problems=error.error_count())  # noqa: TRY400 no values
            return None
        return Delivery(
            event,
            number=ack.deliveries,
            sequence=ack.sequence,
            time=broker_time(ack.timestamp),
            traceparent=message.headers.get(TRACEPARENT),
            leave_slot=leave_slot,
        )


async def look_at_queue(js: JetStreamContext, durable: str, tell: Callable[[ConsumerInfo], None]) -> None:
    """For ever: tell how much waits for all workers together. What was told last stands while the broker is away."""
    while True:
        end_if_cancelled()
        with suppress(*BROKER_ERRORS):
            tell(await js.consumer_info(STREAM, durable))
        await asyncio.sleep(LOOK_SECONDS)


def _pace(pulls: JetStreamContext.PullSubscription) -> None:
    """Have a pull that nobody answers wait before the next: FastStream's loop would make thousands a second of them."""
    fetch = pulls.fetch

    async def paced(*args: Any, **kwargs: Any) -> list[Msg]:
        try:
            return await fetch(*args, **kwargs)
        except ServiceUnavailableError:
            await asyncio.sleep(ABSENT_SECONDS)
            raise

    pulls.fetch = paced  # type: ignore[method-assign]


async def _undecoded(message: Any) -> Any:
    return message


@asynccontextmanager
async def _heartbeats(message: NatsMessage) -> AsyncIterator[None]:
    """Tell the broker while inside that the event is being worked on."""

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
