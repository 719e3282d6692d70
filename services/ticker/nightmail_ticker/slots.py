"""One APScheduler job per distinct schedule and zone, however many jobs share it."""

from collections.abc import Awaitable, Callable, Collection
from datetime import datetime

from apscheduler.job import Job as SchedulerJob
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

from nightmail_common.schedule import Schedule
from nightmail_ticker.jobs import ScheduledJob

#: Fires what is due of the jobs that share a schedule.
Fire = Callable[[Collection[ScheduledJob]], Awaitable[None]]


class ScheduleTrigger(BaseTrigger):  # type: ignore[misc]
    """A schedule as APScheduler asks for it. (Its own CronTrigger reads 0 as Monday.)"""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        return self._schedule.next_due(previous_fire_time or now)


class Slots:
    """Keeps the scheduler's jobs those that the jobs need.

    APScheduler's misfire limit is off: it silently drops what is late, and lateness is our decision.
    """

    def __init__(self, scheduler: AsyncIOScheduler, fire: Fire) -> None:
        self._scheduler = scheduler
        self._fire = fire
        self._slots: dict[Schedule, tuple[dict[str, ScheduledJob], SchedulerJob]] = {}

    def add(self, job: ScheduledJob) -> None:
        if job.schedule not in self._slots:
            jobs: dict[str, ScheduledJob] = {}
            scheduled = self._scheduler.add_job(
                self._due,
                ScheduleTrigger(job.schedule),
                args=(jobs,),
                misfire_grace_time=None,
                coalesce=True,
                max_instances=10,
            )
            self._slots[job.schedule] = (jobs, scheduled)
        self._slots[job.schedule][0][job.job_name] = job

    def remove(self, job: ScheduledJob) -> None:
        jobs, scheduled = self._slots[job.schedule]
        jobs.pop(job.job_name, None)
        if not jobs:
            scheduled.remove()
            del self._slots[job.schedule]

    async def _due(self, jobs: dict[str, ScheduledJob]) -> None:
        await self._fire(list(jobs.values()))
