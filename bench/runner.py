"""The cost of the sandbox: runs per second, as ratios to a bare loop of forks of a warm process, measured side by side.

The bare loop is two processes that have pandas imported and fork once per run: parse, script, CSV, exit; no limits, no
isolation, no answer. Small is 100 rows, medium 100,000. Both alternate, round by round, because the speed of a shared
machine drifts; the result is the median of the rounds' ratios. End to end is the same small job through two of Nightmail's
runner processes, from the request in the log to the result in the log. Scaling is a burst of runs with one runner process
and with two: large runs (400,000 rows, some 70 ms each) and, for comparison, medium runs, of which a single runner overlaps
more with the next.
"""

import argparse
import asyncio
import io
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from uuid import uuid4

import nats

from nightmail_common.broker import streams
from nightmail_common.broker.log import EventLog, Publication
from nightmail_common.contract.events import ResultReady
from nightmail_runner.parsing.options import ReadOptions
from nightmail_runner.sandbox.client import Sandbox
from nightmail_runner.sandbox.memory import MemoryFile
from nightmail_runner.sandbox.result import Succeeded
from nightmail_runner.sandbox.task import Task
from shared.jobs import SCRIPT, file_source, make_job, requested, table
from shared.nats_server import nats_server
from shared.nightmail_up import free_port, wait_until_ready

WORKERS = 2
BUDGETS = {"small": 0.9, "medium": 0.95, "end-to-end": 0.75, "scaling": 1.7, "scaling-medium": 1.7}
RUNS = {"small": 100, "medium": 40, "end-to-end": 100, "scaling": 40, "scaling-medium": 60}
ROWS = {"small": 100, "medium": 100_000, "scaling": 400_000, "scaling-medium": 100_000}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", choices=[[], *BUDGETS], help="all of them if none is named")
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    bare: Sequence[float]
    ours: Sequence[float]
    for what in arguments.what or BUDGETS:
        if what == "end-to-end":
            bare, ours = asyncio.run(end_to_end_rates(table(ROWS["small"]), arguments.rounds))
        elif what.startswith("scaling"):
            bare, ours = asyncio.run(scaling_rates(table(ROWS[what]), RUNS[what], arguments.rounds))
        else:
            data = table(ROWS[what])
            bare, ours = zip(
                *(
                    (bare_rate(data, RUNS[what]), asyncio.run(sandbox_rate(data, RUNS[what])))
                    for _ in range(arguments.rounds)
                ),
                strict=True,
            )
        report(what, bare, ours)


def report(name: str, bare: Sequence[float], ours: Sequence[float]) -> None:
    ratio = median(our / its for our, its in zip(ours, bare, strict=True))
    verdict = "ok" if ratio >= BUDGETS[name] else "SHORT"
    base, measured = ("one", "two") if name.startswith("scaling") else ("bare", "ours")
    print(
        f"{name:14}  {base} {median(bare):6.1f}/s  {measured} {median(ours):6.1f}/s  ratio {ratio:.2f}"
        f"  (at least {BUDGETS[name]}: {verdict})",
        flush=True,
    )


