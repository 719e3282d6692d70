"""Fetches a source of type `file`: from the bucket `FILES`, which all runners share, or else below DATA_DIR/files.

The bucket comes first because it is the same for every runner. A file of the runner's own folder that differs from it is a note.
"""

import asyncio
import errno
import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path

from nightmail_common.broker.backoff import retry_forever
from nightmail_common.broker.file_store import FileStore
from nightmail_common.broker.object_bucket import ObjectChanged, ObjectEntry
from nightmail_common.contract.stored_path import check_stored_path
from nightmail_runner.sources.errors import CannotFetch
from nightmail_runner.sources.input import Input

_CHUNK_BYTES = 1024 * 1024
_OPEN_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
#: A file that is replaced each time while it is read is not worth another attempt.
_ATTEMPTS = 5


class StoredFiles:
    """Reads stored files.

    Args:
        folder: DATA_DIR/files; nothing outside of it is read.
    """

    def __init__(self, store: FileStore, folder: Path) -> None:
        self._store = store
        self._folder = folder

    async def fetch(self, location: str, data: Input) -> None:
        """Write a file's bytes to `data`.

        Raises:
            CannotFetch: there is no such file, or it cannot be read.
        """
        try:
            check_stored_path(location)
        except ValueError:
            raise CannotFetch(f"{location!r} is not a path below NIGHTMAIL_DATA_DIR/files") from None
        if (entry := await self._from_bucket(location, data)) is None:
            await read_below(self._folder, location, data.write)
        elif await asyncio.to_thread(self._has_another, location, entry):
            stored = f"{entry.modified_at:%Y-%m-%d %H:%M} UTC"
            data.add_note(
                f"{location!r} was uploaded ({stored}) and read; the runner's NIGHTMAIL_DATA_DIR/files has another one"
            )

    async def _from_bucket(self, location: str, data: Input) -> ObjectEntry | None:
        """Write an uploaded file to `data`; return its entry, or None if there is none."""

        async def read() -> ObjectEntry | None:
            write = data.begin()
            if (entry := await self._store.find(location)) is not None:
                async for piece in self._store.read(entry):
                    write(piece)
            return entry

        for _ in range(_ATTEMPTS):
            try:
                return await retry_forever(read, "read_file")
            except ObjectChanged:
                continue
        raise CannotFetch(f"{location!r} was replaced again and again while it was read")

    def _has_another(self, location: str, entry: ObjectEntry) -> bool:
        """Return whether the folder has a file of this path with other bytes."""
        size = self._size(location)
        if size is None or size != entry.size:
            return size is not None
        with open(_open_below(self._folder, location), "rb", buffering=0) as file:
            return hashlib.file_digest(file, "sha256").hexdigest() != entry.sha256

    def _size(self, location: str) -> int | None:
        """Return the size of a file in the folder; None if there is none."""
        try:
            descriptor = _open_below(self._folder, location)
        except OSError:
            return None
        try:
            found = os.fstat(descriptor)
            return found.st_size if stat.S_ISREG(found.st_mode) else None
        finally:
            os.close(descriptor)


async def read_below(folder: Path, location: str, write: Callable[[bytes], None]) -> None:
    """Read a file below a folder. Symbolic links in its path are refused.

    Raises:
        CannotFetch: the file does not exist or cannot be read.
    """
    try:
        with open(_open_below(folder, location), "rb", buffering=0) as file:  # noqa: ASYNC230 a regular file is local
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise CannotFetch(f"{location!r} is not a file")
            while chunk := file.read(_CHUNK_BYTES):
                write(chunk)
                await asyncio.sleep(0)  # lets heartbeats and other runs continue
    except OSError as error:
        link = error.errno == errno.ELOOP
        why = "is a symbolic link, which is refused" if link else os.strerror(error.errno or 0)
        raise CannotFetch(f"{location!r}{' ' if link else ': '}{why}") from error


def _open_below(folder: Path, location: str) -> int:
    *parents, name = location.split("/")
    parent = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parents:
            child = os.open(part, _OPEN_FLAGS | os.O_DIRECTORY, dir_fd=parent)
            os.close(parent)
            parent = child
        return os.open(name, _OPEN_FLAGS, dir_fd=parent)
    finally:
        os.close(parent)
