"""Queries of PostgreSQL, with ADBC's driver: results come as COPY in binary and become Arrow without Python objects."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import adbc_driver_manager
import adbc_driver_postgresql.dbapi
import pyarrow

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
    try:
        connection = adbc_driver_postgresql.dbapi.connect(request.url, autocommit=False)
    except adbc_driver_manager.Error as error:
        message = _message(error)
        refused = "FATAL:" in message and not any(words in message for words in _SOON)
        raise QueryFailed(f"no connection to the database: {message}", transient=not refused) from None
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
            # The driver reads and writes UTF-8, whatever the database's encoding or the URL's client_encoding is.
            cursor.execute("SET LOCAL client_encoding = 'UTF8'")
            cursor.execute(f"SET LOCAL statement_timeout = {request.timeout_seconds * 1000:.0f}")
            cancel_by(cursor.adbc_cancel)
            cursor.execute(request.statement, parameters or None)
            if not cursor.description:
                raise no_table()
            yield cursor.fetch_record_batch()
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
