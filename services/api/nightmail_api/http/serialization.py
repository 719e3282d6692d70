"""Rows of the read model as JSON text.

Columns that are JSON already (a job's definition, a run's mails) are joined without parsing: a page of 500 items takes
less than a millisecond. Identifiers, times and words of a fixed set need no escapes.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from typing import Any

from pydantic_core import from_json, to_json

from nightmail_common.contract.schedule_warnings import (
    ScheduleWarning,
    overlap_warning,
    schedule_warnings,
    shortest_interval,
)
from nightmail_common.contract.timetable import Timetable

#: A run in the summary of a job: id, status, due time, and rows.
Fate = tuple[str, str, str, int | None]

_NEVER = datetime.max.replace(tzinfo=UTC)
#: Warnings about schedules change with the days, not with the seconds.
_WARNINGS_AGE = timedelta(hours=1)


def job_json(row: Mapping[str, Any], now: datetime) -> str:
    """Return a job with what became of it: `next_run` is the first due time behind `now`."""
    return _job_json(row["definition"], row, now)


def _job_json(definition: str, row: Mapping[str, Any], now: datetime) -> str:
    next_run, warnings = "null", "[]"
    outlook = _outlook_of(row["timetable"])
    if row["status"] == "active":
        next_run = outlook.next_run(now)
        if next_run != "null" or not outlook.has_finished(row["scheduled_at"]):
            warnings = outlook.warnings(now, _duration(row))
    return (
        f'{definition[:-1]},"status":"{row["status"]}","last_run":{_last_run(row)}'
        f',"next_run":{next_run},"schedule_description":{outlook.description},"unsubscribed":{row["unsubscribed"]},"warnings":{warnings}}}'
    )


def with_warnings(job: str, more: Sequence[Mapping[str, str]]) -> str:
    """Return a job as JSON with more warnings, which are its last field."""
    if not more:
        return job
    head, name, warnings = job.rpartition('"warnings":[')
    listed = warnings.removesuffix("]}")
    return f"{head}{name}{listed}{',' if listed else ''}{to_json(more).decode()[1:-1]}]}}"


def summary_json(
    row: Mapping[str, Any], now: datetime, fates: Sequence[Fate], usual_rows: int | None, *, failing: bool
) -> str:
    """Return a job without its script, and with its last fates."""
    listed = ",".join(
        f'{{"run_id":"{run_id}","status":"{status}","scheduled_at":"{scheduled_at}","rows":{_json(rows)}}}'
        for run_id, status, scheduled_at, rows in fates
    )
    return (
        f'{_job_json(_without_script(row["definition"]), row, now)[:-1]},"fates":[{listed}]'
        f',"usual_rows":{_json(usual_rows)},"failing":{"true" if failing else "false"}}}'
    )


# Pages of summaries are asked for again and again, and a definition changes rarely.
@lru_cache(maxsize=1024)
def _without_script(definition: str) -> str:
    job = from_json(definition)
    del job["processing_script"]
    return to_json(job).decode()


def next_run_in_order(timetable: str, now: datetime) -> str | None:
    """Return the first due time of a timetable behind `now`, in UTC as ISO 8601; None if there is none."""
    return _outlook_of(timetable).next_run_in_order(now)


def run_json(row: Mapping[str, Any]) -> str:
    """Return a run without its timeline."""
    return (
        f'{{"run_id":"{row["run_id"]}","job_name":{_quoted(row["job_name"])},"job_version":{row["job_version"]}'
        f',"trigger":"{row["trigger"]}","scheduled_at":"{row["scheduled_at"]}","status":"{row["status"]}"'
        f',"late":{"true" if row["late"] else "false"},"requested_at":{_text(row["requested_at"])}'
        f',"started_at":{_text(row["started_at"])},"finished_at":{_text(row["finished_at"])}'
        f',"rows":{_json(row["rows"])},"error":{_json(row["error"])},"skipped":{_json(row["skipped"])},"mails":{row["mails"]}'
        f',"timings":{_json(row["timings"])}}}'
    )


class _Outlook:
    """The next due time of a timetable with a run, and the warnings about it, each computed again only after it has passed."""

    def __init__(self, timetable: Timetable) -> None:
        self._timetable = timetable
        #: The JSON and the text in UTC that hold from the first time until before the second. One tuple, because threads
        #: share it.
        self._next: tuple[datetime, datetime, str, str | None] = (_NEVER, _NEVER, "null", None)
        #: When they were found, those that do not depend on a run, and the shortest time between two runs.
        self._warnings: tuple[datetime, tuple[ScheduleWarning, ...], timedelta] = (_NEVER, (), timedelta.max)

    @cached_property
    def description(self) -> str:
        return json.dumps(self._timetable.description, ensure_ascii=False)

    def next_run(self, now: datetime) -> str:
        return self._current(now)[2]

    def next_run_in_order(self, now: datetime) -> str | None:
        return self._current(now)[3]

    def _current(self, now: datetime) -> tuple[datetime, datetime, str, str | None]:
        current = self._next
        if not current[0] <= now < current[1]:
            due = self._timetable.next_run(now)
            if due is None:
                current = (now, _NEVER, "null", None)
            else:
                until = due.astimezone(UTC)
                current = (now, until, f'"{due.isoformat()}"', until.isoformat())
            self._next = current
        return current

    def has_finished(self, last_run: str | None) -> bool:
        """Return whether the job has run at its last due time, so that nothing is wrong with a schedule that has passed.

        Args:
            last_run: the due time of its last run.
        """
        if last_run is None or not all(schedule.is_once for schedule in self._timetable.schedules):
            return False
        return self._timetable.next_due(datetime.fromisoformat(last_run)) is None

    def warnings(self, now: datetime, last_run: timedelta | None) -> str:
        since, warnings, interval = self._warnings
        if not since <= now or now - since > _WARNINGS_AGE:
            warnings, interval = self.renew_warnings(now)
        if last_run is not None and (overlap := overlap_warning(self._timetable, interval, last_run)) is not None:
            warnings += (overlap,)
        return to_json([warning._asdict() for warning in warnings]).decode() if warnings else "[]"

    def renew_warnings(self, now: datetime) -> tuple[tuple[ScheduleWarning, ...], timedelta]:
        warnings = tuple(schedule_warnings(self._timetable, now))
        interval = shortest_interval(self._timetable, now) or timedelta.max
        self._warnings = (now, warnings, interval)
        return warnings, interval


@lru_cache(maxsize=16_384)
def _outlook_of(timetable: str) -> _Outlook:
    return _Outlook(Timetable.from_json(timetable))


def warm_outlook(timetable: str, now: datetime) -> None:
    """Find the next due time and the warnings of a timetable, for the requests of the next half an hour."""
    outlook = _outlook_of(timetable)
    outlook.next_run(now)
    outlook.renew_warnings(now)


def _duration(row: Mapping[str, Any]) -> timedelta | None:
    """Return how long the last run of a job took; None if it is not known."""
    if row["started_at"] is None or row["finished_at"] is None:
        return None
    return datetime.fromisoformat(row["finished_at"]) - datetime.fromisoformat(row["started_at"])


def _last_run(row: Mapping[str, Any]) -> str:
    if row["run_id"] is None:
        return "null"
    return (
        f'{{"run_id":"{row["run_id"]}","trigger":"{row["trigger"]}","scheduled_at":"{row["scheduled_at"]}"'
        f',"requested_at":{_text(row["requested_at"])},"started_at":{_text(row["started_at"])}'
        f',"finished_at":{_text(row["finished_at"])},"rows":{_json(row["rows"])},"status":"{row["run_status"]}"'
        f',"error":{_json(row["error"])}}}'
    )


@lru_cache(maxsize=1024)
def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _text(plain: str | None) -> str:
    return "null" if plain is None else f'"{plain}"'


def _json(value: str | int | None) -> str:
    return "null" if value is None else str(value)
