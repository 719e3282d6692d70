"""Replicas that share one PostgreSQL: their locks, an outage of the server, and its differences from SQLite."""

import asyncio
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from uuid import uuid4

import psycopg
import pytest
import structlog
from structlog.testing import capture_logs

from api.conftest import MakeReplica, NewDatabase, Replica, all_rows, job_path
from api.test_runs_over_rest import requested, run_with_status
from nightmail_api.read_model.schema import SCHEMA_VERSION
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.errors import CannotStart
from nightmail_common.contract.events import JobCreated, RunStarted
from nightmail_common.contract.job import Job
from support.deadlines import eventually, scaled
from support.histories import random_history, write
from support.job_requests import job_request
from support.postgres_server import PostgresServer

pytestmark = pytest.mark.parametrize("new_database", ["postgresql"], indirect=True)


@pytest.fixture
def server(postgres: PostgresServer) -> Iterator[PostgresServer]:
    """The session's PostgreSQL; it runs again after each test."""
    yield postgres
    if not postgres.is_running:
        postgres.start()


def schemas(api: Replica) -> set[str]:
    with connected(api) as connection:
        found = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'nightmail%'").fetchall()
    return {name for (name,) in found}


def connected(api: Replica) -> "psycopg.Connection[tuple[str]]":
    assert api.settings.database_url is not None
    return psycopg.connect(api.settings.database_url.get_secret_value(), autocommit=True)


async def answers(api: Replica, path: str, text: str) -> None:
    """Wait until the response to a path contains a text."""

    async def look() -> bool:
        return text in (await api.http.get(path)).text

    await eventually(look, f"{path} answers {text}")


async def test_replicas_that_apply_the_same_events_at_once_have_the_rows_of_a_single_one(
    make_replica: MakeReplica, event_log: EventLog, new_database: NewDatabase
) -> None:
    history = random_history(random.Random(5))
    await write(event_log, history, 500)
    replicas = [await make_replica(start=False) for _ in range(3)]
    await asyncio.gather(write(event_log, history, 500), *(replica.start() for replica in replicas))
    name = (await replicas[0].create(job_name="new"))["job_name"]

    for replica in replicas:
        await answers(replica, job_path(name), '"job_name":"new"')
        await replica.stop()
    alone = await make_replica(database_url=new_database())
    await alone.stop()
    assert all_rows(replicas[0].settings) == all_rows(alone.settings)


