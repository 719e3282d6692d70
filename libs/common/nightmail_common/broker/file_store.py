"""The bucket `FILES`: the files that jobs read, the same for every replica of the API and every runner.

An object store as NATS ADR-20 lays it out. nats-py's own `put` and `delete` overwrite what somebody else has stored
meanwhile, and its `get` keeps a whole file in memory; here a file's entry is published with the expected sequence of the
one before, and its pieces are read one by one.
"""

import base64
import hashlib
import json
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from nats.js import JetStreamContext
from nats.js.api import Header, RawStreamMsg
from nats.js.errors import BadRequestError, NotFoundError
from nats.nuid import NUID

from nightmail_common.broker.errors import BROKER_ERRORS
from nightmail_common.broker.streams import FILES

_STREAM = f"OBJ_{FILES}"
_ENTRIES = f"$O.{FILES}.M"
_PIECES = f"$O.{FILES}.C"
#: As nats-py's and other clients' object stores: well below the largest message.
_PIECE_BYTES = 128 * 1024
_WRONG_LAST_SEQUENCE = 10071
#: Of writers of the same file at the same time; each turn, one of them succeeds.
_TURNS = 20

_nuid = NUID()


class FileChanged(Exception):
    """The file is not, or no longer, the one that the caller means."""


@dataclass(frozen=True)
class FileEntry:
    """A stored file. `sequence` is the one of its entry, `pieces` their subject."""

    path: str
    size: int
    sha256: str
    modified_at: datetime
    sequence: int
    pieces: str


