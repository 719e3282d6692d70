"""A shared queue of the log: every event is worked on by one worker, and stays the queue's until it is done."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import cast
from uuid import UUID, uuid4

import pytest
import structlog
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, ConsumerInfo
from structlog.testing import capture_logs

from nightmail_common.broker import work_queue
from nightmail_common.broker.batch import Message
from nightmail_common.broker.connection import connect
from nightmail_common.broker.log import EventLog
from nightmail_common.broker.streams import STREAM
from nightmail_common.broker.work_queue import BROKER_ERRORS, Broker, Delivery, Patience, WorkQueue, look_at_queue
from nightmail_common.contract.events import RunStarted
from nightmail_common.service.settings import ServiceSettings
from support.deadlines import eventually, scaled
from support.nats_server import NatsServer

DURABLE = "workers"
Work = Callable[[Delivery[RunStarted]], Awaitable[float | None]]


@asynccontextmanager
async def queue(
    client: Client, work: Work, slots: int = 1, patience: Patience | None = None
) -> AsyncIterator[WorkQueue[RunStarted]]:
    """Work events off while inside, as a process of its own would; on leaving, finish what was taken."""
    assert client.connected_url is not None
    own = await connect(ServiceSettings(nats_url=client.connected_url.geturl()), "worker")
    workers = WorkQueue(DURABLE, [RunStarted], work, max_ack_pending=100, patience=patience)
    broker = Broker(own, drain_seconds=5.0)
    workers.subscribe(broker, slots)
    await broker.start()
    yield workers
    await workers.stop(broker)
    await broker.stop()


async def start_runs(log: EventLog, count: int) -> list[UUID]:
    runs = [uuid4() for _ in range(count)]
    for run_id in runs:
        await log.publish(RunStarted(job_name="daily sales", run_id=run_id, runner="here", attempt=1))
    return runs


class AnswersLast:
    """A broker whose answer comes together with the asker's cancellation, as nats-py waits for it."""

    def __init__(self) -> None:
        self.asked = 0
        self.answer: asyncio.Future[ConsumerInfo] = asyncio.get_running_loop().create_future()

    async def consumer_info(self, _stream: str, _consumer: str) -> ConsumerInfo:
        self.asked += 1
        return await asyncio.wait_for(self.answer, 5)


async def all_done(client: Client, count: int) -> None:
    async def is_empty() -> bool:
        consumer = await client.jetstream().consumer_info(STREAM, DURABLE)
        assert consumer.ack_floor is not None
        return (consumer.ack_floor.stream_seq, consumer.num_ack_pending) == (count, 0)

    await eventually(is_empty, f"{count} events are acknowledged")


async def test_what_was_there_before_and_what_comes_is_worked_on_once_by_one_of_all_slots(
    nats_client: Client, event_log: EventLog
) -> None:
    worked: list[UUID] = []

    async def work(delivery: Delivery[RunStarted]) -> None:
        assert delivery.number == 1
        worked.append(delivery.event.run_id)

    runs = await start_runs(event_log, 20)
    async with queue(nats_client, work, slots=3), queue(nats_client, work, slots=2):
        runs += await start_runs(event_log, 20)
        await all_done(nats_client, 40)
    assert sorted(worked) == sorted(runs)


async def test_no_more_is_taken_than_there_are_slots(nats_client: Client, event_log: EventLog) -> None:
    going_on: set[int] = set()
    release = asyncio.Event()

    async def work(delivery: Delivery[RunStarted]) -> None:
        going_on.add(delivery.sequence)
        await release.wait()

    await start_runs(event_log, 5)
    async with queue(nats_client, work, slots=2):
        await eventually(lambda: len(going_on) == 2, "both slots have work")
        consumer = await nats_client.jetstream().consumer_info(STREAM, DURABLE)
        assert (consumer.num_ack_pending, consumer.num_pending) == (2, 3)
        release.set()
        await all_done(nats_client, 5)


