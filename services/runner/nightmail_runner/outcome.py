"""A run has one outcome, and it gets into the log: whatever the broker does, however many runners race."""

import asyncio

import nats.errors
import structlog
from nats.aio.client import Client

from nightmail_common.envelope import run_message_id
from nightmail_common.events import ResultReady, RunFailed, RunRequested
from nightmail_common.log import EventLog
from nightmail_common.subjects import job_token

#: Between two tries to publish while the broker is away, doubled from the first to the longest.
FIRST_WAIT_SECONDS = 0.1
LONGEST_WAIT_SECONDS = 2.0
#: Left free in a message for its headers.
HEADERS_BYTES = 4096

Outcome = ResultReady | RunFailed

logger = structlog.get_logger()


class Outcomes:
    """Publishes outcomes, and knows which runs have one."""

    def __init__(self, client: Client, log: EventLog) -> None:
        self._client = client
        self._log = log

    async def publish(self, outcome: Outcome, traceparent: str | None = None) -> None:
        """Put a run's outcome into the log; when this returns it is there.

        Every outcome of a run has the same message id. Where two runners work on one run, the first outcome in the
        log wins and the other's is not stored.
        """
        outcome = fitted(outcome, self._client.max_payload - HEADERS_BYTES)
        message_id = run_message_id(outcome.run_id, "outcome")
        wait = FIRST_WAIT_SECONDS
        while True:
            try:
                stored = await self._log.publish(outcome, message_id=message_id, traceparent=traceparent)
            except nats.errors.Error as error:
                logger.warning("outcome_waits_for_broker", error=str(error) or type(error).__name__)
                await asyncio.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT_SECONDS)
            else:
                logger.info(
                    "outcome_published", outcome=outcome.name, sequence=stored.sequence, duplicate=stored.duplicate
                )
                return

    async def exists(self, request: RunRequested, after: int) -> bool:
        """Return whether the log holds an outcome of this run behind its request's sequence."""
        token = job_token(request.job_name)
        subjects = [f"runs.{token}.{event.name}" for event in (ResultReady, RunFailed)]
        run_id = str(request.run_id).encode()
        async for events in self._log.replay(subjects, after=after):
            for stored in events:
                if (
                    run_id in stored.data
                    and (event := stored.event())
                    and getattr(event, "run_id", None) == request.run_id
                ):
                    return True
        return False


def fitted(outcome: Outcome, limit_bytes: int) -> Outcome:
    """Return the outcome with as much of its log as an event can carry."""
    kept = len(outcome.log)
    while len(outcome.model_dump_json(exclude_none=True).encode()) > limit_bytes and kept:
        kept //= 2
        shortened = outcome.log[: kept // 2] + "\n[... shortened ...]\n" + outcome.log[len(outcome.log) - kept // 2 :]
        outcome = outcome.model_copy(update={"log": shortened if kept else ""})
    return outcome
