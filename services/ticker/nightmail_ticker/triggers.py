"""One APScheduler job per distinct schedule and time zone, however many jobs share it."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from apscheduler.job import Job as SchedulerJob
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

from nightmail_common.contract.timetable import Timetable
from nightmail_ticker.clock import Clock
from nightmail_ticker.plan import ScheduledJob

#: A trigger fires this long before its due time: its requests are made by then.
PREPARE_LEAD = timedelta(seconds=3)
#: APScheduler drops a job whose trigger ends; the clock may be set back, so that an `at ...` comes again.
EXHAUSTED_INTERVAL = timedelta(days=365)
#: More than the conversion of one clock's time to another's loses, less than the time between two due times.
_ROUNDING = timedelta(seconds=0.5)


class ScheduleTrigger(BaseTrigger):  # type: ignore[misc]
    """Fires `PREPARE_LEAD` before each due time of a schedule. (APScheduler's own CronTrigger reads 0 as Monday.)

    APScheduler uses the machine's time, the schedule the ticker's clock.
    """

    def __init__(self, timetable: Timetable, clock: Clock) -> None:
        self._timetable = timetable
        self._clock = clock

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        after = self._clock.at(now)
        if previous_fire_time is not None:
            after = max(after, self._clock.at(previous_fire_time + PREPARE_LEAD) + _ROUNDING)
        due = self._timetable.next_due(after)
        if due is None:
            return now + EXHAUSTED_INTERVAL
        return self._clock.machine_time(due).astimezone(UTC) - PREPARE_LEAD


@dataclass
class JobGroup:
    """The jobs that share a schedule, by name."""

    timetable: Timetable
    jobs: dict[str, ScheduledJob] = field(default_factory=dict)


class Triggers:
    """Keeps one APScheduler job for each group of jobs.

    Args:
        fire: called with a group `PREPARE_LEAD` before its due time.
    """

    def __init__(self, scheduler: AsyncIOScheduler, clock: Clock, fire: Callable[[JobGroup], Awaitable[None]]) -> None:
        self._scheduler = scheduler
        self._clock = clock
        self._fire = fire
        self._groups: dict[Timetable, tuple[JobGroup, SchedulerJob]] = {}

    def __len__(self) -> int:
        return len(self._groups)

    def add(self, job: ScheduledJob) -> None:
        if job.timetable not in self._groups:
            group = JobGroup(job.timetable)
            scheduled = self._scheduler.add_job(
                self._fire,
                ScheduleTrigger(job.timetable, self._clock),
                args=(group,),
                # APScheduler drops late calls without a word; `plan` decides about lateness.
                misfire_grace_time=None,
                coalesce=True,
                # A call lasts from before its due time until that is published, and may meet the next one.
                max_instances=10,
            )
            self._groups[job.timetable] = (group, scheduled)
        self._groups[job.timetable][0].jobs[job.job_name] = job

    def remove(self, job: ScheduledJob) -> None:
        group, scheduled = self._groups[job.timetable]
        group.jobs.pop(job.job_name, None)
        if not group.jobs:
            scheduled.remove()
            del self._groups[job.timetable]

    def reschedule_all(self) -> None:
        """Compute every schedule's next due time again, after the clock was set."""
        for group, scheduled in self._groups.values():
            scheduled.reschedule(ScheduleTrigger(group.timetable, self._clock))


def jobs_of(groups: Iterable[JobGroup]) -> list[ScheduledJob]:
    return [job for group in groups for job in group.jobs.values()]
