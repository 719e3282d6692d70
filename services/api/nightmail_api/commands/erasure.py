"""Erasure of a job: its events, results, and records of mails and failures, overwritten on disk.

JetStream's purge by subject only marks messages as deleted; their bytes stay in the current block file. Deleting a
single message overwrites it with random bytes, so personal data is deleted message by message.
"""

from uuid import UUID

import structlog
from nats.js import JetStreamContext
from nats.js.errors import APIError
from pydantic import ValidationError

from nightmail_common.broker.log import EventLog
from nightmail_common.broker.object_bucket import ObjectBucket
from nightmail_common.broker.readable import readable
from nightmail_common.broker.streams import MAILED, RESULTS, STREAKS, STREAM
from nightmail_common.contract.envelope import StoredEvent
from nightmail_common.contract.events import Event, JobErased, JobEvent, ResultReady, RunEvent
from nightmail_common.contract.subjects import events_of_job, job_token

logger = structlog.get_logger()


class Erasure:
    """Deletes the data of a job from the log and the stores. Any call raises `nats.errors.Error` when the broker is away."""

    def __init__(self, js: JetStreamContext, log: EventLog) -> None:
        self._js = js
        self._log = log
        self._results = ObjectBucket(js, RESULTS)

    async def erase(self, job_name: str, up_to: int) -> tuple[int, int]:
        """Delete everything about a name up to a sequence, and return the number of events and of stored results."""
        events = results = 0
        runs: set[UUID] = set()
        jobs: set[UUID] = set()
        async for batch in self._log.replay(events_of_job(job_name)):
            for stored in batch:
                if stored.sequence <= up_to:
                    event, result = await self._erase_one(stored)
                    runs |= {event.run_id} if isinstance(event, RunEvent) else set()
                    jobs |= {event.job_id} if isinstance(event, JobEvent) else set()
                    results += result
                    events += 1
        for run_id in runs:
            await self._purge_deliveries(run_id)
        for job_id in jobs:
            await self._purge_failures(job_id)
        return events, results

    async def erase_late(self, stored: StoredEvent) -> None:
        """Delete an event that was stored after the erasure of its job. Every replica tries; the first one succeeds."""
        event, _ = await self._erase_one(stored)
        if isinstance(event, RunEvent):
            await self._purge_deliveries(event.run_id)
            # A mailer counts a failure before it publishes the mail's outcome, so the count of its last late event exists.
            erasure = await self._log.last_event(f"jobs.{job_token(event.job_name)}.{JobErased.name}")
            erased = None if erasure is None else readable(erasure, "erasure")
            if isinstance(erased, JobErased):
                await self._purge_failures(erased.job_id)
        logger.info("late_event_erased", sequence=stored.sequence, type=stored.name)

    async def _erase_one(self, stored: StoredEvent) -> tuple[Event | None, bool]:
        """Delete an event and the result that it refers to; return the event, and whether a result was stored."""
        try:
            event = stored.event()
        except ValidationError:
            event = None
        erased = False
        if isinstance(event, ResultReady):
            for blob in event.blobs:
                if blob.object_name is not None:
                    erased |= await self._results.erase(blob.object_name)
        try:
            await self._js.delete_msg(STREAM, stored.sequence)
        except APIError as error:
            # Another replica deleted it first, or the message expired.
            logger.debug("message_already_gone", sequence=stored.sequence, error=error.description)
        return event, erased

    async def _purge_deliveries(self, run_id: UUID) -> None:
        # A KV bucket denies the deletion of single messages. Its entries contain hashes of addresses only.
        await self._js.purge_stream(f"KV_{MAILED}", subject=f"$KV.{MAILED}.{run_id}.>")

    async def _purge_failures(self, job_id: UUID) -> None:
        await self._js.purge_stream(f"KV_{STREAKS}", subject=f"$KV.{STREAKS}.{job_id}")
