"""What is read from the projection, in the shapes that the API answers."""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Literal, get_args
from uuid import UUID

from pydantic_core import from_json, to_json

from nightmail_api.http.problems import ValidationProblem
from nightmail_api.http.serialization import job_json, run_json
from nightmail_api.read_model.database import Row, Rows
from nightmail_common.contract.envelope import iso_time
from nightmail_common.contract.events import Trigger
from nightmail_common.contract.job import Job
from nightmail_common.contract.run import RunStatus

JobStatus = Literal["active", "paused"]

#: How far a broker's clock may have been set back, or its successor's be behind.
CLOCK_SLACK = timedelta(minutes=1)

_JOB = """
SELECT jobs.job_name, jobs.status, jobs.sequence, jobs.definition, jobs.schedule_time, jobs.timezone, jobs.unsubscribed,
    runs.run_id, runs.status AS run_status, runs.trigger, runs.scheduled_at,
    runs.requested_at, runs.started_at, runs.finished_at, runs.rows, runs.error
FROM jobs LEFT JOIN runs ON runs.run_id = jobs.last_run_id
"""
_RUN_COLUMNS = """
    sequence, run_id, job_name, job_version, trigger, scheduled_at, late, status, requested_at, started_at,
    finished_at, rows, error, mails, timings
"""

#: The fields of a job that are not its owner's to decide.
_GIVEN = {"job_id", "version", "created_at", "updated_at"}

_VERSIONS = """
SELECT version, sequence, time, actor, rolled_back_to, definition,
    (SELECT definition FROM versions AS before WHERE before.job_id = versions.job_id
        AND before.version = versions.version - 1) AS definition_before
FROM versions WHERE job_id = :job_id
"""


@dataclass(frozen=True)
class KnownJob:
    """A job's name as the log knows it: `sequence` is that of its last event; `job` is None once it is deleted."""

    status: str
    sequence: int
    job_id: UUID
    job: Job | None


@dataclass(frozen=True)
class Page:
    """Items of a list, each as JSON; `next_cursor` asks for those behind, and is None at the end."""

    items: list[str]
    next_cursor: str | None


