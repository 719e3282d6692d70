"""The projection of the jobs: which jobs exist and which of them fire, as the log says."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

import structlog

from nightmail_common.broker.metrics import UNREADABLE_EVENTS
from nightmail_common.contract.envelope import AHEAD_TOLERANCE, StoredEvent
from nightmail_common.contract.events import JobCreated, JobDeleted, JobErased, JobPaused, JobResumed, JobUpdated
from nightmail_ticker.plan import ScheduledJob

logger = structlog.get_logger()


class JobProjection:
    """The jobs by name, as of the last event given to `apply`.

    `ended` has jobs as they were before a pause, a deletion or another schedule, oldest first. Due times before that
    change may still be without an event.
    """

    def __init__(self) -> None:
        self._by_name: dict[str, ScheduledJob] = {}
        self.ended: list[ScheduledJob] = []

    def active(self) -> Iterable[ScheduledJob]:
        return (job for job in self._by_name.values() if not job.paused)

    def count_active(self) -> int:
        return sum(1 for _ in self.active())

    def current(self, job: ScheduledJob) -> ScheduledJob | None:
        """Return a job as it is now; None if it is paused or deleted."""
        current = _if_active(self._by_name.get(job.job_name))
        return current if current is not None and current.job_id == job.job_id else None

    def clamp_since(self, now: datetime) -> list[ScheduledJob]:
        """Let jobs that a clock ahead dated into the future fire from now on; return these jobs if they are active."""
        clamped = [replace(job, since=now) for job in self._by_name.values() if job.since > now + AHEAD_TOLERANCE]
        self._by_name |= {job.job_name: job for job in clamped}
        return [job for job in clamped if not job.paused]

    def apply(self, stored: StoredEvent) -> tuple[ScheduledJob | None, ScheduledJob | None]:
        """Apply one event of a job; return the job that fired before it and the one that fires after it.

        An invalid event is logged and changes nothing: one job must not stop all others.
        """
        before = self._by_name.get(stored.job_name)
        try:
            after = _after(before, stored)
        except (
            Exception
        ) as error:  # a schedule at the end of time raises OverflowError, a job of another program anything
            logger.exception("job_not_scheduled", job_name=stored.job_name, error=str(error), sequence=stored.sequence)
            UNREADABLE_EVENTS.labels("jobs").inc()
            after = before
        if after is None:
            self._by_name.pop(stored.job_name, None)
        else:
            self._by_name[stored.job_name] = after
        if stored.name == JobErased.name:
            self.ended = [job for job in self.ended if job.job_name != stored.job_name]
        elif (
            before is not None
            and not before.paused
            and (after is None or after.paused or after.timetable != before.timetable)
        ):
            self.ended.append(replace(before, until=stored.time))
        return _if_active(before), _if_active(after)


def _after(before: ScheduledJob | None, stored: StoredEvent) -> ScheduledJob | None:
    event = stored.event()
    if isinstance(event, JobCreated | JobUpdated) and event.job.job_name != stored.job_name:
        raise ValueError("the job has another name than the event's subject")
    match event:
        case JobCreated(job=job):
            return ScheduledJob.of(job, stored.time)
        case JobUpdated(job=job):
            updated = ScheduledJob.of(job, stored.time)
            if before is None:
                return updated
            since = before.since if updated.timetable == before.timetable else stored.time
            return replace(updated, since=since, paused=before.paused)
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
