"""A due time becomes run requests: in atomic batches, one by one only where a batch is refused."""

from collections.abc import Sequence
from datetime import UTC, datetime

import structlog

from nightmail_common.envelope import run_message_id
from nightmail_common.events import RunRequested
from nightmail_common.log import BatchRefused, EventLog, Publication
from nightmail_common.run import scheduled_run_id
from nightmail_ticker.jobs import ScheduledJob

#: Measured: larger batches are not faster.
BATCH = 500

logger = structlog.get_logger()


class Requests:
    """Publishes run requests. A request that the log holds already is not stored again."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    async def publish(self, due: datetime, jobs: Sequence[ScheduledJob], *, late: bool = False) -> None:
        """Request a run of each job for a due time."""
        requests = [_request(job, due, late=late) for job in jobs]
        for start in range(0, len(requests), BATCH):
            batch = requests[start : start + BATCH]
            try:
                await self._log.publish_batch(batch)
            except BatchRefused:
                for request in batch:
                    await self._log.publish(request.event, message_id=request.message_id)
        if requests:
            lateness = datetime.now(UTC) - due
            logger.info(
                "runs_requested",
                due=due.isoformat(),
                jobs=len(requests),
                lateness_ms=round(lateness.total_seconds() * 1000),
            )


def _request(scheduled: ScheduledJob, due: datetime, *, late: bool) -> Publication:
    job = scheduled.job
    run_id = scheduled_run_id(job.job_id, due)
    event = RunRequested(
        job_name=job.job_name, run_id=run_id, job=job, trigger="schedule", scheduled_at=due.astimezone(UTC), late=late
    )
    return Publication(event, message_id=run_message_id(run_id))
