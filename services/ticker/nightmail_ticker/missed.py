"""Due times that nobody served: the system was down when they came."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from nightmail_common.envelope import run_message_id
from nightmail_common.events import RunRequested, RunSkipped
from nightmail_common.log import EventLog
from nightmail_common.run import scheduled_run_id
from nightmail_common.subjects import job_token
from nightmail_ticker.fire import Requests
from nightmail_ticker.jobs import ScheduledJob

logger = structlog.get_logger()


@dataclass(frozen=True)
class Missed:
    """The latest due time of a job that came while nobody served it, and how late it is."""

    job: ScheduledJob
    due: datetime
    late_seconds: float

    @property
    def is_run(self) -> bool:
        return self.job.job.on_missed == "run_once" and self.late_seconds <= self.job.job.max_lateness_seconds


class Served:
    """The last due time of each job that the log holds a request or a skip of."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    async def by_job(self) -> dict[str, datetime]:
        """Return the last scheduled due time served, by the name of the job."""
        served: dict[str, datetime] = {}
        manual: list[str] = []
        async for batch in self._log.replay(("runs.*.run-requested", "runs.*.run-skipped"), last_per_subject=True):
            for stored in batch:
                match stored.event():
                    case RunRequested(trigger="manual"):
                        manual.append(stored.job_name)
                    case RunRequested(scheduled_at=due) | RunSkipped(scheduled_at=due):
                        served[stored.job_name] = max(due, served.get(stored.job_name, due))
                    case _:
                        pass
        for job_name in manual:  # the last request hides the last scheduled one: look through the job's own
            async for batch in self._log.replay((f"runs.{job_token(job_name)}.run-requested",)):
                for stored in batch:
                    match stored.event():
                        case RunRequested(trigger="schedule", scheduled_at=due):
                            served[job_name] = max(due, served.get(job_name, due))
                        case _:
                            pass
        return served


def missed(jobs: Iterable[ScheduledJob], served: dict[str, datetime], now: datetime) -> list[Missed]:
    """Return each job's latest due time that came after the last one served (or after the job began) until now."""
    found = []
    for job in jobs:
        after = max(job.since, served.get(job.job.job_name, job.since))
        if (due := job.schedule.last_due(after, now)) is not None:
            found.append(Missed(job, due, (now - due).total_seconds()))
    return found


async def catch_up(missing: Iterable[Missed], requests: Requests, log: EventLog) -> None:
    """Run what is to be run once, marked as late; tell of the rest that it was skipped."""
    for item in missing:
        job = item.job.job
        logger.info("due_time_missed", job_name=job.job_name, due=item.due.isoformat(), runs=item.is_run)
        if item.is_run:
            await requests.publish(item.due, [item.job], late=True)
            continue
        run_id = scheduled_run_id(job.job_id, item.due)
        skipped = RunSkipped(
            job_name=job.job_name,
            run_id=run_id,
            job_id=job.job_id,
            job_version=job.version,
            scheduled_at=item.due.astimezone(UTC),
            reason="missed",
            detail=f"nothing ran at the due time; noticed {item.late_seconds:.0f} s late",
        )
        await log.publish(skipped, message_id=run_message_id(run_id))
