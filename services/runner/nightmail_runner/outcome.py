"""Publishes the one outcome of a run, and reads the history of a run from the log."""

from dataclasses import dataclass

import structlog

from nightmail_common.broker.backoff import retry_forever
from nightmail_common.broker.log import EventLog
from nightmail_common.broker.readable import readable
from nightmail_common.contract.envelope import run_message_id
from nightmail_common.contract.events import (
    AttemptFailed,
    ResultReady,
    RunCancelled,
    RunFailed,
    RunOutcome,
    RunRequested,
    RunSkipped,
    RunStarted,
)
from nightmail_common.contract.subjects import job_token
from nightmail_runner.event_size import fitted

#: The error type of an attempt that ended because its runner was stopped; it does not count as a failure.
HANDED_BACK = "RunnerStopped"

logger = structlog.get_logger()


@dataclass(frozen=True)
class History:
    """What the log holds about a run that was delivered before.

    `failed` counts attempts that failed by the job: its source, its script or its result; `broken`: those whose sandbox
    died. `started` and `over` are the attempts that began, and those whose end is in the log: numbers of deliveries.
    """

    ended: bool = False
    failed: int = 0
    broken: int = 0
    started: frozenset[int] = frozenset()
    over: frozenset[int] = frozenset()

    def faults(self, delivery: int) -> int:
        """Return how many earlier deliveries ended by a fault of ours: the runner died, or its sandbox did.

        A runner that lives may hold an attempt through further deliveries, in which no attempt begins. Without such an
        attempt, a delivery in which none began is one whose runner died at once.
        """
        earlier = set(range(1, delivery))
        lost = (self.started - self.over) & earlier
        silent = earlier - self.started - self.over
        return self.broken + max(len(lost), len(silent))


class Outcomes:
    """Publishes outcomes and attempts, and reads histories.

    Args:
        max_event_bytes: the size limit of an event's body.
    """

    def __init__(self, log: EventLog, max_event_bytes: int) -> None:
        self._log = log
        self._max_event_bytes = max_event_bytes

    async def publish(self, outcome: RunOutcome | RunSkipped) -> None:
        """Store a run's outcome in the log, however long that takes.

        Every outcome of a run has the same message id, and `run-cancelled` has it too. Where two runners work on one
        run, or a user cancels it meanwhile, the first event in the log wins and the other is not stored.
        """
        outcome = fitted(outcome, self._max_event_bytes)
        message_id = run_message_id(outcome.run_id, "outcome")
        stored = await retry_forever(lambda: self._log.publish(outcome, message_id=message_id), outcome.name)
        logger.info("outcome_published", outcome=outcome.name, sequence=stored.sequence, duplicate=stored.duplicate)

    async def publish_attempt(self, event: AttemptFailed) -> None:
        """Store that an attempt failed and the run continues."""
        message_id = run_message_id(event.run_id, "attempt-failed", str(event.attempt))
        await retry_forever(lambda: self._log.publish(event, message_id=message_id), event.name)

    async def history(self, request: RunRequested, after: int) -> History:
        """Return the history of a run, from the events behind its request."""
        return await retry_forever(lambda: self._read_history(request, after), "read_history")

    async def _read_history(self, request: RunRequested, after: int) -> History:
        token = job_token(request.job_name)
        # A runner's NATS user may read with this filter and with no other.
        subjects = [f"runs.{token}.*"]
        run_id = str(request.run_id).encode()
        over: list[AttemptFailed] = []
        started: set[int] = set()
        async for events in self._log.replay(subjects, after=after):
            for stored in events:
                event = readable(stored, "history") if run_id in stored.data else None
                match event:
                    case ResultReady() | RunFailed() | RunSkipped() | RunCancelled() if event.run_id == request.run_id:
                        return History(ended=True)
                    case AttemptFailed() if event.run_id == request.run_id:
                        over.append(event)
                    case RunStarted() if event.run_id == request.run_id:
                        started.add(event.attempt)
        return History(
            failed=sum(one.error.stage != "runner" for one in over),
            broken=sum(one.error.stage == "runner" and one.error.type != HANDED_BACK for one in over),
            started=frozenset(started),
            over=frozenset(one.attempt for one in over),
        )
