"""Lists of jobs: in full or as summaries, by name, by next run or by last run."""

import heapq
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import Any, Literal, NamedTuple

from sqlalchemy import ColumnElement, Select, bindparam, func, or_, select

from nightmail_api.http.serialization import job_json, next_run_in_order, summary_json
from nightmail_api.read_model.fixed_query import FixedQuery
from nightmail_api.read_model.pages import Page, read_cursor
from nightmail_api.read_model.queries import FETCHED_ROWS, JOBS, JobStatus, Queries, Row
from nightmail_api.read_model.schema import jobs, runs

JobSort = Literal["name", "next_run", "last_run"]

#: The last runs in a job's summary, and the last runs of which `usual_rows` is the median.
FATES = 12
USUAL_OF = 20
#: A summary reads the last runs of each of its jobs, some 100 µs.
MAX_SUMMARIES = 100
FAILING = ("failed", "undelivered")
#: Behind every time, for jobs that have none. A job's name holds no control character.
_NEVER = "~"
_SEPARATOR = "\n"

#: Selects columns of the jobs that a list has.
Chosen = Callable[..., Select[Any]]

_LAST_RUNS = FixedQuery(
    select(runs.c.run_id, runs.c.status, runs.c.scheduled_at, runs.c.rows)
    .where(runs.c.job_name == bindparam("job_name"))
    .order_by(runs.c.sequence.desc())
    .limit(USUAL_OF)
)


class _Place(NamedTuple):
    """Where a job stands in a list: a time as text (ISO 8601 in UTC), then its name."""

    time: str
    name: str


_Placed = tuple[_Place, Row]


def list_jobs(
    queries: Queries,
    *,
    query: str | None = None,
    status: JobStatus | None = None,
    sort: JobSort = "name",
    failing: bool = False,
    summary: bool = False,
    limit: int,
    cursor: str | None = None,
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
    last = None if cursor is None else _Place(*_read(cursor, sort))
    chosen = partial(_chosen, queries, query, status, failing=failing)
    match sort:
        case "name":
            # One statement: it takes two thirds of the time of a list of names and the query of their rows.
            names = _names(chosen, last, limit + 1)
            found = queries.each_row(JOBS.where(jobs.c.job_name.in_(names)).order_by(jobs.c.job_name))
            placed: Iterator[_Placed] = ((_Place("", row["job_name"]), row) for row in found)
        case "last_run":
            placed = _rows_at(queries, _by_last_run(queries, chosen, last, limit + 1))
        case "next_run":
            placed = _rows_at(queries, _by_next_run(queries, chosen, last, limit + 1, now))

    def item(placed: _Placed) -> str:
        return _summary(queries, placed[1], now) if summary else job_json(placed[1], now)

    return Page.of(placed, limit, item, _listed(sort), lambda placed: _SEPARATOR.join(placed[0]))


def _names(chosen: Chosen, last: _Place | None, limit: int) -> Select[Any]:
    statement = chosen(jobs.c.job_name)
    if last is not None:
        statement = statement.where(jobs.c.job_name > last.name)
    return statement.order_by(jobs.c.job_name).limit(limit)


def _rows_at(queries: Queries, places: list[_Place]) -> Iterator[_Placed]:
    """Yield the rows of places, read in parts; a job that was deleted meanwhile has none."""
    for start in range(0, len(places), FETCHED_ROWS):
        part = places[start : start + FETCHED_ROWS]
        rows = queries.all_rows(JOBS.where(jobs.c.job_name.in_([place.name for place in part])))
        of_name = {row["job_name"]: row for row in rows}
        yield from ((place, of_name[place.name]) for place in part if place.name in of_name)


def _by_last_run(queries: Queries, chosen: Chosen, last: _Place | None, limit: int) -> list[_Place]:
    time = jobs.c.last_requested_at
    statement = chosen(jobs.c.job_name, time.label("time"))
    if last is not None:
        # The first condition is where the page begins in the index.
        statement = statement.where(time <= last.time, or_(time < last.time, jobs.c.job_name > last.name))
    rows = queries.all_rows(statement.order_by(time.desc(), jobs.c.job_name).limit(limit))
    return [_Place(row["time"], row["job_name"]) for row in rows]


def _by_next_run(queries: Queries, chosen: Chosen, last: _Place | None, limit: int, now: datetime) -> list[_Place]:
    """Return the places from the distinct timetables: when a job is due next is no column, since it changes with the time."""
    due = {}
    of_time: dict[str, list[tuple[str, str]]] = defaultdict(list)
    counts: dict[str, int] = defaultdict(int)
    grouped = chosen(jobs.c.timetable, jobs.c.status, func.count().label("count"))
    for timetable, status, count in queries.rows_in_order(grouped.group_by(jobs.c.timetable, jobs.c.status)):
        group = timetable, status
        due[group] = time = (next_run_in_order(timetable, now) if status == "active" else None) or _NEVER
        of_time[time].append(group)
        counts[time] += count
    wanted: list[tuple[str, str]] = []
    found = 0
    for time in sorted(of_time):
        if last is not None and time < last.time:
            continue
        wanted += of_time[time]
        # Some of the jobs with the time of the last place come before it.
        found += counts[time] if last is None or time > last.time else 0
        if found >= limit:
            break
    statement = chosen(jobs.c.job_name, jobs.c.timetable, jobs.c.status)
    rows = queries.all_rows(statement.where(jobs.c.timetable.in_({timetable for timetable, _ in wanted})))
    # A timetable of a paused job may be that of an active one.
    places = (_Place(due[row["timetable"], row["status"]], row["job_name"]) for row in rows)
    return heapq.nsmallest(limit, (place for place in places if last is None or place > last))


def _chosen(
    queries: Queries, query: str | None, status: JobStatus | None, *columns: ColumnElement[Any], failing: bool
) -> Select[Any]:
    """Return the selection of the jobs of a list; it reads no runs."""
    statement = select(*columns).where(*queries.jobs_with(query, status))
    return statement.where(jobs.c.last_status.in_(FAILING)) if failing else statement


def _listed(sort: JobSort) -> str:
    return "jobs" if sort == "name" else f"jobs by {sort}"


def _read(cursor: str, sort: JobSort) -> tuple[str, str]:
    time, _, name = str(read_cursor(cursor, _listed(sort), str)).rpartition(_SEPARATOR)
    return time, name


def _summary(queries: Queries, row: dict[str, Any], now: datetime) -> str:
    last: list[Any] = queries.tuples_of(_LAST_RUNS, job_name=row["job_name"])
    delivered = [rows for _, status, _, rows in last if status == "delivered" and rows is not None]
    usual = statistics.median_low(delivered) if delivered else None
    return summary_json(row, now, last[:FATES], usual, failing=row["run_status"] in FAILING)
