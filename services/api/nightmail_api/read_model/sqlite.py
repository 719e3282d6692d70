"""The read model as a file of SQLite: each replica has its own.

A read takes 20 to 500 µs and a transaction some milliseconds: both stay on the event loop (decision 0300).
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import ParamSpec, TypeVar

import structlog

from nightmail_api.read_model.database import SCHEMA, SCHEMA_VERSION, TABLES

P = ParamSpec("P")
T = TypeVar("T")

#: The pages of the indexes that a replay writes again and again; SQLite's own 2 MiB do not hold them.
WRITE_CACHE_KIB = 32 * 1024
#: The rows of a million runs are read where they lie in the system's own cache.
READ_MAP_BYTES = 1024**3

logger = structlog.get_logger()


class SqliteRows(sqlite3.Connection):
    """A connection to the file."""

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.rollback()
            raise
        self.commit()

    def after_erasure(self) -> None:
        # The write-ahead log still has the pages as they were.
        self.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def after_catching_up(self) -> None:
        """Do nothing: a file of another schema was replaced when it was opened."""


class SqliteDatabase:
    """The file at a path; it and its folder are made if they are missing."""

    readers = 1

    def __init__(self, path: Path) -> None:
        self.path = path

    def open_to_write(self) -> SqliteRows:
        """Open the file; one of another schema, or damaged, is replaced by an empty one."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.exists() and not _is_good(self.path):
            logger.warning("read_model_file_replaced", file=self.path.name)
            _remove(self.path)
        rows = sqlite3.connect(self.path, isolation_level=None, factory=SqliteRows)
        rows.execute("PRAGMA journal_mode = WAL")
        rows.execute("PRAGMA synchronous = NORMAL")
        rows.execute(f"PRAGMA cache_size = -{WRITE_CACHE_KIB}")
        # What is deleted is overwritten with zeros: an erased job must not stay in the file's free pages.
        rows.execute("PRAGMA secure_delete = ON")
        rows.execute("PRAGMA busy_timeout = 5000")
        with rows.transaction():
            if rows.execute("PRAGMA user_version").fetchone()[0] != SCHEMA_VERSION:
                for statement in SCHEMA.split(";"):
                    rows.execute(statement)
                rows.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        return rows

    def open_to_read(self) -> SqliteRows:
        uri = f"{self.path.resolve().as_uri()}?mode=ro"
        rows = sqlite3.connect(uri, uri=True, isolation_level=None, factory=SqliteRows)
        rows.row_factory = sqlite3.Row
        rows.execute("PRAGMA busy_timeout = 5000")
        rows.execute(f"PRAGMA mmap_size = {READ_MAP_BYTES}")
        return rows

    async def writing(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        return work(*args, **kwargs)

    reading = writing

    def close(self) -> None:
        """Do nothing: each connection is closed by whoever opened it."""


def _is_good(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(path)) as rows:
            if rows.execute("PRAGMA user_version").fetchone()[0] != SCHEMA_VERSION:
                return False
            # One page that cannot be read is found when it is asked for; these are asked for at every start.
            for table in TABLES:
                rows.execute(f"SELECT * FROM {table} LIMIT 1").fetchone()  # noqa: S608
            return True
    except sqlite3.DatabaseError:
        return False


def _remove(path: Path) -> None:
    for file in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
        file.unlink(missing_ok=True)
