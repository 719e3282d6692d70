"""The queries of the projection, with results in the shapes of the API's answers."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any, Literal, TypeVar, get_args
from uuid import UUID

from pydantic_core import from_json, to_json
from sqlalchemy import ColumnElement, Select, SelectBase, bindparam, func, literal, select, union_all
from sqlalchemy.engine import Connection

from nightmail_api.http.problems import NotFound
from nightmail_api.http.serialization import job_json, run_json
from nightmail_api.read_model.cursors import cursor_of, read_cursor
from nightmail_api.read_model.day_triggers import MAIL_OUTCOMES
from nightmail_api.read_model.fixed_query import FixedQuery
from nightmail_api.read_model.mail_projection import PLACES
from nightmail_api.read_model.schema import jobs, mails, runs, versions
from nightmail_api.read_model.version_changes import version_answer
from nightmail_common.contract.envelope import iso_time
from nightmail_common.contract.events import Trigger
from nightmail_common.contract.job import Job
from nightmail_common.contract.limits import MAX_PAGE_CHARS
from nightmail_common.contract.run import RunStatus

JobStatus = Literal["active", "paused"]
Row = dict[str, Any]
T = TypeVar("T")

FETCHED_ROWS = 20  # at a time: a job or a version has up to 832 KiB
#: How far a broker's clock may be set back, and how far the clock of another broker may differ.
CLOCK_SLACK = timedelta(minutes=1)

_LAST_RUN = (
    runs.c.run_id,
    runs.c.status.label("run_status"),
    runs.c.trigger,
    runs.c.scheduled_at,
    runs.c.requested_at,
    runs.c.started_at,
    runs.c.finished_at,
    runs.c.rows,
    runs.c.error,
)
JOBS = select(
    jobs.c.job_name,
    jobs.c.status,
    jobs.c.sequence,
    jobs.c.definition,
    jobs.c.timetable,
    jobs.c.unsubscribed,
    *_LAST_RUN,
).select_from(jobs.outerjoin(runs, runs.c.run_id == jobs.c.last_run_id))
_JOB = FixedQuery(JOBS.where(jobs.c.job_name == bindparam("job_name"), jobs.c.status != "deleted"))
_KNOWN_JOB = FixedQuery(
    select(jobs.c.status, jobs.c.sequence, jobs.c.job_id, jobs.c.definition).where(
        jobs.c.job_name == bindparam("job_name")
    )
)
_JOB_OF_ID = FixedQuery(
    select(jobs.c.definition).where(jobs.c.job_id == bindparam("job_id"), jobs.c.definition.is_not(None))
)

_RUNS = select(
    runs.c.sequence,
    runs.c.run_id,
    runs.c.job_name,
    runs.c.job_version,
    runs.c.trigger,
    runs.c.scheduled_at,
    runs.c.late,
    runs.c.status,
    runs.c.requested_at,
    runs.c.started_at,
    runs.c.finished_at,
    runs.c.rows,
    runs.c.error,
    runs.c.skipped,
    runs.c.mails,
    runs.c.timings,
)
_MAILS = select(mails)
_RUN = FixedQuery(
    _RUNS.add_columns(
        runs.c.job_id,
        runs.c.bytes,
        runs.c.details,
        runs.c.timeline,
        select(versions.c.definition)
        .where(versions.c.job_id == runs.c.job_id, versions.c.version == runs.c.job_version)
        .scalar_subquery()
        .label("definition"),
    ).where(runs.c.run_id == bindparam("run_id"))
)
#: What a run's events have not said yet.
_NO_DETAILS: dict[str, Any] = {
    **dict.fromkeys(
        ("actor", "runner", "columns", "input_sha256", "script_sha256", "result_sha256", "runtime", "changes", "slices")
    ),
    "attempts": 0,
    "more_inputs_sha256": {},
    "notes": [],
    "figures": [],
}
_OUTCOME = FixedQuery(select(runs.c.outcome_sequence).where(runs.c.run_id == bindparam("run_id")))

_before = versions.alias("before")
_VERSIONS = select(
    versions.c.version,
    versions.c.sequence,
    versions.c.time,
    versions.c.actor,
    versions.c.rolled_back_to,
    versions.c.definition,
    select(_before.c.definition)
    .where(_before.c.job_id == versions.c.job_id, _before.c.version == versions.c.version - 1)
    .scalar_subquery()
    .label("definition_before"),
)
_VERSION = FixedQuery(
    _VERSIONS.where(versions.c.job_id == bindparam("job_id"), versions.c.version == bindparam("version"))
)


@dataclass(frozen=True)
class KnownJob:
    """What the log holds about a job's name: `sequence` is that of its last event; `job` is None once it is deleted."""

    status: str
    sequence: int
    job_id: UUID
    job: Job | None


