"""One APScheduler job per distinct schedule and zone, however many jobs share it."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from apscheduler.job import Job as SchedulerJob
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

from nightmail_common.schedule import Schedule
from nightmail_ticker.jobs import ScheduledJob

#: Fires the jobs that share a schedule for one due time.
Fire = Callable[[datetime, list[ScheduledJob]], Awaitable[None]]


class ScheduleTrigger(BaseTrigger):  # type: ignore[misc]
    """A schedule as APScheduler asks for it. (Its own CronTrigger reads 0 as Monday.)"""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        return self._schedule.next_due(previous_fire_time or now)


class Slot:
    """The jobs of one schedule."""

    def __init__(self, schedule: Schedule, fire: Fire) -> None:
        self.schedule = schedule
        self.jobs: dict[str, ScheduledJob] = {}
        self._fire = fire
        self._served = datetime.now(UTC)

    async def due(self) -> None:
        """Fire the latest due time that has come since the last one."""
        due = self.schedule.last_due(self._served, datetime.now(UTC))
        if due is None:
            return
        self._served = due
        await self._fire(due, [job for job in self.jobs.values() if job.since < due])


class Slots:
    """Keeps the scheduler's jobs those that the jobs need.

    APScheduler's misfire limit is off: it silently drops what is late, and lateness is our decision.
    """

    def __init__(self, scheduler: AsyncIOScheduler, fire: Fire) -> None:
        self._scheduler = scheduler
        self._fire = fire
        self._slots: dict[Schedule, tuple[Slot, SchedulerJob]] = {}

    def add(self, job: ScheduledJob) -> None:
        if job.schedule not in self._slots:
            slot = Slot(job.schedule, self._fire)
            scheduled = self._scheduler.add_job(
                slot.due, ScheduleTrigger(job.schedule), misfire_grace_time=None, coalesce=True, max_instances=10
            )
            self._slots[job.schedule] = (slot, scheduled)
        self._slots[job.schedule][0].jobs[job.job.job_name] = job

    def remove(self, job: ScheduledJob) -> None:
        slot, scheduled = self._slots[job.schedule]
        slot.jobs.pop(job.job.job_name, None)
        if not slot.jobs:
            scheduled.remove()
            del self._slots[job.schedule]
