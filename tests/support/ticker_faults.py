"""Two tickers are killed, suspended and resumed at random; then the events of every due time are counted.

`python tests/support/ticker_faults.py --minutes 2` uses the machine's clock, `--speed 20` one that runs 20 times as fast.
The seed is printed; `--seed` repeats the order of the faults.
"""

import argparse
import asyncio
import os
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nats

from nightmail_common.broker import streams
from nightmail_common.broker.log import EventLog, Publication
from nightmail_common.contract.events import JobCreated, RunRequested, RunSkipped
from nightmail_common.contract.job_definition import JobDefinition
from support.deadlines import eventually
from support.fast_ticker import FastClock
from support.job_requests import job_request
from support.nats_server import NatsServer
from support.service_starter import start_service
from support.tickers import due_time_events

MINUTE = timedelta(minutes=1)
#: A lease lasts 3 s: a ticker that is suspended for longer resumes in a term that has ended.
SUSPENDED_SECONDS = (0.5, 5.0)
_ALLOW = {"overlap": "allow"}
KINDS: tuple[dict[str, str], ...] = (_ALLOW, {"on_missed": "skip"} | _ALLOW, {"overlap": "skip"})


@dataclass
class Report:
    """The faults, and the due times by outcome. `missed` and `twice` name job and due time."""

    faults: Counter[str] = field(default_factory=Counter)
    due_times: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)


class Process:
    """A ticker process that can be started again."""

    def __init__(self, url: str, folder: Path, origin: datetime, speed: float) -> None:
        clock = {"FAST_TICKER_ORIGIN": origin.isoformat(), "FAST_TICKER_SPEED": str(speed)}
        self._environment = os.environ | clock | {"NIGHTMAIL_NATS_URL": url}
        self._folder = folder
        self.suspended = False
        self.start()

    def start(self) -> None:
        with (self._folder / "tickers.log").open("ab") as lines:
            self._process = start_service("support.fast_ticker", self._environment, self._folder, lines.fileno())

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    async def restart(self) -> None:
        self.kill()
        self.start()

    async def end_and_restart(self) -> None:
        self._process.terminate()
        await asyncio.to_thread(self._process.wait)
        self.start()

    async def suspend_and_resume(self, seconds: float) -> None:
        self._process.send_signal(signal.SIGSTOP)
        self.suspended = True
        await asyncio.sleep(seconds)
        self._process.send_signal(signal.SIGCONT)
        self.suspended = False


async def inject_faults(
    server: NatsServer, folder: Path, *, seconds: float, jobs: int, speed: float, seed: int
) -> Report:
    """Run two tickers with jobs that fire every minute, inject faults, and count the events of every due time."""
    client = await nats.connect(server.url, max_reconnect_attempts=-1, reconnect_time_wait=0.05, error_cb=_expected)
    await streams.ensure_streams(client.jetstream(), timedelta(days=1))
    log = EventLog(client, "test", timedelta(days=1))
    await log.publish_batch([Publication(_created(number)) for number in range(jobs)])
    origin = datetime.now(UTC)
    clock = FastClock(origin, speed)
    tickers = [Process(server.url, folder, origin, speed) for _ in range(2)]
    report = Report()
    try:
        await _inject(tickers, server, report, random.Random(seed), time.monotonic() + seconds)
        end = clock.now().replace(second=0, microsecond=0)
        await eventually(lambda: _all_fired(log, jobs, end), "the events of the last due time", seconds=60)
    finally:
        for ticker in tickers:
            ticker.kill()
    await _count_outcomes(log, end, report)
    await client.close()
    return report


async def _inject(
    tickers: list[Process], server: NatsServer, report: Report, chance: random.Random, until: float
) -> None:
    async with asyncio.TaskGroup() as suspensions:
        while time.monotonic() < until:
            await asyncio.sleep(chance.uniform(0.3, 2.0))
            ticker = chance.choice(tickers)
            if ticker.suspended:
                continue
            faults: dict[str, Callable[[], Awaitable[None]]] = {
                "killed": ticker.restart,
                "ended": ticker.end_and_restart,
                "suspended": lambda ticker=ticker: ticker.suspend_and_resume(chance.uniform(*SUSPENDED_SECONDS)),  # type: ignore[misc]
                "broker killed": lambda: asyncio.to_thread(server.restart),
            }
            (fault,) = chance.choices([*faults], weights=[4, 1, 5, 1])
            report.faults[fault] += 1
            if fault == "suspended":
                suspensions.create_task(faults[fault]())  # type: ignore[arg-type]
            else:
                await faults[fault]()


async def _all_fired(log: EventLog, jobs: int, end: datetime) -> bool:
    await asyncio.sleep(0.25)  # each poll creates a consumer, which the broker keeps for some seconds
    fired = set()
    for stored in await due_time_events(log):
        event = stored.event()
        if isinstance(event, RunRequested | RunSkipped) and event.scheduled_at >= end:
            fired.add(event.job_name)
    return len(fired) == jobs


async def _count_outcomes(log: EventLog, end: datetime, report: Report) -> None:
    events: Counter[tuple[str, datetime]] = Counter()
    for stored in await due_time_events(log):
        event = stored.event()
        assert isinstance(event, RunRequested | RunSkipped)
        kind = event.reason if isinstance(event, RunSkipped) else "late" if event.late else "on time"
        report.outcomes[kind] += 1
        events[event.job_name, event.scheduled_at] += 1
        assert event.missed_before == len(event.missed_times)
        for missed in event.missed_times:
            report.outcomes["listed in a later event"] += 1
            events[event.job_name, missed] += 1
    async for batch in log.replay(("jobs.>",)):
        for stored in batch:
            due = stored.time.replace(second=0, microsecond=0) + MINUTE
            while due <= end:
                report.due_times += 1
                count = events[stored.job_name, due]
                if count != 1:
                    (report.twice if count else report.missed).append(f"{stored.job_name} {due.isoformat()}")
                due += MINUTE


def _created(number: int) -> JobCreated:
    fields = job_request(job_name=f"job {number}", schedule_time="* * * * *", **KINDS[number % len(KINDS)])
    job = JobDefinition.model_validate(fields).new_job(datetime.now(UTC))
    return JobCreated(job_name=job.job_name, job_id=job.job_id, actor="test", job=job)


async def _expected(_error: Exception) -> None:
    """Ignore the errors of a broker that is killed on purpose."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        server = NatsServer(Path(folder))
        server.start()
        try:
            report = asyncio.run(
                inject_faults(
                    server,
                    Path(folder),
                    seconds=given.minutes * 60,
                    jobs=given.jobs,
                    speed=given.speed,
                    seed=given.seed,
                )
            )
        finally:
            server.kill()
    print(f"faults: {dict(report.faults)}")
    print(f"{report.due_times} due times, {len(report.missed)} missed, {len(report.twice)} twice")
    print(f"outcomes: {dict(report.outcomes)}")
    if report.missed or report.twice:
        print(*report.missed[:20], *report.twice[:20], sep="\n")
        raise SystemExit(1)


if __name__ == "__main__":
    main()