@dataclass(frozen=True)
class Page:
    """Items of a list, each as JSON; `next_cursor` asks for the next page, and is None at the end."""

    items: list[str]
    next_cursor: str | None

    @classmethod
    def of(
        cls, rows: Iterable[T], limit: int, item: Callable[[T], str], listed: str, position: Callable[[T], str | int]
    ) -> "Page":
        """Return the page of up to `limit` rows, and of `MAX_PAGE_CHARS`; one row more says that another page follows.

        Args:
            rows: is read no further than the page needs.
            item: returns the JSON of a row, and `position` what the cursor of the list `listed` has of the last one.
        """
        items, size = list[str](), 0
        last: T | None = None
        for row in rows:
            if last is not None and (len(items) == limit or size >= MAX_PAGE_CHARS):
                return cls(items, cursor_of(listed, position(last)))
            items.append(item(row))
            size += len(items[-1])
            last = row
        return cls(items, None)


class Queries:
    """Queries of the projection, each a few milliseconds at most.

    Args:
        connection: in autocommit mode; nothing is written.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def known_job(self, job_name: str) -> KnownJob | None:
        """Return what the log holds about a name; None if it was never used."""
        row = self._first(_KNOWN_JOB, job_name=job_name)
        if row is None:
            return None
        job = None if row["definition"] is None else Job.model_validate_json(row["definition"])
        return KnownJob(row["status"], row["sequence"], UUID(row["job_id"]), job)

    def job_of_id(self, job_id: UUID) -> Job | None:
        """Return the job of an id; None if it is deleted."""
        row = self._first(_JOB_OF_ID, job_id=str(job_id))
        return None if row is None else Job.model_validate_json(row["definition"])

    def job(self, job_name: str, now: datetime) -> tuple[str, int] | None:
        """Return a job as JSON and the sequence of its last event; None if there is no such job."""
        row = self._first(_JOB, job_name=job_name)
        return None if row is None else (job_json(row, now), row["sequence"])

    def jobs_with(self, query: str | None, status: JobStatus | None) -> list[ColumnElement[bool]]:
        """Return the conditions of the jobs whose names contain a text, which an index alone answers."""
        conditions = [jobs.c.status == status if status else jobs.c.status != "deleted"]
        if query:
            position = func.strpos if self._connection.dialect.name == "postgresql" else func.instr
            conditions.append(position(jobs.c.folded_name, literal(query.casefold(), jobs.c.folded_name.type)) > 0)
        return conditions

    def versions(self, job_id: UUID, *, limit: int, cursor: str | None) -> Page:
        """Return a page of a job's versions with the changes of each, the newest first.

        Raises:
            ValidationProblem: the cursor is not a cursor of this list.
        """
        statement = _VERSIONS.where(versions.c.job_id == str(job_id))
        if cursor is not None:
            statement = statement.where(versions.c.version < read_cursor(cursor, "versions", int))
        rows = self.each_row(statement.order_by(versions.c.version.desc()).limit(limit + 1))
        return Page.of(rows, limit, _version_json, "versions", itemgetter("version"))

    def version(self, job_id: UUID, version: int) -> tuple[dict[str, Any], Job] | None:
        """Return one version of a job with its changes, and the job as it was; None if there is no such version."""
        row = self._first(_VERSION, job_id=str(job_id), version=version)
        return None if row is None else (version_answer(row), Job.model_validate_json(row["definition"]))

    def run(self, run_id: str) -> dict[str, Any] | None:
        """Return a run with its timeline; None if there is no such run."""
        row = self._first(_RUN, run_id=run_id)
        if row is None:
            return None
        run: dict[str, Any] = json.loads(f'{run_json(row)[:-1]},"timeline":[{row["timeline"]}]}}')
        details: dict[str, Any] = json.loads(row["details"])
        timezone = None if row["definition"] is None else from_json(row["definition"])["timezone"]
        return _NO_DETAILS | details | {"job_id": row["job_id"], "timezone": timezone, "bytes": row["bytes"]} | run

    def outcome_sequence(self, run_id: str) -> int | None:
        """Return the sequence of a run's outcome; None while it has none.

        Raises:
            NotFound: there is no such run.
        """
        row = self._first(_OUTCOME, run_id=run_id)
        if row is None:
            raise NotFound(f"there is no run {run_id}")
        sequence: int | None = row["outcome_sequence"]
        return sequence

    def runs(
        self,
        *,
        job_name: str | None,
        status: RunStatus | None,
        trigger: Trigger | None,
        since: str | None,
        until: str | None,
        id_prefix: str | None = None,
        limit: int,
        cursor: str | None,
    ) -> Page:
        """Return a page of runs, the newest request first.

        Args:
            since, until: bounds of `requested_at`, in its own format; `until` itself is excluded.
            id_prefix: the first digits of the run ids, without hyphens.

        Raises:
            ValidationProblem: the cursor is not a cursor of this list.
        """
        conditions = self._sequence_bounds(since, until)
        if job_name is not None:
            conditions.append(runs.c.job_name == job_name)
        if since is not None:
            conditions.append(runs.c.requested_at >= since)
        if until is not None:
            conditions.append(runs.c.requested_at < until)
        if id_prefix is not None:  # texts of one form compare as the ids do
            first, last = (str(UUID(id_prefix.ljust(32, digit))) for digit in "0f")
            conditions.append(runs.c.run_id.between(first, last))
        if cursor is not None:
            conditions.append(runs.c.sequence < read_cursor(cursor, "runs", int))
        found = select(runs.c.sequence).where(*conditions)
        if job_name is None and status is None and trigger is None:
            page: SelectBase = found.order_by(runs.c.sequence.desc()).limit(limit + 1)
        else:
            page = _merged(
                (
                    found.where(runs.c.status == one, runs.c.trigger == by)
                    for one in ([status] if status else get_args(RunStatus))
                    for by in ([trigger] if trigger else get_args(Trigger))
                ),
                runs.c.sequence,
                limit + 1,
            )
        rows = self.each_row(_RUNS.where(runs.c.sequence.in_(page)).order_by(runs.c.sequence.desc()))
        return Page.of(rows, limit, run_json, "runs", itemgetter("sequence"))

    def mails(
        self,
        *,
        recipient: str | None,
        outcome: str | None,
        job_name: str | None,
        message_id: str | None,
        since: str | None,
        limit: int,
        cursor: str | None,
    ) -> Page:
        """Return a page of mails, one item for each recipient, the newest event first.

        Args:
            since: the earliest `time`, in its own format.

        Raises:
            ValidationProblem: the cursor is not a cursor of this list.
        """
        conditions = []
        if since is not None:
            conditions.append(mails.c.time >= since)
            if (moment := _shift(since, -CLOCK_SLACK)) is not None:
                # An event since then is behind the last run of before.
                last = select(runs.c.sequence).where(runs.c.requested_at < moment)
                last = last.order_by(runs.c.requested_at.desc(), runs.c.sequence.desc()).limit(1)
                conditions.append(mails.c.place >= self._sequence(last, 0) * PLACES)
        if cursor is not None:
            conditions.append(mails.c.place < read_cursor(cursor, "mails", int))
        given: dict[ColumnElement[Any], str | None] = {mails.c.recipient: recipient, mails.c.job_name: job_name}
        if message_id is not None:
            # Without the concatenations, the database would take another index: those of one mail are few.
            given = {column.concat(""): value for column, value in (given | {mails.c.outcome: outcome}).items()}
            given[mails.c.message_id] = message_id
        conditions += [column == value for column, value in given.items() if value is not None]
        found = select(mails.c.place).where(*conditions)
        if message_id is not None or (recipient is None and job_name is None and outcome is None):
            page: SelectBase = found.order_by(mails.c.place.desc()).limit(limit + 1)
        else:
            outcomes = MAIL_OUTCOMES if outcome is None else [outcome]
            page = _merged((found.where(mails.c.outcome == one) for one in outcomes), mails.c.place, limit + 1)
        rows = self.each_row(_MAILS.where(mails.c.place.in_(page)).order_by(mails.c.place.desc()))
        return Page.of(rows, limit, _mail_json, "mails", itemgetter("place"))

    def _sequence_bounds(self, since: str | None, until: str | None) -> list[ColumnElement[bool]]:
        """Return bounds of the sequence that follow from bounds of the time, so that a page starts near its first row.

        The log's clock may have been set back, so they are `CLOCK_SLACK` wider than the times, which hold as well.
        """
        bounds = []
        by_time = select(runs.c.sequence).limit(1)
        if since is not None and (moment := _shift(since, -CLOCK_SLACK)) is not None:
            first = by_time.where(runs.c.requested_at >= moment).order_by(runs.c.requested_at, runs.c.sequence)
            bounds.append(runs.c.sequence >= self._sequence(first, 2**62))
        if until is not None and (moment := _shift(until, CLOCK_SLACK)) is not None:
            newest_first = (runs.c.requested_at.desc(), runs.c.sequence.desc())
            last = by_time.where(runs.c.requested_at < moment).order_by(*newest_first)
            bounds.append(runs.c.sequence <= self._sequence(last, 0))
        return bounds

    def _sequence(self, statement: Select[Any], otherwise: int) -> int:
        found: int | None = self._connection.scalar(statement)
        return otherwise if found is None else found

    def _first(self, query: FixedQuery, **parameters: Any) -> dict[str, Any] | None:
        return query.first(self._connection, parameters)

    def tuples_of(self, query: FixedQuery, **parameters: Any) -> list[tuple[Any, ...]]:
        """Return the rows in the order of the selected columns."""
        return query.tuples(self._connection, parameters)

    def rows_in_order(self, statement: Select[Any]) -> Sequence[Any]:
        """Return the rows in the order of the selected columns: many rows take half the time of `all_rows`."""
        return self._connection.execute(statement).all()

    def all_rows(self, statement: Select[Any]) -> list[Row]:
        result = self._connection.execute(statement)
        names = tuple(map(str, result.keys()))
        return [dict(zip(names, row, strict=True)) for row in result.all()]

    def each_row(self, statement: Select[Any]) -> Iterator[Row]:
        """Yield the rows as the database finds them: what is not read takes no memory with SQLite."""
        with self._connection.execute(statement) as result:
            names = tuple(map(str, result.keys()))
            yield from (dict(zip(names, row, strict=True)) for part in result.partitions(FETCHED_ROWS) for row in part)


def _merged(parts: Iterable[Select[Any]], key: ColumnElement[Any], limit: int) -> SelectBase:
    """Return the highest keys of several selections, each of which an index has in order.

    PostgreSQL sorts all rows of a UNION ALL whose parts have no order and limit of their own.
    """
    highest = (select(part.order_by(key.desc()).limit(limit).subquery()) for part in parts)
    merged = union_all(*highest)
    return merged.order_by(merged.selected_columns[0].desc()).limit(limit)


def _version_json(row: Row) -> str:
    return to_json(version_answer(row)).decode()


def _mail_json(row: Row) -> str:
    return to_json({name: value for name, value in row.items() if name != "place"}).decode()


def _shift(time: str, slack: timedelta) -> str | None:
    """Return a time with a slack; None if the calendar does not have it."""
    try:
        return iso_time(datetime.fromisoformat(time) + slack)
    except OverflowError:
        return None
