"""A stream that joins the feed of new events from an old position, or falls behind it, has no gap and no duplicate."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from nats.aio.client import Client

from nightmail_api.read_model import event_feed
from nightmail_api.read_model.event_feed import EventFeed
from nightmail_api.read_model.event_queries import EventQueries, subject_filter
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.events import JobErased, JobPaused
from support.deadlines import scaled

EVENTS, KEPT = 200, 20


@pytest.fixture
async def feed(nats_client: Client, event_log: EventLog, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[EventFeed]:
    """A small feed that begins behind 50 events of the log, and follows the log."""
    monkeypatch.setattr(event_feed, "MAX_FEED_EVENTS", KEPT)
    monkeypatch.setattr(event_feed, "PAGE_EVENTS", 7)
    for number in range(50):
        await publish(event_log, number)
    feed = EventFeed(EventQueries(nats_client))
    feed.begin(50)

    async def follow() -> None:
        async for events in event_log.follow(after=50):
            for event in events:
                feed.append([event], event.sequence)

    following = asyncio.create_task(follow())
    yield feed
    following.cancel()


async def publish(log: EventLog, number: int) -> None:
    """Store an event of one of three jobs in turn."""
    await log.publish(JobPaused(job_name=f"job {number % 3}", job_id=uuid4(), job_version=1, actor="test"))


async def follow_to(feed: EventFeed, last: int, job_name: str | None = None, stop_at: int = 0) -> list[int]:
    """Return the sequences that a stream from the beginning yields; it reads nothing until all are stored at `stop_at`."""
    seen: list[int] = []
    async with asyncio.timeout(scaled(20)):
        async for events in feed.follow(subject_filter(job_name, None), 0):
            seen += [event.sequence for event in events]
            if stop_at and seen[-1] >= stop_at:
                await asyncio.wait_for(feed_has(feed, EVENTS), scaled(20))
                stop_at = 0
            if seen[-1] >= last:
                break
    return seen


async def feed_has(feed: EventFeed, sequence: int) -> None:
    async for events in feed.follow(">", sequence - 1):
        if events[-1].sequence >= sequence:
            return


async def test_streams_from_the_beginning_join_while_events_are_stored(feed: EventFeed, event_log: EventLog) -> None:
    streams = [
        asyncio.create_task(follow_to(feed, EVENTS)),
        asyncio.create_task(follow_to(feed, EVENTS, stop_at=60)),
        asyncio.create_task(follow_to(feed, EVENTS - 2, job_name="job 0")),
    ]
    for number in range(50, EVENTS):
        await publish(event_log, number)
    every, slow, one_job = await asyncio.gather(*streams)
    assert every == list(range(1, EVENTS + 1))
    assert slow == list(range(1, EVENTS + 1))
    assert one_job == list(range(1, EVENTS + 1, 3))


async def test_a_stream_at_a_later_position_waits_for_it(feed: EventFeed, event_log: EventLog) -> None:
    following = feed.follow(">", 60)
    first = asyncio.ensure_future(anext(following))
    for number in range(50, 70):
        await publish(event_log, number)
    assert (await asyncio.wait_for(first, scaled(10)))[0].sequence == 61
    await following.aclose()


async def test_the_feed_of_another_log_starts_again(feed: EventFeed, event_log: EventLog) -> None:
    feed.begin(10)
    following = feed.follow(">", 4)
    seen = [event.sequence for event in await asyncio.wait_for(anext(following), scaled(10))]
    await following.aclose()
    assert seen == [5, 6, 7, 8, 9, 10]


async def test_the_events_of_an_erased_job_are_read_from_the_log_only(
    feed: EventFeed, event_log: EventLog, nats_client: Client
) -> None:
    await publish(event_log, 50)
    await publish(event_log, 51)
    await feed_has(feed, 52)
    await event_log.publish(
        JobErased(job_name="job 0", job_id=uuid4(), actor="test", events_purged=1, results_purged=0)
    )
    await feed_has(feed, 53)
    await nats_client.jetstream().delete_msg("EVENTS", 51)
    following = feed.follow(">", 50)
    seen = [event.sequence for event in await asyncio.wait_for(anext(following), scaled(10))]
    await following.aclose()
    assert seen == [52, 53]
