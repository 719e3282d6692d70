"""The read model's rows: what each event changes in them.

A disposable SQLite projection of the log. The sequence of the last applied event (the checkpoint) is in the same
transaction as the rows that it changed, so a process killed at any point goes on exactly where the file stands.
"""

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from pydantic import ValidationError

from nightmail_common.envelope import StoredEvent
from nightmail_common.events import (
    Event,
    JobCreated,
    JobDeleted,
    JobErased,
    JobEvent,
    JobPaused,
    JobResumed,
    JobUpdated,
    MailEvent,
    RecipientUnsubscribed,
    ResultReady,
    RunEvent,
    RunFailed,
    RunRequested,
    RunSkipped,
    RunStarted,
)
from nightmail_common.job import Job
from nightmail_common.run import status_after

#: A file with another number is made anew from the log.
SCHEMA_VERSION = 4

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
    unsubscribed TEXT NOT NULL DEFAULT '[]'
);
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
    timeline TEXT NOT NULL
);
CREATE TABLE erased (
    job_id TEXT PRIMARY KEY,
    job_name TEXT NOT NULL
);
CREATE INDEX runs_by_job ON runs (job_name, sequence);
CREATE INDEX runs_by_status ON runs (status, sequence);
"""

logger = structlog.get_logger()


def iso(moment: datetime) -> str:
    """Return a moment in UTC with milliseconds: texts in the order of time."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class Applied:
    """How far the rows are now. `late`: events about an erased job that came after its erasure; they must go too."""

    checkpoint: int
    late: list[StoredEvent]


