"""Tickers in the test's own loop, on the session's real broker."""

import asyncio
import math
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from nats.aio.client import Client
from prometheus_client import REGISTRY

from nightmail_common.broker import streams
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.envelope import StoredEvent, event_headers
from nightmail_common.contract.events import Event, JobCreated, RunRequested, RunSkipped
from nightmail_common.contract.job import Job
from nightmail_common.contract.subjects import subject_of
from nightmail_ticker.clock import Clock
from nightmail_ticker.jobs import JobProjection
from nightmail_ticker.lease import Lease, Term
from nightmail_ticker.publish import DueTimePublisher
from nightmail_ticker.reconcile import Reconciler
from nightmail_ticker.runs import RunStates
from nightmail_ticker.ticker import Ticker
from support.deadlines import scaled


class ShiftedClock(Clock):
    """The machine's clock, shifted by `offset`."""

    def __init__(self) -> None:
        self.offset = timedelta()

    def at(self, machine_time: datetime) -> datetime:
        return machine_time + self.offset

    def machine_time(self, moment: datetime) -> datetime:
        return moment.astimezone(UTC) - self.offset  # in another zone, Python subtracts wall-clock time

    def set_to(self, moment: datetime) -> None:
        self.offset += moment - self.now()

    def midnight(self, days: int) -> datetime:
        """Return the midnight (UTC) that many days from the last one."""
        return self.now().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=days)

    def jump_behind_next_minute(self) -> datetime:
        """Set the clock to one second after the next full minute and return that minute."""
        due = self.now().replace(second=0, microsecond=0) + timedelta(minutes=1)
        self.set_to(due + timedelta(seconds=1))
        return due


@asynccontextmanager
async def running_ticker(
    client: Client, clock: Clock, run_retention: timedelta = timedelta(days=90)
) -> AsyncIterator[Ticker]:
    """A whole ticker. Its metrics are those of the process: `leads` and `sample` read them."""
    lease = Lease(await client.jetstream().key_value(streams.LEASES), str(uuid4()))
    ticker = Ticker(EventLog(client, "ticker", run_retention), lease, clock)
    positions = await ticker.load()
    running = asyncio.create_task(ticker.run(*positions))
    try:
        yield ticker
    finally:
        running.cancel()
        await asyncio.wait({running}, timeout=scaled(3))


@dataclass
class Publishing:
    """The parts of a ticker that publish, without its triggers and its lease; the term does not end by itself."""

    jobs: JobProjection
    runs: RunStates
    publisher: DueTimePublisher
    reconciler: Reconciler
    term: Term

    async def publish_due(self) -> None:
        await self.publisher.publish_due(self.term, list(self.jobs.active()))


@asynccontextmanager
async def publishing(
    client: Client, clock: Clock, history: Iterable[tuple[Event, datetime]] | None = None
) -> AsyncIterator[Publishing]:
    """A publisher that has read the log. `history`: job events and when they were stored, instead of the log's."""
    log = EventLog(client, "ticker", timedelta(days=90))
    jobs, runs = JobProjection(), RunStates()
    if history is None:
        async for batch in log.replay(("jobs.>",)):
            for stored in batch:
                jobs.apply(stored)
    for event, time in history or ():
        jobs.apply(stored_event(event, time))
    position = await runs.load(log, jobs.active(), clock.now())
    publisher = DueTimePublisher(log, runs, clock)
    following = asyncio.create_task(runs.follow(log, position))
    try:
        yield Publishing(jobs, runs, publisher, Reconciler(jobs, runs, publisher, clock), Term(math.inf))
    finally:
        following.cancel()
        await asyncio.wait({following}, timeout=scaled(3))


def stored_event(event: Event, time: datetime) -> StoredEvent:
    """Return an event as the log would return it, stored at any time."""
    body = event.model_dump_json(exclude_none=True).encode()
    return StoredEvent(1, time, subject_of(event), event_headers(event, "test"), body)


def sample(name: str, **labels: str) -> float:
    """Return a metric of this process, such as `nightmail_ticker_jobs`."""
    return REGISTRY.get_sample_value(name, labels) or 0.0


def leads() -> bool:
    """Return whether the last ticker of this process holds the lease."""
    return sample("nightmail_ticker_leads") == 1


async def create(log: EventLog, job: Job) -> Job:
    await log.publish(JobCreated(job_name=job.job_name, job_id=job.job_id, actor="test", job=job))
    return job


async def due_time_events(log: EventLog) -> list[StoredEvent]:
    """Return the run requests and skips in the log."""
    return [stored async for batch in log.replay(("runs.*.run-requested", "runs.*.run-skipped")) for stored in batch]


async def requests(log: EventLog) -> list[RunRequested]:
    return [event for stored in await due_time_events(log) if isinstance(event := stored.event(), RunRequested)]


async def skips(log: EventLog) -> list[RunSkipped]:
    return [event for stored in await due_time_events(log) if isinstance(event := stored.event(), RunSkipped)]


async def count_due_time_events(log: EventLog) -> int:
    return len(await due_time_events(log))
