"""Queries of SQLite, with Python's own module.

ADBC's driver for SQLite takes a column's type from its first rows: it makes floats of large integers, fails on a column
that begins with missing values, and runs several statements (docs/decisions/0109-read-sqlite-with-pythons-module.md).
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pyarrow

from nightmail_runner.sql.request import QueryFailed, QueryRequest, no_table
from nightmail_runner.sql.rows import BATCH_ROWS, read_rows

#: What a query may do: nothing that writes, opens another file, or changes the connection.
_READING = frozenset(
    {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE},
)


@contextmanager
def open_query(
    request: QueryRequest, cancel_by: Callable[[Callable[[], None]], None]
) -> Iterator[pyarrow.RecordBatchReader]:
    """Run a query on a database file that is opened read-only.

    Raises:
        QueryFailed: the file cannot be opened, or SQLite refuses the query.
    """
    path = Path(unquote(urlsplit(request.url).path.removeprefix("/")))
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False)
    except sqlite3.Error as error:
        raise QueryFailed(f"no connection to the database: {error}") from None
    try:
        connection.set_authorizer(lambda action, *_: sqlite3.SQLITE_OK if action in _READING else sqlite3.SQLITE_DENY)
        cancel_by(connection.interrupt)
        cursor = connection.execute(request.statement, request.parameters or ())
        if cursor.description is None:
            raise no_table()
        names = [column[0] for column in cursor.description]
        yield read_rows(names, lambda: cursor.fetchmany(BATCH_ROWS), request)
    except sqlite3.DatabaseError as error:
        denied = " (a query may only read)" if "not authorized" in str(error) else ""
        raise QueryFailed(f"the database refuses the query: {error}{denied}") from None
    finally:
        connection.close()
