"""Jobs that were deleted, as the log has them: what is not sent of them yet is not sent any more."""

from uuid import UUID

from nightmail_common.broker.log import EventLog
from nightmail_common.contract.envelope import StoredEvent
from nightmail_common.contract.events import JobDeleted, MailKind
from nightmail_common.contract.subjects import events_named

_SUBJECTS = [events_named(JobDeleted.name)]


class JobWasDeleted(Exception):
    """No recipient has the mail, and its job was deleted."""

    def __init__(self, kind: MailKind) -> None:
        super().__init__(kind)
        self.kind: MailKind = kind


class DeletedJobs:
    """Follows the log: a deletion takes effect within milliseconds."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._deleted: set[UUID] = set()
        self._last_sequence = 0

    def __contains__(self, job_id: UUID) -> bool:
        return job_id in self._deleted

    async def catch_up(self) -> None:
        """Read all deletions up to now."""
        until = await self._log.last_sequence()
        async for batch in self._log.replay(_SUBJECTS):
            self._apply(batch)
        self._last_sequence = until

    async def follow(self) -> None:
        """Read new deletions. Never returns."""
        async for batch in self._log.follow(_SUBJECTS, after=self._last_sequence):
            self._apply(batch)

    def _apply(self, batch: list[StoredEvent]) -> None:
        for stored in batch:
            event = stored.event()
            if isinstance(event, JobDeleted):
                self._deleted.add(event.job_id)
