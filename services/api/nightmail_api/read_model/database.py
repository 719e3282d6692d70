"""The read model's database: its tables, and what its two kinds have in common.

A file of SQLite for each replica (`sqlite.py`), or one PostgreSQL that all replicas share (`postgres.py`). Either may be
thrown away at any time: whoever opens it makes the tables anew, and the log fills them again. The SQL is the same for
both: what SQLite and PostgreSQL understand alike, with `?` and `:name` for parameters.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

#: Tables with another number are made anew from the log.
SCHEMA_VERSION = 7

SCHEMA = """
CREATE TABLE checkpoint (
    sequence INTEGER NOT NULL,
    log_id TEXT NOT NULL
);
CREATE TABLE jobs (
    job_name TEXT PRIMARY KEY,
    folded_name TEXT NOT NULL,
    status TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    job_id TEXT,
    definition TEXT,
    last_run_id TEXT,
    unsubscribed TEXT NOT NULL DEFAULT '[]',
    schedule_time TEXT,
    timezone TEXT
);
CREATE INDEX jobs_to_list ON jobs (job_name, status, folded_name);
CREATE TABLE versions (
    job_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    job_name TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    time TEXT NOT NULL,
    actor TEXT NOT NULL,
    rolled_back_to INTEGER,
    definition TEXT NOT NULL,
    PRIMARY KEY (job_id, version)
);
CREATE INDEX versions_by_name ON versions (job_name);
CREATE TABLE runs (
    sequence INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL UNIQUE,
    job_name TEXT NOT NULL,
    job_id TEXT NOT NULL,
    job_version INTEGER NOT NULL,
    trigger TEXT NOT NULL,
    scheduled_at TEXT NOT NULL,
    late INTEGER NOT NULL,
    status TEXT NOT NULL,
    requested_at TEXT,
    started_at TEXT,
    finished_at TEXT,
    rows INTEGER,
    error TEXT,
    mails TEXT NOT NULL DEFAULT '[]',
    timings TEXT,
    outcome_sequence INTEGER,
    timeline TEXT NOT NULL,
    expires_at REAL
);
CREATE TABLE erased (
    job_id TEXT PRIMARY KEY,
    job_name TEXT NOT NULL
);
CREATE INDEX erased_by_name ON erased (job_name);
CREATE INDEX runs_of_job ON runs (job_name, status, trigger, sequence);
CREATE INDEX runs_to_list ON runs (status, trigger, sequence);
CREATE INDEX runs_by_time ON runs (requested_at, sequence);
CREATE INDEX runs_by_expiry ON runs (expires_at) WHERE expires_at IS NOT NULL;
INSERT INTO checkpoint VALUES (0, '')
"""

#: What the log fills.
TABLES = ("jobs", "versions", "runs", "erased")


class DatabaseAway(Exception):
    """The database does not answer; it is asked again on a new connection."""


class Row(Protocol):
    """A row whose columns are asked for by name."""

    def __getitem__(self, name: str, /) -> Any: ...


class Found(Protocol):
    """What a statement found."""

    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...


class Rows(Protocol):
    """A connection. `DatabaseAway` from any call: the database does not answer."""

    def execute(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ..., /) -> Found:
        """Execute one statement."""

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any] | Mapping[str, Any]], /) -> object:
        """Execute one statement for each of some parameters; what they find is not told."""

    def transaction(self) -> AbstractContextManager[None]:
        """Do everything inside or nothing of it; nobody else writes meanwhile."""

    def after_erasure(self) -> None:
        """See that what was deleted cannot be read from what the database keeps beside its rows."""

    def after_catching_up(self) -> None:
        """Drop the tables that older programs made: these have all that they had."""

    def close(self) -> None: ...


class Database(Protocol):
    """Opens connections, and says where they are used: no wait for a database holds up the event loop."""

    #: So many reads go on at once.
    readers: int

    def open_to_write(self) -> Rows:
        """Return the connection that writes; rows are tuples. Tables that are missing are made."""

    def open_to_read(self) -> Rows:
        """Return a connection for reading alone; rows come by name."""

    async def writing(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Do work on the connection that writes, one after the other."""

    async def reading(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Do work on a connection that reads."""

    def close(self) -> None: ...
