"""Tickers in the test's own loop, on the session's real broker."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from uuid import uuid4

from nats.aio.client import Client

from nightmail_common.broker import streams
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.envelope import StoredEvent, event_headers
from nightmail_common.contract.events import Event, JobCreated
from nightmail_common.contract.job import Job
from nightmail_common.contract.subjects import subject_of
from nightmail_ticker.clock import Clock
from nightmail_ticker.leader import Lease
from nightmail_ticker.ticker import Ticker
from support.deadlines import scaled


class ShiftedClock(Clock):
    """The real time, as far off as a test wants."""

    def __init__(self) -> None:
        self.offset = timedelta()

    def at(self, machine_time: datetime) -> datetime:
        return machine_time + self.offset

    def machine_time(self, moment: datetime) -> datetime:
        return moment - self.offset


@asynccontextmanager
async def running_ticker(
    client: Client,
    clock: Clock,
    past: Sequence[tuple[Event, datetime]] = (),
    run_retention: timedelta = timedelta(days=90),
) -> AsyncIterator[Ticker]:
    """A ticker at work. `past`: events that it believes to have read from the log, and when they were stored."""
    lease = Lease(await client.jetstream().key_value(streams.LEASES), str(uuid4()))
    ticker = Ticker(EventLog(client, "ticker", run_retention), lease, clock)
    positions = await ticker.load()
    for event, time in past:
        body = event.model_dump_json(exclude_none=True).encode()
        ticker._jobs.apply(StoredEvent(1, time, subject_of(event), event_headers(event, "test"), body))
    working = asyncio.create_task(ticker.run(*positions))
    try:
        yield ticker
    finally:
        working.cancel()
        await asyncio.wait({working}, timeout=scaled(3))


async def create(log: EventLog, job: Job) -> Job:
    await log.publish(JobCreated(job_name=job.job_name, job_id=job.job_id, actor="test", job=job))
    return job


async def fates(log: EventLog) -> list[StoredEvent]:
    """Return the run requests and skips in the log."""
    return [stored async for batch in log.replay(("runs.*.run-requested", "runs.*.run-skipped")) for stored in batch]
