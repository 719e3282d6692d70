"""Warnings to the owner of a job whose mail came back: the addresses of its failure mails that work."""

from datetime import timedelta

import structlog

from nightmail_common.broker.log import EventLog
from nightmail_common.broker.readable import readable
from nightmail_common.contract.events import JobCreated, JobDeleted, JobUpdated, MailBounced
from nightmail_common.contract.job import Job
from nightmail_common.contract.subjects import events_of_job
from nightmail_mailer.bounces.notification import Bounce
from nightmail_mailer.notices import Notice, Notices
from nightmail_mailer.records.log_record import LogRecord, Unsubscribes

#: From one warning about a job to the next. A job that runs each minute has a bounce each minute.
INTERVAL = timedelta(days=1)

logger = structlog.get_logger()


class OwnerWarnings:
    """Queues one warning for each job and day.

    Args:
        bounced: follows the log, so that it has the bounce to warn of.
    """

    def __init__(
        self, log: EventLog, notices: Notices, unsubscribes: Unsubscribes, bounced: LogRecord[MailBounced]
    ) -> None:
        self._log = log
        self._notices = notices
        self._unsubscribes = unsubscribes
        self._bounced = bounced

    async def warn(self, bounce: Bounce) -> None:
        """Queue a warning to each owner whose own mail did not come back.

        None goes out about a job that was deleted, or that no longer has the recipient: nothing is to be corrected.

        Raises:
            nats.errors.Error: the log does not answer.
        """
        job = await self._job(bounce.job_name)
        if job is None or bounce.recipient not in job.all_recipients:
            return
        owners = tuple(
            address
            for address in self._unsubscribes.subscribed(job.job_id, job.failure_recipients)
            if address.casefold() not in self._bounced and address.casefold() != bounce.recipient.casefold()
        )
        if not owners:
            logger.warning("bounce_without_owner", kind=bounce.kind)
            return
        text = (
            f"A mail of the job {job.job_name!r} to {bounce.recipient} was accepted by the mail server and came back:\n\n"
            f"    {bounce.status} {bounce.answer}\n\n"
            "This recipient does not get the job's mails. Correct the address in the job, or remove it.\n"
            f"nightmail mails list --job {job.job_name!r} --outcome bounced has all mails that came back; you get this "
            "warning at most once a day.\n"
        )
        title = f"Nightmail: a mail of {job.job_name} came back"
        self._notices.put(Notice("bounce", f"bounce of {job.job_id}", INTERVAL, owners, title, text, may_bounce=False))

    async def _job(self, job_name: str) -> Job | None:
        """Return the job as it is now; None if it was deleted."""
        jobs, _ = events_of_job(job_name)
        found = [
            stored
            for kind in (JobCreated, JobUpdated, JobDeleted)
            if (stored := await self._log.last_event(f"{jobs.removesuffix('>')}{kind.name}")) is not None
        ]
        last = max(found, key=lambda stored: stored.sequence, default=None)
        event = None if last is None else readable(last, "owner warnings")
        return event.job if isinstance(event, JobCreated | JobUpdated) else None
