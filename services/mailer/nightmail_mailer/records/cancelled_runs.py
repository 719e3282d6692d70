"""Runs that a user cancelled, as the log has them: nothing of them is mailed.

The log refuses the outcome of a cancelled run for an hour, its duplicate window. A runner that was cut off for longer still
publishes one.
"""

from uuid import UUID

from nightmail_common.broker.log import EventLog
from nightmail_common.broker.readable import readable
from nightmail_common.contract.envelope import StoredEvent
from nightmail_common.contract.events import RunCancelled
from nightmail_common.contract.subjects import events_named

_SUBJECTS = [events_named(RunCancelled.name)]


class CancelledRuns:
    """Follows the log. An outcome that comes an hour after its cancellation meets a mailer that knows of it."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._cancelled: dict[UUID, int] = {}
        self._last_sequence = 0

    def was_cancelled_before(self, run_id: UUID, sequence: int) -> bool:
        """Say whether a run was cancelled before the event of that sequence."""
        return self._cancelled.get(run_id, sequence) < sequence

    async def catch_up(self) -> None:
        """Read all cancellations up to now."""
        until = await self._log.last_sequence()
        async for batch in self._log.replay(_SUBJECTS):
            self._apply(batch)
        self._last_sequence = until

    async def follow(self) -> None:
        """Read new cancellations. Never returns."""
        async for batch in self._log.follow(_SUBJECTS, after=self._last_sequence):
            self._apply(batch)

    def _apply(self, batch: list[StoredEvent]) -> None:
        for stored in batch:
            if isinstance(event := readable(stored, "cancelled runs"), RunCancelled):
                self._cancelled[event.run_id] = stored.sequence
