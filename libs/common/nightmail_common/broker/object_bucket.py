"""An object store of JetStream, as NATS ADR-20 lays it out: an object is an entry and the pieces that the entry names.

nats-py's own `put` and `delete` overwrite what somebody else has stored meanwhile, and its `get` keeps a whole object in
memory. Here an entry is published with the expected sequence of the one before, and pieces are read one by one.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BufferedIOBase
from typing import Any

from nats.js import JetStreamContext
from nats.js.api import Header, RawStreamMsg
from nats.js.errors import APIError, BadRequestError, NotFoundError

#: The piece size of nats-py and other clients, well below the largest message.
_PIECE_BYTES = 128 * 1024
_WRONG_LAST_SEQUENCE = 10071
#: The key in an entry's metadata.
_STORED_BY = "nightmail-stored-by"


class ObjectChanged(Exception):
    """The object is not, or no longer, the one that the caller means."""


@dataclass(frozen=True)
class Pieces:
    """Stored bytes: the subject of the messages, how many bytes they are, and their SHA-256."""

    subject: str
    size: int
    digest: bytes


@dataclass(frozen=True)
class ObjectEntry:
    """A stored object. `sequence` is the one of its entry, `pieces` the subject of its bytes, `stored_by` a token's name."""

    name: str
    size: int
    sha256: str
    modified_at: datetime
    sequence: int
    pieces: str
    stored_by: str = ""


