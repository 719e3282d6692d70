"""A shared queue of the log: every event is handled by one worker, and stays in the queue until it is done."""

import asyncio
from contextlib import AsyncExitStack, suppress
from uuid import UUID, uuid4

import pytest
import structlog
from nats.aio.client import Client
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from nightmail_common.broker import connection, queue_middleware, streams, work_queue
from nightmail_common.broker.backoff import Backoff
from nightmail_common.broker.batch import Message
from nightmail_common.broker.connection import RECONNECT_BACKOFF
from nightmail_common.broker.delivery import Ack, Delivery, Retry
from nightmail_common.broker.errors import BROKER_ERRORS
from nightmail_common.broker.log import EventLog
from nightmail_common.broker.streams import STREAM
from nightmail_common.contract.events import RunStarted
from support.deadlines import eventually, scaled
from support.nats_server import NatsServer
from support.queues import DURABLE, Work, all_done, queue, start_runs


async def test_earlier_and_new_events_are_each_handled_once_among_all_slots(
    nats_client: Client, event_log: EventLog
) -> None:
    worked: list[UUID] = []

    async def work(event: RunStarted, delivery: Delivery) -> None:
        assert delivery.number == 1
        worked.append(event.run_id)

    runs = await start_runs(event_log, 20)
    async with queue(nats_client, work, slots=3), queue(nats_client, work, slots=2):
        runs += await start_runs(event_log, 20)
        await all_done(nats_client, 40)
    assert sorted(worked) == sorted(runs)


async def test_no_more_events_are_pulled_than_there_are_slots(nats_client: Client, event_log: EventLog) -> None:
    going_on: set[int] = set()
    release = asyncio.Event()

    async def work(event: RunStarted, delivery: Delivery) -> None:
        going_on.add(delivery.sequence)
        await release.wait()

    await start_runs(event_log, 5)
    async with queue(nats_client, work, slots=2):
        await eventually(lambda: len(going_on) == 2, "both slots have work")
        consumer = await nats_client.jetstream().consumer_info(STREAM, DURABLE)
        assert (consumer.num_ack_pending, consumer.num_pending) == (2, 3)
        release.set()
        await all_done(nats_client, 5)


async def test_a_worker_pulls_no_more_than_it_has_slots_after_an_outage(
    nats_server: NatsServer, nats_client: Client, event_log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work_queue, "PULL_SECONDS", 0.5)

    async def waiting() -> int:
        with suppress(*BROKER_ERRORS):
            return (await nats_client.jetstream().consumer_info(STREAM, DURABLE)).num_waiting or 0
        return 0

    async def work(_event: RunStarted, _delivery: Delivery) -> None: ...

    async with queue(nats_client, work, slots=2):
        await eventually(waiting, "the slots wait for work")
        nats_server.kill()
        await asyncio.sleep(2)  # the outage itself
        nats_server.start()
        assert await eventually(waiting, "the slots wait for work again") <= 2
        await start_runs(event_log, 4)
        await all_done(nats_client, 4)


async def test_a_retried_event_is_delivered_again_with_its_delivery_number(
    nats_client: Client, event_log: EventLog
) -> None:
    numbers: list[int] = []

    async def work(event: RunStarted, delivery: Delivery) -> Ack | Retry:
        numbers.append(delivery.number)
        return Retry(0.05) if delivery.number < 3 else Ack()

    async with queue(nats_client, work):
        await start_runs(event_log, 1)
        await all_done(nats_client, 1)
    assert numbers == [1, 2, 3]


async def test_heartbeats_prevent_a_redelivery_while_a_handler_works(
    nats_client: Client, event_log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_middleware, "HEARTBEAT_SECONDS", 0.05)
    said = await nats_client.subscribe(f"$JS.ACK.{STREAM}.{DURABLE}.>")
    heard: list[bytes] = []

    async def work(_event: RunStarted, _delivery: Delivery) -> None:
        heard.extend([(await said.next_msg(timeout=scaled(5))).data for _ in range(5)])

    await start_runs(event_log, 1)
    async with queue(nats_client, work):
        await all_done(nats_client, 1)
    assert heard == [b"+WPI"] * 5


async def test_events_of_a_dead_worker_are_delivered_to_another(
    nats_client: Client, event_log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "ACK_WAIT_SECONDS", 0.5)
    monkeypatch.setattr(queue_middleware, "BACK_SECONDS", 0.5)
    worked: list[int] = []

    async def work(event: RunStarted, delivery: Delivery) -> None:
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
    assert worked == [1, 3], "the second delivery of an event that is older than the connection is left to its worker"


