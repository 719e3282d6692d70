"""Recipients who unsubscribed from a job, as the log has them."""

from collections.abc import Iterable
from uuid import UUID

from nightmail_common.broker.log import EventLog
from nightmail_common.broker.readable import readable
from nightmail_common.contract.envelope import StoredEvent
from nightmail_common.contract.events import RecipientUnsubscribed
from nightmail_common.contract.subjects import events_named

_SUBJECTS = [events_named(RecipientUnsubscribed.name)]


class Unsubscribes:
    """Follows the log: an unsubscribe takes effect within milliseconds."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._unsubscribed: set[tuple[UUID, str]] = set()
        self._last_sequence = 0

    async def catch_up(self) -> None:
        """Read all unsubscribes up to now."""
        until = await self._log.last_sequence()
        async for batch in self._log.replay(_SUBJECTS):
            self._apply(batch)
        self._last_sequence = until

    async def follow(self) -> None:
        """Read new unsubscribes. Never returns."""
        async for batch in self._log.follow(_SUBJECTS, after=self._last_sequence):
            self._apply(batch)

    def subscribed(self, job_id: UUID, recipients: Iterable[str]) -> tuple[str, ...]:
        """Return the recipients who have not unsubscribed, each once."""
        return tuple(
            recipient
            for recipient in dict.fromkeys(recipients)
            if (job_id, recipient.casefold()) not in self._unsubscribed
        )

    def _apply(self, batch: list[StoredEvent]) -> None:
        for stored in batch:
            event = readable(stored, "unsubscribes")
            if isinstance(event, RecipientUnsubscribed):
                self._unsubscribed.add((event.job_id, event.address.casefold()))