class ObjectBucket:
    """The parts of an object store from which its subclasses make their own rules for changes.

    Every method raises `nats.errors.Error` if the broker does not answer.
    """

    def __init__(self, js: JetStreamContext, bucket: str) -> None:
        self._js = js
        self.name = bucket
        self.stream = f"OBJ_{bucket}"
        self._entries = f"$O.{bucket}.M"
        self._pieces = f"$O.{bucket}.C"

    async def last(self, name: str) -> tuple[ObjectEntry | None, int]:
        """Return an object's entry, None if there is no such object, and the last sequence of the entry's subject."""
        try:
            message = await self._js.get_msg(self.stream, subject=self._subject(name))
        except NotFoundError:
            return None, 0
        return self._entry(message), message.seq or 0

    async def find(self, name: str) -> ObjectEntry | None:
        """Return an object's entry; None if there is no such object."""
        return (await self.last(name))[0]

    async def entries(self) -> AsyncIterator[ObjectEntry]:
        """Yield every object's entry, one request each."""
        async for message in self._messages(f"{self._entries}.>"):
            if (entry := self._entry(message)) is not None:
                yield entry

    async def named_pieces(self) -> set[str]:
        """Return the pieces that entries name, also entries of another client.

        Raises:
            ValueError: an entry is not as ADR-20 says.
        """
        named = set()
        async for message in self._messages(f"{self._entries}.>"):
            fields = json.loads(message.data or b"")
            if not isinstance(fields, dict) or not isinstance(nuid := fields.get("nuid", ""), str):
                raise ValueError(f"the entry {message.seq} of {self.stream} has no nuid")
            named.add(f"{self._pieces}.{nuid}")
        return named

    async def stored_pieces(self) -> set[str]:
        """Return the pieces that are stored; of more than 100,000, as many as JetStream lists at once."""
        info = await self._js.stream_info(self.stream, subjects_filter=f"{self._pieces}.>")
        return set(info.state.subjects or ())

    async def written_at(self, pieces: str) -> datetime | None:
        """Return the time of the last message of pieces; None if they are gone."""
        try:
            return (await self._js.get_msg(self.stream, subject=pieces)).time
        except NotFoundError:
            return None

    async def read(self, entry: ObjectEntry) -> AsyncIterator[bytes]:
        """Yield an object's bytes.

        Raises:
            ObjectChanged: the object was replaced or deleted meanwhile; what was yielded is not the whole object.
        """
        digest, missing = hashlib.sha256(), entry.size
        async for message in self._messages(entry.pieces):
            piece = message.data or b""
            digest.update(piece)
            missing -= len(piece)
            yield piece
            if missing <= 0:
                break
        if missing or digest.hexdigest() != entry.sha256:
            raise ObjectChanged(entry.name)

    async def stored_bytes(self) -> int:
        """Return the size of the bucket: all objects, and what JetStream keeps beside them."""
        return (await self._js.stream_info(self.stream)).state.bytes

    async def owned_bytes(self, owner: str) -> int:
        """Return how many bytes an owner's pieces have, each counted as a whole one.

        JetStream lists 100,000 objects at once: of an owner with more, at least so many pieces are counted.

        Args:
            owner: one token of a subject, as `new_pieces` takes it.
        """
        info = await self._js.stream_info(self.stream, subjects_filter=f"{self._pieces}.{owner}.*")
        return _PIECE_BYTES * sum((info.state.subjects or {}).values())

    def new_pieces(self, owner: str = "") -> str:
        """Return a subject that no object has.

        Args:
            owner: one token of a subject, by which `owned_bytes` counts.
        """
        return ".".join(filter(None, (self._pieces, owner, secrets.token_hex(11))))

    async def write(self, subject: str, content: AsyncIterable[bytes]) -> Pieces:
        """Store bytes, which belong to no object until an entry names them."""
        size, digest, buffer = 0, hashlib.sha256(), bytearray()

        async def flush(least: int) -> None:
            nonlocal size
            while len(buffer) >= least and buffer:
                piece = bytes(buffer[:_PIECE_BYTES])
                del buffer[:_PIECE_BYTES]
                digest.update(piece)
                size += len(piece)
                await self._js.publish(subject, piece)

        async for part in content:
            buffer += part
            await flush(_PIECE_BYTES)
        await flush(1)
        return Pieces(subject, size, digest.digest())

    async def publish_entry(
        self,
        name: str,
        pieces: Pieces | None,
        expected: int,
        stored_by: str = "",
        modified_at: datetime | None = None,
    ) -> int:
        """Store an object's entry in place of the one before, and return its sequence.

        Args:
            pieces: the object's bytes; None for an entry that says 'deleted'.
            expected: the last sequence of the entry's subject, as `last` returns it.
            modified_at: None: now.

        Raises:
            ObjectChanged: another writer was first; nothing is stored.
        """
        size, digest = (0, b"") if pieces is None else (pieces.size, pieces.digest)
        entry = {
            "name": name,
            "bucket": self.name,
            "nuid": "" if pieces is None else pieces.subject.removeprefix(f"{self._pieces}."),
            "size": size,
            "mtime": (modified_at or datetime.now(UTC)).isoformat(),
            "chunks": -(-size // _PIECE_BYTES),
            "digest": f"SHA-256={base64.urlsafe_b64encode(digest).decode()}",
            "options": {"max_chunk_size": _PIECE_BYTES},
            "metadata": {_STORED_BY: stored_by},
            "deleted": pieces is None,
        }
        headers: dict[str, Any] = {Header.ROLLUP: "sub", Header.EXPECTED_LAST_SUBJECT_SEQUENCE: str(expected)}
        try:
            return (await self._js.publish(self._subject(name), json.dumps(entry).encode(), headers=headers)).seq
        except BadRequestError as error:
            if error.err_code != _WRONG_LAST_SEQUENCE:
                raise
            raise ObjectChanged(name) from None

    async def purge(self, pieces: str) -> None:
        """Delete the bytes under a subject; they may stay on disk until JetStream reuses the space."""
        await self._js.purge_stream(self.stream, subject=pieces)

    async def overwrite(self, subject: str) -> None:
        """Delete the messages of a subject one by one, which overwrites them on disk."""
        async for message in self._messages(subject):
            with suppress(APIError):  # another replica deleted it first
                await self._js.delete_msg(self.stream, message.seq or 0)

    async def erase(self, name: str) -> bool:
        """Delete an object and its entry, and overwrite both on disk; False if there is no such object."""
        entry = await self.find(name)
        if entry is None:
            return False
        await self.overwrite(entry.pieces)
        await self.overwrite(self._subject(name))
        return True

    async def delete_entry(self, entry: ObjectEntry, *, overwrite: bool = False) -> None:
        """Delete an object, unless its entry has changed since it was read.

        Args:
            overwrite: the bytes are overwritten on disk.

        Raises:
            ObjectChanged: another writer was first; nothing is deleted.
        """
        deleted = await self.publish_entry(entry.name, None, entry.sequence)
        await (self.overwrite if overwrite else self.purge)(entry.pieces)
        # The entry that says 'deleted', unless the object was stored again.
        await self._js.purge_stream(self.stream, subject=self._subject(entry.name), seq=deleted + 1)

    async def _messages(self, subject: str) -> AsyncIterator[RawStreamMsg]:
        """Yield the messages of a subject in order, with one request each; also those that are stored meanwhile."""
        sequence = 1
        while True:
            try:
                message = await self._js.get_msg(self.stream, seq=sequence, subject=subject, next=True)
            except NotFoundError:
                return
            yield message
            sequence = (message.seq or 0) + 1

    def _subject(self, name: str) -> str:
        return f"{self._entries}.{base64.urlsafe_b64encode(name.encode()).decode()}"

    def _entry(self, message: RawStreamMsg) -> ObjectEntry | None:
        fields = json.loads(message.data or b"{}")
        if fields.get("deleted"):
            return None
        return ObjectEntry(
            name=fields["name"],
            size=fields["size"],
            sha256=base64.urlsafe_b64decode(fields["digest"].partition("=")[2]).hex(),
            modified_at=datetime.fromisoformat(fields["mtime"]),
            sequence=message.seq or 0,
            pieces=f"{self._pieces}.{fields['nuid']}",
            stored_by=(fields.get("metadata") or {}).get(_STORED_BY, ""),
        )


async def pieces_of(file: BufferedIOBase) -> AsyncIterator[bytes]:
    """Yield a file from its beginning, for `ObjectBucket.write`."""
    file.seek(0)
    while piece := file.read(_PIECE_BYTES):
        yield piece
