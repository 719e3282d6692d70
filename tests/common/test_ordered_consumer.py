"""Reading the log while it is written, across lost connections, until it is cancelled."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import structlog
from nats.aio.client import Client
from nats.js.api import ConsumerInfo
from structlog.testing import capture_logs

from nightmail_common.broker import ordered_consumer
from nightmail_common.broker.batch import Message
from nightmail_common.broker.log import EventLog
from nightmail_common.broker.streams import STREAM
from nightmail_common.contract.envelope import StoredEvent
from nightmail_common.contract.events import JobCreated
from nightmail_common.contract.job import Job
from support.deadlines import eventually, scaled
from support.nats_server import NatsServer

MakeJob = Callable[..., Job]


async def test_a_follower_ends_when_cancelled_at_any_moment(event_log: EventLog, make_job: MakeJob) -> None:
    for ticks in range(60):
        seen = asyncio.Event()
        following = asyncio.create_task(_follow(event_log, seen, await event_log.last_sequence()))
        await _create(event_log, make_job, f"first {ticks}")
        await asyncio.wait_for(seen.wait(), scaled(10))
        creating = asyncio.create_task(_create(event_log, make_job, f"second {ticks}"))
        for _ in range(ticks):
            await asyncio.sleep(0)
        following.cancel()
        await asyncio.wait({following}, timeout=scaled(5))
        assert following.cancelled(), f"cancelled {ticks} turns of the loop behind the publishing"
        await creating


async def test_a_follower_ends_when_cancelled_after_its_connection_closed(
    nats_client: Client, event_log: EventLog, make_job: MakeJob
) -> None:
    seen = asyncio.Event()
    following = asyncio.create_task(_follow(event_log, seen, 0))
    await _create(event_log, make_job, "first")
    await asyncio.wait_for(seen.wait(), scaled(10))
    await nats_client.close()
    following.cancel()
    await asyncio.wait({following}, timeout=scaled(5))
    assert following.cancelled()


@pytest.mark.parametrize("last_per_subject", [False, True])
@pytest.mark.parametrize("what", ["broker", "connection"])
async def test_a_replay_across_a_lost_connection_yields_every_event_once(
    nats_server: NatsServer,
    nats_client: Client,
    event_log: EventLog,
    monkeypatch: pytest.MonkeyPatch,
    what: str,
    last_per_subject: bool,
) -> None:
    monkeypatch.setattr(ordered_consumer, "FETCH_BATCH", 10)
    await _fill(event_log, 100)
    reconnects = nats_client.stats["reconnects"]
    read: list[StoredEvent] = []
    async for batch in event_log.replay(last_per_subject=last_per_subject):
        read += batch
        if len(read) == 30:
            if what == "broker":
                nats_server.restart()
            else:
                transport: Any = nats_client._transport
                transport._io_writer.transport.abort()
            await eventually(lambda: nats_client.stats["reconnects"] > reconnects, "it is back")
    assert [event.sequence for event in read] == list(range(1, 101))


@pytest.mark.parametrize("last_per_subject", [False, True])
async def test_a_reader_whose_consumer_expired_resumes_after_its_last_event(
    nats_client: Client, event_log: EventLog, monkeypatch: pytest.MonkeyPatch, last_per_subject: bool
) -> None:
    monkeypatch.setattr(ordered_consumer, "FETCH_BATCH", 10)
    await _fill(event_log, 50)
    read: list[StoredEvent] = []
    async for batch in event_log.replay(last_per_subject=last_per_subject):
        read += batch
        if len(read) == 20:
            [consumer] = await _consumers(nats_client)
            await nats_client.jetstream().delete_consumer(STREAM, consumer.name)
    assert [event.sequence for event in read] == list(range(1, 51))


async def test_a_replay_of_last_events_loses_no_subject_that_gets_an_event_while_it_starts(
    event_log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _fill(event_log, 10)
    last_sequence = event_log.last_sequence

    async def last_sequence_before_two_more() -> int:
        sequence = await last_sequence()
        for number in (0, 9):
            await event_log.publish_message(Message(f"runs.job{number}.run-started", b"{}", {}))
        return sequence

    monkeypatch.setattr(event_log, "last_sequence", last_sequence_before_two_more)
    read = [event async for batch in event_log.replay(last_per_subject=True) for event in batch]
    assert {event.subject for event in read} == {f"runs.job{number}.run-started" for number in range(10)}
    assert [event.sequence for event in read] == [*range(2, 10), 11, 12]


async def test_a_replay_of_last_events_ends_with_every_subject_while_others_publish(event_log: EventLog) -> None:
    await _fill(event_log, 300)
    done = asyncio.Event()

    async def publish() -> None:
        number = 0
        while not done.is_set():
            await event_log.publish_message(Message(f"runs.job{number % 300}.run-started", b"{}", {}))
            number += 1

    publishing = asyncio.create_task(publish())
    for _ in range(10):
        read = [event async for batch in event_log.replay(last_per_subject=True) for event in batch]
        assert {event.subject for event in read} == {f"runs.job{number}.run-started" for number in range(300)}
    done.set()
    await publishing


async def test_an_idle_reader_keeps_its_consumer(
    nats_client: Client, event_log: EventLog, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ordered_consumer, "IDLE_TIMEOUT_SECONDS", 0.3)
    monkeypatch.setattr(ordered_consumer, "READER_INACTIVE_SECONDS", 1.5)
    pulls = await nats_client.subscribe(f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.*")
    seen = asyncio.Event()
    following = asyncio.create_task(_follow(event_log, seen, 0))
    consumers = {
        (await pulls.next_msg(timeout=scaled(5))).subject for _ in range(8)
    }  # longer than a consumer without a reader lives
    assert len(consumers) == len(await _consumers(nats_client)) == 1
    await _create(event_log, make_job, "first")
    await asyncio.wait_for(seen.wait(), scaled(10))
    following.cancel()
    with suppress(asyncio.CancelledError):
        await following


async def test_the_consumer_of_a_reader_that_ended_expires(
    nats_client: Client, event_log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ordered_consumer, "READER_INACTIVE_SECONDS", 0.5)
    await _fill(event_log, 3)
    assert len([batch async for batch in event_log.replay()]) == 1
    assert len(await _consumers(nats_client)) == 1

    async def are_gone() -> bool:
        return await _consumers(nats_client) == []

    await eventually(are_gone, "the consumer is gone")


def test_a_reader_fetches_well_before_its_consumer_expires() -> None:
    longest = ordered_consumer.IDLE_TIMEOUT_SECONDS + ordered_consumer.ANSWER_SECONDS
    assert longest * 1.5 <= ordered_consumer.READER_INACTIVE_SECONDS


async def _fill(log: EventLog, count: int) -> None:
    await log.publish_batch([Message(f"runs.job{number}.run-started", b"{}", {}) for number in range(count)])


async def _consumers(client: Client) -> list[ConsumerInfo]:
    return await client.jetstream().consumers_info(STREAM)


async def _follow(log: EventLog, seen: asyncio.Event, after: int) -> None:
    async for _ in log.follow(after=after):
        seen.set()


async def _create(log: EventLog, make_job: MakeJob, name: str) -> None:
    job = make_job(job_name=name)
    await log.publish(JobCreated(job_name=name, job_id=job.job_id, job=job, version=1, actor="test"))


async def test_an_error_that_stays_is_one_line_a_minute_of_a_reader(event_log: EventLog) -> None:
    structlog.reset_defaults()
    await event_log._js.delete_stream(STREAM)
    with capture_logs() as lines:
        following = asyncio.create_task(_follow(event_log, asyncio.Event(), 0))
        await asyncio.sleep(1.5)
        following.cancel()
        await asyncio.wait({following}, timeout=scaled(5))
    [line] = [one for one in lines if one["event"] == "ordered_consumer_restarted"]
    assert "stream not found" in line["error"]
