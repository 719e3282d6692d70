"""Fetches a source of type `sql`: a reader process runs the query and streams its result as Arrow IPC.

A driver is native code that blocks, crashes and keeps memory; in a process of its own it can do so without the runner.
"""

import asyncio
import json
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from nightmail_common.contract.job import DataSource
from nightmail_common.contract.source_templates import fill_times
from nightmail_common.contract.sql_source import Parameters, ParameterValue
from nightmail_common.service.settings import PREFIX
from nightmail_runner.sources.attempts import try_again
from nightmail_runner.sources.errors import CannotFetch, TransientFailure
from nightmail_runner.sources.input import Input
from nightmail_runner.sql.connections import Connections, secret_parts
from nightmail_runner.template_times import SourceTimes

#: A pipe holds 64 KiB; asyncio joins what has come meanwhile.
_CHUNK_BYTES = 1024 * 1024
#: Beyond the query's own time: the start of the reader (half a second on an idle machine) and the connection.
_START_SECONDS = 15.0
#: The reader cancels its query in the database before it exits; after this it is killed.
_CANCEL_SECONDS = 2.0


@dataclass(frozen=True)
class TableLimits:
    """The settings MAX_ROWS and MAX_COLUMNS, for the result of a query."""

    rows: int
    columns: int


class SqlFetcher:
    """Runs the queries of sources.

    Args:
        timeout_seconds: the time of a query whose source sets no `timeout_seconds`.
    """

    def __init__(self, connections: Connections, limits: TableLimits, timeout_seconds: float) -> None:
        self._connections = connections
        self._limits = limits
        self._timeout_seconds = timeout_seconds

    async def fetch(self, source: DataSource, times: SourceTimes, data: Input) -> None:
        """Write the result of a source's query to `data`, as an Arrow IPC stream.

        Raises:
            CannotFetch: the result cannot be fetched. The message can contain a secret that `data.masker` masks.
        """
        url = self._connections.url(source.location)
        data.masker.hide(secret_parts(url))
        timeout_seconds = source.timeout_seconds or self._timeout_seconds
        request = {
            "url": url,
            "query": source.query,
            "parameters": _filled(source.parameters, times),
            "timeout_seconds": timeout_seconds,
            "max_bytes": data.limit_bytes,
            "max_rows": self._limits.rows,
            "max_columns": self._limits.columns,
        }

        async def attempt() -> None:
            for note in await _read(request, data, timeout_seconds):
                data.add_note(note)

        await try_again(attempt)


async def _read(request: dict[str, Any], data: Input, timeout_seconds: float) -> list[str]:
    """Run a reader process; return its notes.

    Raises:
        CannotFetch: the query failed.
        TransientFailure: the database cannot be reached now.
    """
    write = data.begin()
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "nightmail_runner.sql.reader"),
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        env=_environment(),
        limit=_CHUNK_BYTES,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    report = asyncio.create_task(process.stderr.read())
    try:
        async with asyncio.timeout(timeout_seconds + _START_SECONDS):
            process.stdin.write(json.dumps(request).encode() + b"\n")
            while chunk := await process.stdout.read(_CHUNK_BYTES):
                write(chunk)
            return _notes(await report, await process.wait())
    except TimeoutError:
        raise CannotFetch(
            f"the database gave no result within {timeout_seconds:g} s and {_START_SECONDS:g} s for the start; "
            "the source's timeout_seconds can allow more"
        ) from None
    finally:
        report.cancel()
        await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    """End a reader: the end of its input lets it cancel its query."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    try:
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _CANCEL_SECONDS)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        await process.stdout.read()  # asyncio closes a pipe at its end only


def _notes(report: bytes, exit_code: int) -> list[str]:
    """Return the notes of a reader's report, the last line on its stderr; raise its error."""
    try:
        fields = json.loads(report.splitlines()[-1])
        error = fields.get("error")
        notes: list[str] = fields.get("notes", [])
    except (ValueError, IndexError, AttributeError):
        raise CannotFetch(f"the process that runs the query ended with exit code {exit_code} and no result") from None
    if error is None:
        return notes
    raise TransientFailure(error) if fields.get("transient") else CannotFetch(error)


def _filled(parameters: Parameters | None, times: SourceTimes) -> Parameters | None:
    def fill(value: ParameterValue) -> ParameterValue:
        return fill_times(value, times.values) if isinstance(value, str) else value

    if isinstance(parameters, dict):
        return {name: fill(value) for name, value in parameters.items()}
    return None if parameters is None else [fill(value) for value in parameters]


def _environment() -> dict[str, str]:
    """Return the environment of a reader: libpq's variables, and no setting of Nightmail."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    # Arrow's default pool reserves address space that the reader's memory limit would count.
    return environment | {"ARROW_DEFAULT_MEMORY_POOL": "system", "PYTHONSAFEPATH": "1"}
