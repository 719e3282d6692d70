"""All tickers are killed and started again some minutes later: what became of the due times in between.

`python tests/support/outage.py --minutes 3` uses the machine's clock and prints the events.
"""

import argparse
import asyncio
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nats

from nightmail_common.broker import streams
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.events import JobCreated, RunRequested, RunSkipped
from nightmail_common.contract.job_definition import JobDefinition
from support.deadlines import eventually
from support.fast_ticker import FastClock
from support.job_requests import job_request
from support.nats_server import NatsServer
from support.ticker_faults import MINUTE, Process
from support.tickers import due_time_events

JOBS: dict[str, dict[str, str]] = {"runs once": {}, "skips": {"on_missed": "skip"}}
#: By the machine's clock: the tickers have started by then.
FIRST_DUE_SECONDS = 3.0

DueTimeEvent = RunRequested | RunSkipped


async def outage(server: NatsServer, folder: Path, *, minutes: float, speed: float) -> list[DueTimeEvent]:
    """Kill two tickers after a due time, start them again after some minutes, and return all events of due times.

    The jobs are due before the outage and in each of its minutes, and not again in that hour.
    """
    client = await nats.connect(server.url)
    await streams.ensure_streams(client.jetstream(), timedelta(days=1))
    log = EventLog(client, "test", timedelta(days=1))
    origin = datetime.now(UTC)
    clock = FastClock(origin, speed)
    first = MINUTE + clock.now() + FIRST_DUE_SECONDS * timedelta(seconds=speed)
    cron = ",".join(f"{(first + number * MINUTE).minute}" for number in range(int(minutes) + 1)) + " * * * *"
    for name, fields in JOBS.items():
        await log.publish(_created(name, cron, fields))
    tickers = [Process(server.url, folder, origin, speed) for _ in range(2)]
    try:
        before = await eventually(lambda: _events(log, len(JOBS)), "the events of the first due time", seconds=120)
        for ticker in tickers:
            ticker.kill()
        await asyncio.sleep(clock.seconds_until(before[0].scheduled_at + minutes * MINUTE + timedelta(seconds=20)))
        for ticker in tickers:
            ticker.start()
        return list(await eventually(lambda: _events(log, len(before) + len(JOBS)), "the events of what was missed"))
    finally:
        for ticker in tickers:
            ticker.kill()
        await client.close()


async def _events(log: EventLog, count: int) -> Sequence[DueTimeEvent] | None:
    if await log.last_sequence() < len(JOBS) + count:
        return None
    events = [
        event for stored in await due_time_events(log) if isinstance(event := stored.event(), RunRequested | RunSkipped)
    ]
    return events if len(events) >= count else None


def _created(name: str, cron: str, fields: dict[str, str]) -> JobCreated:
    definition = JobDefinition.model_validate(
        job_request(job_name=name, schedule_time=cron, timezone="UTC", overlap="allow", **fields)
    )
    job = definition.new_job(datetime.now(UTC))
    return JobCreated(job_name=name, job_id=job.job_id, actor="test", job=job)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--speed", type=float, default=1.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = NatsServer(Path(folder))
        server.start()
        try:
            events = asyncio.run(outage(server, Path(folder), minutes=given.minutes, speed=given.speed))
        finally:
            server.kill()
    for event in events:
        late = " late" if isinstance(event, RunRequested) and event.late else ""
        missed = f", missed before: {', '.join(f'{missed:%H:%M}' for missed in event.missed_times)}" * bool(
            event.missed_before
        )
        print(f"{event.job_name}: {event.scheduled_at:%H:%M} {event.name}{late}{missed}")


if __name__ == "__main__":
    main()
