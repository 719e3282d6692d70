"""The ledger of due times: what became of each one, and which ones are to come."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, bindparam, func, select

from nightmail_api.read_model.due_times import Span
from nightmail_api.read_model.fixed_query import FixedQuery
from nightmail_api.read_model.queries import Queries
from nightmail_api.read_model.schema import jobs, runs
from nightmail_api.read_model.slot_items import end_of_slot, slots_of
from nightmail_api.read_model.upcoming_slots import SEPARATOR, UpcomingSlots

#: The longest span of one call, and the most items in an answer.
MAX_SPAN = timedelta(days=31)
MAX_ITEMS = 10_000

_since: BindParameter[str] = bindparam("since", required=False)
_until: BindParameter[str] = bindparam("until", required=False)
_job_name: BindParameter[str] = bindparam("job_name", required=False)
_SCHEDULED = runs.c.trigger == "schedule"
_RUNS = (
    select(runs.c.slot)
    .where(_SCHEDULED, runs.c.scheduled_at >= _since, runs.c.scheduled_at < _until)
    .order_by(runs.c.scheduled_at, runs.c.job_name)
    .limit(MAX_ITEMS)
)
# The row of a late run or of a skip also has the due times that were missed before it; few rows have any.
_MISSED = (
    select(runs.c.job_name, runs.c.missed)
    .where(_SCHEDULED, runs.c.scheduled_at >= _since, runs.c.missed.is_not(None))
    .order_by(runs.c.scheduled_at)
    .limit(MAX_ITEMS)
)
_ACTIVE = (
    select(jobs.c.timetable, func.aggregate_strings(jobs.c.job_name, SEPARATOR))
    .where(jobs.c.status == "active")
    .group_by(jobs.c.timetable)
)
#: The query for all jobs, and the query for one. Reading the sort keys together with the items takes twice as long.
_RUNS_OF = FixedQuery(_RUNS), FixedQuery(_RUNS.where(runs.c.job_name == _job_name))
_SLOTS_OF = tuple(
    FixedQuery(one.with_only_columns(runs.c.scheduled_at, runs.c.job_name, runs.c.slot))
    for one in (_RUNS, _RUNS.where(runs.c.job_name == _job_name))
)
# Without the concatenation, SQLite would read the rows of all runs of the job.
_MISSED_OF = FixedQuery(_MISSED), FixedQuery(_MISSED.where(runs.c.job_name.concat("") == _job_name))
_ACTIVE_OF = FixedQuery(_ACTIVE), FixedQuery(_ACTIVE.where(jobs.c.job_name == _job_name))

#: The upcoming slots of all jobs. Those of one job are computed for each request.
_upcoming = UpcomingSlots()


def due_time_slots(
    queries: Queries, since: datetime, until: datetime, job_name: str | None, now: datetime
) -> list[str]:
    """Return the due times from one moment up to, and without, another, in order, at most 10,000, each as JSON.

    Past ones are those that the log knows. Due times of a pause, or before a job existed, are none. Those to come are
    of the active jobs, as they are now; one that falls on a holiday and does not run is `skipped`.
    """
    which, of_job = (0, {}) if job_name is None else (1, {"job_name": job_name})
    to_come = Span.of(max(since, now), until)
    items = _past(queries, Span.of(since, min(until, max(since, now))), which, of_job)
    # The timetables of all jobs are read only for a span that reaches into the future, and has room for it.
    if to_come.since < until and len(items) < MAX_ITEMS:
        known = queries.tuples_of(_SLOTS_OF[which], since=to_come.first, until=to_come.end, **of_job)
        have = {slot[:2] for slot in known}
        upcoming = _upcoming if job_name is None else UpcomingSlots()
        active = queries.tuples_of(_ACTIVE_OF[which], **of_job)
        slots = upcoming.between(active, to_come, MAX_ITEMS + len(have))
        if have:
            slots = sorted(known + [slot for slot in slots if slot[:2] not in have])
        items += [item for _, _, item in slots]
    return items[:MAX_ITEMS]


def _past(queries: Queries, span: Span, which: int, of_job: dict[str, str]) -> list[str]:
    of_span = {"since": span.first, "until": span.end, **of_job}
    missed = slots_of(_missed(queries.tuples_of(_MISSED_OF[which], since=span.first, **of_job), span))
    if not missed:
        return [item for (item,) in queries.tuples_of(_RUNS_OF[which], **of_span)]
    return [item for _, _, item in sorted(queries.tuples_of(_SLOTS_OF[which], **of_span) + missed)]


def _missed(rows: list[tuple[Any, ...]], span: Span) -> Iterator[tuple[str, str, str]]:
    end = end_of_slot("missed")
    return ((due, name, end) for name, missed in rows for due in json.loads(missed) if span.first <= due < span.end)
