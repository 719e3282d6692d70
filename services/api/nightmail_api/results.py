"""A run's outcome as the log keeps it: the CSV that was mailed, and what the script printed."""

import hashlib

from nats.js import JetStreamContext
from nats.js.errors import NotFoundError, ObjectNotFoundError

from nightmail_api.audit import AuditLog
from nightmail_api.problems import NotFound
from nightmail_api.queries import Queries
from nightmail_common.events import Blob, ResultReady, RunFailed
from nightmail_common.streams import RESULTS


class Results:
    """Reads outcomes by run."""

    def __init__(self, queries: Queries, audit: AuditLog, js: JetStreamContext) -> None:
        self._queries = queries
        self._audit = audit
        self._js = js

    async def csv(self, run_id: str) -> bytes:
        """Return the very bytes that were mailed.

        Raises:
            NotFound: there is no such run, it has no result, or the result's time is over.
            nats.errors.Error: the log does not answer.
        """
        outcome = await self._outcome(run_id)
        if not isinstance(outcome, ResultReady):
            raise NotFound(f"the run {run_id} has no result")
        return await self._bytes(outcome.csv, run_id)

    async def log(self, run_id: str) -> str:
        """Return what the run's script printed; empty while it has not ended.

        Raises:
            NotFound: there is no such run, or its log's time is over.
            nats.errors.Error: the log does not answer.
        """
        outcome = await self._outcome(run_id)
        return "" if outcome is None else outcome.log

    async def _outcome(self, run_id: str) -> ResultReady | RunFailed | None:
        try:
            sequence = self._queries.outcome_sequence(run_id)
        except KeyError:
            raise NotFound(f"there is no run {run_id}") from None
        if sequence is None:
            return None
        stored = await self._audit.event(sequence)
        if stored is None:
            raise NotFound(f"what the run {run_id} left is kept no longer")
        event = stored.event()
        return event if isinstance(event, ResultReady | RunFailed) else None

    async def _bytes(self, blob: Blob, run_id: str) -> bytes:
        if blob.data is not None:
            return blob.data
        try:
            assert blob.object_name is not None
            found = await (await self._js.object_store(blob.bucket or RESULTS)).get(blob.object_name)
        except (NotFoundError, ObjectNotFoundError):
            raise NotFound(f"the result of the run {run_id} is kept no longer") from None
        data = found.data or b""
        if hashlib.sha256(data).hexdigest() != blob.sha256:
            raise NotFound(f"the result of the run {run_id} is damaged in the store")
        return data
