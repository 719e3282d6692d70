"""What is legal in a job's schedules and probably wrong. Pure: the caller has the time and the duration of the last run."""

from datetime import datetime, timedelta
from itertools import islice, pairwise
from typing import NamedTuple

from nightmail_common.contract.timetable import Timetable

#: A report that comes less often is more likely a mistake than a plan.
FAR_AHEAD = timedelta(days=366)
#: The shortest time between this many runs is that of a schedule which is not as frequent on each day.
_RUNS = 4


class ScheduleWarning(NamedTuple):
    """A field of a job, and what is probably wrong with it."""

    field: str
    detail: str


def schedule_warnings(timetable: Timetable, now: datetime) -> list[ScheduleWarning]:
    """Return the warnings about the schedules of an active job: one that has passed, and a job that does not run within a year."""
    several = len(timetable.schedules) > 1
    passed = [one.cron for one in timetable.schedules if several and one.next_due(now) is None]
    warnings = [ScheduleWarning("schedules", f"{cron!r} has passed or never comes") for cron in passed]
    next_run = timetable.next_run(now)
    if next_run is None:
        skipped = timetable.next_due(now) is not None
        once = all(one.is_once for one in timetable.schedules)
        if skipped:
            detail = "the job never runs: its calendar skips every due time"
        elif once:  # it may have run: a schedule does not know
            detail = "the job does not run again: its due time has passed"
        else:
            detail = "the job does not run again: its date does not come any more"
        warnings.append(ScheduleWarning(_field(timetable), detail))
    elif next_run - now > FAR_AHEAD:
        detail = f"the job does not run within a year; its next run is on {next_run:%Y-%m-%d}"
        warnings.append(ScheduleWarning(_field(timetable), detail))
    return warnings


def shortest_interval(timetable: Timetable, now: datetime) -> timedelta | None:
    """Return the shortest time between two of the next runs; None if there are not two."""
    runs = list(islice(timetable.runs(now), _RUNS))
    return min((after - before for before, after in pairwise(runs)), default=None)


def overlap_warning(timetable: Timetable, interval: timedelta, last_run: timedelta) -> ScheduleWarning | None:
    """Return the warning about a job whose last run took longer than the time between two runs; None if it did not."""
    if last_run <= interval:
        return None
    detail = (
        f"the last run took {last_run.total_seconds():.0f} s, and a run is due every {interval.total_seconds():.0f} s:"
        " due times are skipped, or with overlap 'allow' the queue grows"
    )
    return ScheduleWarning(_field(timetable), detail)


def _field(timetable: Timetable) -> str:
    return "schedule_time" if len(timetable.schedules) == 1 else "schedules"