async def test_an_event_whose_worker_reconnects_last_after_a_restart_of_the_broker_stays_with_it(
    nats_server: NatsServer, nats_client: Client, event_log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broker counts its own absence as silence of the worker, and offers the event to who reconnected first."""
    monkeypatch.setattr(streams, "ACK_WAIT_SECONDS", 0.5)
    handled: list[str] = []
    go_on = asyncio.Event()

    def worker(name: str) -> Work:
        async def work(_event: RunStarted, _delivery: Delivery) -> None:
            handled.append(name)
            await go_on.wait()

        return work

    structlog.reset_defaults()
    async with AsyncExitStack() as workers:
        with monkeypatch.context() as slowly:
            slowly.setattr(connection, "_next_server", lambda servers, _info: (servers[0], RECONNECT_BACKOFF.longest))
            await workers.enter_async_context(queue(nats_client, worker("first")))
        await start_runs(event_log, 1)
        await eventually(lambda: handled == ["first"], "the first worker has the event")
        nats_server.restart()
        with capture_logs() as lines:
            await workers.enter_async_context(queue(nats_client, worker("second")))
            await eventually(
                lambda: any(line["event"] == "event_left_to_its_worker" for line in lines) or len(handled) > 1,
                "the event is offered to the second worker",
            )
            go_on.set()
            await all_done(nats_client, 1)
    assert handled == ["first"]


@pytest.mark.parametrize("restarted", [False, True], ids=["heartbeats were lost", "the broker was restarted"])
async def test_an_event_that_comes_back_while_its_handler_works_is_not_handled_again(
    nats_server: NatsServer,
    nats_client: Client,
    event_log: EventLog,
    monkeypatch: pytest.MonkeyPatch,
    restarted: bool,
) -> None:
    monkeypatch.setattr(streams, "ACK_WAIT_SECONDS", 0.5)
    monkeypatch.setattr(queue_middleware, "HEARTBEAT_SECONDS", 3600.0)  # none comes: the broker misses them for sure
    handled: list[int] = []
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def work(_event: RunStarted, delivery: Delivery) -> Ack | Retry:
        handled.append(delivery.number)
        begun.set()
        await go_on.wait()
        return Retry(0.05) if len(handled) == 1 else Ack()

    structlog.reset_defaults()
    with capture_logs() as lines:
        async with queue(nats_client, work, slots=3):
            await start_runs(event_log, 1)
            await begun.wait()
            if restarted:
                nats_server.restart()
            came_back = await eventually(
                lambda: [line["delivery"] for line in lines if line["event"] == "event_delivered_while_in_progress"],
                "the broker delivers the event again",
            )
            assert handled == [1]
            go_on.set()
            await all_done(nats_client, 1)  # the answers to the latest delivery count: the retry, then the ack
    # A broker that was killed may have forgotten the first delivery, and then counts from 1 again.
    assert handled[1] > came_back[0]


@pytest.mark.parametrize(
    ("subject", "body", "headers"),
    [
        ("runs.a.run-started", b'{"run_id": "reports@example.com"}', {"ce-type": "nightmail.run-started.v1"}),
        ("runs.a.run-started", b"not JSON", {"ce-type": "nightmail.run-started.v1"}),
        ("runs.a.run-started", b"{}", {"ce-type": "nightmail.run-started.v2"}),
        ("runs.a.run-started", b"{}", {}),
        ("runs.a.run-began", b"{}", {"ce-type": "nightmail.run-began.v1"}),
        ("runs.a.result-ready", b"{}", {"ce-type": "nightmail.run-started.v1"}),
    ],
    ids=["an invalid field", "no JSON", "another version", "no type", "an unknown type", "a type of another queue"],
)
async def test_an_event_that_cannot_be_read_is_acknowledged_counted_and_logged_without_its_content(
    nats_client: Client, event_log: EventLog, subject: str, body: bytes, headers: dict[str, str]
) -> None:
    handled: list[int] = []

    async def work(_event: RunStarted, delivery: Delivery) -> None:
        handled.append(delivery.sequence)

    def counted() -> float:
        value = REGISTRY.get_sample_value("nightmail_unreadable_events_total", {"queue": DURABLE})
        assert value is not None, "exported before the first such event"
        return value

    structlog.reset_defaults()
    with capture_logs() as lines:
        async with queue(nats_client, work, events=(subject.rpartition(".")[2], "run-started")):
            before = counted()
            await event_log.publish_message(Message(subject, body, headers))
            await start_runs(event_log, 1)
            await all_done(nats_client, 2)
    assert handled == [2]
    assert counted() == before + 1
    [line] = [line for line in lines if line["event"] == "event_unreadable"]
    assert (line["subject"], line["sequence"]) == (subject, 1)
    assert "example.com" not in str(lines)


async def test_an_event_whose_handler_raises_an_error_is_delivered_again_with_backoff(
    nats_client: Client, event_log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_middleware, "ERROR_BACKOFF", Backoff(first=0.05, longest=0.1))
    numbers: list[int] = []

    async def work(_event: RunStarted, delivery: Delivery) -> None:
        numbers.append(delivery.number)
        if delivery.number == 1:
            raise ValueError("a fault of ours")
        if delivery.number == 2:
            raise TimeoutError

    async with queue(nats_client, work):
        await start_runs(event_log, 1)
        await all_done(nats_client, 1)
    assert numbers == [1, 2, 3]


async def test_events_published_by_a_handler_belong_to_the_trace_of_its_event(
    nats_client: Client, event_log: EventLog
) -> None:
    traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    async def work(event: RunStarted, _delivery: Delivery) -> None:
        await event_log.publish(event.model_copy(update={"job_name": "second"}))

    event = RunStarted(job_name="first", run_id=uuid4(), runner="here", attempt=1)
    await event_log.publish(event, traceparent=traceparent)
    async with queue(nats_client, work):
        await eventually(lambda: event_log.last_event("runs.second.*"), "the second is published")
    second = await event_log.last_event("runs.second.*")
    assert second is not None
    assert second.headers["traceparent"] == traceparent


async def test_every_line_of_a_handler_names_run_and_job(nats_client: Client, event_log: EventLog) -> None:
    bound: list[dict[str, str]] = []

    async def work(_event: RunStarted, _delivery: Delivery) -> None:
        bound.append(structlog.contextvars.get_contextvars())

    [run_id] = await start_runs(event_log, 1)
    async with queue(nats_client, work):
        await all_done(nats_client, 1)
    assert bound == [{"run_id": str(run_id), "job_name": "daily sales"}]


async def test_a_slow_handler_releases_its_slot_until_too_many_do(nats_client: Client, event_log: EventLog) -> None:
    begun: list[int] = []
    release = asyncio.Event()

    async def work(event: RunStarted, delivery: Delivery) -> None:
        begun.append(delivery.sequence)
        await release.wait()

    await start_runs(event_log, 5)
    async with queue(nats_client, work, release_after=0.05, max_detached=2):
        await eventually(lambda: len(begun) == 3, "two are detached and the third has the slot")
        consumer = await nats_client.jetstream().consumer_info(STREAM, DURABLE)
        assert (consumer.num_ack_pending, consumer.num_pending) == (3, 2)
        release.set()
        await all_done(nats_client, 5)
    assert begun == [1, 2, 3, 4, 5]


async def test_a_handler_that_releases_its_slot_makes_room_for_the_next(
    nats_client: Client, event_log: EventLog
) -> None:
    begun: list[int] = []
    release = asyncio.Event()

    async def work(event: RunStarted, delivery: Delivery) -> None:
        begun.append(delivery.sequence)
        delivery.release_slot()
        await release.wait()

    await start_runs(event_log, 2)
    async with queue(nats_client, work, max_detached=10):
        await eventually(lambda: begun == [1, 2], "both are worked on in one slot")
        release.set()
        await all_done(nats_client, 2)


async def test_a_queue_that_stops_finishes_its_events_and_hands_back_those_beyond_the_drain_time(
    nats_client: Client, event_log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_middleware, "BACK_SECONDS", 0.1)
    pulled, release = asyncio.Event(), asyncio.Event()

    async def finish(_event: RunStarted, _delivery: Delivery) -> None:
        pulled.set()
        await release.wait()

    await start_runs(event_log, 1)
    async with queue(nats_client, finish):
        await pulled.wait()
        asyncio.get_running_loop().call_later(0.05, release.set)
    await all_done(nats_client, 1)

    pulled.clear()
    results: list[object] = []

    async def hang(_event: RunStarted, _delivery: Delivery) -> Retry:
        pulled.set()
        results.append(await workers.run_unless_shutdown(asyncio.Event().wait()))
        return Retry(0)

    await start_runs(event_log, 1)
    async with queue(nats_client, hang, drain_seconds=0.0) as workers:
        await pulled.wait()
    assert results == [None]

    numbers: list[int] = []

    async def work(_event: RunStarted, delivery: Delivery) -> None:
        numbers.append(delivery.number)

    async with queue(nats_client, work):
        await all_done(nats_client, 2)
    assert numbers == [3], "the second delivery, older than the connection, is left to its worker"
