"""The newest events of the log, which the read model has applied, for all event streams of this replica.

The read model is the replica's one follower of the log. A stream that has fallen behind these events, because its client
resumes at an old position or reads slowly, reads pages of the log until it has caught up.
"""

import asyncio
from bisect import bisect_right
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from functools import cached_property

from nightmail_api.read_model.event_queries import EventQueries, event_json, run_id_of
from nightmail_common.broker.backoff import retry_forever
from nightmail_common.broker.errors import BROKER_ERRORS
from nightmail_common.contract.envelope import StoredEvent
from nightmail_common.contract.events import JobErased
from nightmail_common.contract.limits import MAX_FEED_BYTES, MAX_FEED_EVENTS, MAX_FEED_PAGES

#: Events of one page of the log, and of one look at the feed: some milliseconds of work.
PAGE_EVENTS = 200


@dataclass(frozen=True)
class FeedEvent:
    """An event with its JSON, which is encoded once for all streams."""

    stored: StoredEvent

    @property
    def sequence(self) -> int:
        return self.stored.sequence

    @cached_property
    def run_id(self) -> str | None:
        return run_id_of(self.stored)

    @cached_property
    def text(self) -> str:
        return event_json(self.stored).decode()

    @cached_property
    def text_without_results(self) -> str:
        return event_json(self.stored, with_results=False).decode()


class EventFeed:
    """Holds all events from `_start`, exclusive, to `_position`, inclusive: at most `MAX_FEED_EVENTS` and `MAX_FEED_BYTES`."""

    def __init__(self, queries: EventQueries) -> None:
        self._queries = queries
        self._pages = asyncio.Semaphore(MAX_FEED_PAGES)
        self._start = self._position = 0
        self._events: list[FeedEvent] = []
        self._bytes = 0
        self._news = asyncio.Event()

    def begin(self, position: int) -> None:
        """Drop all events: the read model follows the log behind this sequence."""
        self._start = self._position = position
        self._events, self._bytes = [], 0
        self._wake()

    def append(self, events: Sequence[StoredEvent], position: int) -> None:
        """Add the next events that the read model has applied, up to this sequence of the log."""
        self._events += [FeedEvent(event) for event in events]
        self._bytes += sum(len(event.data) for event in events)
        self._position = position
        if any(event.name == JobErased.name for event in events):
            # An erased event is not kept here.
            self.begin(position)
        dropped = 0
        while len(self._events) - dropped > MAX_FEED_EVENTS or self._bytes > MAX_FEED_BYTES:
            self._bytes -= len(self._events[dropped].stored.data)
            dropped += 1
        if dropped:
            self._start = self._events[dropped - 1].sequence
            del self._events[:dropped]
        self._wake()

    async def follow(self, subjects: str, after: int) -> AsyncGenerator[list[FeedEvent], None]:
        """Yield every event on subjects (one filter) behind a sequence, for ever, in order, in batches, each exactly once."""
        pattern = None if subjects == ">" else subjects.split(".")
        while True:
            news = self._news
            if after < self._start:
                events, after = await self._page(subjects, after)
            elif after < self._position:
                events, after = self._next(pattern, after)
                await asyncio.sleep(0)  # a stream that catches up lets the others continue
            else:
                await news.wait()
                continue
            if events:
                yield events

    async def _page(self, subjects: str, after: int) -> tuple[list[FeedEvent], int]:
        """Return the next events that are older than those of the feed, and the sequence up to which the log was read."""
        start = self._start

        async def read() -> tuple[list[StoredEvent], bool]:
            async with self._pages:
                return await self._queries.batch(subjects, after + 1, PAGE_EVENTS)

        answered, more = await retry_forever(read, "read events for a stream", BROKER_ERRORS)
        events = [FeedEvent(event) for event in answered if event.sequence <= start]
        complete = not more or len(events) < len(answered)
        return events, start if complete else answered[-1].sequence

    def _next(self, pattern: list[str] | None, after: int) -> tuple[list[FeedEvent], int]:
        index = bisect_right(self._events, after, key=lambda event: event.sequence)
        found = self._events[index : index + PAGE_EVENTS]
        read_to = self._position if index + PAGE_EVENTS >= len(self._events) else found[-1].sequence
        return [event for event in found if pattern is None or _matches(event.stored.subject, pattern)], read_to

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


def _matches(subject: str, pattern: list[str]) -> bool:
    tokens = subject.split(".")
    return len(tokens) == len(pattern) and all(
        wanted in {"*", token} for wanted, token in zip(pattern, tokens, strict=True)
    )
