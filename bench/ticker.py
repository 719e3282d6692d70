"""How late N run requests due in one second are durably in the log, against plain APScheduler with N no-op jobs.

A real nats-server (`sync_interval: always`), a real ticker process, N jobs created in the log beforehand, all due at
the same minute. The ticker's clock is shifted, so that the benchmark does not wait for a full minute; for a lone job it
runs 15 times as fast, so that twenty due times take 80 s. Lateness is from the due time to the broker's timestamp of the
stored request. The ticker's own log line gives an upper bound: it counts until the last acknowledgement.
"""

import argparse
import asyncio
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nats
import psutil
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.date import DateTrigger

from nightmail_common.broker import streams
from nightmail_common.broker.log import EventLog, Publication
from nightmail_common.contract.envelope import DUE_HEADER
from nightmail_ticker.clock import Clock
from nightmail_ticker.main import run
from shared.jobs import SCRIPT, created, make_job
from shared.nats_server import nats_server
from shared.nightmail_up import free_port, wait_until_ready

BATCH = 500
LONE_DUE_TIMES = 20
LONE_SPEED = 15.0
DEADLINE_SECONDS = 180.0
#: The ticker must be ready, and idle, before the minute comes.
ROOM_SECONDS = 10.0


class BenchClock(Clock):
    """Shows `says`, the first due time, at the machine's time `machine`, and runs `speed` times as fast."""

    def __init__(self, machine: datetime, says: datetime, speed: float) -> None:
        self._machine, self.says, self._speed = machine, says, speed

    def at(self, machine_time: datetime) -> datetime:
        return self.says + (machine_time - self._machine) * self._speed

    def machine_time(self, moment: datetime) -> datetime:
        return self._machine + (moment - self.says) / self._speed

    def arguments(self) -> list[str]:
        return [self._machine.isoformat(), self.says.isoformat(), str(self._speed)]


def main() -> None:
    if sys.argv[1:2] == ["serve"]:  # the ticker's process of this benchmark
        machine, says, speed = sys.argv[2:]
        run(BenchClock(datetime.fromisoformat(machine), datetime.fromisoformat(says), float(speed)))
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 1_000, 10_000, 100_000])
    parser.add_argument("--only", choices=["scheduler", "ticker"], help="one half of the comparison")
    given = parser.parse_args()
    for count in given.jobs:
        print(f"{count} jobs due at once", flush=True)
        if given.only != "ticker":
            _report("plain APScheduler, no-op jobs", asyncio.run(no_op_lateness(count)))
        if given.only != "scheduler":
            with tempfile.TemporaryDirectory() as folder:
                asyncio.run(measure(count, Path(folder)))


async def no_op_lateness(count: int) -> list[float]:
    """Return how late APScheduler's own jobs are, one each, that only read the clock; seconds."""
    scheduler = AsyncIOScheduler(timezone=UTC)
    due = datetime.now(UTC) + timedelta(seconds=2 + count / 10_000)
    lateness: list[float] = []

    async def no_op() -> None:
        lateness.append((datetime.now(UTC) - due).total_seconds())

    for _ in range(count):
        scheduler.add_job(no_op, DateTrigger(due), misfire_grace_time=None)
    scheduler.start()
    while len(lateness) < count:  # noqa: ASYNC110 - APScheduler has no event for it
        await asyncio.sleep(0.1)
    scheduler.shutdown(wait=False)
    return lateness


async def measure(count: int, folder: Path) -> None:
    with nats_server(folder) as (url, _):
        client = await nats.connect(url)
        await streams.ensure_streams(client.jetstream(), timedelta(days=1))
        log = EventLog(client, "bench", timedelta(days=1))
        lone = count == 1
        due = _next_minute(datetime.now(UTC)) + timedelta(days=1)
        await _create(log, count, "* * * * *" if lone else f"{due.minute} {due.hour} {due.day} {due.month} *")
        comes = datetime.now(UTC) + timedelta(seconds=ROOM_SECONDS + count / 8_000)
        clock = BenchClock(comes, due, LONE_SPEED if lone else 1.0)
        before = await log.last_sequence()
        with _ticker(url, clock, folder) as ticker:
            if datetime.now(UTC) > comes:
                raise SystemExit("error: the jobs fell due before the ticker was ready; this machine is too slow")
            await asyncio.sleep(max(0.0, (comes - datetime.now(UTC)).total_seconds() - 0.5))
            cpu = sum(ticker.cpu_times()[:2])
            lateness = await _lateness(log, before + (LONE_DUE_TIMES if lone else count), clock)
            cpu = sum(ticker.cpu_times()[:2]) - cpu
            memory = _rss_mb(ticker)
        await client.close()
    _report("Nightmail, request stored", lateness)
    log_text = re.sub(r"\x1b\[[0-9;]*m", "", (folder / "ticker.log").read_text())
    acknowledged = re.findall(r"lateness_ms=(\d+)", log_text)
    print(
        f"  last acknowledged after {acknowledged[-1]} ms, {cpu:.2f} s of CPU from half a second before, {memory:.0f} MB RSS"
    )


@contextmanager
def _ticker(url: str, clock: BenchClock, folder: Path) -> Iterator[psutil.Process]:
    """Run a ticker on a clock; yield it when it is ready. Its log is in `ticker.log`."""
    port = free_port()
    environment = os.environ | {"NIGHTMAIL_NATS_URL": url, "NIGHTMAIL_HEALTH_PORT": str(port)}
    command = [sys.executable, __file__, "serve", *clock.arguments()]
    started = time.perf_counter()
    with (folder / "ticker.log").open("w") as lines:
        ticker = subprocess.Popen(command, env=environment, stderr=lines, cwd=folder)
        try:
            wait_until_ready(f"http://127.0.0.1:{port}/health/ready")
            process = psutil.Process(ticker.pid)
            print(f"  start to ready {time.perf_counter() - started:.2f} s, {_rss_mb(process):.0f} MB RSS")
            yield process
        finally:
            ticker.terminate()
            ticker.wait()


async def _create(log: EventLog, count: int, cron: str) -> None:
    fields = {"schedule_time": cron, "timezone": "UTC", "processing_script": f"{SCRIPT}\n" * 8}
    for start in range(0, count, BATCH):
        numbers = range(start, min(start + BATCH, count))
        await log.publish_batch([Publication(created(make_job(f"report {number}", **fields))) for number in numbers])


async def _lateness(log: EventLog, until: int, clock: BenchClock) -> list[float]:
    """Return the seconds from the due time to the broker's timestamp of each request."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while (last := await log.last_sequence()) < until:
        if time.monotonic() > deadline:
            raise SystemExit(f"error: {until - last} requests are missing")
        await asyncio.sleep(0.25)
    since = clock.says.isoformat()  # a lone job's log begins with what it missed
    return [
        (stored.time - clock.machine_time(datetime.fromisoformat(due))).total_seconds()
        async for batch in log.replay(("runs.*.run-requested",), headers_only=True)
        for stored in batch
        if (due := stored.headers[DUE_HEADER].partition(" ")[0]) >= since
    ]


def _next_minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0) + timedelta(minutes=1)


def _rss_mb(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / 1e6


def _report(name: str, lateness: Sequence[float]) -> None:
    ordered = sorted(lateness)
    p50, p99 = (ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.5, 0.99))
    print(f"  {name:<30} p50 {p50 * 1000:7.1f}  p99 {p99 * 1000:7.1f}  max {ordered[-1] * 1000:7.1f} ms")


if __name__ == "__main__":
    main()
