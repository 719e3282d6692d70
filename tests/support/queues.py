"""Queues whose events a test handles."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

from nats.aio.client import Client

from nightmail_common.broker.connection import connect
from nightmail_common.broker.delivery import Ack, Delivery, Retry, SlotPolicy
from nightmail_common.broker.log import EventLog
from nightmail_common.broker.streams import STREAM, Queue
from nightmail_common.broker.work_queue import WorkQueue
from nightmail_common.contract.events import RunStarted
from nightmail_common.service.settings import ServiceSettings
from support.deadlines import eventually

DURABLE = "workers"
QUEUE = Queue(DURABLE, (RunStarted,), max_ack_pending=100)
Work = Callable[[RunStarted, Delivery], Awaitable[Ack | Retry | None]]


@asynccontextmanager
async def queue(
    client: Client,
    work: Work,
    slots: int = 1,
    release_after: float | None = None,
    max_detached: int = 0,
    events: tuple[str, ...] = (),
    drain_seconds: float = 5.0,
) -> AsyncIterator[WorkQueue]:
    """Handle events while inside, as a process of its own would; on leaving, finish those that were pulled."""
    assert client.connected_url is not None
    own = await connect(ServiceSettings(nats_url=client.connected_url.geturl()), "worker")
    workers = WorkQueue(own, QUEUE, SlotPolicy(slots, release_after, max_detached), stop_seconds=5.0)

    async def handle(event: RunStarted, delivery: Delivery) -> Ack | Retry:
        return await work(event, delivery) or Ack()

    workers.subscribe(handle)
    await workers.start()
    if events:  # somebody writes wider filters by hand
        filters = [f"runs.*.{name}" for name in sorted(set(events))]
        config = QUEUE.config().evolve(
            **(
                {"filter_subject": filters[0]}
                if len(filters) == 1
                else {"filter_subject": None, "filter_subjects": filters}
            )
        )
        await client.jetstream().add_consumer(STREAM, config)
    yield workers
    await workers.stop(drain_seconds)
    await own.close()


async def start_runs(log: EventLog, count: int) -> list[UUID]:
    runs = [uuid4() for _ in range(count)]
    for run_id in runs:
        await log.publish(RunStarted(job_name="daily sales", run_id=run_id, runner="here", attempt=1))
    return runs


async def all_done(client: Client, count: int) -> None:
    async def is_empty() -> bool:
        consumer = await client.jetstream().consumer_info(STREAM, DURABLE)
        assert consumer.ack_floor is not None
        return (consumer.ack_floor.stream_seq, consumer.num_ack_pending) == (count, 0)

    await eventually(is_empty, f"{count} events are acknowledged")
