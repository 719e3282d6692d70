"""Fetches a job's input: from a URL, a database or a stored file into memory, within the limits.

This part of a run has the network and the secrets of the sources, and executes no user code.
"""

from contextlib import suppress
from typing import Any

import httpx

from nightmail_common.contract.http_source import texts_of
from nightmail_common.contract.job import DataSource
from nightmail_common.contract.limits import MAX_ERROR_TEXT_CHARS
from nightmail_common.contract.source_templates import fill_times, time_names
from nightmail_common.contract.sql_source import parameter_values
from nightmail_runner.sources.api import ApiFetcher
from nightmail_runner.sources.conditional import Memory
from nightmail_runner.sources.errors import CannotFetch
from nightmail_runner.sources.input import ByteBudget, Input
from nightmail_runner.sources.source_secrets import SecretStore
from nightmail_runner.sources.stored_files import StoredFiles
from nightmail_runner.sql.fetcher import SqlFetcher
from nightmail_runner.template_times import SourceTimes


class Fetcher:
    """Fetches data over HTTP, from databases, and from the stored files. Two fetches share connections and nothing else.

    Args:
        timeout_seconds: the longest silence of a source that sets no `timeout_seconds`.
    """

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport,
        files: StoredFiles,
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

    def budget(self) -> ByteBudget:
        """Return the budget of a run."""
        return ByteBudget(self._max_input_bytes)

    async def fetch(
        self, source: DataSource, times: SourceTimes, *, budget: ByteBudget | None = None, memory: Memory | None = None
    ) -> Input:
        """Return a source's bytes in a sealed file, which the caller closes.

        Args:
            budget: that all sources of a run share.
            memory: of a source that may be asked for changes only.

        Raises:
            CannotFetch: the data cannot be fetched. The message contains no secret.
        """
        data = Input(budget or self.budget())
        data.notes.extend(times.notes)
        try:
            await self._fetch(source, times, data, memory)
            data.file.seal()
        except BaseException:
            data.file.close()
            raise
        return data

    async def check(self, source: DataSource, times: SourceTimes) -> None:
        """Try a source as far as its first bytes, by the rules of `fetch`. A POST is not sent, since it may change something.

        Raises:
            CannotFetch: the data cannot be fetched. The message contains no secret.
        """
        if source.method == "POST":
            return
        changes: dict[str, Any] = {"pagination": None}
        if source.source_type == "sql":
            changes |= {"query": "SELECT 1 AS one", "parameters": None}
        data = _FirstBytes(self.budget())
        with data.file, suppress(_Enough):
            await self._fetch(source.model_copy(update=changes), times, data)

    async def _fetch(self, source: DataSource, times: SourceTimes, data: Input, memory: Memory | None = None) -> None:
        try:
            if source.source_type == "api":
                await self._api.fetch(source, times, data, memory)
            elif source.source_type == "sql":
                await self._sql.fetch(source, times, data)
            else:
                await self._files.fetch(fill_times(source.location, times.values), data)
        except CannotFetch as error:
            raise CannotFetch(data.masker.mask(self._secrets.mask(str(error)))[:MAX_ERROR_TEXT_CHARS]) from None


class _Enough(Exception):
    """The source gives data."""


class _FirstBytes(Input):
    """Ends a fetch at the first byte."""

    def write(self, data: bytes) -> None:
        if data:
            raise _Enough


def named_times(source: DataSource) -> set[str]:
    """Return which times the templates of a source refer to."""
    values = [*(source.params or {}).values(), *parameter_values(source.parameters)]
    texts = [source.location, *map(str, values), *texts_of(source.body)]
    return {name for text in texts for name in time_names(text)}
