"""Where a result's CSV is kept: small ones in the event itself, others in the object store."""

from secrets import token_hex

from nats.js import JetStreamContext

from nightmail_common.broker.streams import RESULTS
from nightmail_common.contract.events import Blob, RunRequested
from nightmail_common.contract.subjects import job_token
from nightmail_runner.retries import patiently
from nightmail_runner.sandbox.memory import MemoryFile

#: Base64 makes 350 KB of it, in an event of at most 1 MB.
MAX_INLINE_BYTES = 256 * 1024


class Results:
    """The object store of results, and the rule of what goes there."""

    def __init__(self, js: JetStreamContext) -> None:
        self._js = js

    async def keep(self, request: RunRequested, csv: MemoryFile) -> Blob:
        """Return a CSV as an event can carry it: itself, or a reference once it is in the object store."""
        if csv.size <= MAX_INLINE_BYTES:
            return Blob(size=csv.size, sha256=csv.sha256(), data=csv.read())
        return await self.store(request, csv)

    async def store(self, request: RunRequested, csv: MemoryFile) -> Blob:
        """Put a CSV into the object store, under the job's and the run's name and a new one, and return the reference.

        To replace what an earlier attempt left, a runner would have to be allowed to purge; it goes when its time is over.
        """
        name = f"{job_token(request.job_name)}/{request.run_id}/{token_hex(8)}"

        async def put() -> None:
            bucket = await self._js.object_store(RESULTS)
            with csv.reader() as reader:
                await bucket.put(name, reader)

        await patiently(put, "keep_result")
        return Blob(size=csv.size, sha256=csv.sha256(), bucket=RESULTS, object_name=name)
