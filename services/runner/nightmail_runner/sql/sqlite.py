"""Queries of SQLite, with Python's own module.

ADBC's driver for SQLite takes a column's type from its first rows: it makes floats of large integers, fails on a column
that begins with missing values, and runs several statements (docs/decisions/0109-read-sqlite-with-pythons-module.md).
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pyarrow

from nightmail_runner.sql.request import QueryFailed, QueryRequest, no_table, took_too_long
from nightmail_runner.sql.rows import BATCH_ROWS, read_rows

#: What a query may do: nothing that writes, opens another file, or changes the connection.
_READING = frozenset(
    {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE},
)
#: A writer holds its lock for a moment; a query with little time does not spend it on waiting.
_LOCK_SECONDS = 5.0


class _Deadline:
    """Interrupts a connection's query when its time is over."""

    def __init__(self, connection: sqlite3.Connection, seconds: float) -> None:
        self.passed = False
        self._connection = connection
        self._timer = threading.Timer(seconds, self._interrupt)
        self._timer.daemon = True

    def start(self) -> None:
        self._timer.start()

    def cancel(self) -> None:
        """Stop the timer. The connection may be closed then."""
        self._timer.cancel()
        self._timer.join()

    def _interrupt(self) -> None:
        self.passed = True
        self._connection.interrupt()


@contextmanager
def open_query(
    request: QueryRequest, cancel_by: Callable[[Callable[[], None]], None]
) -> Iterator[pyarrow.RecordBatchReader]:
    """Run a query on a database file that is opened read-only.

    Raises:
        QueryFailed: the file cannot be opened, or SQLite refuses the query.
    """
    if isinstance(request.parameters, dict):
        request.check_parameters()  # a list of another length is SQLite's own error
    path = Path(unquote(urlsplit(request.url).path.removeprefix("/")))
    lock_seconds = min(_LOCK_SECONDS, request.timeout_seconds)
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro",
            timeout=lock_seconds,
            uri=True,
            check_same_thread=False,
        )
    except sqlite3.Error as error:
        raise QueryFailed(f"no connection to the database: {error}") from None
    deadline = _Deadline(connection, request.timeout_seconds)
    deadline.start()
    try:
        # Not in files: a sort without end would fill the disk. The limit of this process bounds its memory.
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.set_authorizer(lambda action, *_: sqlite3.SQLITE_OK if action in _READING else sqlite3.SQLITE_DENY)
        cancel_by(connection.interrupt)
        cursor = connection.execute(request.statement, request.parameters or ())
        if cursor.description is None:
            raise no_table()
        names = [column[0] for column in cursor.description]
        yield read_rows(names, lambda: cursor.fetchmany(BATCH_ROWS), request)
    except (sqlite3.Error, sqlite3.Warning, OverflowError) as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT and deadline.passed:
            raise took_too_long(request) from None
        raise QueryFailed(f"the database refuses the query: {_message(error, lock_seconds)}") from None
    finally:
        deadline.cancel()
        connection.close()


def _message(error: Exception, lock_seconds: float) -> str:
    """Return SQLite's message, with an explanation where it needs one."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # without the extension of the code
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return f"{error}: another process writes to it, and held its lock for longer than {lock_seconds:g} s"
    return f"{error} (a query may only read)" if "not authorized" in str(error) else str(error)
