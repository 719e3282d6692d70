"""Fetches a job's input: from a URL, a database or a stored file into memory, within the limits.

This part of a run has the network and the secrets of the sources, and executes no user code.
"""

import asyncio
import os
import stat
from collections.abc import Callable
from pathlib import Path

import httpx

from nightmail_common.contract.http_source import texts_of
from nightmail_common.contract.job import DataSource
from nightmail_common.contract.limits import MAX_ERROR_TEXT_CHARS
from nightmail_common.contract.source_templates import fill_times, time_names
from nightmail_common.contract.sql_source import parameter_values
from nightmail_runner.sources.api import ApiFetcher
from nightmail_runner.sources.errors import CannotFetch
from nightmail_runner.sources.input import Input
from nightmail_runner.sources.source_secrets import SecretStore
from nightmail_runner.sql.fetcher import SqlFetcher
from nightmail_runner.template_times import SourceTimes

_CHUNK_BYTES = 1024 * 1024
_OPEN_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class Fetcher:
    """Fetches data over HTTP, from databases, and from the folder of stored files. Two fetches share connections and nothing else.

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
        sql: SqlFetcher,
    ) -> None:
        self._sql = sql
        self._api = ApiFetcher(transport, timeout_seconds, secrets)
        self._files = files
        self._max_input_bytes = max_input_bytes
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
                await self._api.fetch(source, times, data)
            elif source.source_type == "sql":
                await self._sql.fetch(source, times, data)
            else:
                await read_stored(self._files, fill_times(source.location, times.values), data.write)
            data.file.seal()
        except CannotFetch as error:
            data.file.close()
            raise CannotFetch(data.masker.mask(self._secrets.mask(str(error)))[:MAX_ERROR_TEXT_CHARS]) from None
        except BaseException:
            data.file.close()
            raise
        return data


def named_times(source: DataSource) -> set[str]:
    """Return which times the templates of a source refer to."""
    values = [*(source.params or {}).values(), *parameter_values(source.parameters)]
    texts = [source.location, *map(str, values), *texts_of(source.body)]
    return {name for text in texts for name in time_names(text)}


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
