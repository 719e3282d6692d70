"""The lists over all jobs and runs read indexes alone: the database says so, whatever the machine's speed."""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import event

from nightmail_api.read_model.job_lists import _LAST_RUNS, JobSort, list_jobs
from nightmail_api.read_model.postgres import PostgresDatabase
from nightmail_api.read_model.queries import Queries
from nightmail_api.read_model.slots import due_time_slots
from nightmail_api.read_model.sqlite import SqliteDatabase
from support.postgres_server import PostgresServer

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


@pytest.fixture
def database(tmp_path: Path) -> SqliteDatabase:
    database = SqliteDatabase(tmp_path / "projection.sqlite")
    database.create_missing_tables()
    return database


def plans(database: SqliteDatabase, work: Callable[[Queries], object]) -> list[str]:
    """Return the steps of SQLite's plans for every statement that a query executes."""
    with closing(database.read_engine.connect()) as connection:
        driver: Any = connection.connection.driver_connection
        statements: list[str] = []
        driver.set_trace_callback(statements.append)
        work(Queries(connection))
        driver.set_trace_callback(None)
        return [row[3] for one in statements for row in driver.execute(f"EXPLAIN QUERY PLAN {one}")]


@pytest.mark.parametrize("sort", ["next_run", "last_run"])
@pytest.mark.parametrize("filters", [{}, {"query": "009"}, {"failing": True}, {"status": "paused"}])
def test_an_order_of_jobs_is_read_from_an_index(
    database: SqliteDatabase, sort: JobSort, filters: dict[str, Any]
) -> None:
    steps = plans(database, lambda queries: list_jobs(queries, sort=sort, summary=True, limit=100, now=NOW, **filters))
    index = {"next_run": "jobs_by_timetable", "last_run": "jobs_by_last_run"}[sort]
    assert [step for step in steps if step.startswith(("SCAN jobs", "SCAN runs"))] == [
        f"SCAN jobs USING COVERING INDEX {index}"
    ], steps
    assert not [step for step in steps if "TEMP B-TREE" in step], steps


def test_a_summary_reads_the_last_runs_from_an_index(database: SqliteDatabase) -> None:
    steps = plans(database, lambda queries: queries.tuples_of(_LAST_RUNS, job_name="daily"))
    assert steps == ["SEARCH runs USING COVERING INDEX runs_by_job (job_name=?)"]


def test_the_due_times_of_a_day_are_read_from_indexes(database: SqliteDatabase) -> None:
    steps = plans(database, lambda queries: due_time_slots(queries, NOW, NOW + DAY, None, NOW))
    due = "COVERING INDEX runs_by_due_time"
    expected = ["INDEX runs_after_missed", due, due, "COVERING INDEX jobs_by_timetable"]
    assert [name for step, name in zip(steps, expected, strict=True) if name in step] == expected, steps


def test_the_due_times_of_one_job_are_read_without_its_other_runs(database: SqliteDatabase) -> None:
    steps = plans(database, lambda queries: due_time_slots(queries, NOW, NOW + DAY, "daily", NOW))
    due = "INDEX runs_of_job_by_due_time"
    expected = ["INDEX runs_after_missed", due, due, "INDEX sqlite_autoindex_jobs_1"]
    assert [name for step, name in zip(steps, expected, strict=True) if name in step] == expected, steps


MAILS: dict[str, Any] = dict.fromkeys(("recipient", "outcome", "job_name", "message_id", "since", "cursor"))
GIVEN = {"recipient": "ann@example.com", "job_name": "daily", "outcome": "refused"}


@pytest.mark.parametrize("since", [None, "2026-11-19T00:00:00.000Z"])
@pytest.mark.parametrize(
    ("filters", "index"),
    [
        (("recipient",), "INDEX mails_of_recipient (<expr>=? AND outcome=?"),
        (("recipient", "outcome"), "INDEX mails_of_recipient (<expr>=? AND outcome=?"),
        (("job_name",), "INDEX mails_of_job (job_name=? AND outcome=?"),
        (("job_name", "outcome"), "INDEX mails_of_job (job_name=? AND outcome=?"),
        (("outcome",), "INDEX mails_by_outcome (outcome=?"),
        (("recipient", "job_name"), "INDEX mails_of_job_to_recipient (job_name=? AND <expr>=? AND outcome=?"),
        (
            ("recipient", "job_name", "outcome"),
            "INDEX mails_of_job_to_recipient (job_name=? AND <expr>=? AND outcome=?",
        ),
        (("message_id",), "INDEX mails_by_message (message_id=?"),
        (("message_id", "recipient", "job_name", "outcome"), "INDEX mails_by_message (message_id=?"),
    ],
)
def test_mails_with_any_filters_are_read_from_an_index_of_just_these(
    database: SqliteDatabase, filters: tuple[str, ...], index: str, since: str | None
) -> None:
    # One that serves a part of the filters only reads a million mails to find none.
    given = GIVEN | {"message_id": "<1@nightmail>"}
    asked = MAILS | {name: given[name] for name in filters} | {"since": since, "limit": 100}
    steps = plans(database, lambda queries: queries.mails(**asked))
    assert len([step for step in steps if "INDEX runs_by_time (requested_at<?)" in step]) == (since is not None), steps
    by_place = "SEARCH mails USING INTEGER PRIMARY KEY (rowid=?)"
    found = [step for step in steps if step.startswith("SEARCH mails") and step != by_place]
    assert found, steps
    assert all(index in step for step in found), steps
    assert not [step for step in steps if step.startswith(("SCAN mails", "SCAN runs"))], steps
    # What is sorted is the page of each outcome.
    assert steps.count("USE TEMP B-TREE FOR ORDER BY") <= len([step for step in steps if step.startswith("SCAN anon")])


RUNS: dict[str, Any] = dict.fromkeys(("job_name", "status", "trigger", "since", "until", "cursor")) | {"limit": 100}
MERGED: list[Callable[[Queries], object]] = [
    lambda queries: queries.runs(**RUNS | {"status": "delivered"}),
    lambda queries: queries.runs(**RUNS | {"status": "delivered", "job_name": "daily"}),
    lambda queries: queries.mails(**MAILS | {"recipient": "ann@example.com", "limit": 100}),
]


@pytest.mark.parametrize("work", MERGED, ids=["runs", "runs of a job", "mails"])
def test_postgresql_reads_a_page_of_each_part_of_a_list(
    postgres: PostgresServer, work: Callable[[Queries], object]
) -> None:
    # Parts without an order and a limit of their own are read whole and sorted: a million rows for a page.
    database = PostgresDatabase(SecretStr(postgres.new_database()))
    statements: list[tuple[str, Any]] = []
    try:
        database.create_missing_tables()
        with closing(database.read_engine.connect()) as connection:
            event.listen(database.engine, "before_cursor_execute", lambda *args: statements.append(args[2:4]))
            work(Queries(connection))
            # An empty table would be read whole.
            for way in ("seqscan", "bitmapscan", "sort"):
                connection.exec_driver_sql(f"SET enable_{way} = off")
            [(statement, parameters)] = [one for one in statements if "UNION ALL" in one[0]]
            steps = [row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)]
    finally:
        database.close()
    parts = statement.count("UNION ALL") + 1
    assert len([step for step in steps if "Limit" in step]) >= parts, steps
    assert not [step for step in steps if "Seq Scan" in step], steps
