"""Jobs that were deleted, as the log has them: what is not sent of them yet is not sent any more."""

from uuid import UUID

from nightmail_common.broker.log import EventLog
from nightmail_common.contract.events import JobDeleted, MailKind
from nightmail_mailer.records.log_record import LogRecord


class JobWasDeleted(Exception):
    """No recipient has the mail, and its job was deleted."""

    def __init__(self, kind: MailKind) -> None:
        super().__init__(kind)
        self.kind: MailKind = kind


class DeletedJobs(LogRecord[JobDeleted]):
    """The ids of the jobs that were deleted."""

    def __init__(self, log: EventLog) -> None:
        super().__init__(log, JobDeleted, "deleted jobs")
        self._deleted: set[UUID] = set()

    def __contains__(self, job_id: UUID) -> bool:
        return job_id in self._deleted

    def apply(self, event: JobDeleted, sequence: int) -> None:  # noqa: ARG002
        self._deleted.add(event.job_id)
