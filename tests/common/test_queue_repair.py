"""A queue that was changed or deleted by hand is repaired, at the start and without one."""

import asyncio
import time
from datetime import UTC, datetime

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, ConsumerInfo

from nightmail_common.broker import faststream_patches, streams, work_queue
from nightmail_common.broker.delivery import Delivery, SlotPolicy
from nightmail_common.broker.log import EventLog
from nightmail_common.broker.patches import PatchedClient
from nightmail_common.broker.streams import STREAM
from nightmail_common.broker.work_queue import WorkQueue
from nightmail_common.contract.events import RunStarted
from support.deadlines import eventually, scaled
from support.queues import DURABLE, QUEUE, all_done, queue, start_runs


class AnswersLast:
    """A broker whose answer comes together with the asker's cancellation, as nats-py waits for it."""

    def __init__(self) -> None:
        self.asked = 0
        self.answer: asyncio.Future[ConsumerInfo] = asyncio.get_running_loop().create_future()

    async def consumer_info(self, _stream: str, _consumer: str) -> ConsumerInfo:
        self.asked += 1
        return await asyncio.wait_for(self.answer, scaled(5))


async def test_a_worker_without_its_consumer_pulls_at_a_bounded_rate(
    nats_client: Client, event_log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faststream_patches, "REFUSED_PULL_PAUSE_SECONDS", 0.1)

    async def work(_event: RunStarted, _delivery: Delivery) -> None: ...

    pulls = 0

    async def count(_message: Msg) -> None:
        nonlocal pulls
        pulls += 1

    async with queue(nats_client, work):
        await nats_client.subscribe(f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{DURABLE}", cb=count)
        await nats_client.jetstream().delete_consumer(STREAM, DURABLE)
        await eventually(lambda: pulls, "it pulls for the first time")
        pulled, began = pulls, time.monotonic()
        await eventually(lambda: pulls >= pulled + 4, "it pulls again")
        assert time.monotonic() - began >= 3 * 0.1


async def test_a_queue_that_was_changed_by_hand_is_repaired_at_the_next_start(
    nats_client: Client, event_log: EventLog
) -> None:
    js = nats_client.jetstream()
    handled: list[int] = []

    async def work(_event: RunStarted, delivery: Delivery) -> None:
        handled.append(delivery.sequence)

    await start_runs(event_log, 1)
    async with queue(nats_client, work):
        await all_done(nats_client, 1)
    changed = ConsumerConfig(
        name=DURABLE,
        durable_name=DURABLE,
        filter_subjects=["runs.*.run-failed", "jobs.>"],
        ack_wait=77.0,
        max_ack_pending=1,
        max_deliver=2,
        backoff=[1.0, 2.0],
    )
    await js.add_consumer(STREAM, changed)
    await start_runs(event_log, 1)
    async with queue(nats_client, work):
        await eventually(
            lambda: handled == [1, 2], "the event behind the change is handled, the one before is not again"
        )
        config = (await js.consumer_info(STREAM, DURABLE)).config
    assert (config.filter_subject, config.filter_subjects) == ("runs.*.run-started", None)
    assert (config.ack_wait, config.max_ack_pending, config.max_deliver) == (streams.ACK_WAIT_SECONDS, 100, -1)
    assert not config.backoff


@pytest.mark.parametrize(
    "change",
    [
        {"filter_subject": "jobs.>"},
        {"filter_subject": None, "filter_subjects": ["runs.*.run-failed", "jobs.>"]},
        {"filter_subject": None},
        {"headers_only": True},
        {"max_deliver": 2, "backoff": [1.0, 2.0]},
        {"max_ack_pending": 1},
        {"ack_wait": 0.5},
        {"inactive_threshold": 3600.0},
        {"sample_freq": "100%", "max_ack_pending": 2},
    ],
)
async def test_a_queue_that_was_changed_by_hand_is_repaired_without_a_restart(
    nats_client: Client, event_log: EventLog, monkeypatch: pytest.MonkeyPatch, change: dict[str, object]
) -> None:
    monkeypatch.setattr(work_queue, "POLL_INTERVAL_SECONDS", 0.05)
    js = nats_client.jetstream()
    handled: list[int] = []

    async def work(_event: RunStarted, delivery: Delivery) -> None:
        handled.append(delivery.sequence)

    async def is_repaired() -> bool:
        return QUEUE.matches((await js.consumer_info(STREAM, DURABLE)).config)

    async with queue(nats_client, work) as workers:
        polling = asyncio.create_task(workers.poll_depth(lambda _: None))
        await js.add_consumer(STREAM, QUEUE.config().evolve(**change))
        await eventually(is_repaired, "the poll has repaired the consumer")
        await start_runs(event_log, 1)
        await eventually(lambda: handled == [1], "the event is handled")
        assert workers.reason_not_ready() is None
        polling.cancel()


async def test_a_queue_that_cannot_be_repaired_is_the_reason_why_the_service_is_not_ready(
    nats_client: Client, event_log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work_queue, "POLL_INTERVAL_SECONDS", 0.05)
    js = nats_client.jetstream()
    handled: list[int] = []

    async def work(_event: RunStarted, delivery: Delivery) -> None:
        handled.append(delivery.sequence)

    async with queue(nats_client, work) as workers:
        await js.delete_consumer(STREAM, DURABLE)
        await js.add_consumer(STREAM, QUEUE.config().evolve(ack_policy=AckPolicy.ALL))
        polling = asyncio.create_task(workers.poll_depth(lambda _: None))
        await eventually(lambda: workers.reason_not_ready() is not None, "the poll has seen the other policy")
        assert workers.reason_not_ready() == "the durable consumer workers has another configuration"
        await js.delete_consumer(STREAM, DURABLE)
        await eventually(lambda: workers.reason_not_ready() is None, "the queue is declared again")
        await start_runs(event_log, 1)
        await eventually(lambda: handled == [1], "the event is handled")
        polling.cancel()


async def test_a_queue_that_was_deleted_by_hand_is_declared_again_and_repeats_nothing(
    nats_client: Client, event_log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work_queue, "POLL_INTERVAL_SECONDS", 0.05)
    handled: list[int] = []
    observed: list[int] = []

    async def work(_event: RunStarted, delivery: Delivery) -> None:
        handled.append(delivery.sequence)

    def observe(info: ConsumerInfo) -> None:
        assert info.ack_floor is not None
        observed.append(info.ack_floor.stream_seq)

    await start_runs(event_log, 3)
    async with queue(nats_client, work) as workers:
        polling = asyncio.create_task(workers.poll_depth(observe))
        await eventually(lambda: 3 in observed, "the poll has seen the three acks")
        await nats_client.jetstream().delete_consumer(STREAM, DURABLE)
        await start_runs(event_log, 2)
        await eventually(lambda: handled == [1, 2, 3, 4, 5], "what came since is handled, and nothing twice")
        polling.cancel()
    async with queue(nats_client, work):  # a start behind some sequence survives the next reconciliation
        await start_runs(event_log, 1)
        await eventually(lambda: handled == [1, 2, 3, 4, 5, 6], "the queue goes on")


async def test_the_poll_of_a_queue_ends_when_its_cancellation_comes_with_an_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(work_queue, "POLL_INTERVAL_SECONDS", 0.0)
    workers = WorkQueue(PatchedClient(), QUEUE, SlotPolicy(1), stop_seconds=5.0)
    answers = AnswersLast()
    monkeypatch.setattr(workers, "_js", answers)
    polling = asyncio.create_task(workers.poll_depth(lambda _: None))
    await eventually(lambda: answers.asked, "the broker is asked")
    answers.answer.set_result(ConsumerInfo(DURABLE, STREAM, QUEUE.config(), created=datetime.now(UTC)))
    polling.cancel()
    await asyncio.wait({polling}, timeout=scaled(5))
    assert polling.cancelled()
    assert answers.asked == 1
