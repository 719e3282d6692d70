"""FastStream middlewares of the queues, in the order in which a delivered event passes them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

import structlog
from faststream import BaseMiddleware, StreamMessage
from faststream.nats import NatsMessage
from nats.aio.msg import Msg
from pydantic import ValidationError
from structlog.contextvars import bound_contextvars

from nightmail_common.broker.backoff import Backoff
from nightmail_common.broker.connection import RECONNECT_BACKOFF
from nightmail_common.broker.delivery import Ack, Delivery, EventsInProgress, Retry, Slots
from nightmail_common.broker.errors import BROKER_ERRORS
from nightmail_common.broker.metrics import QUEUE_IN_PROGRESS, UNREADABLE_EVENTS
from nightmail_common.broker.patches import PatchedClient
from nightmail_common.broker.stored_messages import AckSubject, broker_time, from_consumer
from nightmail_common.broker.tracing import TRACEPARENT, handling
from nightmail_common.contract.errors import UnreadableEvent, describe_error
from nightmail_common.contract.events import RunEvent
from nightmail_common.contract.job import Job

HEARTBEAT_SECONDS = 1.0
#: A worker whose connection was lost is back, and has sent a heartbeat, within this time.
BACK_SECONDS = RECONNECT_BACKOFF.longest + 2 * HEARTBEAT_SECONDS
#: From a handler that raised an error to the next delivery of its event.
ERROR_BACKOFF = Backoff(first=1.0, longest=300.0)
_SECOND = 2

CallNext = Callable[[StreamMessage[Any]], Awaitable[Any]]

logger = structlog.get_logger()


def event_decoder(events: Sequence[type[RunEvent]]) -> Callable[[NatsMessage], Awaitable[RunEvent]]:
    """Return a decoder that gives a handler its event as one of these models; it raises `UnreadableEvent`."""

    async def decode(message: NatsMessage) -> RunEvent:
        stored = from_consumer(message.raw_message, AckSubject.of(message.raw_message))
        try:
            event = stored.event()
        except ValidationError as error:
            raise UnreadableEvent(f"{error.error_count()} problems in its fields") from None
        if isinstance(event, RunEvent) and isinstance(event, tuple(events)):
            if event.job_name != stored.job_name:  # a subject of the events that follow from it, of any length
                raise UnreadableEvent("its job_name is not the name in its subject")
            job = getattr(event, "job", None)
            if isinstance(job, Job) and job.job_name != event.job_name:
                raise UnreadableEvent("its job has another name")
            return event
        raise UnreadableEvent(f"of type {stored.headers.get('ce-type')}")

    return decode


class DeliveryMiddleware(BaseMiddleware[Any, Msg]):
    """Gives the handler its `Delivery`, and frees the slot at the end.

    An event that comes back while this process still works on it has no second handler; see `EventsInProgress`. While
    the broker is away, heartbeats do not reach it, and it then offers every event in progress to the worker that is
    back first. So an event that was in the log before this process connected is left to the worker that had it first:
    its heartbeats keep it, and without any the broker delivers it a third time.
    """

    async def consume_scope(self, call_next: CallNext, msg: StreamMessage[Any]) -> None:
        ack = AckSubject.of(msg.raw_message)
        slots: Slots = self.context.get("slots")
        in_progress: EventsInProgress = self.context.get("in_progress")
        if in_progress.adopt(msg.raw_message):
            slots.release()
            logger.warning("event_delivered_while_in_progress", sequence=ack.sequence, delivery=ack.deliveries)
            return
        client: PatchedClient = self.context.get("client")
        if ack.deliveries == _SECOND and broker_time(ack.timestamp) < client.connected_since:
            slots.release()
            logger.info("event_left_to_its_worker", sequence=ack.sequence, wait_seconds=BACK_SECONDS)
            with suppress(*BROKER_ERRORS):  # the broker delivers it again
                await msg.raw_message.nak(delay=BACK_SECONDS)
            return
        with (
            in_progress.hold(msg.raw_message),
            slots.hold() as release_slot,
            QUEUE_IN_PROGRESS.labels(ack.consumer).track_inprogress(),
        ):
            delivery = Delivery(ack.deliveries, ack.sequence, broker_time(ack.timestamp), release_slot)
            with self.context.scope("delivery", delivery):
                await call_next(msg)


class ContextMiddleware(BaseMiddleware[Any, Msg]):
    """Puts `run_id` and `job_name` on log lines, and carries the event's trace on to the events that follow from it."""

    async def consume_scope(self, call_next: CallNext, msg: StreamMessage[Any]) -> None:
        try:
            event: RunEvent = await msg.decode()  # type: ignore[assignment]
        except UnreadableEvent:
            await call_next(msg)
            return
        deliveries = AckSubject.of(msg.raw_message).deliveries
        with (
            handling(event.name, event.run_id, msg.headers.get(TRACEPARENT), deliveries) as line,
            bound_contextvars(run_id=str(event.run_id), job_name=event.job_name, **line),
        ):
            await call_next(msg)


class AckMiddleware(BaseMiddleware[Any, Msg]):
    """Acknowledges an event or asks for its redelivery, as its handler returns `Ack` or `Retry`.

    An event that cannot be read is acknowledged, counted and logged: another delivery would not change it. After an
    error of the handler the event is delivered again with backoff.
    """

    async def consume_scope(self, call_next: CallNext, msg: StreamMessage[Any]) -> None:
        ack = AckSubject.of(msg.raw_message)
        try:
            result: Ack | Retry = await call_next(msg)
        except UnreadableEvent as error:
            UNREADABLE_EVENTS.labels(ack.consumer).inc()
            subject = msg.raw_message.subject
            logger.error("event_unreadable", subject=subject, sequence=ack.sequence, problem=str(error))  # noqa: TRY400
            result = Ack()
        except BROKER_ERRORS as error:  # a TimeoutError is an OSError
            logger.warning("event_postponed", error=describe_error(error), delivery=ack.deliveries)
            result = Retry(ERROR_BACKOFF.wait(ack.deliveries))
        except Exception:
            logger.exception("handler_failed", delivery=ack.deliveries)
            result = Retry(ERROR_BACKOFF.wait(ack.deliveries))
        try:
            in_progress: EventsInProgress = self.context.get("in_progress")
            raw = in_progress.latest(msg.raw_message)
            await (raw.ack() if isinstance(result, Ack) else raw.nak(delay=result.after or None))
        except BROKER_ERRORS as error:  # the event is delivered again, and the log says how far it came
            logger.warning("ack_failed", error=describe_error(error))


class HeartbeatMiddleware(BaseMiddleware[Any, Msg]):
    """Keeps an event from being delivered to another worker while its handler works."""

    async def consume_scope(self, call_next: CallNext, msg: StreamMessage[Any]) -> Any:
        beating = asyncio.create_task(_beat(self.context.get("in_progress"), msg.raw_message))
        try:
            return await call_next(msg)
        finally:
            beating.cancel()


async def _beat(in_progress: EventsInProgress, message: Msg) -> None:
    while True:
        await asyncio.sleep(HEARTBEAT_SECONDS)
        with suppress(*BROKER_ERRORS):
            await in_progress.latest(message).in_progress()
