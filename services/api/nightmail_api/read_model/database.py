"""What the read model asks of its database: SQLite, a file for each replica, or PostgreSQL, shared by all replicas.

Either may be deleted at any time: the tables are created when they are missing, and the log fills them again.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, Protocol, TypeVar

from sqlalchemy import Engine
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

P = ParamSpec("P")
T = TypeVar("T")

#: SQLSTATE class 54, program limit exceeded: a value is too large for an index. The server is well.
_PROGRAM_LIMIT_EXCEEDED = "54"
#: Errors by their class (PEP 249) that are about the server and not about a statement. `InternalError` has a server that takes
#: no writes, as after a failover, and a transaction that the server ended.
_OF_THE_SERVER = frozenset({"OperationalError", "InterfaceError", "InternalError"})
#: SQLSTATE of a table and of a schema that does not exist: somebody dropped it.
_MISSING = frozenset({"42P01", "3F000"})
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class DatabaseUnavailable(Exception):
    """The database does not answer; a retry opens a new connection."""


class TablesLost(DatabaseUnavailable):
    """The tables are gone or damaged: only new ones help, which the next start of the process creates."""


class Database(Protocol):
    """The engines of a database, and where its calls run: a call that waits for a server must not block the event loop."""

    #: Begins a transaction that no other writer runs beside.
    engine: Engine
    #: Autocommit, for queries.
    read_engine: Engine
    #: How many queries run at once.
    readers: int

    def create_missing_tables(self) -> None:
        """Create the tables if they are missing, of another version or damaged.

        Raises:
            DatabaseUnavailable: the database does not answer, or refuses.
        """

    def discard_damaged(self) -> None:
        """Delete tables of which a call has said that they are damaged, so that the next start creates new ones."""

    def purge_deleted(self) -> None:
        """Overwrite the copies of deleted rows that the database keeps beside its tables, as far as it can be asked to."""

    def finish_replay(self) -> None:
        """Free what only a replay needs, such as memory, and the tables of older versions."""

    async def run_write(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function that writes; one at a time."""

    async def run_read(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function that reads."""

    def close(self) -> None: ...


@contextmanager
def as_database_unavailable() -> Iterator[None]:
    """Raise `DatabaseUnavailable` for the errors that a retry on a new connection can cure, and `TablesLost`."""
    try:
        yield
    except DBAPIError as error:
        if error.orig is None or is_refused_value(error) or (why := unavailable(error.orig)) is None:
            raise
        raise why from error


def unavailable(error: BaseException) -> DatabaseUnavailable | None:
    """Return what a driver's error says about the database; None if it says nothing: the statement is wrong."""
    text = str(error).partition("\n")[0]
    # SQLite's code has details in its upper bits.
    is_damaged = getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED
    if is_damaged or getattr(error, "sqlstate", None) in _MISSING or text.startswith("no such table: "):
        return TablesLost(text)
    if any(kind.__name__ in _OF_THE_SERVER for kind in type(error).__mro__):
        return DatabaseUnavailable(text)
    return None


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """Commit everything in the block, or nothing.

    Raises:
        DatabaseUnavailable: the database does not answer, or takes no writes.
    """
    with as_database_unavailable(), engine.begin() as connection:
        try:
            yield connection
        except DBAPIError as error:
            # The next try gets a new connection, which leads to the server that is in charge now.
            if error.orig is not None and not is_refused_value(error) and unavailable(error.orig) is not None:
                connection.invalidate()
            raise


def is_refused_value(error: Exception) -> bool:
    """Return whether an error in a transaction is about the values written, and not about the database."""
    if not isinstance(error, DBAPIError):
        return not isinstance(error, DatabaseUnavailable)
    sqlstate = str(getattr(error.orig, "sqlstate", None) or "")
    return isinstance(error, DataError | IntegrityError) or sqlstate.startswith(_PROGRAM_LIMIT_EXCEEDED)
