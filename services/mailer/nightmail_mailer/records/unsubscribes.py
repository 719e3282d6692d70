"""Who left: recipients that want no more mail of a job, as the log has them."""

from collections.abc import Iterable
from uuid import UUID

from nightmail_common.broker.log import EventLog
from nightmail_common.contract.envelope import StoredEvent
from nightmail_common.contract.events import RecipientUnsubscribed
from nightmail_common.contract.subjects import events_named

_SUBJECTS = [events_named(RecipientUnsubscribed.name)]


class Left:
    """Follows the log; a recipient who leaves is known within milliseconds."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._left: set[tuple[UUID, str]] = set()
        self._read_up_to = 0

    async def catch_up(self) -> None:
        """Read who left until now."""
        until = await self._log.last_sequence()
        async for batch in self._log.replay(_SUBJECTS):
            self._apply(batch)
        self._read_up_to = until

    async def follow(self) -> None:
        """For ever: read who leaves."""
        async for batch in self._log.follow(_SUBJECTS, after=self._read_up_to):
            self._apply(batch)

    def staying(self, job_id: UUID, recipients: Iterable[str]) -> tuple[str, ...]:
        """Return those who have not left, each once."""
        return tuple(
            recipient for recipient in dict.fromkeys(recipients) if (job_id, recipient.casefold()) not in self._left
        )

    def _apply(self, batch: list[StoredEvent]) -> None:
        for stored in batch:
            event = stored.event()
            if isinstance(event, RecipientUnsubscribed):
                self._left.add((event.job_id, event.address.casefold()))
