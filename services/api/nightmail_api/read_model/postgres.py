"""The read model in PostgreSQL: all replicas share it.

Every replica reads the log and applies what it reads. A transaction locks the checkpoint's row first, so one replica
writes at a time; events that another replica has applied are at or below the checkpoint and are skipped.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, ParamSpec, TypeVar

import psycopg
import structlog
from pydantic import SecretStr
from sqlalchemy import Engine, create_engine, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateSchema, DropSchema

from nightmail_api.read_model.database import DatabaseUnavailable, transaction
from nightmail_api.read_model.schema import SCHEMA_VERSION, create_tables, metadata

P = ParamSpec("P")
T = TypeVar("T")

#: A schema is named by the version of its tables: programs of two versions do not share one.
_SCHEMA_PREFIX = "nightmail_read_model_"
_SCHEMA = f"{_SCHEMA_PREFIX}{SCHEMA_VERSION}"
#: The advisory lock of replicas that start at once, while they create the tables; any number that is ours alone.
_CREATE_LOCK = 6_240_991_311
#: A server that is cut off is given up after seconds, and so is a replica that stops in the middle of a transaction.
_CONNECTION: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "application_name": "nightmail-api",
}
_SESSION = (
    f"SET search_path TO {_SCHEMA}",
    "SET idle_in_transaction_session_timeout = '10s'",
    "SET statement_timeout = '30s'",
)

logger = structlog.get_logger()


class PostgresDatabase:
    """The database of a URL, `postgresql://...`, with the tables in a schema of their own.

    Calls run in threads, because they wait for the server: one thread writes, and each query has its own.
    """

    readers = 4

    def __init__(self, url: SecretStr) -> None:
        self._url = url
        self.engine = create_engine(
            "postgresql+psycopg://",
            creator=self._connect,
            pool_size=self.readers + 1,
            max_overflow=0,
            use_native_hstore=False,
        )
        self.read_engine: Engine = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._writer = ThreadPoolExecutor(1, "read-model-writer")
        self._readers = ThreadPoolExecutor(self.readers, "read-model-reader")

    def create_missing_tables(self) -> None:
        try:
            with transaction(self.engine) as connection:
                connection.execute(select(func.pg_advisory_xact_lock(_CREATE_LOCK)))
                if connection.dialect.has_schema(connection, _SCHEMA):
                    if set(connection.dialect.get_table_names(connection, _SCHEMA)) >= set(metadata.tables):
                        return
                    logger.warning("read_model_file_replaced", file=_SCHEMA, reason="tables are missing")
                    connection.execute(DropSchema(_SCHEMA, cascade=True))
                connection.execute(CreateSchema(_SCHEMA))
                create_tables(connection)
        except DBAPIError as error:  # the user has no permission
            raise DatabaseUnavailable(str(error.orig).partition("\n")[0]) from error
        except psycopg.Error as error:  # the URL is not valid
            raise DatabaseUnavailable(str(error).partition("\n")[0]) from error

    def discard_damaged(self) -> None:
        """Do nothing: the next start creates tables that are missing, which another replica may have done before."""

    def purge_deleted(self) -> None:
        """Do nothing: PostgreSQL itself decides when it overwrites deleted rows (docs/operations.md)."""

    def finish_replay(self) -> None:
        with transaction(self.engine) as connection:
            for name in connection.dialect.get_schema_names(connection):
                if name.startswith(_SCHEMA_PREFIX) and int(name.removeprefix(_SCHEMA_PREFIX)) < SCHEMA_VERSION:
                    connection.execute(DropSchema(name, cascade=True, if_exists=True))
                    logger.info("older_read_model_dropped", schema=name)

    async def run_write(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await _run_in(self._writer, partial(work, *args, **kwargs))

    async def run_read(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await _run_in(self._readers, partial(work, *args, **kwargs))

    def close(self) -> None:
        self._writer.shutdown()
        self._readers.shutdown()
        self.engine.dispose()

    def _connect(self) -> "psycopg.Connection[Any]":
        """Open a connection; psycopg reads the URL, so that every form and option of libpq's works."""
        connection = psycopg.connect(self._url.get_secret_value(), autocommit=True, **_CONNECTION)
        for statement in _SESSION:
            connection.execute(statement)
        connection.autocommit = False
        return connection


async def _run_in(threads: ThreadPoolExecutor, work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(threads, work)
