"""Queries of PostgreSQL, with ADBC's driver: results come as COPY in binary and become Arrow without Python objects.

The driver's DB-API module imports pyarrow.dataset and with it pandas: half a second of processor time for each query.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import adbc_driver_manager
import adbc_driver_postgresql
import pyarrow
from adbc_driver_manager import AdbcConnection, AdbcStatement

from nightmail_common.contract.sql_source import ParameterValue
from nightmail_runner.sql.request import QueryFailed, QueryRequest, does_not_fit, no_table, took_too_long

_QUERY_CANCELED = "57014"
#: A server that starts, stops or has no free connection reports FATAL, too, and answers soon.
_SOON = ("starting up", "shutting down", "too many", "remaining connection slots", "recovery")

#: The first word of an error that the server reports.
_SEVERITIES = ("ERROR:", "FATAL:", "PANIC:")

_SYNTAX_ERROR = "42601"
_READING = frozenset({"select", "values", "table", "with"})
_READ = "\nSELECT, VALUES, TABLE and WITH are read"
#: The first word behind comments and parentheses.
_FIRST_WORD = re.compile(r"(?:[\s(]|--[^\n]*+\n|/\*(?s:.*?)\*/)*+(?P<word>\w+|.)")
#: The driver reads by `COPY (<query>) TO STDOUT`, which the query's author did not write.
_COPY_LINE = re.compile(r"^(LINE 1: )COPY \((.*\n) {6}( *\^)", re.MULTILINE)
_SQLSTATE = re.compile(r"\s*\. SQLSTATE: \w{5}\Z")


@contextmanager
def open_query(
    request: QueryRequest, cancel_by: Callable[[Callable[[], None]], None]
) -> Iterator[pyarrow.RecordBatchReader]:
    """Run a query in a read-only transaction that the server ends after the request's time.

    ADBC prepares each statement, so it is a single one: it cannot end the transaction and go on.

    Raises:
        QueryFailed: the server cannot be reached, or refuses the query.
    """
    parameters = request.parameters
    if isinstance(parameters, dict):
        raise QueryFailed("PostgreSQL takes parameters as a list: the query names them $1, $2")
    request.check_parameters()
    with ExitStack() as stack:
        try:
            database = stack.enter_context(adbc_driver_postgresql.connect(request.url))
            connection = stack.enter_context(AdbcConnection(database))
        except adbc_driver_manager.Error as error:
            message = _message(error)
            refused = "FATAL:" in message and not any(words in message for words in _SOON)
            raise QueryFailed(f"no connection to the database: {message}", transient=not refused) from None
        yield from _run(connection, request, parameters or [], cancel_by)


def _run(
    connection: AdbcConnection,
    request: QueryRequest,
    parameters: Sequence[ParameterValue],
    cancel_by: Callable[[Callable[[], None]], None],
) -> Iterator[pyarrow.RecordBatchReader]:
    try:
        connection.set_autocommit(False)
        _set(connection, "TRANSACTION READ ONLY")
        # The driver reads and writes UTF-8, whatever the database's encoding or the URL's client_encoding is.
        _set(connection, "LOCAL client_encoding = 'UTF8'")
        _set(connection, f"LOCAL statement_timeout = {request.timeout_seconds * 1000:.0f}")
        with AdbcStatement(connection) as statement:
            cancel_by(statement.cancel)
            statement.set_sql_query(request.statement)
            statement.prepare()
            if parameters:
                statement.bind(_record(parameters))
            result, _ = statement.execute_query()
            with pyarrow.RecordBatchReader.from_stream(result) as reader:
                yield reader
    except adbc_driver_manager.Error as error:
        if error.sqlstate == _QUERY_CANCELED:
            raise took_too_long(request) from None
        if _is_out_of_memory(error):
            raise does_not_fit(request) from None
        first = _FIRST_WORD.match(request.statement)
        if first is None:
            raise no_table() from None
        hint = _READ if error.sqlstate == _SYNTAX_ERROR and first["word"].lower() not in _READING else ""
        raise QueryFailed(f"the database refuses the query: {_message(error)}{hint}") from None
    except (OSError, pyarrow.ArrowException) as error:  # between two batches of the result
        if "statement timeout" in str(error):
            raise took_too_long(request) from None
        if _is_out_of_memory(error):
            raise does_not_fit(request) from None
        raise QueryFailed(f"the database ended the query: {_message(error)}") from None


def _set(connection: AdbcConnection, setting: str) -> None:
    with AdbcStatement(connection) as statement:
        statement.set_sql_query(f"SET {setting}")
        statement.execute_update()


def _record(values: Sequence[ParameterValue]) -> pyarrow.RecordBatch:
    columns: list[pyarrow.Array[Any]] = [pyarrow.array([value]) for value in values]
    return pyarrow.record_batch(columns, names=[f"${number}" for number in range(1, len(values) + 1)])


def _is_out_of_memory(error: Exception) -> bool:
    """Return whether this process has no memory for the result. A driver's error has no message then, or libpq's."""
    text = _message(error)
    return isinstance(error, MemoryError) or not text or ("out of memory" in text and not text.startswith(_SEVERITIES))


def _message(error: Exception) -> str:
    """Return the server's own words, without those of the driver around them."""
    text = _SQLSTATE.sub("", str(error).partition("\n\nQuery was:")[0].strip())
    text = _COPY_LINE.sub(r"\1\2\3", text)
    starts = [text.index(word) for word in _SEVERITIES if word in text]
    return text[min(starts) :] if starts else text
