"""The result store: small results travel in their event, others in the object store `RESULTS`."""

import asyncio
import hashlib
from collections.abc import Sequence
from contextlib import suppress
from io import SEEK_END, BufferedIOBase
from secrets import token_hex
from uuid import UUID

from nats.js import JetStreamContext
from nats.js.errors import BadObjectMetaError, NotFoundError

from nightmail_common.broker.backoff import retry_forever
from nightmail_common.broker.errors import BROKER_ERRORS
from nightmail_common.broker.stored_messages import AckSubject
from nightmail_common.broker.streams import RESULTS
from nightmail_common.contract.blob import Blob
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


class ResultStore:
    """Stores and reads the CSVs of results. Hashes are computed in a thread: a large one takes longer than a heartbeat."""

    def __init__(self, js: JetStreamContext) -> None:
        self._js = js

    async def put(
        self, job_name: str, run_id: UUID, file: BufferedIOBase, max_inline_bytes: int = MAX_INLINE_BYTES
    ) -> Blob:
        """Return a result as its event carries it: inline, or a reference once it is stored, however long that takes.

        An object's name is the job, the run and a random part: to replace the object of an earlier attempt, a runner
        would need the permission to purge. Objects expire after `RESULT_RETENTION`.

        Raises:
            nats.errors.Error: a permanent error of the broker.
        """
        size = file.seek(0, SEEK_END)
        file.seek(0)
        sha256 = (await asyncio.to_thread(hashlib.file_digest, file, "sha256")).hexdigest()
        file.seek(0)
        if size <= max_inline_bytes:
            return Blob(size=size, sha256=sha256, data=file.read())
        name = f"{job_token(job_name)}/{run_id}/{token_hex(8)}"

        async def store() -> None:
            file.seek(0)
            await (await self._js.object_store(RESULTS)).put(name, file)

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