async def test_a_worker_asks_for_no_more_than_it_has_slots_after_an_outage(
    nats_server: NatsServer, nats_client: Client, event_log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work_queue, "PULL_SECONDS", 0.5)

    async def waiting() -> int:
        with suppress(*BROKER_ERRORS):
            return (await nats_client.jetstream().consumer_info(STREAM, DURABLE)).num_waiting or 0
        return 0

    async def work(_: Delivery[RunStarted]) -> None: ...

    async with queue(nats_client, work, slots=2):
        await eventually(waiting, "the slots wait for work")
        nats_server.kill()
        await asyncio.sleep(2)  # the outage itself
        nats_server.start()
        assert await eventually(waiting, "the slots wait for work again") <= 2
        await start_runs(event_log, 4)
        await all_done(nats_client, 4)


async def test_a_worker_whose_consumer_is_gone_asks_for_it_now_and_then(
    nats_server: NatsServer, nats_client: Client, event_log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work_queue, "ABSENT_SECONDS", 0.1)

    async def work(_: Delivery[RunStarted]) -> None: ...

    own = await connect(ServiceSettings(nats_url=nats_server.url), "worker")
    workers = WorkQueue(DURABLE, [RunStarted], work, max_ack_pending=100)
    broker = Broker(own, drain_seconds=5.0)
    workers.subscribe(broker, slots=1)
    await broker.start()
    await nats_client.jetstream().delete_consumer(STREAM, DURABLE)
    before = own.stats["out_msgs"]
    await eventually(lambda: own.stats["out_msgs"] > before, "it asks for the first time")
    asked, began = own.stats["out_msgs"], time.monotonic()
    await eventually(lambda: own.stats["out_msgs"] >= asked + 4, "it asks again")
    assert time.monotonic() - began >= 3 * 0.1
    await workers.stop(broker)
    await broker.stop()


async def test_what_is_to_be_tried_again_is_delivered_again_with_its_number(
    nats_client: Client, event_log: EventLog
) -> None:
    numbers: list[int] = []

    async def work(delivery: Delivery[RunStarted]) -> float | None:
        numbers.append(delivery.number)
        return 0.05 if delivery.number < 3 else None

    await start_runs(event_log, 1)
    async with queue(nats_client, work):
        await all_done(nats_client, 1)
    assert numbers == [1, 2, 3]


async def test_the_broker_is_told_as_long_as_an_event_is_worked_on(
    nats_client: Client, event_log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work_queue, "HEARTBEAT_SECONDS", 0.05)
    said = await nats_client.subscribe(f"$JS.ACK.{STREAM}.{DURABLE}.>")
    heard: list[bytes] = []

    async def work(_delivery: Delivery[RunStarted]) -> None:
        heard.extend([(await said.next_msg(timeout=scaled(5))).data for _ in range(5)])

    await start_runs(event_log, 1)
    async with queue(nats_client, work):
        await all_done(nats_client, 1)
    assert heard == [b"+WPI"] * 5


async def test_what_a_dead_worker_had_goes_to_another(
    nats_client: Client, event_log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work_queue, "ACK_WAIT_SECONDS", 0.5)
    worked: list[int] = []

    async def work(delivery: Delivery[RunStarted]) -> None:
        worked.append(delivery.number)

    await start_runs(event_log, 1)
    async with queue(nats_client, work):
        await all_done(nats_client, 1)
    [run_id] = await start_runs(event_log, 1)
    js = nats_client.jetstream()
    taken = await (await js.pull_subscribe_bind(DURABLE, STREAM)).fetch(1)  # and never heard of again
    assert str(run_id) in taken[0].data.decode()
    async with queue(nats_client, work):
        await all_done(nats_client, 2)
    assert worked[:2] == [1, 2]


async def test_an_event_that_cannot_be_read_stops_nobody_and_its_content_is_not_logged(
    nats_client: Client, event_log: EventLog
) -> None:
    worked: list[int] = []

    async def work(delivery: Delivery[RunStarted]) -> None:
        worked.append(delivery.sequence)

    structlog.reset_defaults()
    await event_log.publish_message(Message("runs.a.run-started", b'{"run_id": "reports@example.com"}', {}))
    await start_runs(event_log, 1)
    with capture_logs() as lines:
        async with queue(nats_client, work):
            await all_done(nats_client, 2)
    assert worked == [2]
    [line] = [line for line in lines if line["event"] == "event_unreadable"]
    assert line["subject"] == "runs.a.run-started"
    assert "example.com" not in str(lines)


