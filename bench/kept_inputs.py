"""The cost of keeping inputs: the same runs with `keep_inputs: 10` and with 0, alternately, on one runner process.

CPU is user and system time of the runner (without its sandbox, which does the same in both) and of nats-server, per run, until
the last input is kept. The delay is the broker's time from `run-started` to `result-ready`. Small is 100 rows and large 8 MB; in
`same` each run reads the same file, in `new` each run reads bytes that no run has read before.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from uuid import UUID, uuid4

import nats
import psutil

from nightmail_common.broker.file_store import FileStore
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.events import InputKept, ResultReady, RunStarted
from runner import broker
from shared.jobs import file_source, make_job, requested, table

KINDS = {
    "small-same": (100, False),
    "small-new": (100, True),
    "large-same": (400_000, False),
    "large-new": (400_000, True),
}


@dataclass(frozen=True)
class Cost:
    """Milliseconds per run."""

    runner_cpu: float
    broker_cpu: float
    delay: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", choices=[[], *KINDS], help="all of them if none is named")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--runs", type=int, default=30)
    arguments = parser.parse_args()
    for what in arguments.what or KINDS:
        for keep, costs in asyncio.run(measure(*KINDS[what], arguments.rounds, arguments.runs)).items():
            figures = (median(getattr(cost, name) for cost in costs) for name in ("runner_cpu", "broker_cpu", "delay"))
            runner_cpu, broker_cpu, delay = figures
            print(
                f"{what:10} keep_inputs={keep:<2} runner {runner_cpu:6.2f} ms CPU, nats-server {broker_cpu:6.2f} ms CPU,"
                f" started to result {delay:7.2f} ms"
            )


async def measure(rows: int, is_new: bool, rounds: int, runs: int) -> dict[int, list[Cost]]:
    costs: dict[int, list[Cost]] = {0: [], 10: []}
    data = table(rows)
    async with broker(data) as (log, start_runner):
        start_runner()
        await one_round(log, data, 10, is_new=is_new, runs=10)
        for _ in range(rounds):
            for keep, found in costs.items():
                found.append(await one_round(log, data, keep, is_new=is_new, runs=runs))
    return costs


async def one_round(log: EventLog, data: bytes, keep: int, *, is_new: bool, runs: int) -> Cost:
    """Request one run after the other, so that each one's file can be another one."""
    processes = psutil.Process().children()
    server = next(process for process in processes if "nats-server" in process.name())
    runner = next(process for process in processes if process.pid != server.pid)
    job = make_job("bench", data_source=file_source("data.csv"), keep_inputs=keep)
    client = await nats.connect(_url(server))
    files, delays = FileStore(client.jetstream()), []
    before = cpu(runner), cpu(server)
    uploading = 0.0
    for _ in range(runs):
        since = cpu(server)
        await files.put("data.csv", _content(data + (b"%s,0\n" % uuid4().hex.encode() if is_new else b"")))
        uploading += cpu(server) - since
        run_id, after = uuid4(), await log.last_sequence()
        await log.publish(requested(job, run_id, datetime.now(UTC)), message_id=str(run_id))
        delays.append(await _delay(log, run_id, after, until=InputKept if keep else ResultReady))
    await client.close()
    spent = cpu(runner) - before[0], cpu(server) - before[1] - uploading
    return Cost(spent[0] * 1000 / runs, spent[1] * 1000 / runs, median(delays))


def cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


async def _delay(log: EventLog, run_id: UUID, after: int, until: type[InputKept] | type[ResultReady]) -> float:
    """Wait for the run's last event, and return the milliseconds from its start to its result."""
    started = ended = 0.0
    async for events in log.follow([f"runs.*.{one.name}" for one in (RunStarted, ResultReady, InputKept)], after=after):
        for stored in events:
            assert str(run_id).encode() in stored.data
            if stored.name == RunStarted.name:
                started = stored.time.timestamp()
            if stored.name == ResultReady.name:
                ended = stored.time.timestamp()
            if stored.name == until.name:
                return (ended - started) * 1000
    raise AssertionError("the log ended")


def _url(server: psutil.Process) -> str:
    port = next(one.laddr.port for one in server.net_connections("tcp") if one.status == psutil.CONN_LISTEN)
    return f"nats://127.0.0.1:{port}"


async def _content(data: bytes) -> AsyncIterator[bytes]:
    yield data


if __name__ == "__main__":
    main()
