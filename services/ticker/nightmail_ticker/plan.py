"""What becomes of a due time: a run on time, a late run, or no run and the reason. Pure: no log, no clock."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice, takewhile
from typing import NamedTuple
from uuid import UUID

from nightmail_common.contract.events import SkipReason
from nightmail_common.contract.job import Job, OnMissed, Overlap
from nightmail_common.contract.run import scheduled_run_id
from nightmail_common.contract.timetable import Timetable

#: Longer than a standby needs to take over (5 s): a due time published within it is on time.
MISFIRE_GRACE = timedelta(seconds=15)
#: A year of `* * * * *` is half a million due times; nobody needs that number exactly.
MAX_COUNTED = 10_000
#: Missed due times that an event lists: a week of hours, 25 characters each.
MAX_LISTED = 200
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ScheduledJob:
    """A job, reduced to what its due times need: there may be 100,000.

    Due times after `since` are owed, up to `until` if the job was paused, deleted or given another schedule then.
    `json` is the job as its run requests carry it.
    """

    job_name: str
    job_id: str
    version: int
    timetable: Timetable
    on_missed: OnMissed
    max_lateness_seconds: int
    overlap: Overlap
    json: bytes
    since: datetime
    paused: bool = False
    until: datetime | None = None

    @classmethod
    def of(cls, job: Job, since: datetime) -> "ScheduledJob":
        """Return a job whose due times after a moment are owed.

        Raises:
            ScheduleError, TimezoneError, CalendarError: a schedule is malformed, or this machine does not know the zone or
                the country.
        """
        return cls(
            job_name=job.job_name,
            job_id=str(job.job_id),
            version=job.version,
            timetable=Timetable.of(job),
            on_missed=job.on_missed,
            max_lateness_seconds=job.max_lateness_seconds,
            overlap=job.overlap,
            json=job.model_dump_json(exclude_none=True).encode(),
            since=since,
        )


class RunState(NamedTuple):
    """The state of a job's runs by the log.

    `last_fired` is the last due time with a run or a skip in the log, `last_request` the sequence of the last request
    on the job's subject (0: none). `overlapping`: a run has not ended and the job does not allow a second one. `ahead` has
    the due times that were fired before they came, because the clock was ahead.
    """

    last_fired: datetime | None
    last_request: int
    overlapping: bool
    ahead: frozenset[datetime] = frozenset()


@dataclass(frozen=True, slots=True)
class DueTime:
    """The latest due time in a span, how many came before it in the span (at most 10,000), and the first 200 of these."""

    at: datetime
    missed_before: int = 0
    missed: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What to publish for a job's due time, and the state that the decision rests on.

    `skip` is None for a run; `holiday` is the name of the holiday for which the due time is skipped.
    """

    job: ScheduledJob
    state: RunState
    due: DueTime
    run_id: str
    late_seconds: float
    late: bool
    skip: SkipReason | None
    holiday: str | None = None


def decide(job: ScheduledJob, state: RunState, now: datetime, *, remembered: timedelta) -> Decision | None:
    """Return what to publish for a job's latest due time without an event; None if there is none.

    Only the latest due time can get a run; its event lists those before it. A due time that is skipped for a holiday takes no
    run from an earlier one: that one is decided first.

    Args:
        remembered: how long the log keeps the events of runs. Before that, nobody knows whether a due time was fired.
    """
    after = max(job.since, now - remembered, state.last_fired or job.since)
    if state.ahead:
        after = max(after, *(due for due in (*state.ahead, after) if due <= now))
    due = latest_due(job.timetable, after, now if job.until is None else min(now, job.until))
    if due is None:
        return None
    holiday = job.timetable.holiday(due.at)
    if holiday is not None and (run := _last_run(job.timetable, after, due.at)) is not None:
        due, holiday = latest_due(job.timetable, after, run) or DueTime(run), None
    late_seconds = (now - due.at).total_seconds()
    late = job.until is not None or late_seconds > MISFIRE_GRACE.total_seconds()
    skip: SkipReason | None = None
    if holiday is not None:
        skip = "holiday"
    elif job.until is not None or (late and (job.on_missed == "skip" or late_seconds > job.max_lateness_seconds)):
        skip = "missed"
    elif state.overlapping:
        skip = "overlap"
    return Decision(job, state, due, str(scheduled_run_id(UUID(job.job_id), due.at)), late_seconds, late, skip, holiday)


def latest_due(timetable: Timetable, after: datetime, until: datetime) -> DueTime | None:
    """Return the latest due time after one moment and not after another; None if there is none."""
    latest, before = _last_two(timetable, until)
    if latest is None or latest <= after:
        return None
    if before is None or before <= after:
        return DueTime(latest)
    return _counted(timetable, after, latest)


# Jobs with one timetable are decided at one moment, and most have the same last due time: computed once for all.
@lru_cache(maxsize=1024)
def _last_two(timetable: Timetable, until: datetime) -> tuple[datetime | None, datetime | None]:
    latest = timetable.last_due(_LONG_AGO, until)
    return latest, latest and timetable.last_due(_LONG_AGO, latest - timedelta.resolution)


@lru_cache(maxsize=1024)
def _last_run(timetable: Timetable, after: datetime, until: datetime) -> datetime | None:
    return timetable.last_run(after, until)


@lru_cache(maxsize=1024)
def _counted(timetable: Timetable, after: datetime, latest: datetime) -> DueTime:
    before = list(takewhile(lambda due: due < latest, islice(timetable.due_times(after), MAX_COUNTED)))
    return DueTime(latest, len(before), tuple(before[:MAX_LISTED]))
