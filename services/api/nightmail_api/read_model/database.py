"""What the read model asks of its database: SQLite, a file for each replica, or PostgreSQL, shared by all replicas.

Either may be deleted at any time: the tables are created when they are missing, and the log fills them again.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, Protocol, TypeVar

from sqlalchemy import Engine
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError, OperationalError

P = ParamSpec("P")
T = TypeVar("T")

#: SQLSTATE class 54, program limit exceeded: a value is too large for an index. The server is well.
_PROGRAM_LIMIT_EXCEEDED = "54"


class DatabaseUnavailable(Exception):
    """The database does not answer; a retry opens a new connection."""


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
    """Raise `DatabaseUnavailable` for the errors that a retry on a new connection can cure."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        if is_refused_value(error):
            raise
        raise DatabaseUnavailable(str(error.orig).partition("\n")[0]) from error


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """Commit everything in the block, or nothing.

    Raises:
        DatabaseUnavailable: the database does not answer.
    """
    with as_database_unavailable(), engine.begin() as connection:
        yield connection


def is_refused_value(error: Exception) -> bool:
    """Return whether an error in a transaction is about the values written, and not about the database."""
    if not isinstance(error, DBAPIError):
        return not isinstance(error, DatabaseUnavailable)
    sqlstate = str(getattr(error.orig, "sqlstate", None) or "")
    return isinstance(error, DataError | IntegrityError) or sqlstate.startswith(_PROGRAM_LIMIT_EXCEEDED)
