"""What the API costs beside bare FastAPI on the same core, and how it reads when a million runs are behind it.

Four parts, each on its own by `--part`: `rates` (create, durable and read back, and get, from 32 connections, against a
bare FastAPI application with the same model and no log), `lists` (every list over a read model of 10,000 jobs and
1,000,000 runs), `catch-up` (the rows of a log made anew). The server is pinned to the first core, the load and the
broker to the second. The million runs are 10,000 that the projection made from events, copied row by row;
they are kept in the temporary folder for the next time.
"""

import argparse
import asyncio
import base64
import json
import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import nats
from nats.aio.client import Client

from nightmail_api.database import SCHEMA_VERSION
from nightmail_api.projection import Projection
from nightmail_api.sqlite import SqliteDatabase
from nightmail_common import streams
from nightmail_common.events import (
    Blob,
    Event,
    JobCreated,
    JobUpdated,
    MailSent,
    RecipientOutcome,
    ResultReady,
    RunRequested,
    RunStarted,
    Runtime,
    Timings,
)
from nightmail_common.job import Job
from nightmail_common.job_definition import JobDefinition
from nightmail_common.log import EventLog, Publication

TOKEN = "a-token-of-the-benchmark"  # noqa: S105
CONNECTIONS = 32
SECONDS = 4.0
JOBS = 10_000
COPIES = 100
#: The job that lists are asked about, and how often it was changed.
BUSY_JOB = "job 000042"
VERSIONS = 1_001
LIST_REQUESTS = 200
CATCH_UP_RUNS = 10_000
START_DEADLINE_SECONDS = 60.0
CREATE_BUDGET, GET_BUDGET, LIST_BUDGET_MS, CATCH_UP_BUDGET = 0.1, 0.5, 20.0, 10_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=("rates", "lists", "catch-up"), action="append")
    parser.add_argument("--bare", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.bare:
        serve_bare(arguments.bare)
        return
    parts: dict[str, Callable[[], Any]] = {"rates": rates, "lists": lists, "catch-up": catch_up}
    for part in arguments.part or parts:
        asyncio.run(parts[part]())


async def rates() -> None:
    """Print requests per second of the API and of bare FastAPI, and their ratios."""
    with tempfile.TemporaryDirectory() as folder:
        async with broker(Path(folder)) as (client, url), api(Path(folder), url) as port:
            await streams.declare(client.jetstream(), timedelta(days=1))
            ours_create = await load(port, creates(port, "/jobs/create"), CONNECTIONS)
            ours_get = await load(port, repeated(get(port, "/jobs/job%20000001")), CONNECTIONS)
    port = free_port()
    bare = start([__file__, "--bare", str(port)], {})
    try:
        await answers(port, "/jobs/any")
        bare_create = await load(port, creates(port, "/jobs/create"), CONNECTIONS)
        bare_get = await load(port, repeated(get(port, "/jobs/any")), CONNECTIONS)
    finally:
        bare.kill()
        bare.wait()
    for name, ours, other, budget in (
        ("create", ours_create, bare_create, CREATE_BUDGET),
        ("get", ours_get, bare_get, GET_BUDGET),
    ):
        print(
            f"{name:<7} {ours.rate:8.0f}/s  p99 {ours.p99:6.1f} ms   bare FastAPI {other.rate:8.0f}/s"
            f"   ratio {ours.rate / other.rate:.2f} (at least {budget})"
        )


async def lists() -> None:
    """Print the latency of every list, one request at a time."""
    folder = await filled()
    with closing(sqlite3.connect(folder / "api" / "projection.sqlite")) as rows:
        middle = rows.execute(
            "SELECT sequence, requested_at FROM runs ORDER BY sequence LIMIT 1 OFFSET ?", (JOBS * COPIES // 2,)
        ).fetchone()
        earlier = rows.execute(
            "SELECT requested_at FROM runs ORDER BY sequence LIMIT 1 OFFSET ?", (JOBS * COPIES // 3,)
        ).fetchone()
        run_id = rows.execute("SELECT run_id FROM runs WHERE job_name = ? ORDER BY sequence", (BUSY_JOB,)).fetchone()[0]
    cursor = base64.urlsafe_b64encode(str(middle[0]).encode()).decode()
    worst = 0.0
    async with broker(folder) as (_, url), api(folder, url) as port:
        for path in list_paths(earlier[0], middle[1], cursor, run_id):
            measured = await load(port, repeated(get(port, path)), 1, LIST_REQUESTS)
            worst = max(worst, measured.p99)
            mark = "" if measured.p99 <= LIST_BUDGET_MS else f"   over {LIST_BUDGET_MS:g}"
            print(f"p50 {measured.p50:6.1f}  p99 {measured.p99:6.1f} ms{mark}  {path[:110]}", flush=True)
    print(f"lists   worst p99 {worst:.1f} ms (at most {LIST_BUDGET_MS:g})")


def list_paths(since: str, until: str, cursor: str, run_id: str) -> Iterable[str]:
    """Yield lists with every filter and order that there is; the rare and the impossible ones read the most."""
    job = quote(BUSY_JOB)
    yield from ("/jobs", "/jobs?q=009", "/jobs?q=nowhere", "/jobs?status=paused", "/jobs?status=active&q=9999")
    yield from ("/jobs?limit=1000", "/jobs?limit=1000&q=7")
    for one in (
        "",
        f"job_name={job}",
        "status=failed",
        "status=delivered",
        "trigger=manual",
        "trigger=schedule",
        f"job_name={job}&status=failed",
        f"job_name={job}&trigger=manual",
        "status=failed&trigger=manual",
        f"job_name={job}&status=delivered&trigger=schedule",
    ):
        yield f"/runs?{one}"
        yield f"/runs?{one}&until={until}"
        yield f"/runs?{one}&since={since}&until={until}"
        yield f"/runs?{one}&cursor={cursor}"
        yield f"/runs?{one}&limit=1000"
    yield from (f"/jobs/{job}/runs?cursor={cursor}", f"/jobs/{job}/runs?limit=1000")
    yield from (f"/jobs/{job}/versions", f"/jobs/{job}/versions?limit=1000")
    yield from ("/events", "/events?after=40000", f"/events?job_name={job}", f"/events?run_id={run_id}")
    yield from (
        "/events?type=run-requested",
        "/events?type=result-ready",
        "/events?type=mail-failed",
        f"/events?job_name={job}&type=mail-sent",
    )


async def filled() -> Path:
    """Return the folder of a log and of the read model of a million runs; made once for each schema, in half a minute."""
    folder = Path(tempfile.gettempdir()) / f"nightmail-bench-lists-{SCHEMA_VERSION}"
    if folder.exists():
        return folder
    began = time.perf_counter()
    unfinished = Path(tempfile.mkdtemp(prefix=folder.name))
    async with broker(unfinished) as (client, _):
        await streams.declare(client.jetstream(), timedelta(days=1))
        log = EventLog(client, "bench", timedelta(days=3650))
        jobs = [make_job(number, f"{number % 60} {number // 60 % 24} * * *") for number in range(JOBS)]
        busy = next(job for job in jobs if job.job_name == BUSY_JOB)
        now = datetime.now(UTC)
        events: list[Event] = [created(job) for job in jobs]
        for version in range(2, VERSIONS + 1):
            changed = busy.model_copy(update={"version": version, "retries": version % 5})
            events.append(JobUpdated(job_name=BUSY_JOB, job_id=busy.job_id, actor="bench", job=changed))
        for job in jobs:
            events += a_run(job, uuid4(), now)
        for start_at in range(0, len(events), 500):
            await log.publish_batch([Publication(event) for event in events[start_at : start_at + 500]])
        path = unfinished / "api" / "projection.sqlite"
        projection = Projection(SqliteDatabase(path))
        info = await client.jetstream().stream_info(streams.STREAM)
        this_log, position = str(info.created), 0
        projection.start_over(this_log, info.state.last_seq)
        async for batch in log.replay():
            position = projection.apply(batch, log_id=this_log, after=position).checkpoint
        projection.close()
    multiply(path)
    unfinished.rename(folder)  # noqa: ASYNC240
    print(f"{JOBS} jobs and {JOBS * COPIES} runs in {time.perf_counter() - began:.0f} s, kept in {folder.name}")
    return folder


def multiply(path: Path) -> None:
    """Copy the runs until there are a million; their indexes are made anew, which is sooner done."""
    with closing(sqlite3.connect(path, isolation_level=None)) as rows:
        rows.execute("PRAGMA journal_mode = OFF")
        rows.execute("PRAGMA synchronous = OFF")
        indexes = rows.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'runs' AND sql IS NOT NULL"
        ).fetchall()
        for name, _ in indexes:
            rows.execute(f"DROP INDEX {name}")
        names = [row[1] for row in rows.execute("PRAGMA table_info(runs)")]
        changed = {
            "sequence": "sequence + :offset",
            "run_id": "printf('%08x', :copy) || substr(run_id, 9)",
            "requested_at": "strftime('%Y-%m-%dT%H:%M:%fZ', requested_at, :minutes, (sequence / 1000.0) || ' seconds')",
            "status": "CASE (sequence * 7 + :copy) % 1000 WHEN 0 THEN 'failed' ELSE status END",
            "trigger": "CASE (sequence * 3 + :copy) % 1000 WHEN 0 THEN 'manual' ELSE trigger END",
        }
        copied = ", ".join(changed.get(name, name) for name in names)
        (last,) = rows.execute("SELECT max(sequence) FROM runs").fetchone()
        rows.execute("BEGIN")
        for copy in range(1, COPIES):
            rows.execute(
                f"INSERT INTO runs SELECT {copied} FROM runs WHERE sequence <= :last",  # noqa: S608
                {"offset": copy * 100_000, "copy": copy, "minutes": f"+{copy} minutes", "last": last},
            )
        for _, sql in indexes:
            rows.execute(sql)
        rows.execute("COMMIT")
        count = rows.execute("SELECT count(*) FROM runs").fetchone()[0]
        assert count == JOBS * COPIES, count


async def catch_up() -> None:
    """Print how fast a replica with no file reads and applies a log."""
    with tempfile.TemporaryDirectory() as folder:
        async with broker(Path(folder)) as (client, url):
            await streams.declare(client.jetstream(), timedelta(days=1))
            log = EventLog(client, "bench", timedelta(days=1))
            jobs = [make_job(number) for number in range(100)]
            now = datetime.now(UTC)
            events: list[Event] = [created(job) for job in jobs]
            runs = [a_run(jobs[number % 100], uuid4(), now) for number in range(CATCH_UP_RUNS)]
            for start_at in range(0, CATCH_UP_RUNS, 50):
                # As in life: runs of one moment are at the same step together.
                for step in zip(*runs[start_at : start_at + 50], strict=True):
                    events += step
            for start_at in range(0, len(events), 500):
                await log.publish_batch([Publication(event) for event in events[start_at : start_at + 500]])
            began = time.perf_counter()
            async with api(Path(folder), url, wait_seconds=0.02):
                seconds = time.perf_counter() - began
            began = time.perf_counter()
            async with api(Path(folder), url, wait_seconds=0.02):
                start_seconds = time.perf_counter() - began
            rate = len(events) / (seconds - start_seconds)
            print(
                f"catch-up {len(events)} events in {seconds - start_seconds:.2f} s: {rate:.0f}/s (at least {CATCH_UP_BUDGET})"
            )


def serve_bare(port: int) -> None:
    """Serve the same model, kept in a dict: what FastAPI itself can do here."""
    import uvicorn
    from fastapi import FastAPI

    app = FastAPI()
    kept: dict[str, JobDefinition] = {}
    sample = JobDefinition.model_validate(job_fields("any"))

    @app.post("/jobs/create", status_code=201)
    async def create(definition: JobDefinition) -> JobDefinition:
        kept[definition.job_name] = definition
        return definition

    @app.get("/jobs/{job_name}")
    async def read(job_name: str) -> JobDefinition:
        return kept.get(job_name, sample)

    uvicorn.run(app, port=port, loop="uvloop", http="httptools", log_level="warning", access_log=False)


class Measured:
    """Latencies in milliseconds of requests that took `seconds` together."""

    def __init__(self, latencies: list[float], seconds: float) -> None:
        latencies.sort()
        self.rate = len(latencies) / seconds
        self.p50 = latencies[len(latencies) // 2]
        self.p99 = latencies[int(len(latencies) * 0.99)]


class Caller(asyncio.Protocol):
    """One connection that sends the next request when the answer to the last one is whole."""

    def __init__(self, requests: Callable[[], bytes], count: int | None, until: float) -> None:
        self._requests, self._count, self._until = requests, count, until
        self._buffer = bytearray()
        self._length = -1
        self.latencies: list[float] = []
        self.statuses: Counter[bytes] = Counter()
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._length < 0:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self._buffer[:end].lower()
            length = head[head.index(b"content-length:") + 15 :].partition(b"\r\n")[0]
            self._length = end + 4 + int(length)
        if len(self._buffer) >= self._length:
            now = time.perf_counter()
            self.latencies.append((now - self._began) * 1000)
            self.statuses[bytes(self._buffer[9:12])] += 1
            if now > self._until or len(self.latencies) == self._count:
                self._transport.close()
                self.done.set_result(None)
            else:
                self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the server closed the connection"))

    @property
    def last_bytes(self) -> bytes:
        return bytes(self._buffer[-300:])

    def _send(self) -> None:
        self._buffer, self._length = bytearray(), -1
        self._began = time.perf_counter()
        self._transport.write(self._requests())


async def load(port: int, requests: Callable[[], bytes], connections: int, count: int | None = None) -> Measured:
    """Send requests over connections at once, for some seconds or so many over each.

    Raises:
        SystemExit: an answer was no success.
    """
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    until = began + (SECONDS if count is None else START_DEADLINE_SECONDS)
    callers = [
        (await loop.create_connection(lambda: Caller(requests, count, until), "127.0.0.1", port))[1]
        for _ in range(connections)
    ]
    await asyncio.gather(*(caller.done for caller in callers))
    seconds = time.perf_counter() - began
    statuses = sum((caller.statuses for caller in callers), Counter[bytes]())
    if any(not status.startswith(b"2") for status in statuses):
        raise SystemExit(f"error: answers were {dict(statuses)}: {callers[0].last_bytes!r}")
    return Measured([latency for caller in callers for latency in caller.latencies], seconds)


def get(port: int, path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()


def repeated(request: bytes) -> Callable[[], bytes]:
    return lambda: request


def creates(port: int, path: str) -> Callable[[], bytes]:
    """Return what makes requests, each for a job of another name."""
    number = 0

    def request() -> bytes:
        nonlocal number
        number += 1
        body = json.dumps(job_fields(f"job {number:06}"))
        head = f"Host: 127.0.0.1:{port}\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json"
        return f"POST {path} HTTP/1.1\r\n{head}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()

    return request


def job_fields(name: str, schedule_time: str = "0 9 * * 1-5") -> dict[str, Any]:
    return {
        "job_name": name,
        "schedule_time": schedule_time,
        "timezone": "Europe/Paris",
        "data_source": {"source_type": "api", "location": "https://example.com/sales.csv", "file_type": "csv"},
        "processing_script": "return data.groupby('region', as_index=False).amount.sum()",
        "consumer_emails": ["reports@example.com"],
    }


def make_job(number: int, schedule_time: str = "0 9 * * 1-5") -> Job:
    now = datetime.now(UTC)
    fields = JobDefinition.model_validate(job_fields(f"job {number:06}", schedule_time)).fields()
    return Job(**fields, job_id=uuid4(), version=1, created_at=now, updated_at=now)


def created(job: Job) -> JobCreated:
    return JobCreated(job_name=job.job_name, job_id=job.job_id, actor="bench", job=job)


def a_run(job: Job, run_id: UUID, now: datetime) -> list[Event]:
    """Return the four events of a run that went well."""
    name = job.job_name
    identity: dict[str, Any] = {"job_name": name, "run_id": run_id, "job": job, "trigger": "schedule"}
    recipient = RecipientOutcome(address=job.consumer_emails[0], outcome="accepted", answer="250 OK")
    return [
        RunRequested(**identity, scheduled_at=now),
        RunStarted(job_name=name, run_id=run_id, runner="bench", attempt=1),
        ResultReady(
            **identity,
            scheduled_at=now,
            rows=2,
            columns=("region", "amount"),
            csv=Blob(size=22, sha256="0" * 64, data=b"cmVnaW9uLGFtb3VudApBLDEK"),
            log="",
            timings=Timings(fetch_ms=5, parse_ms=1, script_ms=3, output_ms=1, total_ms=12),
            input_sha256="0" * 64,
            script_sha256="0" * 64,
            runtime=Runtime(python="3", pandas="3"),
        ),
        MailSent(job_name=name, run_id=run_id, kind="result", message_id=f"<{run_id}@bench>", recipients=(recipient,)),
    ]


@asynccontextmanager
async def broker(folder: Path) -> AsyncIterator[tuple[Client, str]]:
    """Run a nats-server that syncs every message, on the load's core."""
    port = free_port()
    config = folder / "nats.conf"
    config.write_text(
        f'host: 127.0.0.1\nport: {port}\njetstream {{ store_dir: "{folder}/store", sync_interval: always }}\n'
    )
    server = subprocess.Popen(  # noqa: ASYNC220
        [Path(sys.executable).parent / "nats-server", "-c", config], stderr=subprocess.DEVNULL
    )
    pin(server.pid, 1)
    url = f"nats://127.0.0.1:{port}"
    try:
        await listens(port)
        client = await nats.connect(url)
        yield client, url
        await client.close()
    finally:
        server.kill()
        server.wait()


@asynccontextmanager
async def api(folder: Path, nats_url: str, wait_seconds: float = 0.1) -> AsyncIterator[int]:
    """Run one API process on the first core; it is ready."""
    port = free_port()
    settings = {"DATA_DIR": str(folder), "NATS_URL": nats_url, "PORT": str(port), "ADMIN_TOKEN": TOKEN}
    environment = {f"NIGHTMAIL_{name}": value for name, value in settings.items()} | {"NIGHTMAIL_LOG_LEVEL": "warning"}
    server = start(["-m", "nightmail_api"], environment)
    try:
        await answers(port, "/health/ready", wait_seconds)
        yield port
    finally:
        server.terminate()
        server.wait()


def start(arguments: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    server = subprocess.Popen([sys.executable, *arguments], env=os.environ | environment)
    pin(server.pid, 0)
    pin(0, 1)
    return server


def pin(pid: int, core: int) -> None:
    cores = sorted(os.sched_getaffinity(os.getppid()))
    os.sched_setaffinity(pid, {cores[core % len(cores)]})


async def listens(port: int) -> None:
    deadline = time.perf_counter() + START_DEADLINE_SECONDS
    while time.perf_counter() < deadline:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.02)
        else:
            writer.close()
            return
    raise SystemExit(f"error: nothing listens on port {port}")


async def answers(port: int, path: str, wait_seconds: float = 0.1) -> None:
    """Wait until a path is answered with 200."""
    await listens(port)
    deadline = time.perf_counter() + START_DEADLINE_SECONDS
    while time.perf_counter() < deadline:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(get(port, path))
        status = (await reader.readline()).split()
        writer.close()
        if status[1:2] == [b"200"]:
            return
        await asyncio.sleep(wait_seconds)
    raise SystemExit(f"error: {path} did not answer 200")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


if __name__ == "__main__":
    main()
