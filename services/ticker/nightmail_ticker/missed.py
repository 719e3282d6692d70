"""The fate of a due time: a run in time, a late run, or none, and why. Pure: no log, no clock."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice, takewhile
from typing import Literal

from nightmail_common.contract.schedule import Schedule
from nightmail_ticker.jobs import ScheduledJob

#: Longer than a standby needs to take over (5 s): a due time served within it counts as served in time.
GRACE = timedelta(seconds=15)
#: A year of `* * * * *` is half a million due times; nobody needs that number exactly.
MOST_COUNTED = 10_000
#: So many are listed one by one in the event: the missed ones of a week of hours; 25 characters each.
MOST_LISTED = 200
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Due:
    """The latest due time of a schedule in a span, and how many came before it in the span (at most 10,000).

    `missed`: these, the first 200 of them.
    """

    at: datetime
    missed_before: int = 0
    missed: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a due time. `late`: it was missed; its run, if it gets one, says so."""

    due: Due
    kind: Literal["run", "missed", "overlap"]
    late_seconds: float
    late: bool


def latest_due(schedule: Schedule, after: datetime, until: datetime) -> Due | None:
    """Return the latest due time after one moment and not after another; None if there is none."""
    latest, before = _last_two(schedule, until)
    if latest is None or latest <= after:
        return None
    if before is None or before <= after:
        return Due(latest)
    return _counted(schedule, after, latest)


# The jobs of one slot share schedule and moment, and mostly the last time served: computed once for all of them.
@lru_cache(maxsize=1024)
def _last_two(schedule: Schedule, until: datetime) -> tuple[datetime | None, datetime | None]:
    latest = schedule.last_due(_LONG_AGO, until)
    return latest, latest and schedule.last_due(_LONG_AGO, latest - timedelta.resolution)


@lru_cache(maxsize=1024)
def _counted(schedule: Schedule, after: datetime, latest: datetime) -> Due:
    before = list(takewhile(lambda due: due < latest, islice(schedule.due_times(after), MOST_COUNTED)))
    return Due(latest, len(before), tuple(before[:MOST_LISTED]))


def fate(
    job: ScheduledJob, served: datetime | None, now: datetime, *, still_runs: bool, remembered: timedelta
) -> Fate | None:
    """Return what becomes of a job's latest due time that is not served yet; None if there is none.

    Only the latest one can get a run: what came before it is told of in its event.

    Args:
        served: the last due time of the job that got a run or an event.
        still_runs: a run of the job has been requested and has not ended.
        remembered: how long the log keeps the events of runs; whether an earlier due time was served nobody knows.
    """
    after = max(job.since, now - remembered, served or job.since)
    due = latest_due(job.schedule, after, now if job.until is None else min(now, job.until))
    if due is None:
        return None
    late_seconds = (now - due.at).total_seconds()
    if job.until is not None:
        return Fate(due, "missed", late_seconds, late=True)
    late = late_seconds > GRACE.total_seconds()
    if late and (job.on_missed == "skip" or late_seconds > job.max_lateness_seconds):
        return Fate(due, "missed", late_seconds, late)
    if still_runs and job.overlap == "skip":
        return Fate(due, "overlap", late_seconds, late)
    return Fate(due, "run", late_seconds, late)
