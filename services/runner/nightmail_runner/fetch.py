"""A job's input: its bytes from a URL or a stored file into memory, within the limits.

This is the trusted half of a run: it has the network and the sources' secrets, and runs no user code.
"""

import hashlib
import os
from pathlib import Path
from typing import Protocol

import httpx

from nightmail_common.job import DataSource
from nightmail_runner.sandbox.memory import MemoryFile

_CHUNK_BYTES = 256 * 1024


class CannotFetch(Exception):
    """The data did not come, and why, in words for the job's owner."""


class _Sink(Protocol):
    def write(self, data: bytes) -> None: ...


class Input:
    """The bytes of a source as they come: counted against the limit, hashed, kept in memory."""

    def __init__(self, limit_bytes: int) -> None:
        self.file = MemoryFile("input")
        self._hash = hashlib.sha256()
        self._left = limit_bytes
        self._limit = limit_bytes

    def write(self, data: bytes) -> None:
        """Take some more.

        Raises:
            CannotFetch: it is more than the limit.
        """
        self._left -= len(data)
        if self._left < 0:
            raise CannotFetch(f"the data is larger than the {self._limit} bytes that an input may have")
        self._hash.update(data)
        self.file.write(data)

    def sha256(self) -> str:
        return self._hash.hexdigest()


class Fetcher:
    """Fetches data over one HTTP client, and from the folder of stored files.

    Args:
        files: the folder; nothing outside of it is read.
    """

    def __init__(self, client: httpx.AsyncClient, files: Path, max_input_bytes: int) -> None:
        self._client = client
        self._files = files
        self._max_input_bytes = max_input_bytes

    async def fetch(self, source: DataSource) -> Input:
        """Return a source's bytes, sealed. Who gets them closes their file.

        Raises:
            CannotFetch: they did not come.
        """
        data = Input(self._max_input_bytes)
        try:
            if source.source_type == "api":
                await self._download(source, data)
            else:
                self._read_file(source.location, data)
            data.file.seal()
        except BaseException:
            data.file.close()
            raise
        return data

    async def _download(self, source: DataSource, data: _Sink) -> None:
        try:
            async with self._client.stream("GET", source.location, headers=source.headers) as response:
                if response.status_code != httpx.codes.OK:
                    raise CannotFetch(f"the source answered {response.status_code} {response.reason_phrase}")
                async for chunk in response.aiter_bytes(_CHUNK_BYTES):
                    data.write(chunk)
        except httpx.HTTPError as error:
            raise CannotFetch(f"{type(error).__name__}: {error}") from error

    def _read_file(self, location: str, data: _Sink) -> None:
        folder = self._files.resolve()
        try:
            path = (folder / location).resolve(strict=True)
            if not path.is_relative_to(folder) or not path.is_file():
                raise CannotFetch(f"{location!r} is not a file below DATA_DIR/files")
            with path.open("rb") as file:
                while chunk := file.read(_CHUNK_BYTES):
                    data.write(chunk)
        except OSError as error:
            raise CannotFetch(f"{location!r}: {os.strerror(error.errno or 0)}") from error