def bare_rate(data: bytes, runs: int) -> float:
    """Return the runs per second of two warm processes that fork once per run."""
    context = multiprocessing.get_context("spawn")
    begin = context.Barrier(WORKERS + 1)
    workers = [context.Process(target=bare_worker, args=(data, runs // WORKERS, begin)) for _ in range(WORKERS)]
    for worker in workers:
        worker.start()
    begin.wait()
    since = time.perf_counter()
    for worker in workers:
        worker.join()
    return runs / (time.perf_counter() - since)


def bare_worker(data: bytes, runs: int, begin: "multiprocessing.synchronize.Barrier") -> None:
    import pandas  # in the worker only, before its first fork

    def once() -> None:
        frame = pandas.read_csv(io.BytesIO(data))
        frame.groupby("region", as_index=False).amount.sum().to_csv(io.BytesIO(), index=False)

    once()
    begin.wait()
    for _ in range(runs):
        pid = os.fork()
        if pid == 0:
            once()
            os._exit(0)
        os.waitpid(pid, 0)


async def sandbox_rate(data: bytes, runs: int) -> float:
    """Return the runs per second of two sandboxes, which stand for two runner processes."""
    task = Task(SCRIPT, ReadOptions("csv"), "bench", datetime.now(UTC))
    async with Sandbox() as one, Sandbox() as other:
        with MemoryFile.of(data) as first, MemoryFile.of(data) as second:

            async def loop(sandbox: Sandbox, source: MemoryFile, times: int) -> None:
                for _ in range(times):
                    with MemoryFile("csv") as csv:
                        result = await sandbox.run(task, source, csv)
                    assert isinstance(result, Succeeded), result

            await asyncio.gather(loop(one, first, 2), loop(other, second, 2))
            since = time.perf_counter()
            await asyncio.gather(loop(one, first, runs // WORKERS), loop(other, second, runs // WORKERS))
            return runs / (time.perf_counter() - since)


async def end_to_end_rates(data: bytes, rounds: int) -> tuple[list[float], list[float]]:
    """Return the runs per second of the bare loop and of two runner processes, by round.

    Runners are measured from the first request to the last result in the log.
    """
    bare, ours = [], []
    async with broker(data) as (log, start_runner):
        for _ in range(WORKERS):
            start_runner()
        await request_and_await(log, WORKERS * 10)
        runs = RUNS["end-to-end"]
        for _ in range(rounds):
            bare.append(await asyncio.to_thread(bare_rate, data, runs))
            ours.append(await burst_rate(log, runs))
    return bare, ours


async def scaling_rates(data: bytes, runs: int, rounds: int) -> tuple[list[float], list[float]]:
    """Return the runs per second of one runner process and of two, by round."""
    one: list[float] = []
    two: list[float] = []
    for _ in range(rounds):
        async with broker(data) as (log, start_runner):
            for rates in (one, two):
                start_runner()
                await request_and_await(log, WORKERS * 5)
                rates.append(await burst_rate(log, runs))
    return one, two


async def burst_rate(log: EventLog, runs: int) -> float:
    since = time.perf_counter()
    await request_and_await(log, runs)
    return runs / (time.perf_counter() - since)


@asynccontextmanager
async def broker(data: bytes) -> AsyncIterator[tuple[EventLog, Callable[[], None]]]:
    """Run a nats-server; yield its log and a function that starts one more runner, with the data as a file, until it is ready."""
    with tempfile.TemporaryDirectory() as name, nats_server(Path(name)) as (url, _):
        files = Path(name) / "files"
        files.mkdir()
        (files / "data.csv").write_bytes(data)
        client = await nats.connect(url)
        await streams.ensure_streams(client.jetstream(), timedelta(days=1))
        settings = {"NATS_URL": url, "DATA_DIR": name, "LOG_LEVEL": "error"}
        runners: list[subprocess.Popen[bytes]] = []

        def start_runner() -> None:
            port = str(free_port())
            own = {f"NIGHTMAIL_{name}": value for name, value in (settings | {"HEALTH_PORT": port}).items()}
            runners.append(subprocess.Popen([sys.executable, "-m", "nightmail_runner"], env=os.environ | own))
            wait_until_ready(f"http://127.0.0.1:{port}/health/ready")

        try:
            yield EventLog(client, "bench", timedelta(days=1)), start_runner
            await client.close()
        finally:
            for runner in runners:
                runner.kill()
                runner.wait()


async def request_and_await(log: EventLog, runs: int) -> None:
    job, now = make_job("bench", data_source=file_source("data.csv")), datetime.now(UTC)
    requests = [Publication(requested(job, uuid4(), now)) for _ in range(runs)]
    after = await log.last_sequence()
    await log.publish_batch(requests)
    seen = 0
    async for events in log.follow([f"runs.*.{ResultReady.name}", "runs.*.run-failed"], after=after):
        assert all(event.name == ResultReady.name for event in events)
        seen += len(events)
        if seen >= runs:
            return


if __name__ == "__main__":
    main()