class Queries:
    """Reads of the projection, each a few milliseconds at most, on a connection that cannot write."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def close(self) -> None:
        self._rows.close()

    def known_job(self, job_name: str) -> KnownJob | None:
        """Return what is known of a name; None if it was never used."""
        row = self._one("SELECT status, sequence, job_id, definition FROM jobs WHERE job_name = ?", job_name)
        if row is None:
            return None
        job = None if row["definition"] is None else Job.model_validate_json(row["definition"])
        return KnownJob(row["status"], row["sequence"], UUID(row["job_id"]), job)

    def job_of_id(self, job_id: UUID) -> Job | None:
        """Return the job of an id; None if it is deleted."""
        row = self._one("SELECT definition FROM jobs WHERE job_id = ? AND definition IS NOT NULL", str(job_id))
        return None if row is None else Job.model_validate_json(row["definition"])

    def job(self, job_name: str, now: datetime) -> tuple[str, int] | None:
        """Return a job's answer as JSON and the sequence of its last event; None if there is no such job."""
        row = self._one(f"{_JOB} WHERE jobs.job_name = ? AND jobs.status <> 'deleted'", job_name)
        return None if row is None else (job_json(row, now), row["sequence"])

    def jobs(
        self, *, query: str | None, status: JobStatus | None, limit: int, cursor: str | None, now: datetime
    ) -> Page:
        """Return a page of jobs by name.

        Raises:
            ValidationProblem: the cursor is not one.
        """
        where = ["status <> 'deleted'" if status is None else "status = :status"]
        if query:
            where.append("instr(folded_name, :query) > 0")
        if cursor is not None:
            where.append("job_name > :after")
        parameters = {
            "status": status,
            "query": (query or "").casefold(),
            "after": _read_cursor(cursor, str),
            "limit": limit + 1,
        }
        # The names come from an index alone: a word that hardly a job has passes over all of them.
        names = f"SELECT job_name FROM jobs WHERE {' AND '.join(where)} ORDER BY job_name LIMIT :limit"  # noqa: S608
        sql = f"{_JOB} WHERE jobs.job_name IN ({names}) ORDER BY jobs.job_name"
        rows = self._rows.execute(sql, parameters).fetchall()
        next_cursor = _cursor(rows[limit - 1]["job_name"]) if len(rows) > limit else None
        return Page([job_json(row, now) for row in rows[:limit]], next_cursor)

    def versions(self, job_id: UUID, *, limit: int, cursor: str | None) -> Page:
        """Return a page of a job's versions with what each changed, the newest first.

        Raises:
            ValidationProblem: the cursor is not one.
        """
        parameters = {"job_id": str(job_id), "before": _read_cursor(cursor, int) or 2**62, "limit": limit + 1}
        sql = f"{_VERSIONS} AND version < :before ORDER BY version DESC LIMIT :limit"
        rows = self._rows.execute(sql, parameters).fetchall()
        next_cursor = _cursor(rows[limit - 1]["version"]) if len(rows) > limit else None
        return Page([to_json(_version_answer(row)).decode() for row in rows[:limit]], next_cursor)

    def version(self, job_id: UUID, version: int) -> tuple[dict[str, Any], Job] | None:
        """Return one version of a job with what it changed, and the job as it was; None if there is no such version."""
        row: Row | None = self._rows.execute(
            f"{_VERSIONS} AND version = :version", {"job_id": str(job_id), "version": version}
        ).fetchone()
        return None if row is None else (_version_answer(row), Job.model_validate_json(row["definition"]))

    def run(self, run_id: str) -> dict[str, Any] | None:
        """Return a run's answer with its timeline; None if there is no such run."""
        row = self._one(f"SELECT {_RUN_COLUMNS}, timeline FROM runs WHERE run_id = ?", run_id)  # noqa: S608
        if row is None:
            return None
        answer: dict[str, Any] = json.loads(f'{run_json(row)[:-1]},"timeline":[{row["timeline"]}]}}')
        return answer

    def outcome_sequence(self, run_id: str) -> int | None:
        """Return the sequence of the event that ended a run's work; None if it has not ended with one.

        Raises:
            KeyError: there is no such run.
        """
        row = self._one("SELECT outcome_sequence FROM runs WHERE run_id = ?", run_id)
        if row is None:
            raise KeyError(run_id)
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
        limit: int,
        cursor: str | None,
    ) -> Page:
        """Return a page of runs, the newest request first.

        Args:
            since, until: bounds of `requested_at`, in its own format; `until` itself is not in.

        Raises:
            ValidationProblem: the cursor is not one.
        """
        conditions = [
            condition
            for condition, value in (
                ("job_name = :job_name", job_name),
                ("requested_at >= :since", since),
                ("requested_at < :until", until),
                ("sequence < :before", cursor),
            )
            if value is not None
        ]
        parameters: dict[str, Any] = {
            "job_name": job_name,
            "since": since,
            "until": until,
            "before": _read_cursor(cursor, int),
            "limit": limit + 1,
        }
        conditions += self._bounds(since, until, parameters)
        if job_name is None and status is None and trigger is None:
            arms = [_arm(conditions)]
        else:
            # Each pair of status and trigger is in order in an index; SQLite merges them as far as the page needs.
            arms = [
                _arm([*conditions, f"status = '{one}'", f"trigger = '{by}'"])
                for one in ([status] if status else get_args(RunStatus))
                for by in ([trigger] if trigger else get_args(Trigger))
            ]
        sequences = f"{' UNION ALL '.join(arms)} ORDER BY sequence DESC LIMIT :limit"
        sql = f"SELECT {_RUN_COLUMNS} FROM runs WHERE sequence IN ({sequences}) ORDER BY sequence DESC"  # noqa: S608
        rows = self._rows.execute(sql, parameters).fetchall()
        next_cursor = _cursor(rows[limit - 1]["sequence"]) if len(rows) > limit else None
        return Page([run_json(row) for row in rows[:limit]], next_cursor)

    def _bounds(self, since: str | None, until: str | None, parameters: dict[str, Any]) -> list[str]:
        """Return bounds of the sequence that follow from those of the time, so that a page begins where they are.

        The log's clock may have been set back, so they are `CLOCK_SLACK` wider than the times, which hold as well.
        """
        bounds = []
        for name, text, slack, order in (("first", since, -CLOCK_SLACK, "ASC"), ("behind", until, CLOCK_SLACK, "DESC")):
            if text is None:
                continue
            try:
                moment = iso_time(datetime.fromisoformat(text) + slack)
            except OverflowError:
                continue
            compare = ">=" if order == "ASC" else "<"
            row = self._one(
                f"SELECT sequence FROM runs WHERE requested_at {compare} ? ORDER BY requested_at {order},"  # noqa: S608
                f" sequence {order} LIMIT 1",
                moment,
            )
            parameters[name] = (2**62 if order == "ASC" else 0) if row is None else row["sequence"]
            bounds.append("sequence >= :first" if order == "ASC" else "sequence <= :behind")
        return bounds

    def _one(self, sql: str, parameter: str) -> Row | None:
        row: Row | None = self._rows.execute(sql, (parameter,)).fetchone()
        return row


def _arm(conditions: list[str]) -> str:
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT sequence FROM runs{where}"  # noqa: S608


def _version_answer(row: Row) -> dict[str, Any]:
    changes = []
    if row["definition_before"] is not None:
        before, after = _fields(row["definition_before"]), _fields(row["definition"])
        changes = [
            {"field": field, "before": before.get(field), "after": value}
            for field, value in after.items()
            if before.get(field) != value and field not in _GIVEN
        ]
    names = ("version", "sequence", "time", "actor", "rolled_back_to")
    return {name: row[name] for name in names} | {"changes": changes}


# A version is the one before of the next in a list.
@lru_cache(maxsize=4)
def _fields(definition: str) -> dict[str, Any]:
    fields: dict[str, Any] = from_json(definition)
    return fields


def differing_fields(before: Job, after: Job) -> dict[str, tuple[object, object]]:
    """Return what the owner decides and where two versions differ: field name to (before, after)."""
    old, new = before.model_dump(mode="json", exclude=_GIVEN), after.model_dump(mode="json", exclude=_GIVEN)
    return {field: (old[field], new[field]) for field in new if old[field] != new[field]}


def _cursor(position: str | int) -> str:
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode()


def _read_cursor(cursor: str | None, kind: type[str | int]) -> str | int | None:
    if cursor is None:
        return None
    try:
        position = json.loads(base64.urlsafe_b64decode(cursor))
    except (ValueError, binascii.Error, RecursionError):
        position = None
    if type(position) is not kind:
        raise ValidationProblem(("cursor", "this is not a next_cursor of this list"))
    return position
