"""The rate at which a replica of the API without a read model applies a log, in events a second."""

import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import nats

from api_parts.process import api, pin
from nightmail_common.broker import streams
from nightmail_common.broker.log import EventLog, Publication
from nightmail_common.contract.events import Event
from shared.jobs import a_run, created, make_job
from shared.nats_server import nats_server

JOBS = 100
RUNS = 10_000
#: The number of runs at the same time.
AT_ONCE = 50
BUDGET = 10_000


async def catch_up() -> None:
    events = all_events()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with nats_server(folder) as (url, broker):
            pin(broker, 1)
            client = await nats.connect(url)
            await streams.ensure_streams(client.jetstream(), timedelta(days=1))
            log = EventLog(client, "bench", timedelta(days=1))
            for start_at in range(0, len(events), 500):
                await log.publish_batch([Publication(event) for event in events[start_at : start_at + 500]])
            await client.close()
            reading = await seconds_until_ready(folder, url)
            starting = await seconds_until_ready(folder, url)
    rate = len(events) / (reading - starting)
    print(f"catch-up {len(events)} events in {reading - starting:.2f} s: {rate:.0f}/s (at least {BUDGET})")


def all_events() -> list[Event]:
    jobs = [make_job(f"job {number:06}") for number in range(JOBS)]
    events: list[Event] = [created(job) for job in jobs]
    now = datetime.now(UTC)
    runs = [a_run(jobs[number % JOBS], uuid4(), now) for number in range(RUNS)]
    for start_at in range(0, RUNS, AT_ONCE):
        # As in production, runs of the same time take each step together.
        for step in zip(*runs[start_at : start_at + AT_ONCE], strict=True):
            events += step
    return events


async def seconds_until_ready(folder: Path, url: str) -> float:
    """Return the seconds of a start; the first applies the log, the next finds its rows."""
    began = time.perf_counter()
    async with api(folder, url, wait_seconds=0.02):
        return time.perf_counter() - began
