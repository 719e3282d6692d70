"""The latency of every list of the API over a million runs, one request at a time.

The runs and their mails are 10,000 that the projection made from events, copied row by row over 33 days; log and rows are
kept in the temporary folder for the next run. The API is pinned to the first core. `cpu` is its processor time for one
request, which other processes on the machine do not change.
"""

import base64
import os
import sqlite3
import tempfile
import time
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import nats

from api_parts.http_load import get, load, repeated
from api_parts.process import api
from nightmail_api.read_model.projection import Projection
from nightmail_api.read_model.schema import SCHEMA_VERSION
from nightmail_api.read_model.sqlite import SqliteDatabase
from nightmail_common.broker import streams
from nightmail_common.broker.log import EventLog, Publication
from nightmail_common.contract.events import Event, JobUpdated
from shared.jobs import a_run, created, make_job
from shared.nats_server import nats_server

JOBS = 10_000
COPIES = 100
#: Between two copies of a run.
HOURS_APART = 8
#: The job of the lists by job, and the number of its versions.
BUSY_JOB = "job 000042"
VERSIONS = 1_001
LIST_REQUESTS = 500
LIST_BUDGET_MS = 20.0


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
    with nats_server(folder) as (url, _):
        async with api(folder, url) as port:
            for path in list_paths(earlier[0], middle[1], cursor, run_id):
                began = cpu_seconds()
                measured = await load(port, repeated(get(port, path)), 1, LIST_REQUESTS)
                cpu = (cpu_seconds() - began) / LIST_REQUESTS * 1000
                worst = max(worst, measured.p99)
                mark = "" if measured.p99 <= LIST_BUDGET_MS else f"   over {LIST_BUDGET_MS:g}"
                print(
                    f"p50 {measured.p50:6.1f}  p99 {measured.p99:6.1f}  cpu {cpu:6.1f} ms{mark}  {path[:110]}",
                    flush=True,
                )
    print(f"lists   worst p99 {worst:.1f} ms (at most {LIST_BUDGET_MS:g})")


def cpu_seconds() -> float:
    """Return the processor time of the API so far."""
    children = (one for task in Path("/proc/self/task").glob("*/children") for one in task.read_text().split())
    (pid,) = filter(is_api, children)
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def is_api(pid: str) -> bool:
    return b"nightmail_api" in Path(f"/proc/{pid}/cmdline").read_bytes()


def list_paths(since: str, until: str, cursor: str, run_id: str) -> Iterable[str]:
    """Yield lists with every filter and order; those with few or no matches read the most."""
    job = quote(BUSY_JOB)
    yield from ("/jobs", "/jobs?q=009", "/jobs?q=nowhere", "/jobs?status=paused", "/jobs?status=active&q=9999")
    yield from ("/jobs?limit=1000", "/jobs?limit=1000&q=7")
    yield from ("/jobs?view=summary", "/jobs?view=summary&sort=next_run", "/jobs?view=summary&sort=last_run")
    yield from ("/jobs?view=summary&failing=true", "/jobs?sort=last_run&q=nowhere")
    yield "/jobs?view=summary&failing=true&sort=next_run"
    today = datetime.now(UTC).date()
    month, week = today - timedelta(days=31), today - timedelta(days=7)
    tomorrow, later = today + timedelta(days=1), today + timedelta(days=31)
    for one in ("", f"job_name={job}&"):
        yield f"/slots?{one}from={tomorrow}T00:00:00Z&until={tomorrow + timedelta(days=1)}T00:00:00Z"
        yield f"/slots?{one}from={month}T00:00:00Z&until={today}T00:00:00Z"
        yield f"/slots?{one}from={today}T00:00:00Z&until={later}T00:00:00Z"
    for one in ("", f"job_name={job}&", "job_name=nowhere&"):
        yield f"/stats/days?{one}from={month}&until={today}"
        yield f"/slots?{one}from={today}T00:00:00Z&until={today + timedelta(days=1)}T00:00:00Z"
        yield f"/slots?{one}from={today}T08:00:00Z&until={today}T10:00:00Z"
        yield f"/slots?{one}from={week}T08:00:00Z&until={week}T10:00:00Z"
    for one in ("", f"job_name={job}&", "outcome=accepted&", "outcome=waiting&", "outcome=refused&"):
        yield f"/mails?{one}limit=100"
        yield f"/mails?{one}since={week}T00:00:00Z&recipient=nobody@example.com"
    yield "/mails?recipient=reports@example.com"
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
    yield from ("/events?before=50000", f"/events?before=50000&job_name={job}", "/events?before=50000&actor=bench")
    yield from ("/events", "/events?after=40000", f"/events?job_name={job}", f"/events?run_id={run_id}")
    yield from (
        "/events?type=run-requested",
        "/events?type=result-ready",
        "/events?type=mail-failed",
        f"/events?job_name={job}&type=mail-sent",
    )


