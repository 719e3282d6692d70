"""Runs that must not continue: a user cancelled them, or deleted their job.

The runner follows the log: a stop takes effect within milliseconds. A stop that this process has not read yet loses nothing:
`run-cancelled` has the message id of the run's outcome, so that the log refuses a later outcome.
"""

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeVar
from uuid import UUID

from nightmail_common.broker.log import EventLog
from nightmail_common.broker.patches import Interrupted, run_until
from nightmail_common.broker.readable import readable
from nightmail_common.contract.envelope import StoredEvent
from nightmail_common.contract.events import JobDeleted, RunCancelled, RunRequested
from nightmail_common.contract.subjects import events_named

#: Cancelled runs are kept in memory for this time. A request that is older when it is delivered, or that is delivered
#: again, is looked up in the log instead (`MAX_FRESH_AGE` of the handler, with a margin for the clocks).
REMEMBERED = timedelta(minutes=10)

#: The runner's NATS user may read the log with these filters, one at a time.
CANCELLED = events_named(RunCancelled.name)
DELETED = events_named(JobDeleted.name)

StopReason = Literal["cancelled", "deleted"]
ResultT = TypeVar("ResultT")


class RunStopped(Exception):
    """The run was cancelled, or its job was deleted, while it was executed."""

    def __init__(self, reason: StopReason) -> None:
        super().__init__(reason)
        self.reason: StopReason = reason


class Stops:
    """Knows which runs were cancelled and which jobs were deleted, and stops work on them."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._cancelled: dict[UUID, datetime] = {}
        self._deleted_jobs: set[UUID] = set()
        self._executing: dict[UUID, tuple[RunRequested, asyncio.Event]] = {}
        self._position = 0

    async def load(self) -> None:
        """Read the deletions and the latest cancellations up to now."""
        self._position = await self._log.last_sequence()
        async for batch in self._log.replay([DELETED]):
            self._apply(batch)
        async for batch in self._log.replay([CANCELLED], since=datetime.now(UTC) - REMEMBERED):
            self._apply(batch)

    async def follow(self, subject: str) -> None:
        """Apply new events of one of the two subjects. Never returns."""
        async for batch in self._log.follow([subject], after=self._position):
            self._apply(batch)

    def reason(self, request: RunRequested) -> StopReason | None:
        """Return why a run must not begin; None if it may."""
        if request.run_id in self._cancelled:
            return "cancelled"
        return "deleted" if request.job.job_id in self._deleted_jobs else None

    async def run_unless_stopped(self, request: RunRequested, work: Coroutine[Any, Any, ResultT]) -> ResultT:
        """Return the result of a run's work; end the work when the run is stopped.

        Raises:
            RunStopped: the run was stopped first, and the work has ended.
        """
        stopped = asyncio.Event()
        self._executing[request.run_id] = (request, stopped)
        try:
            return await run_until(stopped.wait(), work)
        except Interrupted:
            raise RunStopped(self.reason(request) or "cancelled") from None
        finally:
            del self._executing[request.run_id]

    def _apply(self, batch: list[StoredEvent]) -> None:
        for stored in batch:
            match readable(stored, "stops"):
                case RunCancelled(run_id=run_id):
                    self._cancelled[run_id] = stored.time
                case JobDeleted(job_id=job_id):
                    self._deleted_jobs.add(job_id)
        for request, stopped in self._executing.values():
            if self.reason(request) is not None:
                stopped.set()
        self._forget()

    def _forget(self) -> None:
        oldest = datetime.now(UTC) - REMEMBERED
        self._cancelled = {run_id: time for run_id, time in self._cancelled.items() if time > oldest}
