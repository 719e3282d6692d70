"""A run has one outcome, and it gets into the log: whatever the broker does, however many runners race."""

from dataclasses import dataclass

import structlog

from nightmail_common.broker.backoff import retry_forever
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.envelope import run_message_id
from nightmail_common.contract.events import AttemptFailed, ResultReady, RunError, RunFailed, RunOutcome, RunRequested
from nightmail_common.contract.subjects import job_token

#: The type of the error with which a runner that stops hands a run back: no fault of the run.
HANDED_BACK = "RunnerStopped"
#: The length of a message that was too long for its event.
SHORTENED_CHARS = 500

logger = structlog.get_logger()


@dataclass(frozen=True)
class History:
    """What the log says of a run that was delivered before."""

    ended: bool = False
    handed_back: int = 0
    failed: int = 0

    def killed(self, delivery: int) -> int:
        """Return how many earlier deliveries neither failed nor were handed back: their runner died."""
        return delivery - 1 - self.handed_back - self.failed


class Outcomes:
    """Publishes outcomes, and knows the history of runs.

    Args:
        max_event_bytes: what an event's body may have at most.
    """

    def __init__(self, log: EventLog, max_event_bytes: int) -> None:
        self._log = log
        self._max_event_bytes = max_event_bytes

    async def publish(self, outcome: RunOutcome) -> None:
        """Put a run's outcome into the log; when this returns it is there.

        Every outcome of a run has the same message id. Where two runners work on one run, the first outcome in the
        log wins and the other's is not stored.
        """
        outcome = fitted(outcome, self._max_event_bytes)
        message_id = run_message_id(outcome.run_id, "outcome")
        stored = await retry_forever(lambda: self._log.publish(outcome, message_id=message_id), outcome.name)
        logger.info("outcome_published", outcome=outcome.name, sequence=stored.sequence, duplicate=stored.duplicate)

    async def publish_attempt(self, event: AttemptFailed) -> None:
        """Say that an attempt did not end the run."""
        message_id = run_message_id(event.run_id, "attempt-failed", str(event.attempt))
        await retry_forever(lambda: self._log.publish(event, message_id=message_id), event.name)

    async def history(self, request: RunRequested, after: int) -> History:
        """Return what the log holds of a run behind its request's sequence."""
        return await retry_forever(lambda: self._read_history(request, after), "read_history")

    async def _read_history(self, request: RunRequested, after: int) -> History:
        token = job_token(request.job_name)
        # One filter: the broker lets a runner read with this and no other.
        subjects = [f"runs.{token}.*"]
        run_id = str(request.run_id).encode()
        errors: list[RunError] = []
        async for events in self._log.replay(subjects, after=after):
            for stored in events:
                event = stored.event() if run_id in stored.data else None
                match event:
                    case ResultReady() | RunFailed() if event.run_id == request.run_id:
                        return History(ended=True)
                    case AttemptFailed() if event.run_id == request.run_id:
                        errors.append(event.error)
        handed_back = sum(error.type == HANDED_BACK for error in errors)
        return History(handed_back=handed_back, failed=len(errors) - handed_back)


def body_bytes(outcome: RunOutcome) -> int:
    """Return how large an event's body is."""
    return len(outcome.model_dump_json(exclude_none=True).encode())


def fitted(outcome: RunOutcome, limit_bytes: int) -> RunOutcome:
    """Return the outcome with as much of what was printed, and of its error, as an event can carry."""
    kept = len(outcome.log)
    printed = outcome.log
    while body_bytes(outcome) > limit_bytes and kept:
        kept //= 2
        shortened = f"{printed[: kept // 2]}\n[... shortened ...]\n{printed[len(printed) - kept // 2 :]}"
        outcome = outcome.model_copy(update={"log": shortened if kept else ""})
    if isinstance(outcome, RunFailed) and body_bytes(outcome) > limit_bytes:
        short = {"message": outcome.error.message[:SHORTENED_CHARS], "traceback": None}
        outcome = outcome.model_copy(update={"error": outcome.error.model_copy(update=short)})
    return outcome
