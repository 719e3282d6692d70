"""The bucket `SAMPLES`: the inputs of dry runs, each under a name that the API gives, for an hour."""

from collections.abc import AsyncIterable, AsyncIterator

from nats.js import JetStreamContext

from nightmail_common.broker.object_bucket import ObjectBucket, ObjectChanged, ObjectEntry
from nightmail_common.broker.streams import SAMPLES
from nightmail_common.contract.limits import MAX_SAMPLES_BYTES


class SamplesFull(Exception):
    """All samples together have reached the ceiling."""

    def __init__(self) -> None:
        super().__init__(f"the samples of all previews take {MAX_SAMPLES_BYTES} bytes, which is the most")


class SampleStore:
    """Keeps, reads and removes samples. Every method raises `nats.errors.Error` if the broker does not answer."""

    def __init__(self, js: JetStreamContext) -> None:
        self._bucket = ObjectBucket(js, SAMPLES)

    async def keep(self, name: str, content: AsyncIterable[bytes]) -> None:
        """Store a sample under a name that no other has.

        Raises:
            SamplesFull: there is no room for it.
        """
        if await self._bucket.stored_bytes() >= MAX_SAMPLES_BYTES:
            raise SamplesFull
        pieces = await self._bucket.write(self._bucket.new_pieces(), content)
        await self._bucket.publish_entry(name, pieces, 0)

    async def find(self, name: str) -> ObjectEntry | None:
        """Return the entry of a sample; None if it is not kept."""
        return (await self._bucket.last(name))[0]

    def read(self, entry: ObjectEntry) -> AsyncIterator[bytes]:
        """Yield the bytes of a sample.

        Raises:
            ObjectChanged: its hour is over; what was yielded is not all of it.
        """
        return self._bucket.read(entry)

    async def remove(self, name: str) -> None:
        """Delete a sample, if it is kept."""
        entry, last = await self._bucket.last(name)
        if entry is None:
            return
        try:
            deleted = await self._bucket.publish_entry(name, None, last)
        except ObjectChanged:  # another request removed it first
            return
        await self._bucket.purge(entry.pieces)
        await self._bucket.purge_deleted(name, deleted)
