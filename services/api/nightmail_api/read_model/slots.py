"""The ledger of due times: what became of each one, and which ones are to come."""

import heapq
import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any

from sqlalchemy import select

from nightmail_api.read_model.queries import Queries
from nightmail_api.read_model.schema import jobs, runs
from nightmail_common.contract.timetable import Timetable

#: The longest span of one call, and the most items in an answer.
MAX_SPAN = timedelta(days=31)
MAX_ITEMS = 10_000

#: The fate of a due time by the status of its run, where the two have different names.
_FATES = {"processed": "running"}

Slot = dict[str, Any]


def due_time_slots(
    queries: Queries, since: datetime, until: datetime, job_name: str | None, now: datetime
) -> list[Slot]:
    """Return the due times from one moment up to, and without, another, in order, at most 10,000.

    Past ones are those that the log knows. Due times of a pause, or before a job existed, are none. Those to come are
    of the active jobs, as they are now; one that falls on a holiday and does not run is `skipped`.
    """
    past = sorted(_past(queries, since, until, job_name), key=_order)
    known = {_order(slot) for slot in past}
    # The timetables of all jobs are read only for a span that reaches into the future.
    upcoming = _upcoming(queries, max(since, now), until, job_name) if until > now else iter(())
    slots = heapq.merge(past, (slot for slot in upcoming if _order(slot) not in known), key=_order)
    return [slot for slot, _ in zip(slots, range(MAX_ITEMS), strict=False)]


def _order(slot: Slot) -> tuple[str, str]:
    return slot["due"], slot["job_name"]


def _past(queries: Queries, since: datetime, until: datetime, job_name: str | None) -> Iterator[Slot]:
    first, end = _text(since), _text(until)
    query = select(
        runs.c.job_name,
        runs.c.run_id,
        runs.c.scheduled_at,
        runs.c.status,
        runs.c.skipped,
        runs.c.requested_at,
        runs.c.missed,
    ).where(runs.c.trigger == "schedule")
    if job_name is not None:
        query = query.where(runs.c.job_name == job_name)
    query = query.order_by(runs.c.scheduled_at).limit(MAX_ITEMS)
    in_span = query.where(runs.c.scheduled_at >= first, runs.c.scheduled_at < end)
    # The row of a late run or of a skip also has the due times that were missed before it; few rows have any.
    behind = query.where(runs.c.scheduled_at >= end, runs.c.missed.is_not(None))
    for row in (*queries.all_rows(in_span), *queries.all_rows(behind)):
        if row["scheduled_at"] < end:
            yield _slot(row["job_name"], row["scheduled_at"], _fate(row["status"], row["skipped"]), row)
        for due in json.loads(row["missed"] or "[]"):
            if first <= due < end:
                yield _slot(row["job_name"], due, "missed")


def _upcoming(queries: Queries, since: datetime, until: datetime, job_name: str | None) -> Iterator[Slot]:
    query = select(jobs.c.job_name, jobs.c.timetable).where(jobs.c.status == "active")
    if job_name is not None:
        query = query.where(jobs.c.job_name == job_name)
    names: dict[Timetable, list[str]] = defaultdict(list)
    for row in queries.all_rows(query.order_by(jobs.c.job_name)):
        names[Timetable.from_json(row["timetable"])].append(row["job_name"])
    # Each distinct timetable is walked once, however many jobs share it.
    walks = (_due_slots(timetable, of_jobs, since, until) for timetable, of_jobs in names.items())
    yield from heapq.merge(*walks, key=_order)


def _due_slots(timetable: Timetable, job_names: list[str], since: datetime, until: datetime) -> Iterator[Slot]:
    for due in takewhile(lambda due: due < until, timetable.due_times(since - timedelta.resolution)):
        fate = "due" if timetable.holiday(due) is None else "skipped"
        for name in job_names:
            yield _slot(name, _text(due), fate)


def _slot(job_name: str, due: str, fate: str, row: Any = None) -> Slot:
    late = None
    if row is not None and row["requested_at"] is not None:
        seconds = (datetime.fromisoformat(row["requested_at"]) - datetime.fromisoformat(due)).total_seconds()
        late = round(max(seconds, 0.0), 3)
    run_id = None if row is None else row["run_id"]
    return {"job_name": job_name, "due": due, "fate": fate, "run_id": run_id, "late_seconds": late}


def _fate(status: str, skipped: str | None) -> str:
    if status == "skipped" and skipped is not None and json.loads(skipped)["reason"] == "missed":
        return "missed"
    return _FATES.get(status, status)


def _text(moment: datetime) -> str:
    """Return a due time as the rows of runs have it: whole seconds in UTC, with `Z`."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
