"""The read model as a file of SQLite: each replica has its own.

A query takes 20 to 500 µs and a transaction some milliseconds, so both run on the event loop (decision 0300).
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import ParamSpec, TypeVar

import structlog
from sqlalchemy import QueuePool, create_engine, event
from sqlalchemy.engine import Connection

from nightmail_api.read_model.database import transaction
from nightmail_api.read_model.schema import SCHEMA_VERSION, TABLES, create_tables
from nightmail_common.contract.errors import describe_error

P = ParamSpec("P")
T = TypeVar("T")

#: A replay writes the same index pages again and again; SQLite's default of 2 MiB does not hold them.
REPLAY_CACHE_KIB = 32 * 1024
#: Later events write the newest pages.
LIVE_CACHE_KIB = 4 * 1024
#: A million runs fit: their rows are read from the page cache of the operating system.
READ_MMAP_BYTES = 1024**3
#: Another process on the same file holds the write lock for some milliseconds at a time.
BUSY_TIMEOUT_SECONDS = 5.0

logger = structlog.get_logger()


class SqliteDatabase:
    """The file at a path; it and its folder are created if they are missing."""

    readers = 1

    def __init__(self, path: Path) -> None:
        self.path = path
        self.engine = create_engine(
            "sqlite://",
            paramstyle="named",
            creator=self._connect_to_write,
            poolclass=QueuePool,
            pool_reset_on_return=None,
        )
        event.listen(self.engine, "begin", _begin_immediate)
        self.read_engine = create_engine(
            "sqlite://",
            paramstyle="named",
            creator=self._connect_to_read,
            poolclass=QueuePool,
            pool_reset_on_return=None,
            isolation_level="AUTOCOMMIT",
        )

    def create_missing_tables(self) -> None:
        """Create the tables. A file of another schema version, or a damaged one, is replaced by an empty one."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.exists():
            try:
                if _schema_version(self.path) == SCHEMA_VERSION:
                    return
                logger.info("read_model_file_replaced", file=self.path.name, reason="another version of its tables")
            except sqlite3.DatabaseError as error:
                logger.warning("read_model_file_replaced", file=self.path.name, reason=describe_error(error))
            _remove(self.path)
        with transaction(self.engine) as connection:
            create_tables(connection)
            connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def discard_damaged(self) -> None:
        """Remove the file: a start reads only the first page of each table, and would not see what a query saw."""
        _remove(self.path)

    def purge_deleted(self) -> None:
        """Empty the write-ahead log, which still has the pages as they were."""
        # The driver's own connection: SQLite checkpoints outside of a transaction only.
        with closing(self.engine.raw_connection()) as connection:
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def finish_replay(self) -> None:
        with closing(self.engine.raw_connection()) as connection:
            connection.cursor().execute(f"PRAGMA cache_size = -{LIVE_CACHE_KIB}")

    async def run_write(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        return work(*args, **kwargs)

    run_read = run_write

    def close(self) -> None:
        self.engine.dispose()
        self.read_engine.dispose()

    def _connect_to_write(self) -> sqlite3.Connection:
        connection = self._connect(str(self.path))
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA cache_size = -{REPLAY_CACHE_KIB}")
        # Deleted bytes are overwritten with zeros: an erased job must not stay in free pages of the file.
        connection.execute("PRAGMA secure_delete = ON")
        return connection

    def _connect_to_read(self) -> sqlite3.Connection:
        connection = self._connect(f"{self.path.resolve().as_uri()}?mode=ro")
        connection.execute(f"PRAGMA mmap_size = {READ_MMAP_BYTES}")
        return connection

    def _connect(self, name: str) -> sqlite3.Connection:
        # The driver begins no transaction by itself; a thread that stops the service may close the connection.
        return sqlite3.connect(
            name,
            timeout=BUSY_TIMEOUT_SECONDS,
            uri=name.startswith("file:"),
            isolation_level=None,
            check_same_thread=False,
        )


def _begin_immediate(connection: Connection) -> None:
    """Take the write lock at once: a transaction that reads first may fail when it comes to write."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _schema_version(path: Path) -> int:
    """Return the version of a file's tables.

    Raises:
        sqlite3.DatabaseError: the file is damaged.
    """
    with closing(sqlite3.connect(path)) as connection:
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        # A damaged page is found when a query reads it; the first page of each table is read at every start.
        for table in TABLES if version == SCHEMA_VERSION else ():
            connection.execute(f"SELECT * FROM {table.name} LIMIT 1").fetchone()  # noqa: S608
        return version


def _remove(path: Path) -> None:
    for file in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
        file.unlink(missing_ok=True)
