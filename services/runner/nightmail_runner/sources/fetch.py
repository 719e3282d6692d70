"""Fetches a job's input: from a URL or a stored file into memory, within the limits.

This part of a run has the network and the secrets of the sources, and executes no user code.
"""

import asyncio
import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx

from nightmail_common.contract.job import DataSource
from nightmail_common.contract.request_headers import check_header
from nightmail_common.contract.source_templates import fill_times, secret_names, time_names
from nightmail_runner.sandbox.memory import MemoryFile
from nightmail_runner.sources.download import download
from nightmail_runner.sources.errors import CannotFetch
from nightmail_runner.sources.masking import Masker
from nightmail_runner.sources.redirects import SourceRequest
from nightmail_runner.sources.source_secrets import SecretStore
from nightmail_runner.template_times import SourceTimes

#: Of one fetch with its retries and redirects. A source that sends a byte now and then would hold a runner for ever.
MAX_FETCH_SECONDS = 900
_CHUNK_BYTES = 1024 * 1024
_OPEN_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class Input:
    """The bytes of a source: counted against the limit, hashed, and kept in a memory file."""

    def __init__(self, limit_bytes: int) -> None:
        self.file = MemoryFile("input")
        self.limit_bytes = limit_bytes
        #: The `charset` that the HTTP answer declares.
        self.charset: str | None = None
        #: What the fetch had to decide.
        self.notes: list[str] = []
        #: Masks the secrets that were sent to the source, which can be in its data.
        self.masker = Masker(())
        self.begin()

    def begin(self) -> Callable[[bytes], None]:
        """Discard the bytes so far; return `write`."""
        self.file.clear()
        self._hash = hashlib.sha256()
        self._free_bytes = self.limit_bytes
        return self.write

    def write(self, data: bytes) -> None:
        """Append bytes.

        Raises:
            CannotFetch: the input is larger than the limit.
        """
        self._free_bytes -= len(data)
        if self._free_bytes < 0:
            raise CannotFetch(f"the data is larger than the {self.limit_bytes} bytes of MAX_INPUT_BYTES")
        self._hash.update(data)
        self.file.write(data)

    def sha256(self) -> str:
        return self._hash.hexdigest()


class Fetcher:
    """Fetches data over HTTP, and from the folder of stored files. Two fetches share connections and nothing else.

    Args:
        files: the folder of stored files; nothing outside of it is read.
        timeout_seconds: the longest silence of a source that sets no `timeout_seconds`.
    """

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport,
        files: Path,
        max_input_bytes: int,
        timeout_seconds: float,
        secrets: SecretStore,
    ) -> None:
        self._transport = transport
        self._files = files
        self._max_input_bytes = max_input_bytes
        self._timeout_seconds = timeout_seconds
        self._secrets = secrets

    async def fetch(self, source: DataSource, times: SourceTimes) -> Input:
        """Return a source's bytes in a sealed file, which the caller closes.

        Raises:
            CannotFetch: the data cannot be fetched. The message contains no secret.
        """
        data = Input(self._max_input_bytes)
        data.notes.extend(times.notes)
        try:
            if source.source_type == "api":
                await self._fetch_url(source, times, data)
            else:
                await read_stored(self._files, fill_times(source.location, times.values), data.write)
            data.file.seal()
        except CannotFetch as error:
            data.file.close()
            raise CannotFetch(self._secrets.mask(str(error))) from None
        except BaseException:
            data.file.close()
            raise
        return data

    async def _fetch_url(self, source: DataSource, times: SourceTimes, data: Input) -> None:
        timeout_seconds = source.timeout_seconds or self._timeout_seconds
        data.masker = self._secrets.masker(secret_names(" ".join([source.location, *(source.headers or {}).values()])))
        request = self._request(source, times, data.masker)
        try:
            async with asyncio.timeout(MAX_FETCH_SECONDS):
                answer = await download(self._transport, request, data.begin, timeout_seconds)
        except TimeoutError:
            raise CannotFetch(f"the source took longer than {MAX_FETCH_SECONDS} s in all") from None
        data.charset = answer.charset
        if answer.dropped:
            data.notes.append(answer.dropped)

    def _request(self, source: DataSource, times: SourceTimes, masker: Masker) -> SourceRequest:
        host = urlsplit(source.location).hostname or ""
        url = fill_times(source.location, times.values, _in_path)
        url = self._secrets.fill(url, host, _in_query)
        headers = {name: self._secrets.fill(value, host) for name, value in (source.headers or {}).items()}
        for name, value in headers.items():
            try:
                check_header(name, value)
            except ValueError as error:
                raise CannotFetch(str(error)) from None
        return SourceRequest(url, headers, mask=masker.mask)


def named_times(source: DataSource) -> set[str]:
    """Return which times the templates of a source refer to."""
    return time_names(source.location)


def _in_path(text: str) -> str:
    return quote(text, safe="/:,-._~")


def _in_query(text: str) -> str:
    return quote(text, safe="")


async def read_stored(folder: Path, location: str, write: Callable[[bytes], None]) -> None:
    """Read a file below a folder. Symbolic links and `..` in its path are refused.

    Raises:
        CannotFetch: the file does not exist or cannot be read.
    """
    *parents, name = location.split("/")
    if any(part in {"", ".", ".."} for part in (*parents, name)):
        raise CannotFetch(f"{location!r} is not a path below DATA_DIR/files")
    try:
        with open(_open_below(folder, parents, name), "rb", buffering=0) as file:  # noqa: ASYNC230 a regular file is local
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise CannotFetch(f"{location!r} is not a file")
            while chunk := file.read(_CHUNK_BYTES):
                write(chunk)
                await asyncio.sleep(0)  # lets heartbeats and other runs continue
    except OSError as error:
        raise CannotFetch(f"{location!r}: {os.strerror(error.errno or 0)}") from error


def _open_below(folder: Path, parents: list[str], name: str) -> int:
    parent = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parents:
            child = os.open(part, _OPEN_FLAGS | os.O_DIRECTORY, dir_fd=parent)
            os.close(parent)
            parent = child
        return os.open(name, _OPEN_FLAGS, dir_fd=parent)
    finally:
        os.close(parent)
