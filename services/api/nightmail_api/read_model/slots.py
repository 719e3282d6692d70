"""The ledger of due times: what became of each one, and which ones are to come."""

import heapq
import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any, get_args

from sqlalchemy import BindParameter, bindparam, func, select

from nightmail_api.read_model.due_times import Span, UpcomingFate, due_times_of
from nightmail_api.read_model.fixed_query import FixedQuery
from nightmail_api.read_model.queries import Queries
from nightmail_api.read_model.schema import jobs, runs

#: The longest span of one call, and the most items in an answer.
MAX_SPAN = timedelta(days=31)
MAX_ITEMS = 10_000

_since: BindParameter[str] = bindparam("since", required=False)
_until: BindParameter[str] = bindparam("until", required=False)
_job_name: BindParameter[str] = bindparam("job_name", required=False)
_SCHEDULED = runs.c.trigger == "schedule"
_RUNS = (
    select(runs.c.scheduled_at, runs.c.job_name, runs.c.slot)
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
#: A job's name holds no control character.
_SEPARATOR = "\n"
_ACTIVE = (
    select(jobs.c.timetable, func.aggregate_strings(jobs.c.job_name, _SEPARATOR))
    .where(jobs.c.status == "active")
    .group_by(jobs.c.timetable)
)
#: For all jobs, and for one.
_RUNS_OF = FixedQuery(_RUNS), FixedQuery(_RUNS.where(runs.c.job_name == _job_name))
# Without the concatenation, SQLite would read the rows of all runs of the job.
_MISSED_OF = FixedQuery(_MISSED), FixedQuery(_MISSED.where(runs.c.job_name.concat("") == _job_name))
_ACTIVE_OF = FixedQuery(_ACTIVE), FixedQuery(_ACTIVE.where(jobs.c.job_name == _job_name))

#: The fate of a due time by the status of its run, where the two have different names.
_FATES = {"processed": "running"}

_quoted = json.JSONEncoder(ensure_ascii=False).encode


#: A due time, a job's name, and the item of the answer as JSON; slots are in the order of the first two.
Slot = tuple[str, str, str]


def due_time_slots(
    queries: Queries, since: datetime, until: datetime, job_name: str | None, now: datetime
) -> list[Slot]:
    """Return the due times from one moment up to, and without, another, in order, at most 10,000.

    Past ones are those that the log knows. Due times of a pause, or before a job existed, are none. Those to come are
    of the active jobs, as they are now; one that falls on a holiday and does not run is `skipped`.
    """
    span, to_come = Span.of(since, until), Span.of(max(since, now), until)
    which, of_job = (0, {}) if job_name is None else (1, {"job_name": job_name})
    rows = queries.tuples_of(_RUNS_OF[which], since=span.first, until=span.end, **of_job)
    slots = [(due, name, _slot(due, name, end)) for due, name, end in rows]
    slots += _missed(queries.tuples_of(_MISSED_OF[which], since=span.first, **of_job), span)
    slots.sort()
    # The timetables of all jobs are read only for a span that reaches into the future, and has room for it.
    if to_come.since < until and not (len(slots) >= MAX_ITEMS and slots[MAX_ITEMS - 1][0] < to_come.first):
        known = {slot[:2] for slot in slots if slot[0] >= to_come.first}
        upcoming = _upcoming(queries.tuples_of(_ACTIVE_OF[which], **of_job), to_come)
        slots += [slot for slot in upcoming if slot[:2] not in known] if known else upcoming
        slots.sort()
    return slots[:MAX_ITEMS]


def _missed(rows: list[tuple[Any, ...]], span: Span) -> Iterator[Slot]:
    end = _end_of_slot("missed")
    for name, missed in rows:
        for due in json.loads(missed):
            if span.first <= due < span.end:
                yield due, name, _slot(due, name, end)


def _upcoming(active: list[tuple[Any, ...]], span: Span) -> list[Slot]:
    """Return the due times of jobs (timetable, names), at least as many as an answer has, in the order of time only."""
    # Each distinct timetable is walked once, however many jobs share it.
    walks = (_walk(timetable, names, span) for timetable, names in active)
    ends = {fate: _end_of_slot(fate) for fate in get_args(UpcomingFate)}
    slots: list[Slot] = []
    for due, fate, names in heapq.merge(*walks, key=itemgetter(0)):
        # The last moment must be whole: its jobs are sorted afterwards.
        if len(slots) >= MAX_ITEMS and due != slots[-1][0]:
            break
        slots += [(due, name, _slot(due, name, ends[fate])) for name in names.split(_SEPARATOR)]
    return slots


def _walk(timetable: str, job_names: str, span: Span) -> Iterator[tuple[str, UpcomingFate, str]]:
    return ((due, fate, job_names) for due, fate in due_times_of(timetable).between(span))


def end_of_slot(run: Mapping[str, Any]) -> str:
    """Return what the item of a run has behind its job and its due time."""
    status, skipped, late = run["status"], run["skipped"], None
    missed = status == "skipped" and skipped is not None and json.loads(skipped)["reason"] == "missed"
    if run["requested_at"] is not None:
        seconds = datetime.fromisoformat(run["requested_at"]) - datetime.fromisoformat(run["scheduled_at"])
        late = round(max(seconds.total_seconds(), 0.0), 3)
    return _end_of_slot("missed" if missed else _FATES.get(status, status), run["run_id"], late)


def _end_of_slot(fate: str, run_id: str | None = None, late_seconds: float | None = None) -> str:
    return f'"fate":"{fate}","run_id":{json.dumps(run_id)},"late_seconds":{json.dumps(late_seconds)}}}'


def _slot(due: str, job_name: str, end: str) -> str:
    return f'{{"job_name":{_quoted(job_name)},"due":"{due}",{end}'
