"""The bucket `FILES`: the files that jobs read, the same for every replica of the API and every runner."""

from collections.abc import AsyncIterable, AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime

from nats.js import JetStreamContext

from nightmail_common.broker.errors import BROKER_ERRORS
from nightmail_common.broker.object_bucket import ObjectBucket, ObjectChanged, ObjectEntry, Pieces
from nightmail_common.broker.streams import FILES

#: Of writers of the same file at the same time; each turn, one of them succeeds.
_TURNS = 20


class FileStore:
    """Lists, stores, reads and deletes files. The name of a file's entry is its path.

    Every method raises `nats.errors.Error` if the broker does not answer.
    """

    def __init__(self, js: JetStreamContext) -> None:
        self._bucket = ObjectBucket(js, FILES)

    async def find(self, path: str) -> ObjectEntry | None:
        """Return a file's entry; None if there is no such file."""
        return (await self._bucket.last(path))[0]

    async def list(self) -> list[ObjectEntry]:
        """Return every file's entry, by path."""
        return sorted([entry async for entry in self._bucket.entries()], key=lambda entry: entry.name)

    async def put(
        self,
        path: str,
        content: AsyncIterable[bytes],
        if_match: str | None = None,
        stored_by: str = "",
        *,
        only_new: bool = False,
    ) -> tuple[ObjectEntry, bool]:
        """Store a file; return its entry, and whether it is new. Readers get the old one or the new one, never a part.

        Args:
            if_match: the SHA-256 that the file must have; `*` for any; None also for a file that does not exist.
            stored_by: the name of the token.
            only_new: a file that exists is not replaced.

        Raises:
            ObjectChanged: the file is another one, does not exist, or exists and must be new.
        """
        subject = self._bucket.new_pieces()
        try:
            pieces = await self._bucket.write(subject, content)
            modified_at = datetime.now(UTC)
            before, sequence = await self._publish_entry(path, pieces, if_match, stored_by, modified_at, only_new)
        except BaseException:
            with suppress(*BROKER_ERRORS):
                await self._bucket.purge(subject)
            raise
        if before is not None:
            await self._bucket.purge(before.pieces)
        stored = ObjectEntry(path, pieces.size, pieces.digest.hex(), modified_at, sequence, subject, stored_by)
        return stored, before is None

    async def delete(self, path: str, if_match: str | None = None) -> None:
        """Delete a file.

        Raises:
            ObjectChanged: the file is another one, or does not exist.
        """
        before, sequence = await self._publish_entry(path, None, if_match or "*")
        assert before is not None
        await self._bucket.purge(before.pieces)
        await self._bucket.purge_deleted(path, sequence)

    def read(self, entry: ObjectEntry) -> AsyncIterator[bytes]:
        """Yield a file's bytes.

        Raises:
            ObjectChanged: the file was replaced or deleted meanwhile; what was yielded is not the whole file.
        """
        return self._bucket.read(entry)

    async def stored_bytes(self) -> int:
        """Return the size of the bucket: all files, and what JetStream keeps beside them."""
        return await self._bucket.stored_bytes()

    async def _publish_entry(
        self,
        path: str,
        pieces: Pieces | None,
        if_match: str | None,
        stored_by: str = "",
        modified_at: datetime | None = None,
        only_new: bool = False,
    ) -> tuple[ObjectEntry | None, int]:
        """Publish a file's entry; return the one before, and the sequence of the new one."""
        for _ in range(_TURNS):
            before, last = await self._bucket.last(path)
            if (only_new and before) or (if_match and (before is None or if_match not in {"*", before.sha256})):
                raise ObjectChanged(path)
            with suppress(ObjectChanged):  # another writer was first: the condition is checked again
                return before, await self._bucket.publish_entry(path, pieces, last, stored_by, modified_at)
        raise ObjectChanged(path)
