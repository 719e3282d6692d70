"""The bucket `SAMPLES`: the inputs of dry runs, each under a name that the API gives, for an hour."""

from collections.abc import AsyncIterable
from contextlib import suppress

from nats.js import JetStreamContext

from nightmail_common.broker.object_bucket import ObjectBucket, ObjectChanged
from nightmail_common.broker.streams import SAMPLES
from nightmail_common.contract.limits import MAX_SAMPLES_BYTES


class SamplesFull(Exception):
    """All samples together have reached the ceiling."""

    def __init__(self) -> None:
        super().__init__(f"the samples of all previews take {MAX_SAMPLES_BYTES} bytes, which is the most")


class SampleStore(ObjectBucket):
    """Keeps and removes samples. Every method raises `nats.errors.Error` if the broker does not answer."""

    def __init__(self, js: JetStreamContext) -> None:
        super().__init__(js, SAMPLES)

    async def keep(self, name: str, content: AsyncIterable[bytes]) -> None:
        """Store a sample under a name that no other has.

        Raises:
            SamplesFull: there is no room for it.
        """
        if await self.stored_bytes() >= MAX_SAMPLES_BYTES:
            raise SamplesFull
        pieces = await self.write(self.new_pieces(), content)
        await self.publish_entry(name, pieces, 0)

    async def remove(self, name: str) -> None:
        """Delete a sample, if it is kept."""
        if (entry := await self.find(name)) is not None:
            with suppress(ObjectChanged):  # another request removed it first
                await self.delete_entry(entry)
