"""The cost of one run and one job: events and bytes in the log, disk, processor time by service, memory (docs/scaling.md).

`nightmail up` with one runner and the mail catcher does a burst of small runs (100 rows of a file, grouped, mailed to one
recipient); then jobs are written to its log. The resources are measured from outside and divided by the number of runs or
jobs.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx
import psutil
from pydantic import SecretStr

from nightmail_common.broker.connection import connect
from nightmail_common.broker.log import EventLog, Publication
from nightmail_common.broker.streams import STREAM
from nightmail_common.service.logging import set_up_logging
from nightmail_common.service.settings import ServiceSettings
from shared.jobs import created, file_source, job_fields, make_job, table
from shared.nightmail_up import System, nightmail_up

OWNER, PASSWORD = "bench", "only-for-this-bench"
SOURCE = file_source("costs.csv")
BATCH = 500
#: run-requested, run-started, result-ready, mail-sent.
EVENTS_OF_A_RUN = 4
DEADLINE_SECONDS = 90.0
SETTLE_SECONDS = 2.0


class ResourceUse:
    """The resources that a running Nightmail has used so far."""

    def __init__(self, system: System) -> None:
        self._data = system.data
        self._state = json.loads((system.data / "up.json").read_text())["processes"]
        self._processes = {process["name"]: psutil.Process(process["pid"]) for process in self._state}

    def processor_seconds(self) -> dict[str, float]:
        """Return the processor time of each service, with its children and ended children."""
        used = {}
        for name, process in self._processes.items():
            times = [part.cpu_times() for part in (process, *process.children(recursive=True))]
            used[name] = sum(t.user + t.system + t.children_user + t.children_system for t in times)
        return used

    def memory_bytes(self) -> dict[str, int]:
        return {name: process.memory_full_info().uss for name, process in self._processes.items()}

    def disk_bytes(self, folder: str) -> int:
        return sum(path.stat().st_blocks * 512 for path in (self._data / folder).rglob("*") if path.is_file())

    def ticker_jobs(self) -> int:
        """Return how many jobs the ticker has, from its metrics."""
        [url] = [process["ready_url"] for process in self._state if process["name"] == "ticker"]
        lines = httpx.get(url.replace("/health/ready", "/metrics")).text.splitlines()
        return int(sum(float(line.split()[1]) for line in lines if line.startswith("nightmail_ticker_jobs ")))


async def log_of(system: System) -> tuple[int, int]:
    """Return how many events the log has, and how many bytes before compression."""
    client = await connect(_settings(system), "bench")
    state = (await client.jetstream().stream_info(STREAM)).state
    await client.close()
    return state.messages, state.bytes


def measure_runs(system: System, runs: int) -> None:
    use = ResourceUse(system)
    system.http.post("/jobs/create", json=job_fields("costs", data_source=SOURCE)).raise_for_status()
    _run_all(system, 20)
    time.sleep(SETTLE_SECONDS)
    used, (events, size) = use.processor_seconds(), asyncio.run(log_of(system))
    disk = {folder: use.disk_bytes(folder) for folder in ("nats", "api")}
    began = time.perf_counter()
    _run_all(system, runs)
    took = time.perf_counter() - began
    time.sleep(SETTLE_SECONDS)
    more_events, more_size = asyncio.run(log_of(system))
    print(f"one run, of a burst of {runs} ({runs / took:.0f} a second):")
    print(f"  events                      {(more_events - events) / runs:10.1f}")
    print(f"  bytes in the log            {(more_size - size) / runs:10,.0f}   (before compression)")
    print(f"  disk of the broker          {(use.disk_bytes('nats') - disk['nats']) / runs:10,.0f} bytes")
    print(f"  disk of the read model      {(use.disk_bytes('api') - disk['api']) / runs:10,.0f} bytes")
    for name, seconds in use.processor_seconds().items():
        print(f"  processor, {name:<16} {(seconds - used[name]) / runs * 1000:10.2f} ms")


def measure_jobs(system: System, jobs: int) -> None:
    use = ResourceUse(system)
    before, model = use.memory_bytes(), use.disk_bytes("api")
    (events, size), disk = asyncio.run(log_of(system)), use.disk_bytes("nats")
    asyncio.run(_create(system, jobs))
    _wait(lambda: system.http.get(f"/jobs/costs {jobs - 1:07}").is_success, "the read model has the jobs")
    _wait(lambda: use.ticker_jobs() > jobs, "the ticker has the jobs")
    time.sleep(SETTLE_SECONDS)
    more_events, more_size = asyncio.run(log_of(system))
    print(f"one job, of {jobs:,}:")
    print(f"  events                      {(more_events - events) / jobs:10.1f}")
    print(f"  bytes in the log            {(more_size - size) / jobs:10,.0f}   (before compression)")
    print(f"  disk of the broker          {(use.disk_bytes('nats') - disk) / jobs:10,.0f} bytes")
    print(f"  disk of the read model      {(use.disk_bytes('api') - model) / jobs:10,.0f} bytes")
    after = use.memory_bytes()
    for name in ("ticker", "api", "nats"):
        print(f"  memory, {name:<19} {(after[name] - before[name]) / jobs:10,.0f} bytes")


def _run_all(system: System, runs: int) -> None:
    events, _ = asyncio.run(log_of(system))
    for _ in range(runs):
        system.http.post("/jobs/costs/run").raise_for_status()
    # Polled at the broker and seldom: requests to the API would count as its processor time.
    _wait(lambda: asyncio.run(log_of(system))[0] >= events + runs * EVENTS_OF_A_RUN, "every run is delivered")


async def _create(system: System, jobs: int) -> None:
    client = await connect(_settings(system), "bench")
    log = EventLog(client, "bench", timedelta(days=1))
    for start in range(0, jobs, BATCH):
        await log.publish_batch(
            [
                Publication(created(make_job(f"costs {number:07}", schedule_time=f"{number % 60} {number % 24} 1 1 *")))
                for number in range(start, min(start + BATCH, jobs))
            ]
        )
    await client.close()


def _settings(system: System) -> ServiceSettings:
    url = f"nats://127.0.0.1:{system.nats_port}"
    return ServiceSettings(nats_url=url, nats_user=OWNER, nats_password=SecretStr(PASSWORD))


def _wait(done: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not done():
        if time.monotonic() > deadline:
            raise SystemExit(f"error: not in {DEADLINE_SECONDS:.0f} s: {what}")
        time.sleep(0.5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=20_000)
    options = parser.parse_args()
    set_up_logging("bench", "error", "console")
    with (
        tempfile.TemporaryDirectory() as folder,
        nightmail_up(Path(folder), "--mail-catcher", NATS_USER=OWNER, NATS_PASSWORD=PASSWORD) as system,
    ):
        (system.data / "files" / "costs.csv").write_bytes(table(100))
        measure_runs(system, options.runs)
        measure_jobs(system, options.jobs)


if __name__ == "__main__":
    main()