class FileStore:
    """Lists, stores, reads and deletes files."""

    def __init__(self, js: JetStreamContext) -> None:
        self._js = js

    async def find(self, path: str) -> FileEntry | None:
        """Return a file's entry; None if there is no such file.

        Raises:
            nats.errors.Error: the broker does not answer.
        """
        return (await self._last(path))[0]

    async def list(self) -> list[FileEntry]:
        """Return every file's entry, by path.

        Raises:
            nats.errors.Error: the broker does not answer.
        """
        found, sequence = [], 1
        with suppress(NotFoundError):
            while True:
                message = await self._js.get_msg(_STREAM, seq=sequence, subject=f"{_ENTRIES}.>", next=True)
                if (entry := _entry(message)) is not None:
                    found.append(entry)
                sequence = (message.seq or 0) + 1
        return sorted(found, key=lambda entry: entry.path)

    async def put(
        self, path: str, content: AsyncIterable[bytes], if_match: str | None = None
    ) -> tuple[FileEntry, bool]:
        """Store a file; return its entry, and whether it is new. Readers get the old one or the new one, never a part.

        Args:
            if_match: the SHA-256 that the file must have; `*` for any; None also for a file that does not exist.

        Raises:
            FileChanged: the file is another one, or does not exist.
            nats.errors.Error: the broker does not answer.
        """
        pieces = f"{_PIECES}.{_nuid.next().decode()}"
        try:
            size, digest = await self._write(pieces, content)
            before, sequence = await self._publish_entry(path, pieces, size, digest, if_match)
        except BaseException:
            with suppress(*BROKER_ERRORS):
                await self._js.purge_stream(_STREAM, subject=pieces)
            raise
        if before is not None:
            await self._js.purge_stream(_STREAM, subject=before.pieces)
        return FileEntry(path, size, digest.hex(), datetime.now(UTC), sequence, pieces), before is None

    async def delete(self, path: str, if_match: str | None = None) -> None:
        """Delete a file.

        Raises:
            FileChanged: the file is another one, or does not exist.
            nats.errors.Error: the broker does not answer.
        """
        before, sequence = await self._publish_entry(path, "", 0, b"", if_match or "*")
        assert before is not None
        await self._js.purge_stream(_STREAM, subject=before.pieces)
        # The entry that says 'deleted', too, unless the file was stored again.
        await self._js.purge_stream(_STREAM, subject=_subject(path), seq=sequence + 1)

    async def read(self, entry: FileEntry) -> AsyncIterator[bytes]:
        """Yield a file's bytes.

        Raises:
            FileChanged: the file was replaced or deleted meanwhile; what was yielded is not the whole file.
            nats.errors.Error: the broker does not answer.
        """
        digest, missing, sequence = hashlib.sha256(), entry.size, 1
        while missing > 0:
            try:
                message = await self._js.get_msg(_STREAM, seq=sequence, subject=entry.pieces, next=True)
            except NotFoundError:
                raise FileChanged(entry.path) from None
            piece = message.data or b""
            digest.update(piece)
            missing -= len(piece)
            sequence = (message.seq or 0) + 1
            yield piece
        if missing or digest.hexdigest() != entry.sha256:
            raise FileChanged(entry.path)

    async def stored_bytes(self) -> int:
        """Return the size of the bucket: all files, and what JetStream keeps beside them."""
        return (await self._js.stream_info(_STREAM)).state.bytes

    async def _write(self, pieces: str, content: AsyncIterable[bytes]) -> tuple[int, bytes]:
        size, digest, buffer = 0, hashlib.sha256(), bytearray()

        async def flush(least: int) -> None:
            nonlocal size
            while len(buffer) >= least and buffer:
                piece = bytes(buffer[:_PIECE_BYTES])
                del buffer[:_PIECE_BYTES]
                digest.update(piece)
                size += len(piece)
                await self._js.publish(pieces, piece)

        async for part in content:
            buffer += part
            await flush(_PIECE_BYTES)
        await flush(1)
        return size, digest.digest()

    async def _last(self, path: str) -> tuple[FileEntry | None, int]:
        """Return a file's entry, None if there is no such file, and the last sequence of its subject."""
        try:
            message = await self._js.get_msg(_STREAM, subject=_subject(path))
        except NotFoundError:
            return None, 0
        return _entry(message), message.seq or 0

    async def _publish_entry(
        self, path: str, pieces: str, size: int, digest: bytes, if_match: str | None
    ) -> tuple[FileEntry | None, int]:
        """Publish a file's entry, without pieces one that says 'deleted'; return the one before, and its sequence."""
        entry = {
            "name": path,
            "bucket": FILES,
            "nuid": pieces.rpartition(".")[2],
            "size": size,
            "mtime": datetime.now(UTC).isoformat(),
            "chunks": -(-size // _PIECE_BYTES),
            "digest": f"SHA-256={base64.urlsafe_b64encode(digest).decode()}",
            "options": {"max_chunk_size": _PIECE_BYTES},
            "deleted": not pieces,
        }
        body = json.dumps(entry).encode()
        for _ in range(_TURNS):
            before, last = await self._last(path)
            if if_match is not None and (before is None or if_match not in {"*", before.sha256}):
                raise FileChanged(path)
            headers: dict[str, Any] = {Header.ROLLUP: "sub", Header.EXPECTED_LAST_SUBJECT_SEQUENCE: str(last)}
            try:
                return before, (await self._js.publish(_subject(path), body, headers=headers)).seq
            except BadRequestError as error:
                if error.err_code != _WRONG_LAST_SEQUENCE:
                    raise  # else another writer was first: the condition is checked again
        raise FileChanged(path)


def _subject(path: str) -> str:
    return f"{_ENTRIES}.{base64.urlsafe_b64encode(path.encode()).decode()}"


def _entry(message: RawStreamMsg) -> FileEntry | None:
    fields = json.loads(message.data or b"{}")
    if fields.get("deleted"):
        return None
    return FileEntry(
        path=fields["name"],
        size=fields["size"],
        sha256=base64.urlsafe_b64decode(fields["digest"].partition("=")[2]).hex(),
        modified_at=datetime.fromisoformat(fields["mtime"]),
        sequence=message.seq or 0,
        pieces=f"{_PIECES}.{fields['nuid']}",
    )
