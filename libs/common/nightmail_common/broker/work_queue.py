"""A shared queue of the log: a durable consumer from which any number of processes pull, one event per free slot.

An event stays in the queue until its handler acknowledges it. The heartbeats of a worker that dies stop, and the broker
delivers its events to another; a worker whose slots are busy leaves events to others.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

import structlog
from faststream import AckPolicy
from faststream.nats import JStream, PullSub
from nats.js.api import ConsumerInfo
from nats.js.errors import NotFoundError

from nightmail_common.broker.backoff import retry_forever
from nightmail_common.broker.delivery import Ack, Delivery, EventsInProgress, Retry, SlotPolicy, Slots
from nightmail_common.broker.errors import BROKER_ERRORS
from nightmail_common.broker.faststream_patches import FastStreamAdapter
from nightmail_common.broker.metrics import UNREADABLE_EVENTS
from nightmail_common.broker.patches import Interrupted, PatchedClient, raise_if_cancelled, run_until
from nightmail_common.broker.queue_middleware import (
    AckMiddleware,
    ContextMiddleware,
    DeliveryMiddleware,
    HeartbeatMiddleware,
    event_decoder,
)
from nightmail_common.broker.streams import CONSUMER_NOT_FOUND, STREAM, Queue, ensure_queue

#: How long one pull request waits at the broker. A restarted broker has forgotten it, so not for long.
PULL_SECONDS = 2.0
#: Prometheus scrapes every 15 to 60 seconds, and a queue that was deleted comes back within this time.
POLL_INTERVAL_SECONDS = 5.0

Handler = Callable[[Any, Delivery], Awaitable[Ack | Retry]]
ResultT = TypeVar("ResultT")

logger = structlog.get_logger()


class WorkQueue:
    """One process's share of a queue.

    Args:
        stop_seconds: the longest time that `stop` takes.
    """

    def __init__(self, client: PatchedClient, queue: Queue, policy: SlotPolicy, stop_seconds: float) -> None:
        self._js = client.jetstream()
        self._queue = queue
        self._shutdown = asyncio.Event()
        self._reason_not_ready: str | None = None
        #: The broker may let this connection listen to its own inboxes only.
        self._inbox_prefix = f"{client.new_inbox().rpartition('.')[0]}.".encode()
        self._max_workers = policy.slots + policy.max_detached
        slots = Slots(policy)
        self.broker = FastStreamAdapter(
            client,
            slots,
            logger=None,
            # The decoder returns a validated event; FastDepends (3.0) would look for the delivery in another thread.
            apply_types=False,
            graceful_timeout=stop_seconds,
            middlewares=[DeliveryMiddleware, ContextMiddleware, AckMiddleware, HeartbeatMiddleware],
        )
        self.broker.context.set_global("slots", slots)
        self.broker.context.set_global("in_progress", EventsInProgress())
        self.broker.context.set_global("client", client)

    def subscribe(self, handler: Handler) -> None:
        """Give each event of the queue and its `Delivery` to a handler; called before `start`."""

        async def handle(event: Any) -> Ack | Retry:
            return await handler(event, self.broker.context.get("delivery"))

        subjects = self._queue.subjects
        subscriber = self.broker.subscriber(
            # A single filter is part of the request's subject, where the broker's permissions apply to it.
            subjects[0] if len(subjects) == 1 else "",
            stream=JStream(STREAM, declare=False),
            durable=self._queue.durable,
            config=self._queue.config(),
            pull_sub=PullSub(batch_size=1, timeout=PULL_SECONDS),
            max_workers=self._max_workers,
            ack_policy=AckPolicy.MANUAL,
            decoder=event_decoder(self._queue.events),
            inbox_prefix=self._inbox_prefix,
            no_reply=True,
        )
        subscriber(handle)

    async def start(self) -> None:
        """Declare the durable consumer as `streams.py` says, and begin to pull."""
        UNREADABLE_EVENTS.labels(self._queue.durable)  # exported from 0: an alert on its increase sees the first event
        await retry_forever(lambda: ensure_queue(self._js, self._queue), "ensure_queue")
        await self.broker.start()

    async def run_unless_shutdown(self, work: Coroutine[Any, Any, ResultT]) -> ResultT | None:
        """Return the result of work, or None if `stop` ends it before it is done."""
        with suppress(Interrupted):
            return await run_until(self._shutdown.wait(), work)
        return None

    async def stop(self, drain_seconds: float) -> None:
        """Pull no more events, and wait until those that were pulled are acknowledged or handed back.

        Args:
            drain_seconds: how long handlers may continue; then `run_unless_shutdown` ends their work.
        """
        asyncio.get_running_loop().call_later(drain_seconds, self._shutdown.set)
        await asyncio.gather(*(subscriber.stop() for subscriber in self.broker.subscribers))

    def reason_not_ready(self) -> str | None:
        """Return None, or that the durable consumer has a configuration that the last poll could not repair."""
        return self._reason_not_ready

    async def poll_depth(self, observe: Callable[[ConsumerInfo], None]) -> None:
        """Observe for ever what waits for all workers together; repair the queue if somebody deleted or changed it."""
        acknowledged = 0
        while True:
            raise_if_cancelled()
            with suppress(*BROKER_ERRORS):
                try:
                    info = await self._js.consumer_info(STREAM, self._queue.durable)
                except NotFoundError as error:
                    logger.warning("queue_not_found", queue=self._queue.durable)
                    known = error.err_code == CONSUMER_NOT_FOUND
                    info = await ensure_queue(self._js, self._queue, acknowledged if known else 0)
                acknowledged = info.ack_floor.stream_seq if info.ack_floor else 0
                await self._reconcile(info)
                observe(info)
            await asyncio.sleep(POLL_INTERVAL_SECONDS)

    async def _reconcile(self, info: ConsumerInfo) -> None:
        """Repair the durable consumer's configuration, and keep as the reason what could not be repaired."""
        if not self._queue.matches(info.config):
            self._reason_not_ready = f"the durable consumer {self._queue.durable} has another configuration"
            logger.warning("queue_changed", queue=self._queue.durable)
            info = await ensure_queue(self._js, self._queue)
        if self._queue.matches(info.config):
            self._reason_not_ready = None
