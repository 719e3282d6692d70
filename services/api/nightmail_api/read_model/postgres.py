"""The read model in PostgreSQL: all replicas share it.

Every replica reads the log and applies what it reads. A transaction locks the checkpoint's row first, so one replica
writes at a time, and what another one has applied meanwhile lies behind the checkpoint and is passed over.
"""

import asyncio
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import Any, ParamSpec, TypeVar

import psycopg
import structlog
from psycopg.rows import dict_row, tuple_row
from pydantic import SecretStr

from nightmail_api.read_model.database import SCHEMA, SCHEMA_VERSION, DatabaseAway, Found

P = ParamSpec("P")
T = TypeVar("T")

#: The schemas are named by the version of their tables: programs of two versions do not meet in one.
_SCHEMA_NAME = "nightmail_read_model_"
#: What two replicas that start at once take turns by, while they look for the tables and make them.
_MAKING_LOCK = 6_240_991_311
#: A server that is cut off is left after some seconds, and so is a replica that stops in the middle of a transaction.
_CONNECTION: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "application_name": "nightmail-api",
}
_SESSION = (
    f"SET search_path TO {_SCHEMA_NAME}{SCHEMA_VERSION}",
    "SET idle_in_transaction_session_timeout = '10s'",
    "SET statement_timeout = '30s'",
)

_PARAMETER = re.compile(r"\?|:(\w+)")

logger = structlog.get_logger()


class PostgresRows:
    """A connection that is made when it is needed, and anew after it broke."""

    def __init__(self, url: SecretStr, row_factory: Any) -> None:
        self._url = url
        self._row_factory = row_factory
        self._connection: psycopg.Connection[Any] | None = None

    def make_tables(self) -> None:
        """Make the tables if they are missing."""
        schema = f"{_SCHEMA_NAME}{SCHEMA_VERSION}"
        try:
            with self._answering() as connection, connection.transaction():
                connection.execute("SELECT pg_advisory_xact_lock(%s)", (_MAKING_LOCK,))
                if connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (schema,)).fetchone() is None:
                    connection.execute(f"CREATE SCHEMA {schema}")
                    for statement in _types_of_postgres(SCHEMA).split(";"):
                        connection.execute(statement)
        except psycopg.Error as error:  # the URL is none, or its user may not
            raise DatabaseAway(_first_line(error)) from error

    def execute(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = (), /) -> Found:
        with self._answering() as connection:
            return connection.execute(_translated(sql), _without_nul(parameters))

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any] | Mapping[str, Any]], /) -> None:
        if all_of_them := [_without_nul(one) for one in parameters]:
            with self._answering() as connection, connection.cursor() as cursor:
                cursor.executemany(_translated(sql), all_of_them)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self._answering() as connection, connection.transaction():
            connection.execute("SELECT sequence FROM checkpoint FOR UPDATE")
            yield

    def after_erasure(self) -> None:
        """Do nothing: when PostgreSQL overwrites deleted rows is its own affair (docs/operations.md)."""

    def after_catching_up(self) -> None:
        found = self.execute("SELECT nspname FROM pg_namespace WHERE starts_with(nspname, ?)", (_SCHEMA_NAME,))
        for (name,) in found.fetchall():
            if int(name.removeprefix(_SCHEMA_NAME)) < SCHEMA_VERSION:
                self.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")
                logger.info("older_read_model_dropped", schema=name)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    @contextmanager
    def _answering(self) -> Iterator["psycopg.Connection[Any]"]:
        try:
            if self._connection is None or self._connection.closed:
                self._connection = self._connect()
            yield self._connection
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            raise DatabaseAway(_first_line(error)) from error

    def _connect(self) -> "psycopg.Connection[Any]":
        connection = psycopg.connect(
            self._url.get_secret_value(), autocommit=True, row_factory=self._row_factory, **_CONNECTION
        )
        for statement in _SESSION:
            connection.execute(statement)
        return connection


class PostgresDatabase:
    """The database of a URL, `postgresql://...`; the tables are in a schema of their own.

    Work that waits for the server is done in threads: one for what writes, and one for each read that goes on at once.
    """

    readers = 4

    def __init__(self, url: SecretStr) -> None:
        self._url = url
        self._writer = ThreadPoolExecutor(1, "read-model-writer")
        self._readers = ThreadPoolExecutor(self.readers, "read-model-reader")

    def open_to_write(self) -> PostgresRows:
        rows = PostgresRows(self._url, tuple_row)
        rows.make_tables()
        return rows

    def open_to_read(self) -> PostgresRows:
        return PostgresRows(self._url, dict_row)

    async def writing(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await _in(self._writer, partial(work, *args, **kwargs))

    async def reading(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await _in(self._readers, partial(work, *args, **kwargs))

    def close(self) -> None:
        self._writer.shutdown()
        self._readers.shutdown()


async def _in(threads: ThreadPoolExecutor, work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(threads, work)


def _types_of_postgres(schema: str) -> str:
    """Return the tables with numbers of 64 bits and texts in the order of their bytes, as SQLite has both."""
    for theirs, ours in (("INTEGER", "BIGINT"), ("REAL", "DOUBLE PRECISION"), (" TEXT", ' TEXT COLLATE "C"')):
        schema = schema.replace(theirs, ours)
    return schema


@lru_cache(maxsize=1024)
def _translated(sql: str) -> str:
    """Return a statement with PostgreSQL's own words for parameters, and for where a text is in another."""
    named = _PARAMETER.sub(lambda found: "%s" if found[1] is None else f"%({found[1]})s", sql)
    return named.replace("instr(", "strpos(")


def _without_nul(parameters: Sequence[Any] | Mapping[str, Any]) -> Sequence[Any] | Mapping[str, Any]:
    """Return parameters without the one character that PostgreSQL refuses; no name has it, nor the one put for it."""
    if isinstance(parameters, Mapping):
        return {name: _cleaned(value) for name, value in parameters.items()}
    return [_cleaned(value) for value in parameters]


def _cleaned(value: Any) -> Any:
    return value.replace("\0", "\1") if isinstance(value, str) and "\0" in value else value


def _first_line(error: psycopg.Error) -> str:
    return str(error).partition("\n")[0]
