"""Which jobs there are and which of them fire, as the log says."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from nightmail_common.envelope import StoredEvent
from nightmail_common.events import JobCreated, JobDeleted, JobErased, JobPaused, JobResumed, JobUpdated
from nightmail_common.job import Job
from nightmail_common.schedule import Schedule


@dataclass(frozen=True)
class ScheduledJob:
    """A job that exists. `since`: due times after this moment are owed to its owner."""

    job: Job
    schedule: Schedule
    since: datetime
    paused: bool = False


class Jobs:
    """The jobs by name, kept up to date by `apply`."""

    def __init__(self) -> None:
        self._by_name: dict[str, ScheduledJob] = {}

    def active(self) -> Iterable[ScheduledJob]:
        return (job for job in self._by_name.values() if not job.paused)

    def apply(self, stored: StoredEvent) -> tuple[ScheduledJob | None, ScheduledJob | None]:
        """Take one event of a job in; return what fired before it and what fires after it."""
        before = self._by_name.get(stored.job_name)
        after = _after(before, stored)
        if after is None:
            self._by_name.pop(stored.job_name, None)
        else:
            self._by_name[stored.job_name] = after
        return _if_active(before), _if_active(after)


def _after(before: ScheduledJob | None, stored: StoredEvent) -> ScheduledJob | None:
    match stored.event():
        case JobCreated(job=job):
            return ScheduledJob(job, Schedule.parse(job.schedule_time, job.timezone), stored.time)
        case JobUpdated(job=job):
            schedule = Schedule.parse(job.schedule_time, job.timezone)
            if before is None:
                return ScheduledJob(job, schedule, stored.time)
            since = before.since if schedule == before.schedule else stored.time
            return ScheduledJob(job, schedule, since, before.paused)
        case JobPaused() if before is not None:
            return replace(before, paused=True)
        case JobResumed() if before is not None:
            return replace(before, paused=False, since=stored.time)
        case JobDeleted() | JobErased():
            return None
        case _:
            return before


def _if_active(job: ScheduledJob | None) -> ScheduledJob | None:
    return None if job is None or job.paused else job
