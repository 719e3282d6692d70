"""The read model's database file: its tables, its indexes, and how it is opened.

The file may be deleted at any time; whoever opens it makes it anew, and the log fills it again.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

import structlog

#: A file with another number is made anew from the log.
SCHEMA_VERSION = 7
#: The pages of the indexes that a replay writes again and again; SQLite's own 2 MiB do not hold them.
WRITE_CACHE_KIB = 32 * 1024
#: The rows of a million runs are read where they lie in the system's own cache.
READ_MAP_BYTES = 1024**3

_SCHEMA = """
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
"""

logger = structlog.get_logger()


def open_to_write(path: Path) -> sqlite3.Connection:
    """Open the file, made if it is missing; one of another schema, or damaged, is replaced by an empty one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not _is_good(path):
        logger.warning("read_model_file_replaced", file=path.name)
        _remove(path)
    rows = sqlite3.connect(path, isolation_level=None)
    rows.execute("PRAGMA journal_mode = WAL")
    rows.execute("PRAGMA synchronous = NORMAL")
    rows.execute(f"PRAGMA cache_size = -{WRITE_CACHE_KIB}")
    # What is deleted is overwritten with zeros: an erased job must not stay in the file's free pages.
    rows.execute("PRAGMA secure_delete = ON")
    rows.execute("PRAGMA busy_timeout = 5000")
    rows.execute("BEGIN IMMEDIATE")
    if rows.execute("PRAGMA user_version").fetchone()[0] != SCHEMA_VERSION:
        for statement in _SCHEMA.split(";"):
            rows.execute(statement)
        rows.execute("INSERT INTO checkpoint VALUES (0, '')")
        rows.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    rows.execute("COMMIT")
    return rows


def open_to_read(path: Path) -> sqlite3.Connection:
    """Open the file for reading alone; rows come by name."""
    rows = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
    rows.row_factory = sqlite3.Row
    rows.execute("PRAGMA busy_timeout = 5000")
    rows.execute(f"PRAGMA mmap_size = {READ_MAP_BYTES}")
    return rows


def _is_good(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(path)) as rows:
            if rows.execute("PRAGMA user_version").fetchone()[0] != SCHEMA_VERSION:
                return False
            # One page that cannot be read is found when it is asked for; these are asked for at every start.
            rows.execute("SELECT sequence FROM checkpoint").fetchone()
            for table in ("jobs", "versions", "runs", "erased"):
                rows.execute(f"SELECT * FROM {table} LIMIT 1").fetchone()  # noqa: S608
            return True
    except sqlite3.DatabaseError:
        return False


def _remove(path: Path) -> None:
    for file in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
        file.unlink(missing_ok=True)
