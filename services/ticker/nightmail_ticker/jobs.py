"""Which jobs there are and which of them fire, as the log says."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

import structlog

from nightmail_common.contract.envelope import StoredEvent
from nightmail_common.contract.events import JobCreated, JobDeleted, JobErased, JobPaused, JobResumed, JobUpdated
from nightmail_common.contract.job import Job, OnMissed, Overlap
from nightmail_common.contract.schedule import Schedule

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ScheduledJob:
    """A job that exists, as small as firing it needs: there may be 100,000.

    `since`: due times after this moment are owed to its owner; `until`: no longer than to this one, when the job was
    paused, deleted or given another schedule. `json`: the job as its run requests carry it.
    """

    job_name: str
    job_id: str
    version: int
    schedule: Schedule
    on_missed: OnMissed
    max_lateness_seconds: int
    overlap: Overlap
    json: bytes
    since: datetime
    paused: bool = False
    until: datetime | None = None

    @classmethod
    def of(cls, job: Job, since: datetime) -> "ScheduledJob":
        """Return a job that fires from a moment on.

        Raises:
            ScheduleError, TimezoneError: this machine does not know the schedule's zone, or it never comes.
        """
        return cls(
            job_name=job.job_name,
            job_id=str(job.job_id),
            version=job.version,
            schedule=_schedule(job.schedule_time, job.timezone),
            on_missed=job.on_missed,
            max_lateness_seconds=job.max_lateness_seconds,
            overlap=job.overlap,
            json=job.model_dump_json(exclude_none=True).encode(),
            since=since,
        )


class Jobs:
    """The jobs by name, kept up to date by `apply`.

    `ended`: jobs as they were until a change after which they owe nothing new, oldest first. What came due before, while
    no ticker ran, is still without its event.
    """

    def __init__(self) -> None:
        self._by_name: dict[str, ScheduledJob] = {}
        self.ended: list[ScheduledJob] = []

    def active(self) -> Iterable[ScheduledJob]:
        return (job for job in self._by_name.values() if not job.paused)

    def count_active(self) -> int:
        return sum(1 for _ in self.active())

    def apply(self, stored: StoredEvent) -> tuple[ScheduledJob | None, ScheduledJob | None]:
        """Take one event of a job in; return what fired before it and what fires after it.

        An event that cannot be understood changes nothing: one job must not stop all others.
        """
        before = self._by_name.get(stored.job_name)
        try:
            after = _after(before, stored)
        except ValueError as error:
            logger.exception("job_not_scheduled", job_name=stored.job_name, error=str(error), sequence=stored.sequence)
            after = before
        if after is None:
            self._by_name.pop(stored.job_name, None)
        else:
            self._by_name[stored.job_name] = after
        if stored.name == JobErased.name:
            self.ended = [job for job in self.ended if job.job_name != stored.job_name]
        elif before is not None and not before.paused and _owes_no_more(before, after):
            self.ended.append(replace(before, until=stored.time))
        return _if_active(before), _if_active(after)


def _after(before: ScheduledJob | None, stored: StoredEvent) -> ScheduledJob | None:
    match stored.event():
        case JobCreated(job=job):
            return ScheduledJob.of(job, stored.time)
        case JobUpdated(job=job):
            updated = ScheduledJob.of(job, stored.time)
            if before is None:
                return updated
            since = before.since if updated.schedule == before.schedule else stored.time
            return replace(updated, since=since, paused=before.paused)
        case JobPaused() if before is not None:
            return replace(before, paused=True)
        case JobResumed() if before is not None:
            return replace(before, paused=False, since=stored.time)
        case JobDeleted() | JobErased():
            return None
        case _:
            return before


def _owes_no_more(before: ScheduledJob, after: ScheduledJob | None) -> bool:
    return after is None or after.paused or after.schedule != before.schedule


def _if_active(job: ScheduledJob | None) -> ScheduledJob | None:
    return None if job is None or job.paused else job


@lru_cache(maxsize=4096)
def _schedule(schedule_time: str, timezone: str) -> Schedule:
    return Schedule.parse(schedule_time, timezone)