async def test_a_replica_starts_with_the_rows_of_the_others(
    make_replica: MakeReplica, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await make_replica()
    await first.create()
    await first.stop()

    def refuse(*_: object) -> None:
        raise AssertionError("read the log from its beginning")

    second = await make_replica(start=False)
    monkeypatch.setattr("nightmail_api.read_model.projection.read_event", refuse)
    await second.start()
    assert (await second.http.get("/jobs/daily sales")).status_code == 200


async def test_a_query_that_waits_for_the_database_blocks_no_other_request(api: Replica) -> None:
    await api.create()
    with connected(api) as connection, connection.transaction():
        connection.execute(f"LOCK TABLE nightmail_read_model_{SCHEMA_VERSION}.runs")
        waiting = asyncio.create_task(api.http.get("/runs"))
        for _ in range(20):
            assert (await api.http.get("/health/live")).status_code == 200
            assert (await api.http.get("/events")).status_code == 200
        assert not waiting.done()
    assert (await waiting).status_code == 200


async def test_calls_get_503_while_the_database_is_down_and_work_again_afterwards(
    api: Replica, event_log: EventLog, server: PostgresServer
) -> None:
    run_id, job = await requested(api, event_log)
    structlog.reset_defaults()
    with capture_logs() as lines:
        server.kill()
        for path in ("/jobs", "/jobs/daily sales", f"/runs/{run_id}", *["/jobs"] * 10):
            answer = await api.http.get(path)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
            assert answer.json()["detail"] == "the database does not answer"
        await event_log.publish(RunStarted(job_name=job.job_name, run_id=run_id, runner="r", attempt=1))

        await answers(api, "/health/ready", "the database does not answer")
        assert (await api.http.get("/health/live")).status_code == 200
        [found] = [one for one in (await api.http.get("/system")).json()["checks"] if one["name"] == "read model"]
        assert found["state"] == "problem"
        assert found["detail"].startswith("the database does not answer: ")
        server.start()
        await run_with_status(api, run_id, "running")
    texts = [line["error"] for line in lines if line["event"] == "database_not_reachable"]
    # One line for each text of the requests, and one of the read model for the change of its state.
    assert len(set(texts)) <= len(texts) <= len(set(texts)) + 1, texts
    changed = await api.http.put("/jobs/daily sales", json=job_request(description="after"))
    assert changed.json()["description"] == "after"


@pytest.mark.parametrize("dropped", ["SCHEMA {schema}", "TABLE {schema}.runs", "TABLE {schema}.checkpoint"])
async def test_tables_that_somebody_dropped_end_the_api_and_are_built_again_at_its_start(
    api: Replica, dropped: str
) -> None:
    await api.create()
    await api.create(job_name="second")
    schema = f"nightmail_read_model_{SCHEMA_VERSION}"
    with connected(api) as connection:
        connection.execute(f"DROP {dropped.format(schema=schema)} CASCADE")
    with pytest.raises(CannotStart, match="the next start builds them again"):
        await api.ended()
    await api.start()
    assert len((await api.http.get("/jobs")).json()["items"]) == 2


async def test_a_database_that_takes_no_writes_is_reported_until_it_does(api: Replica) -> None:
    """As after a failover: the server that the replica is connected to is the standby now."""
    await api.create()
    with connected(api) as connection:
        [(name,)] = connection.execute("SELECT current_database()").fetchall()
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        await answers(api, "/health/ready", "the database does not answer")
        await answers(api, "/system", "cannot execute")
        connection.execute("SET default_transaction_read_only = off")
        connection.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
        await answers(api, "/health/ready", '"ready"')
    await api.create(job_name="second")


async def test_all_replicas_start_over_with_another_log_once(
    make_replica: MakeReplica, event_log: EventLog, make_job: Callable[..., Job]
) -> None:
    replicas = [await make_replica(), await make_replica()]
    await replicas[0].create(job_name="old")
    await event_log._js.delete_stream("EVENTS")
    await replicas[0].stop()
    await replicas[0].start()

    for replica in replicas:
        await answers(replica, "/jobs", '"items":[]')
    # The replica that kept running may not have polled yet, and skips the first events of the new log until it does.
    job = make_job(job_name="new")
    await event_log.publish(JobCreated(job_name="new", job_id=job.job_id, actor="maria", job=job))
    for replica in replicas:
        await answers(replica, "/jobs", '"job_name":"new"')
    changed = await replicas[1].http.put("/jobs/new", json=job_request(job_name="new", description="changed"))
    assert changed.json()["description"] == "changed"


async def test_tables_of_an_older_version_are_dropped_after_the_catch_up(make_replica: MakeReplica) -> None:
    api = await make_replica()
    await api.create()
    await api.stop()
    rows, current = all_rows(api.settings), f"nightmail_read_model_{SCHEMA_VERSION}"
    with connected(api) as connection:
        connection.execute(f"ALTER SCHEMA {current} RENAME TO nightmail_read_model_1")
        connection.execute("CREATE SCHEMA nightmail_read_model_999")
    await api.start()
    await eventually(lambda: schemas(api) == {current, "nightmail_read_model_999"}, "the older tables are dropped")
    await api.stop()
    assert all_rows(api.settings) == rows


async def test_erasure_leaves_no_row(api: Replica, event_log: EventLog) -> None:
    await requested(api, event_log, job_name="personal", consumer_emails=["forget-me@example.com"])
    assert (await api.http.delete("/jobs/personal?erase=true")).status_code == 204
    rows = all_rows(api.settings)
    assert "forget-me" not in str(rows)
    assert (rows["runs"], rows["versions"]) == ([], [])


async def test_a_search_with_nul_which_postgresql_refuses_finds_nothing(api: Replica) -> None:
    await api.create()
    assert (await api.http.get("/jobs/a%00b")).status_code == 404
    assert (await api.http.get("/jobs?q=%00")).json()["items"] == []


async def test_names_sort_by_their_bytes_whatever_the_collation_of_the_server(api: Replica) -> None:
    names = ["Zebra", "apple", "a b", "a-b", "Äpfel", "ab"]
    for name in names:
        await api.create(job_name=name)
    listed: list[str] = []
    cursor = ""
    while cursor is not None:
        page = (await api.http.get(f"/jobs?limit=2{cursor and f'&cursor={cursor}'}")).json()
        listed += [job["job_name"] for job in page["items"]]
        cursor = page["next_cursor"]
    assert listed == sorted(names)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("mysql://localhost/nightmail", "begins with postgresql://"),
        ("postgresql://maria:secret@127.0.0.1:1/x", "refused"),
        ("postgresql://127.0.0.1/x?no_such_option=1", "no_such_option"),
        ("a user without permission", "permission denied"),
    ],
)
def test_an_unusable_database_stops_the_start_with_one_line_that_names_the_setting(
    url: str, why: str, new_database: NewDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    if url == "a user without permission":
        existing = new_database()
        assert existing is not None
        user = f"user_{uuid4().hex}"
        with psycopg.connect(existing, autocommit=True) as connection:
            connection.execute(f"CREATE USER {user}")
        url = existing.replace("nightmail@", f"{user}@")
    monkeypatch.setenv("NIGHTMAIL_DATABASE_URL", url)
    ended = subprocess.run(
        [sys.executable, "-m", "nightmail_api"], capture_output=True, text=True, timeout=scaled(30), check=False
    )
    assert ended.returncode == 1
    [line] = [line for line in ended.stderr.splitlines() if line.startswith("error: ")]
    assert line.startswith("error: setting NIGHTMAIL_DATABASE_URL: ")
    assert why in line
    assert "secret" not in ended.stderr
