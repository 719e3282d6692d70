"""The bucket `INPUTS`: what runs have read. An object's name is the SHA-256 of its bytes, so that the same bytes are stored once.

An object is kept as long as an event `input-kept` in the log names it. A runner adds such events while the API removes
objects without one, and neither waits for the other:

- A runner stores the object unless it exists, publishes its event, and then stores the object's entry once more.
- The API reads the object's entry, then every event of the log up to its end. It deletes the object only if no event names
  it and the entry still has the sequence that it read first.

If the event is in the log before the API reads it, the object stays. Otherwise the runner stores the entry once more after
the API has read it. If the runner is first, the API's deletion is refused. If the API is first, the runner finds no object
and stores it again.
"""

from collections.abc import AsyncIterable, Awaitable, Callable
from contextlib import suppress

from nats.js import JetStreamContext

from nightmail_common.broker.object_bucket import ObjectBucket, ObjectChanged, ObjectEntry, Pieces
from nightmail_common.broker.streams import INPUTS
from nightmail_common.contract.limits import MAX_INPUTS_BYTES

#: The most attempts to store an entry once more. More than two are needed only if the API deletes the object meanwhile.
_TURNS = 50

Content = Callable[[], AsyncIterable[bytes]]


class InputsFull(Exception):
    """All kept inputs together have reached the ceiling."""

    def __init__(self) -> None:
        super().__init__(f"the kept inputs take {MAX_INPUTS_BYTES} bytes, which is the most")


class InputStore(ObjectBucket):
    """Keeps and removes inputs. Every method raises `nats.errors.Error` if the broker does not answer."""

    def __init__(self, js: JetStreamContext) -> None:
        super().__init__(js, INPUTS)

    async def keep(self, sha256: str, content: Content, publish: Callable[[], Awaitable[None]]) -> bool:
        """Store bytes, and publish the event that names them; return whether the bytes were not stored before.

        Args:
            content: yields the bytes, from their beginning at each call.
            publish: stores the event in the log.

        Raises:
            InputsFull: there is no room for the bytes; nothing is stored or published.
        """
        entry, last = await self.last(sha256)
        is_new = entry is None
        if is_new:
            if await self.stored_bytes() >= MAX_INPUTS_BYTES:
                raise InputsFull
            await self._store(sha256, content, last)
            entry, last = await self.last(sha256)
        await publish()
        await self._renew(sha256, content, entry, last)
        return is_new

    async def remove(self, entry: ObjectEntry) -> bool:
        """Delete an input, and overwrite its bytes; False if a runner has stored its entry again since `entry` was read."""
        try:
            await self.delete_entry(entry, overwrite=True)
        except ObjectChanged:
            return False
        return True

    async def _store(self, sha256: str, content: Content, last: int) -> None:
        """Store an object, unless another runner stores it first: then the pieces are orphans, which the API purges."""
        pieces = await self.write(self.new_pieces(), content())
        with suppress(ObjectChanged):
            await self.publish_entry(sha256, pieces, last)

    async def _renew(self, sha256: str, content: Content, entry: ObjectEntry | None, last: int) -> None:
        """Give the entry another sequence; store the object again if it was deleted.

        The first turn takes what was read before the event. If a later turn finds that another runner has stored the entry,
        that was after the event, and is as good.
        """
        for turn in range(_TURNS):
            if entry is None:
                pieces = await self.write(self.new_pieces(), content())
            else:
                pieces = Pieces(entry.pieces, entry.size, bytes.fromhex(entry.sha256))
            try:
                await self.publish_entry(sha256, pieces, last)
            except ObjectChanged:
                entry, last = await self.last(sha256)
                if turn == 0 or entry is None:
                    continue
            return
        raise ObjectChanged(sha256)
