"""The bucket `FILES`: the files that jobs read, the same for every replica of the API and every runner."""

from collections.abc import AsyncIterable
from contextlib import suppress
from datetime import UTC, datetime

from nats.js import JetStreamContext

from nightmail_common.broker.errors import BROKER_ERRORS
from nightmail_common.broker.object_bucket import ObjectBucket, ObjectChanged, ObjectEntry
from nightmail_common.broker.streams import FILES

#: How often a writer tries while others write the same file; of those that try at once, one succeeds.
_TURNS = 20


class FileStore(ObjectBucket):
    """Lists, stores, reads and deletes files. The name of a file's entry is its path.

    Every method raises `nats.errors.Error` if the broker does not answer.
    """

    def __init__(self, js: JetStreamContext) -> None:
        super().__init__(js, FILES)

    async def list(self) -> list[ObjectEntry]:
        """Return every file's entry, by path."""
        return sorted([entry async for entry in self.entries()], key=lambda entry: entry.name)

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
        subject = self.new_pieces()
        try:
            pieces = await self.write(subject, content)
            modified_at = datetime.now(UTC)
            for _ in range(_TURNS):
                before, last = await self.last(path)
                if (only_new and before is not None) or not _matches(before, if_match):
                    raise ObjectChanged(path)
                with suppress(ObjectChanged):  # another writer was first: the condition is checked again
                    sequence = await self.publish_entry(path, pieces, last, stored_by, modified_at)
                    break
            else:
                raise ObjectChanged(path)
        except BaseException:
            with suppress(*BROKER_ERRORS):
                await self.purge(subject)
            raise
        if before is not None:
            await self.purge(before.pieces)
        stored = ObjectEntry(path, pieces.size, pieces.digest.hex(), modified_at, sequence, subject, stored_by)
        return stored, before is None

    async def delete(self, path: str, if_match: str | None = None) -> None:
        """Delete a file.

        Raises:
            ObjectChanged: the file is another one, or does not exist.
        """
        for _ in range(_TURNS):
            entry = await self.find(path)
            if entry is None or not _matches(entry, if_match):
                break
            with suppress(ObjectChanged):  # as in `put`
                return await self.delete_entry(entry)
        raise ObjectChanged(path)


def _matches(entry: ObjectEntry | None, if_match: str | None) -> bool:
    return not if_match or (entry is not None and if_match in {"*", entry.sha256})
