"""The times that a source's templates name: `scheduled_at` and `last_success_at`, in the job's time zone."""

from dataclasses import dataclass, field
from datetime import datetime

from nightmail_common.broker.backoff import retry_forever
from nightmail_common.broker.log import EventLog
from nightmail_common.broker.readable import readable
from nightmail_common.contract.events import ResultReady, RunRequested
from nightmail_common.contract.job import Job
from nightmail_common.contract.subjects import job_token
from nightmail_common.contract.timezones import zone


@dataclass(frozen=True)
class SourceTimes:
    """The times of a run by name, and what was decided to get them."""

    values: dict[str, datetime]
    notes: list[str] = field(default_factory=list)


class TemplateTimes:
    """Finds the times of a run."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    async def of(self, request: RunRequested, names: set[str]) -> SourceTimes:
        """Return the times that a source refers to.

        `last_success_at` is the `scheduled_at` of the job's last run with a result, so that two windows of time join without
        a gap. A job without one in the log has the time of its creation instead, which is a note.
        """
        in_zone = zone(request.job.timezone)
        times = SourceTimes({"scheduled_at": request.scheduled_at.astimezone(in_zone)})
        if "last_success_at" in names:
            last = await retry_forever(lambda: self._last_success(request.job), "read_last_success")
            if last is None:
                last = request.job.created_at
                times.notes.append("no earlier run has a result: last_success_at is the time when the job was created")
            times.values["last_success_at"] = last.astimezone(in_zone)
        return times

    async def _last_success(self, job: Job) -> datetime | None:
        last = None
        subject = f"runs.{job_token(job.job_name)}.{ResultReady.name}"
        async for events in self._log.replay([subject], last_per_subject=True):
            for stored in events:
                event = readable(stored, "template_times")
                # A job of the same name that was deleted is another job.
                if isinstance(event, ResultReady) and event.job.job_id == job.job_id:
                    last = event.scheduled_at
        return last
