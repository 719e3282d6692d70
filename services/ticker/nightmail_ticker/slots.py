"""One APScheduler job per distinct schedule and zone, however many jobs share it."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from apscheduler.job import Job as SchedulerJob
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

from nightmail_common.contract.schedule import Schedule
from nightmail_ticker.clock import Clock
from nightmail_ticker.jobs import ScheduledJob

#: So long before its due time a slot is called: what can be known of its requests is made by then.
AHEAD = timedelta(seconds=3)
#: More than what turning one clock's time into another's loses, less than lies between two due times.
_ROUNDING = timedelta(seconds=0.5)


class ScheduleTrigger(BaseTrigger):  # type: ignore[misc]
    """A schedule as APScheduler asks for it: a little before each due time. (Its own CronTrigger reads 0 as Monday.)

    APScheduler lives on the machine's time, the schedule on the ticker's clock.
    """

    def __init__(self, schedule: Schedule, clock: Clock) -> None:
        self._schedule = schedule
        self._clock = clock

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        after = self._clock.at(now)
        if previous_fire_time is not None:
            after = max(after, self._clock.at(previous_fire_time + AHEAD) + _ROUNDING)
        due = self._schedule.next_due(after)
        return None if due is None else self._clock.machine_time(due).astimezone(UTC) - AHEAD


@dataclass
class Slot:
    """The jobs that share a schedule, by name."""

    schedule: Schedule
    jobs: dict[str, ScheduledJob] = field(default_factory=dict)


#: Takes a slot whose due time is near.
Soon = Callable[[Slot], Awaitable[None]]


class Slots:
    """Keeps the scheduler's jobs those that the jobs need.

    APScheduler's misfire limit is off: it silently drops what is late, and lateness is our decision.
    """

    def __init__(self, scheduler: AsyncIOScheduler, clock: Clock, soon: Soon) -> None:
        self._scheduler = scheduler
        self._clock = clock
        self._soon = soon
        self._slots: dict[Schedule, tuple[Slot, SchedulerJob]] = {}

    def __len__(self) -> int:
        return len(self._slots)

    def add(self, job: ScheduledJob) -> None:
        if job.schedule not in self._slots:
            slot = Slot(job.schedule)
            scheduled = self._scheduler.add_job(
                self._soon,
                ScheduleTrigger(job.schedule, self._clock),
                args=(slot,),
                misfire_grace_time=None,
                coalesce=True,
                max_instances=10,
            )
            self._slots[job.schedule] = (slot, scheduled)
        self._slots[job.schedule][0].jobs[job.job_name] = job

    def remove(self, job: ScheduledJob) -> None:
        slot, scheduled = self._slots[job.schedule]
        slot.jobs.pop(job.job_name, None)
        if not slot.jobs:
            scheduled.remove()
            del self._slots[job.schedule]

    def plan_anew(self) -> None:
        """Ask every schedule again when it is due next: the clock was set."""
        for slot, scheduled in self._slots.values():
            scheduled.reschedule(ScheduleTrigger(slot.schedule, self._clock))


def jobs_of(slots: Collection[Slot]) -> list[ScheduledJob]:
    return [job for slot in slots for job in slot.jobs.values()]