class Projection:
    """The rows, and the one connection that writes them.

    Args:
        path: the database file; it and its folder are made if they are missing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        if _schema_version(path) != SCHEMA_VERSION:
            _remove(path)
        self._rows = self._open()

    def close(self) -> None:
        self._rows.close()

    @property
    def checkpoint(self) -> int:
        """The sequence up to which the rows say what the log says."""
        sequence: int = self._rows.execute("SELECT sequence FROM checkpoint").fetchone()[0]
        return sequence

    @property
    def log_id(self) -> str:
        """Which log the rows were made from; empty when there are none yet."""
        log_id: str = self._rows.execute("SELECT log_id FROM checkpoint").fetchone()[0]
        return log_id

    def start_over(self, log_id: str) -> None:
        """Forget every row: what follows is another log, from its beginning."""
        with self._rows:
            self._rows.execute("BEGIN IMMEDIATE")
            for table in ("jobs", "versions", "runs", "erased"):
                self._rows.execute(f"DELETE FROM {table}")  # noqa: S608
            self._rows.execute("UPDATE checkpoint SET sequence = 0, log_id = ?", (log_id,))

    def apply(self, events: Sequence[StoredEvent], *, up_to: int | None = None) -> Applied:
        """Apply events in one transaction.

        Events at or below the checkpoint are applied already (by this process or by another on the same file) and
        are passed over.

        Args:
            up_to: the checkpoint to set if it is beyond the last event: nothing readable lies between.
        """
        with self._rows:
            self._rows.execute("BEGIN IMMEDIATE")
            checkpoint = self.checkpoint
            late: list[StoredEvent] = []
            erasing = False
            for stored in events:
                if stored.sequence > checkpoint:
                    if not self._apply_one(stored):
                        late.append(stored)
                    checkpoint = stored.sequence
                    erasing = erasing or stored.name == JobErased.name
            checkpoint = max(checkpoint, up_to or 0)
            self._rows.execute("UPDATE checkpoint SET sequence = ?", (checkpoint,))
        if erasing:
            # The write-ahead log still has the pages as they were.
            self._rows.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return Applied(checkpoint, late)

    def _open(self) -> sqlite3.Connection:
        rows = sqlite3.connect(self.path, isolation_level=None)
        rows.execute("PRAGMA journal_mode = WAL")
        rows.execute("PRAGMA synchronous = NORMAL")
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

    def _apply_one(self, stored: StoredEvent) -> bool:
        """Apply an event; False if it is about an erased job and must not be in the log."""
        try:
            event = stored.event()
        except ValidationError:
            # Whoever wrote it, the log will not change: the rest of the history must stay readable.
            logger.error("event_not_readable", sequence=stored.sequence, type=stored.name)  # noqa: TRY400
            return True
        if isinstance(event, JobEvent):
            self._apply_job_event(event, stored)
        elif isinstance(event, RunEvent):
            return self._apply_run_event(event, stored)
        return True

    def _apply_job_event(self, event: Event, stored: StoredEvent) -> None:
        match event:
            case JobCreated():
                job = event.job
                definition = job.model_dump_json()
                self._rows.execute(
                    "INSERT OR REPLACE INTO jobs VALUES (?, ?, 'active', ?, ?, ?, NULL, '[]')",
                    (job.job_name, job.job_name.casefold(), stored.sequence, str(job.job_id), definition),
                )
                self._add_version(job, definition, stored, event.actor, None)
            case JobUpdated():
                definition = event.job.model_dump_json()
                self._change_job(event.job_name, stored.sequence, definition=definition)
                self._add_version(event.job, definition, stored, event.actor, event.rolled_back_to)
            case JobPaused():
                self._change_job(event.job_name, stored.sequence, status="paused")
            case JobResumed():
                self._change_job(event.job_name, stored.sequence, status="active")
            case RecipientUnsubscribed():
                self._leave(event, stored.sequence)
            case JobDeleted():
                self._bury(event, stored.sequence)
            case JobErased():
                self._erase(event, stored.sequence)

    def _change_job(self, job_name: str, sequence: int, **columns: Any) -> None:
        changes = ", ".join(f"{column} = ?" for column in columns)
        self._rows.execute(
            f"UPDATE jobs SET sequence = ?, {changes} WHERE job_name = ?",  # noqa: S608
            (sequence, *columns.values(), job_name),
        )

    def _leave(self, event: RecipientUnsubscribed, sequence: int) -> None:
        self._rows.execute("UPDATE jobs SET sequence = ? WHERE job_name = ?", (sequence, event.job_name))
        self._rows.execute(
            "UPDATE jobs SET unsubscribed = json_insert(unsubscribed, '$[#]', ?1) WHERE job_name = ?2 AND job_id = ?3"
            " AND status <> 'deleted' AND NOT EXISTS (SELECT 1 FROM json_each(unsubscribed) WHERE value = ?1)",
            (event.address, event.job_name, str(event.job_id)),
        )

    def _add_version(
        self, job: Job, definition: str, stored: StoredEvent, actor: str, rolled_back_to: int | None
    ) -> None:
        self._rows.execute(
            "INSERT OR REPLACE INTO versions VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                str(job.job_id),
                job.version,
                job.job_name,
                stored.sequence,
                iso(stored.time),
                actor,
                rolled_back_to,
                definition,
            ),
        )

    def _bury(self, event: JobDeleted | JobErased, sequence: int) -> None:
        # The name's last sequence stays: whoever creates a job of this name again must expect it.
        self._rows.execute(
            "INSERT OR REPLACE INTO jobs VALUES (?, ?, 'deleted', ?, ?, NULL, NULL, '[]')",
            (event.job_name, event.job_name.casefold(), sequence, str(event.job_id)),
        )

    def _erase(self, event: JobErased, sequence: int) -> None:
        name = event.job_name
        now = self._rows.execute("SELECT sequence, job_id FROM jobs WHERE job_name = ?", (name,)).fetchone()
        if now is None or now[0] <= event.up_to or now[1] == str(event.job_id):
            self._bury(event, sequence)
        else:
            # Somebody made a new job of this name while the old one was being erased; only its last event is another.
            self._rows.execute("UPDATE jobs SET sequence = ? WHERE job_name = ?", (sequence, name))
        for table in ("versions", "runs"):
            self._rows.execute(f"DELETE FROM {table} WHERE job_name = ? AND sequence <= ?", (name, event.up_to))  # noqa: S608
        self._rows.execute("INSERT OR REPLACE INTO erased VALUES (?, ?)", (str(event.job_id), name))

    def _apply_run_event(self, event: RunEvent, stored: StoredEvent) -> bool:
        run_id = str(event.run_id)
        entry = json.dumps({"type": stored.name, "time": iso(stored.time), "sequence": stored.sequence})
        before = self._rows.execute("SELECT status, mails FROM runs WHERE run_id = ?", (run_id,)).fetchone()
        if before is None:
            # Without its request (older than the retention) a run is known from what else carries its job.
            known = _identity(event)
            if self._is_erased(event.job_name, None if known is None else known["job_id"]):
                return False
            if known is None:
                return True
            self._insert_run(stored.sequence, run_id, {"status": "requested", "timeline": entry} | known)
            self._rows.execute(
                "UPDATE jobs SET last_run_id = ? WHERE job_name = ? AND job_id = ?",
                (run_id, event.job_name, known["job_id"]),
            )
        status, mails = before or (None, "[]")
        columns = {"status": status_after(status, event)} | _columns(event, stored, status, mails)
        timeline = "" if before is None else ", timeline = timeline || ?"
        changes = ", ".join(f"{column} = ?" for column in columns)
        self._rows.execute(
            f"UPDATE runs SET {changes}{timeline} WHERE run_id = ?",  # noqa: S608
            (*columns.values(), *(() if before is None else ("," + entry,)), run_id),
        )
        return True

    def _is_erased(self, job_name: str, job_id: str | None) -> bool:
        """Say whether a run that is not known is one of an erased job: its runner or mailer was at work meanwhile."""
        found = self._rows.execute("SELECT job_id FROM erased WHERE job_name = ?", (job_name,)).fetchall()
        return any(job_id in {None, erased} for (erased,) in found)

    def _insert_run(self, sequence: int, run_id: str, columns: dict[str, Any]) -> None:
        names = ("sequence", "run_id", *columns)
        self._rows.execute(
            f"INSERT INTO runs ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})",  # noqa: S608
            (sequence, run_id, *columns.values()),
        )


def _identity(event: RunEvent) -> dict[str, Any] | None:
    """Return what a run is, from an event that tells; None from one that does not."""
    match event:
        case RunRequested() | ResultReady() | RunFailed():
            job_id, job_version, trigger, late = event.job.job_id, event.job.version, event.trigger, event.late
        case RunSkipped():
            job_id, job_version, trigger, late = event.job_id, event.job_version, "schedule", False
        case _:
            return None
    return {
        "job_name": event.job_name,
        "job_id": str(job_id),
        "job_version": job_version,
        "trigger": trigger,
        "scheduled_at": event.scheduled_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "late": late,
    }


def _columns(event: RunEvent, stored: StoredEvent, status: str | None, mails: str) -> dict[str, Any]:
    """Return what an event says about its run beside the status."""
    now = iso(stored.time)
    match event:
        case RunRequested() if status is None:
            return {"requested_at": now}
        case RunStarted():
            return {"started_at": now}
        case RunSkipped():
            return {"finished_at": now}
        case ResultReady():
            return {
                "finished_at": now,
                "rows": event.rows,
                "timings": event.timings.model_dump_json(),
                "outcome_sequence": stored.sequence,
            }
        case RunFailed():
            return {
                "finished_at": now,
                "error": event.error.model_dump_json(),
                "timings": event.timings.model_dump_json(),
                "outcome_sequence": stored.sequence,
            }
        case MailEvent():
            return {"mails": _merged_mails(mails, event)}
        case _:
            return {}


def _merged_mails(before: str, event: MailEvent) -> str:
    """Return the latest outcome per recipient and kind of mail, as JSON."""
    latest = {(mail["kind"], mail["address"]): mail for mail in json.loads(before)}
    for recipient in event.recipients:
        mail = {"kind": event.kind, **recipient.model_dump(), "message_id": event.message_id}
        latest[event.kind, recipient.address] = mail
    return json.dumps(list(latest.values()), ensure_ascii=False)


def _schema_version(path: Path) -> int:
    try:
        with closing(sqlite3.connect(path)) as rows:
            version: int = rows.execute("PRAGMA user_version").fetchone()[0]
            return version
    except sqlite3.DatabaseError:
        return 0


def _remove(path: Path) -> None:
    for file in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
        file.unlink(missing_ok=True)
