"""Lists of jobs: in full or as summaries, by name, by next run or by last run."""

import statistics
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import select

from nightmail_api.http.serialization import job_json, next_run_of, summary_json
from nightmail_api.read_model.queries import JOBS, JobStatus, Page, Queries, cursor_of, read_cursor
from nightmail_api.read_model.schema import jobs, runs

JobSort = Literal["name", "next_run", "last_run"]

#: Of a summary: the fates that it has, and the delivered runs among which a row count is usual.
FATES = 12
USUAL_OF = 20
#: A summary reads the last runs of each of its jobs, some 100 µs.
MAX_SUMMARIES = 100
FAILING = ("failed", "undelivered")
#: Behind every time, for jobs that have none. A job's name holds no control character.
_NEVER = "~"
_SEPARATOR = "\n"


class _Place(NamedTuple):
    """Where a job stands in a list: a time as text (ISO 8601 in UTC), then its name."""

    time: str
    name: str


def list_jobs(
    queries: Queries,
    *,
    query: str | None,
    status: JobStatus | None,
    sort: JobSort,
    failing: bool,
    summary: bool,
    limit: int,
    cursor: str | None,
    now: datetime,
) -> Page:
    """Return a page of jobs. By next run: the soonest first. By last run: the latest first. Jobs without one are last.

    Args:
        query: a part of the name.
        failing: only jobs whose last run failed, or whose mail was not delivered.
        summary: without the script, and with the last fates and the usual number of rows.

    Raises:
        ValidationProblem: the cursor is not a cursor of this list.
    """
    limit = min(limit, MAX_SUMMARIES) if summary else limit
    before = _before(sort)
    places = _places(queries, query, status, sort, failing=failing, now=now)
    if cursor is not None:
        last = _Place(*_read(cursor))
        places = [place for place in places if before(last, place)]
    shown = places[:limit]
    rows = {row["job_name"]: row for row in queries.all_rows(JOBS.where(jobs.c.job_name.in_([p.name for p in shown])))}
    items = [
        _summary(queries, rows[place.name], now) if summary else job_json(rows[place.name], now)
        for place in shown
        if place.name in rows
    ]
    return Page(items, cursor_of(_SEPARATOR.join(shown[-1])) if len(places) > limit else None)


def _places(
    queries: Queries, query: str | None, status: JobStatus | None, sort: JobSort, *, failing: bool, now: datetime
) -> list[_Place]:
    statement = select(jobs.c.job_name, jobs.c.status, jobs.c.timetable, runs.c.requested_at).select_from(
        jobs.outerjoin(runs, runs.c.run_id == jobs.c.last_run_id)
    )
    statement = statement.where(jobs.c.job_name.in_(queries.names_of(query, status)))
    if failing:
        statement = statement.where(runs.c.status.in_(FAILING))
    rows = queries.all_rows(statement.order_by(jobs.c.job_name))
    if sort == "name":
        return [_Place("", row["job_name"]) for row in rows]
    if sort == "last_run":
        places = [_Place(row["requested_at"] or "", row["job_name"]) for row in rows]
        return sorted(places, key=lambda place: place.time, reverse=True)  # stable: equal ones stay by name
    return sorted(_Place(_next(row, now), row["job_name"]) for row in rows)


def _next(row: dict[str, Any], now: datetime) -> str:
    due = next_run_of(row, now)
    return _NEVER if due is None else due.astimezone(UTC).isoformat()


def _before(sort: JobSort) -> Callable[[_Place, _Place], bool]:
    """Return whether one place comes before another in a list."""
    if sort == "last_run":
        return lambda one, other: one.time > other.time or (one.time == other.time and one.name < other.name)
    return lambda one, other: one < other


def _read(cursor: str) -> tuple[str, str]:
    time, _, name = str(read_cursor(cursor, str)).rpartition(_SEPARATOR)
    return time, name


def _summary(queries: Queries, row: dict[str, Any], now: datetime) -> str:
    statement = (
        select(runs.c.run_id, runs.c.status, runs.c.scheduled_at, runs.c.rows)
        .where(runs.c.job_name == row["job_name"])
        .order_by(runs.c.sequence.desc())
        .limit(USUAL_OF)
    )
    last = queries.all_rows(statement)
    delivered = [run["rows"] for run in last if run["status"] == "delivered" and run["rows"] is not None]
    usual = statistics.median_low(delivered) if delivered else None
    return summary_json(row, now, last[:FATES], usual, failing=row["run_status"] in FAILING)
