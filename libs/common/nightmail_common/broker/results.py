"""The result store: small results travel in their event, others in the object store `RESULTS`."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from io import SEEK_END, BufferedIOBase
from secrets import token_hex
from uuid import UUID

from nats.js import JetStreamContext
from nats.js.errors import BadObjectMetaError, NotFoundError

from nightmail_common.broker.backoff import retry_forever
from nightmail_common.broker.errors import BROKER_ERRORS
from nightmail_common.broker.object_bucket import ObjectBucket, ObjectChanged, pieces_of
from nightmail_common.broker.stored_messages import AckSubject
from nightmail_common.broker.streams import RESULTS
from nightmail_common.contract.blob import Blob
from nightmail_common.contract.limits import DEFAULT_MAX_JOB_RESULT_BYTES
from nightmail_common.contract.subjects import job_token

#: Base64 makes 350 KB of it, in an event of at most 1 MB.
MAX_INLINE_BYTES = 256 * 1024
#: The largest result (256 MiB) takes some 10 s from a broker in the same data center.
READ_TIMEOUT_SECONDS = 60.0


class ResultGone(Exception):
    """The result has expired or was erased."""

    def __init__(self) -> None:
        super().__init__("the result is kept no longer")


class ResultDamaged(Exception):
    """The stored bytes are not those that the runner wrote; a retry reads the same again."""

    def __init__(self) -> None:
        super().__init__("the result is damaged in the store")


class JobStorageFull(Exception):
    """The stored results of a job have as many bytes as those of one job may have."""

    def __init__(self, stored: int, size: int, most: int) -> None:
        super().__init__(
            f"the stored results of this job have {stored} bytes; with {size} more they would have more than the {most} of"
            " NIGHTMAIL_MAX_JOB_RESULT_BYTES. Return fewer rows or run less often; results expire after"
            " NIGHTMAIL_RESULT_RETENTION"
        )


class ResultStore:
    """Stores and reads the CSVs of results. Hashes are computed in a thread: a large one takes longer than a heartbeat.

    Args:
        max_job_bytes: of all stored results of a job. Runs of a job that end at the same time can exceed it by what they store.
    """

    def __init__(self, js: JetStreamContext, max_job_bytes: int = DEFAULT_MAX_JOB_RESULT_BYTES) -> None:
        self._js = js
        self._bucket = ObjectBucket(js, RESULTS)
        self._max_job_bytes = max_job_bytes

    async def put(
        self, job_name: str, run_id: UUID, file: BufferedIOBase, max_inline_bytes: int = MAX_INLINE_BYTES
    ) -> Blob:
        """Return a result as its event carries it: inline, or a reference once it is stored, however long that takes.

        An object's name is the job, the run and a random part: to replace the object of an earlier attempt, a runner
        would need the permission to purge. Objects expire after `RESULT_RETENTION`.

        Raises:
            JobStorageFull: the result is to be stored, and the job has no room for it.
            nats.errors.Error: a permanent error of the broker.
        """
        size = file.seek(0, SEEK_END)
        file.seek(0)
        sha256 = (await asyncio.to_thread(hashlib.file_digest, file, "sha256")).hexdigest()
        file.seek(0)
        if size <= max_inline_bytes:
            return Blob(size=size, sha256=sha256, data=file.read())
        job = job_token(job_name)
        stored = await retry_forever(lambda: self._bucket.owned_bytes(job), "count_results")
        if stored + size > self._max_job_bytes:
            raise JobStorageFull(stored, size, self._max_job_bytes)
        name = f"{job}/{run_id}/{token_hex(8)}"

        async def store() -> None:
            pieces = await self._bucket.write(self._bucket.new_pieces(job), pieces_of(file))
            with suppress(ObjectChanged):  # an earlier try has stored the object, and its answer was lost
                await self._bucket.publish_entry(name, pieces, expected=0)

        await retry_forever(store, "put_result")
        return Blob(size=size, sha256=sha256, bucket=RESULTS, object_name=name)

    async def get(self, blob: Blob) -> bytes:
        """Return the bytes that the runner stored.

        Raises:
            ResultGone: the object has expired or was erased.
            ResultDamaged: the bytes are not those that the runner stored.
            TimeoutError: the broker did not deliver all of it in time; a retry may succeed.
            nats.errors.Error: the broker does not answer.
        """
        if blob.data is not None:
            pieces: Sequence[bytes] = (blob.data,)
        elif blob.object_name is not None:
            async with asyncio.timeout(READ_TIMEOUT_SECONDS):
                pieces = await self._pieces(blob.bucket or RESULTS, blob.object_name)
        else:
            raise ResultDamaged
        data, sha256 = await asyncio.to_thread(_join, pieces)
        if sha256 != blob.sha256:
            raise ResultDamaged
        return data

    async def read(self, blob: Blob, offset: int = 0, size: int | None = None) -> AsyncIterator[bytes]:
        """Yield the bytes that the runner stored, or a part of them, without holding all of them.

        The last bytes are yielded once the hash of all is right: what ends with an error is not whole.

        Raises:
            ResultGone: the object has expired or was erased.
            ResultDamaged: the bytes are not those that the runner stored.
            nats.errors.Error: the broker does not answer.
        """
        end = blob.size if size is None else offset + size
        position, held = 0, b""
        async for piece in self._checked_pieces(blob):
            if part := piece[max(0, offset - position) : max(0, end - position)]:
                if held:
                    yield held
                held = part
            position += len(piece)
        yield held

    async def _checked_pieces(self, blob: Blob) -> AsyncIterator[bytes]:
        """Yield an object's pieces; raise what `read` raises, at the end if the hash is wrong."""
        if blob.data is not None:
            yield await self.get(blob)
            return
        if blob.object_name is None:
            raise ResultDamaged
        bucket = ObjectBucket(self._js, blob.bucket or RESULTS)
        try:
            entry = await bucket.find(blob.object_name)
        except (ValueError, LookupError):
            raise ResultDamaged from None
        if entry is None:
            raise ResultGone
        if entry.sha256 != blob.sha256:
            raise ResultDamaged
        is_there = False
        try:
            async for piece in bucket.read(entry):
                is_there = True
                yield piece
        except ObjectChanged:
            # The pieces expire a moment before the entry that names them.
            raise (ResultDamaged if is_there else ResultGone) from None

    async def _pieces(self, bucket: str, name: str) -> list[bytes]:
        """Return an object's pieces. nats-py's `get` waits for a piece that is gone, and hashes in the event loop."""
        try:
            info = await (await self._js.object_store(bucket)).get_info(name)
            stream, subject = f"OBJ_{bucket}", f"$O.{bucket}.C.{info.nuid}"
            # The pieces expire a moment before the entry that names them.
            await self._js.get_msg(stream, subject=subject)
        except NotFoundError:
            raise ResultGone from None
        except BadObjectMetaError:
            raise ResultDamaged from None
        pieces = []
        subscription = await self._js.subscribe(subject, stream=stream, ordered_consumer=True)
        try:
            async for message in subscription.messages:
                pieces.append(message.data)
                if AckSubject.of(message).pending == 0:
                    break
        finally:
            with suppress(*BROKER_ERRORS):
                await subscription.unsubscribe()
        return pieces


def _join(pieces: Sequence[bytes]) -> tuple[bytes, str]:
    data = b"".join(pieces)
    return data, hashlib.sha256(data).hexdigest()
