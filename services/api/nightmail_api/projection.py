"""The read model's rows: what each event changes in them.

A disposable SQLite projection of the log. The sequence of the last applied event (the checkpoint) is in the same
transaction as the rows that it changed, so a process killed at any point goes on exactly where the file stands.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
from pydantic import ValidationError

from nightmail_api.database import open_to_write
from nightmail_api.run_columns import iso
from nightmail_api.run_rows import RunRows
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
    RecipientUnsubscribed,
    RunEvent,
)
from nightmail_common.job import Job

#: A transaction of so many deletions blocks the event loop for a few milliseconds.
EXPIRED_AT_ONCE = 100

logger = structlog.get_logger()


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
        self._rows = open_to_write(path)

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
            runs = RunRows(self._rows)
            late: list[StoredEvent] = []
            erasing = False
            for stored in events:
                if stored.sequence > checkpoint:
                    if not self._apply_one(stored, runs):
                        late.append(stored)
                    checkpoint = stored.sequence
                    erasing = erasing or stored.name == JobErased.name
            runs.write()
            checkpoint = max(checkpoint, up_to or 0)
            self._rows.execute("UPDATE checkpoint SET sequence = ?", (checkpoint,))
        if erasing:
            # The write-ahead log still has the pages as they were.
            self._rows.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return Applied(checkpoint, late)

    def expire(self, now: datetime) -> int:
        """Delete runs whose first event the log has dropped, the oldest and at most `EXPIRED_AT_ONCE`; return how many.

        A run lives as long as its first event, so that rows made anew from the log are the same.
        """
        with self._rows:
            self._rows.execute("BEGIN IMMEDIATE")
            expired = self._rows.execute(
                "SELECT run_id, job_name, sequence FROM runs WHERE expires_at <= ? ORDER BY expires_at LIMIT ?",
                (now.timestamp(), EXPIRED_AT_ONCE),
            ).fetchall()
            for run_id, job_name, sequence in expired:
                self._rows.execute(
                    "UPDATE jobs SET last_run_id = NULL WHERE job_name = ? AND last_run_id = ?", (job_name, run_id)
                )
                self._rows.execute("DELETE FROM runs WHERE sequence = ?", (sequence,))
        return len(expired)

    def _apply_one(self, stored: StoredEvent, runs: RunRows) -> bool:
        """Apply an event; False if it is about an erased job and must not be in the log."""
        try:
            event = stored.event()
        except ValidationError:
            # Whoever wrote it, the log will not change: the rest of the history must stay readable.
            logger.error("event_not_readable", sequence=stored.sequence, type=stored.name)  # noqa: TRY400
            return True
        if isinstance(event, JobEvent):
            runs.write()
            self._apply_job_event(event, stored)
        elif isinstance(event, RunEvent):
            return runs.apply(event, stored)
        return True

    def _apply_job_event(self, event: Event, stored: StoredEvent) -> None:
        match event:
            case JobCreated():
                job = event.job
                definition = job.model_dump_json()
                self._rows.execute(
                    "INSERT OR REPLACE INTO jobs VALUES (?, ?, 'active', ?, ?, ?, NULL, '[]', ?, ?)",
                    (
                        job.job_name,
                        job.job_name.casefold(),
                        stored.sequence,
                        str(job.job_id),
                        definition,
                        job.schedule_time,
                        job.timezone,
                    ),
                )
                self._add_version(job, definition, stored, event.actor, None)
            case JobUpdated():
                job, definition = event.job, event.job.model_dump_json()
                self._change_job(
                    event.job_name,
                    stored.sequence,
                    definition=definition,
                    schedule_time=job.schedule_time,
                    timezone=job.timezone,
                )
                self._add_version(job, definition, stored, event.actor, event.rolled_back_to)
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
            "INSERT OR REPLACE INTO jobs VALUES (?, ?, 'deleted', ?, ?, NULL, NULL, '[]', NULL, NULL)",
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
