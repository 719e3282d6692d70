"""Runs that a user cancelled, as the log has them: nothing of them is mailed.

The log refuses the outcome of a cancelled run for an hour, its duplicate window. A runner that was cut off for longer still
publishes one.
"""

from uuid import UUID

from nightmail_common.broker.log import EventLog
from nightmail_common.contract.events import RunCancelled
from nightmail_mailer.records.log_record import LogRecord


class CancelledRuns(LogRecord[RunCancelled]):
    """An outcome that comes an hour after its cancellation meets a mailer that knows of it."""

    def __init__(self, log: EventLog) -> None:
        super().__init__(log, RunCancelled, "cancelled runs")
        self._cancelled: dict[UUID, int] = {}

    def apply(self, event: RunCancelled, sequence: int) -> None:
        self._cancelled[event.run_id] = sequence

    def was_cancelled_before(self, run_id: UUID, sequence: int) -> bool:
        """Return whether a run was cancelled before the event of that sequence."""
        return self._cancelled.get(run_id, sequence) < sequence
