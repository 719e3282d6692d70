"""The read model's rows: what each event changes in them.

A disposable projection of the log. The sequence of the last applied event (the checkpoint) is in the same transaction
as the rows that it changed, so a process killed at any point goes on exactly where the rows stand.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from pydantic import ValidationError

from nightmail_api.read_model.database import TABLES, Database
from nightmail_api.read_model.run_rows import RunRows
from nightmail_common.contract.envelope import StoredEvent, iso_time
from nightmail_common.contract.events import (
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
from nightmail_common.contract.job import Job

#: A transaction of so many deletions blocks the event loop for a few milliseconds.
EXPIRED_AT_ONCE = 100

logger = structlog.get_logger()


@dataclass(frozen=True)
class Applied:
    """How far the rows are now.

    `late` is an event about an erased job that came after its erasure, right behind the checkpoint: it must go, and only
    then may the checkpoint pass it.
    """

    checkpoint: int
    late: StoredEvent | None


class StartedOver(Exception):
    """Another replica, on the same database, began anew with another log: the rows are not where they were left."""


class Projection:
    """The rows, and the one connection that writes them. `DatabaseAway` from any call: the database does not answer."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._rows = database.open_to_write()

    def close(self) -> None:
        self._rows.close()

    def position(self) -> tuple[int, str]:
        """Return the sequence up to which the rows say what the log says, and which log; none yet is (0, '')."""
        sequence, log_id = self._rows.execute("SELECT sequence, log_id FROM checkpoint").fetchone()
        return sequence, log_id

    def start_over(self, log_id: str, last: int) -> None:
        """Forget every row: what follows is another log, from its beginning.

        Where rows are of that log already, and none from behind its last sequence, another replica was faster.
        """
        with self._rows.transaction():
            sequence, of_log = self.position()
            if of_log == log_id and sequence <= last:
                return
            for table in TABLES:
                self._rows.execute(f"DELETE FROM {table}")  # noqa: S608
            self._rows.execute("UPDATE checkpoint SET sequence = 0, log_id = ?", (log_id,))

    def apply(self, events: Sequence[StoredEvent], *, log_id: str, after: int, up_to: int = 0) -> Applied:
        """Apply events in one transaction, up to one that must go.

        Events at or below the checkpoint are applied already (by another replica on the same database) and are
        passed over.

        Args:
            log_id: the log that they are from.
            after: the sequence that they follow on.
            up_to: the checkpoint to set if it is beyond the last event: nothing readable lies between.

        Raises:
            StartedOver: the rows do not reach up to there, or are of another log.
        """
        late = None
        erasing = False
        with self._rows.transaction():
            checkpoint, of_log = self.position()
            if of_log != log_id or checkpoint < after:
                raise StartedOver
            runs = RunRows(self._rows)
            for stored in events:
                if stored.sequence > checkpoint:
                    if not self._apply_one(stored, runs):
                        late = stored
                        break
                    checkpoint = stored.sequence
                    erasing = erasing or stored.name == JobErased.name
            runs.write()
            if late is None:
                checkpoint = max(checkpoint, up_to)
            self._rows.execute("UPDATE checkpoint SET sequence = ?", (checkpoint,))
        if erasing:
            self._rows.after_erasure()
        return Applied(checkpoint, late)

    def caught_up(self) -> None:
        """Know that the rows are whole: what programs of other versions left may go."""
        self._rows.after_catching_up()

    def expire(self, now: datetime) -> int:
        """Delete runs whose first event the log has dropped, the oldest and at most `EXPIRED_AT_ONCE`; return how many.

        A run lives as long as its first event, so that rows made anew from the log are the same.
        """
        with self._rows.transaction():
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
                self._put_job(job.job_name, "active", stored.sequence, job.job_id, definition, job)
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
        of_job = "job_name = ? AND job_id = ? AND status <> 'deleted'"
        job = (event.job_name, str(event.job_id))
        found = self._rows.execute(f"SELECT unsubscribed FROM jobs WHERE {of_job}", job).fetchone()  # noqa: S608
        left = [] if found is None else json.loads(found[0])
        if event.address not in left:
            text = json.dumps([*left, event.address])
            self._rows.execute(f"UPDATE jobs SET unsubscribed = ? WHERE {of_job}", (text, *job))  # noqa: S608

    def _add_version(
        self, job: Job, definition: str, stored: StoredEvent, actor: str, rolled_back_to: int | None
    ) -> None:
        self._put(
            "versions",
            ("job_id", "version"),
            job_id=str(job.job_id),
            version=job.version,
            job_name=job.job_name,
            sequence=stored.sequence,
            time=iso_time(stored.time),
            actor=actor,
            rolled_back_to=rolled_back_to,
            definition=definition,
        )

    def _put_job(
        self, job_name: str, status: str, sequence: int, job_id: UUID, definition: str | None, job: Job | None
    ) -> None:
        self._put(
            "jobs",
            ("job_name",),
            job_name=job_name,
            folded_name=job_name.casefold(),
            status=status,
            sequence=sequence,
            job_id=str(job_id),
            definition=definition,
            last_run_id=None,
            unsubscribed="[]",
            schedule_time=None if job is None else job.schedule_time,
            timezone=None if job is None else job.timezone,
        )

    def _put(self, table: str, key: Sequence[str], **columns: Any) -> None:
        """Insert a row, in place of the one of the same key if there is one."""
        marks = ", ".join("?" * len(columns))
        changes = ", ".join(f"{column} = excluded.{column}" for column in columns)
        self._rows.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608
            f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes}",
            (*columns.values(),),
        )

    def _bury(self, event: JobDeleted | JobErased, sequence: int) -> None:
        # The name's last sequence stays: whoever creates a job of this name again must expect it.
        self._put_job(event.job_name, "deleted", sequence, event.job_id, None, None)

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
        self._put("erased", ("job_id",), job_id=str(event.job_id), job_name=name)