async def test_every_line_that_is_logged_at_work_names_run_and_job(nats_client: Client, event_log: EventLog) -> None:
    bound: list[dict[str, str]] = []

    async def work(_delivery: Delivery[RunStarted]) -> None:
        bound.append(structlog.contextvars.get_contextvars())

    [run_id] = await start_runs(event_log, 1)
    async with queue(nats_client, work):
        await all_done(nats_client, 1)
    assert bound == [{"run_id": str(run_id), "job_name": "daily sales"}]


async def test_what_takes_long_keeps_no_other_waiting_until_too_many_do(
    nats_client: Client, event_log: EventLog
) -> None:
    begun: list[int] = []
    release = asyncio.Event()

    async def work(delivery: Delivery[RunStarted]) -> None:
        begun.append(delivery.sequence)
        await release.wait()

    await start_runs(event_log, 5)
    async with queue(nats_client, work, patience=Patience(seconds=0.05, aside=2)):
        await eventually(lambda: len(begun) == 3, "two were set aside and the third has the slot")
        consumer = await nats_client.jetstream().consumer_info(STREAM, DURABLE)
        assert (consumer.num_ack_pending, consumer.num_pending) == (3, 2)
        release.set()
        await all_done(nats_client, 5)
    assert begun == [1, 2, 3, 4, 5]


async def test_who_leaves_its_slot_makes_place_for_the_next(nats_client: Client, event_log: EventLog) -> None:
    begun: list[int] = []
    release = asyncio.Event()

    async def work(delivery: Delivery[RunStarted]) -> None:
        begun.append(delivery.sequence)
        delivery.leave_slot()
        await release.wait()

    await start_runs(event_log, 2)
    async with queue(nats_client, work, patience=Patience(seconds=None, aside=10)):
        await eventually(lambda: begun == [1, 2], "both are worked on in one slot")
        release.set()
        await all_done(nats_client, 2)


async def test_a_queue_that_stops_finishes_what_it_took_and_what_gives_up_is_handed_back(
    nats_client: Client, event_log: EventLog
) -> None:
    taken, release = asyncio.Event(), asyncio.Event()

    async def finish(_delivery: Delivery[RunStarted]) -> None:
        taken.set()
        await release.wait()

    await start_runs(event_log, 1)
    async with queue(nats_client, finish):
        await taken.wait()
        asyncio.get_running_loop().call_later(0.05, release.set)
    await all_done(nats_client, 1)

    taken.clear()
    given_up: list[object] = []

    async def give_up(_delivery: Delivery[RunStarted]) -> float:
        taken.set()
        given_up.append(await workers.or_give_up(asyncio.Event().wait()))
        return 0

    await start_runs(event_log, 1)
    async with queue(nats_client, give_up) as workers:
        await taken.wait()
        workers.give_up()
    assert given_up == [None]

    numbers: list[int] = []

    async def work(delivery: Delivery[RunStarted]) -> None:
        numbers.append(delivery.number)

    async with queue(nats_client, work):
        await all_done(nats_client, 2)
    assert numbers == [2]


async def test_looking_at_a_queue_ends_though_its_cancellation_came_with_an_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(work_queue, "LOOK_SECONDS", 0.0)
    broker = AnswersLast()
    looking = asyncio.create_task(look_at_queue(cast("JetStreamContext", broker), DURABLE, lambda _: None))
    await eventually(lambda: broker.asked, "the broker is asked")
    broker.answer.set_result(ConsumerInfo(DURABLE, STREAM, ConsumerConfig(), created=datetime.now(UTC)))
    looking.cancel()
    await asyncio.wait({looking}, timeout=scaled(5))
    assert looking.cancelled()
    assert broker.asked == 1
