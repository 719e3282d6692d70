"""A run's outcome as the log keeps it: the CSV that was mailed, and what the script printed."""

import asyncio
import hashlib

from nats.js import JetStreamContext
from nats.js.errors import DigestMismatchError, NotFoundError, ObjectNotFoundError

from nightmail_api.http.problems import NotFound, NotReady
from nightmail_api.read_model.event_queries import AuditLog
from nightmail_api.read_model.queries import Queries
from nightmail_api.read_model.query_executor import Reader
from nightmail_common.broker.streams import RESULTS
from nightmail_common.contract.events import Blob, ResultReady, RunFailed

#: The largest result (256 MiB) from a broker that is near; what is lost on the way would be waited for for ever.
RESULT_TIMEOUT_SECONDS = 60.0


class Results:
    """Reads outcomes by run."""

    def __init__(self, read: Reader, audit: AuditLog, js: JetStreamContext) -> None:
        self._read = read
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
            sequence = await self._read(Queries.outcome_sequence, run_id)
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
        assert blob.object_name is not None
        try:
            async with asyncio.timeout(RESULT_TIMEOUT_SECONDS):
                data = await self._stored(blob.bucket or RESULTS, blob.object_name)
        except (NotFoundError, ObjectNotFoundError, DigestMismatchError):
            raise NotFound(f"the result of the run {run_id} is kept no longer") from None
        except TimeoutError:
            raise NotReady("the store of results does not answer") from None
        if hashlib.sha256(data).hexdigest() != blob.sha256:
            raise NotFound(f"the result of the run {run_id} is damaged in the store")
        return data

    async def _stored(self, bucket: str, object_name: str) -> bytes:
        store = await self._js.object_store(bucket)
        info = await store.get_info(object_name)
        # The pieces expire a moment before the entry that names them; nats-py would wait for them for ever.
        await self._js.get_msg(f"OBJ_{bucket}", subject=f"$O.{bucket}.C.{info.nuid}")
        return (await store.get(object_name)).data or b""