async def filled() -> Path:
    """Return the folder of a log and a read model of a million runs; it is created once for each schema, in some minutes."""
    folder = Path(tempfile.gettempdir()) / f"nightmail-bench-lists-{SCHEMA_VERSION}"
    if folder.exists():
        return folder
    began = time.perf_counter()
    unfinished = Path(tempfile.mkdtemp(prefix=folder.name))
    with nats_server(unfinished) as (url, _):
        client = await nats.connect(url)
        await streams.ensure_streams(client.jetstream(), timedelta(days=1))
        log = EventLog(client, "bench", timedelta(days=3650))
        events = list(all_events())
        for start_at in range(0, len(events), 500):
            await log.publish_batch([Publication(event) for event in events[start_at : start_at + 500]])
        path = unfinished / "api" / "projection.sqlite"
        projection = Projection(SqliteDatabase(path))
        info = await client.jetstream().stream_info(streams.STREAM)
        this_log, position = str(info.created), 0
        projection.start_over(this_log, info.state.last_seq)
        async for batch in log.replay():
            position = projection.apply(batch, log_id=this_log, after=position).checkpoint
        projection.database.close()
        await client.close()
    multiply(path)
    unfinished.rename(folder)  # noqa: ASYNC240
    print(f"{JOBS} jobs and {JOBS * COPIES} runs in {time.perf_counter() - began:.0f} s, kept in {folder.name}")
    return folder


def all_events() -> Iterable[Event]:
    """Yield jobs, the changes of the busy one, and a run of each."""
    jobs = [
        make_job(f"job {number:06}", schedule_time=f"{number % 60} {number // 60 % 24} * * *") for number in range(JOBS)
    ]
    yield from map(created, jobs)
    busy = next(job for job in jobs if job.job_name == BUSY_JOB)
    for version in range(2, VERSIONS + 1):
        changed = busy.model_copy(update={"version": version, "retries": version % 5})
        yield JobUpdated(job_name=BUSY_JOB, job_id=busy.job_id, actor="bench", job=changed)
    now = datetime.now(UTC) - timedelta(hours=COPIES * HOURS_APART)
    for job in jobs:
        yield from a_run(job, uuid4(), now)


def multiply(path: Path) -> None:
    """Copy the runs and mails until there are a million, and rebuild their indexes at the end, which takes less time."""

    def later(column: str) -> str:
        return f"strftime('%Y-%m-%dT%H:%M:%fZ', {column}, :hours)"

    def other_id(column: str) -> str:
        return f"replace({column}, substr({column}, 1, 8), printf('%08x', :copy))"

    of_runs = {
        "sequence": "sequence + :offset",
        "run_id": other_id("run_id"),
        "scheduled_at": later("scheduled_at"),
        "slot": f"replace(replace(slot, run_id, {other_id('run_id')}), scheduled_at, {later('scheduled_at')})",
        "requested_at": later("requested_at"),
        "status": "CASE (sequence * 7 + :copy) % 1000 WHEN 0 THEN 'failed' ELSE status END",
        "trigger": "CASE (sequence * 3 + :copy) % 1000 WHEN 0 THEN 'manual' ELSE trigger END",
    }
    of_mails = {
        "place": "place + :offset",
        "run_id": other_id("run_id"),
        "message_id": "printf('%08x', :copy) || message_id",
        "time": later("time"),
        "outcome": "CASE (place * 7 + :copy) % 1000 WHEN 0 THEN 'refused' ELSE outcome END",
    }
    with closing(sqlite3.connect(path, isolation_level=None)) as rows:
        rows.execute("PRAGMA journal_mode = OFF")
        rows.execute("PRAGMA synchronous = OFF")
        for table, changed in (("runs", of_runs), ("mails", of_mails)):
            multiply_table(rows, table, changed)


def multiply_table(rows: sqlite3.Connection, table: str, changed: dict[str, str]) -> None:
    indexes = rows.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL", (table,)
    ).fetchall()
    for name, _ in indexes:
        rows.execute(f"DROP INDEX {name}")
    names = [row[1] for row in rows.execute(f"PRAGMA table_info({table})")]
    copied = ", ".join(changed.get(name, name) for name in names)
    (last,) = rows.execute(f"SELECT max({names[0]}) FROM {table}").fetchone()  # noqa: S608
    rows.execute("BEGIN")
    for copy in range(1, COPIES):
        rows.execute(
            f"INSERT INTO {table} SELECT {copied} FROM {table} WHERE {names[0]} <= :last",  # noqa: S608
            {"offset": copy * last, "copy": copy, "hours": f"+{copy * HOURS_APART} hours", "last": last},
        )
    for _, sql in indexes:
        rows.execute(sql)
    rows.execute("COMMIT")
    count = rows.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
    assert count == JOBS * COPIES, count
