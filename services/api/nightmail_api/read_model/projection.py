"""The projection: applies events to the rows of the read model.

The checkpoint, the sequence of the last applied event, is in the same transaction as the rows that the event changed.
A process that is killed at any point resumes exactly where its rows stand. Every event moves the checkpoint: one that
cannot be applied is recorded as unreadable.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.engine import Connection

from nightmail_api.metrics import UNREADABLE_EVENTS
from nightmail_api.read_model.database import Database, is_refused_value, transaction
from nightmail_api.read_model.event_reader import describe, expires_at, read_event
from nightmail_api.read_model.job_projection import apply_job_event, change_job
from nightmail_api.read_model.run_projection import RunProjection
from nightmail_api.read_model.schema import TABLES, acts, checkpoint, inputs, jobs, mails, runs, unreadable
from nightmail_common.contract.envelope import StoredEvent
from nightmail_common.contract.errors import UnreadableEvent
from nightmail_common.contract.events import Event, JobErased, RunEvent

#: A transaction of this many deletions blocks the event loop for a few milliseconds.
EXPIRED_AT_ONCE = 100

_FORGET_LAST_RUN = (
    update(jobs)
    .where(jobs.c.job_name == bindparam("of_name"), jobs.c.last_run_id == bindparam("of_run"))
    .values(last_run_id=None, last_requested_at="", last_status=None)
)
# Built once: to build a statement costs as much as to execute it.
_POSITION = select(checkpoint.c.sequence, checkpoint.c.log_id).with_for_update()
_SET_CHECKPOINT = update(checkpoint).values(sequence=bindparam("to_sequence"))
_DELETE_RUN = delete(runs).where(runs.c.sequence == bindparam("of_sequence"))
_DELETE_OF_RUN = tuple(delete(table).where(table.c.run_id == bindparam("of_run")) for table in (mails, inputs, acts))

logger = structlog.get_logger()


@dataclass(frozen=True)
class Applied:
    """The checkpoint after a batch.

    `late` is the event right behind the checkpoint, if it is about a job that was erased before it came: it must be
    deleted from the log before the checkpoint may pass it.
    """

    checkpoint: int
    late: StoredEvent | None = None


class StartedOver(Exception):
    """Another replica on the same database started over with another log: the checkpoint is not where it was."""


class Projection:
    """The rows, and the transactions that change them. `DatabaseUnavailable` from any call: the database does not answer."""

    def __init__(self, database: Database) -> None:
        self.database = database
        database.create_missing_tables()

    def position(self) -> tuple[int, str]:
        """Return the checkpoint and the log that the rows are of; (0, '') for rows of no log."""
        with transaction(self.database.engine) as connection:
            return _position(connection)

    def start_over(self, log_id: str, last: int) -> None:
        """Delete every row: another log follows, from its beginning.

        Another replica may have done so before: rows of that log, up to its last sequence at most, are kept.
        """
        with transaction(self.database.engine) as connection:
            sequence, of_log = _position(connection)
            if of_log == log_id and sequence <= last:
                return
            for table in TABLES:
                connection.execute(delete(table))
            connection.execute(update(checkpoint).values(sequence=0, log_id=log_id))

    def apply(self, events: Sequence[StoredEvent], *, log_id: str, after: int, up_to: int = 0) -> Applied:
        """Apply events in order, up to one that must be deleted from the log.

        Events at or below the checkpoint were applied by another replica on the same database and are skipped.

        Args:
            log_id: the log that the events are from.
            after: the sequence that they follow.
            up_to: the checkpoint to set if it is beyond the last event, because the log holds nothing in between.

        Raises:
            StartedOver: the rows do not reach up to `after`, or are of another log.
        """
        try:
            return self._apply(events, log_id, after, up_to)
        except Exception as error:
            if isinstance(error, StartedOver) or not is_refused_value(error):
                raise
            logger.warning("batch_refused", error=describe(error), events=len(events))
        # An event of the batch cannot be applied, and took the others with it: each gets its own transaction.
        applied = Applied(after)
        for stored in events:
            applied = self._apply_or_record(stored, log_id, after)
            if applied.late is not None:
                return applied
        return self._apply((), log_id, applied.checkpoint, up_to)

    def expire(self, now: datetime) -> int:
        """Delete runs whose first event the log has dropped, the oldest and at most `EXPIRED_AT_ONCE`; return how many.

        A run lives as long as its first event, so that rows rebuilt from the log are the same.
        """
        with transaction(self.database.engine) as connection:
            _position(connection)
            expired = connection.execute(
                select(runs.c.run_id, runs.c.job_name, runs.c.sequence)
                .where(runs.c.expires_at <= now.timestamp())
                .order_by(runs.c.expires_at)
                .limit(EXPIRED_AT_ONCE)
            ).all()
            if expired:
                connection.execute(
                    _FORGET_LAST_RUN, [{"of_name": row.job_name, "of_run": row.run_id} for row in expired]
                )
                connection.execute(_DELETE_RUN, [{"of_sequence": row.sequence} for row in expired])
                for statement in _DELETE_OF_RUN:
                    connection.execute(statement, [{"of_run": row.run_id} for row in expired])
            connection.execute(delete(unreadable).where(unreadable.c.expires_at <= now.timestamp()))
        return len(expired)

    def _apply(self, events: Sequence[StoredEvent], log_id: str, after: int, up_to: int) -> Applied:
        """Apply events in one transaction; raise the error of any that the database or the code refuses."""
        late = None
        with transaction(self.database.engine) as connection:
            sequence = _checked_position(connection, log_id, after)
            batch = [(stored, _read(stored)) for stored in events if stored.sequence > sequence]
            run_projection = RunProjection(connection, _readable(batch))
            for number, (stored, event) in enumerate(batch):
                if isinstance(event, RunEvent):
                    if not run_projection.apply(event, stored):
                        late = stored
                        break
                else:
                    run_projection.write()
                    _apply_to_jobs(connection, event, stored)
                    if isinstance(event, JobErased):
                        run_projection.load(_readable(batch[number + 1 :]))
                sequence = stored.sequence
            run_projection.write()
            sequence = sequence if late is not None else max(sequence, up_to)
            connection.execute(_SET_CHECKPOINT, {"to_sequence": sequence})
        applied = [event for stored, event in batch if stored.sequence <= sequence]
        UNREADABLE_EVENTS.inc(sum(isinstance(event, UnreadableEvent) for event in applied))
        if any(isinstance(event, JobErased) for event in applied):
            self.database.purge_deleted()
        return Applied(sequence, late)

    def _apply_or_record(self, stored: StoredEvent, log_id: str, after: int) -> Applied:
        try:
            return self._apply([stored], log_id, after, 0)
        except Exception as error:
            if isinstance(error, StartedOver) or not is_refused_value(error):
                raise
            reason = UnreadableEvent(describe(error))
        with transaction(self.database.engine) as connection:
            sequence = _checked_position(connection, log_id, after)
            if stored.sequence > sequence:
                _apply_to_jobs(connection, reason, stored)
                sequence = stored.sequence
                connection.execute(_SET_CHECKPOINT, {"to_sequence": sequence})
                UNREADABLE_EVENTS.inc()
        return Applied(sequence)


def _read(stored: StoredEvent) -> Event | UnreadableEvent:
    try:
        return read_event(stored)
    except UnreadableEvent as unreadable_event:
        return unreadable_event


def _readable(batch: Sequence[tuple[StoredEvent, Event | UnreadableEvent]]) -> list[Event]:
    return [event for _, event in batch if isinstance(event, Event)]


def _apply_to_jobs(connection: Connection, event: Event | UnreadableEvent, stored: StoredEvent) -> None:
    """Apply an event about a job, or record an unreadable one."""
    if isinstance(event, Event):
        apply_job_event(connection, event, stored)
        return
    logger.error("event_unreadable", sequence=stored.sequence, type=stored.name[:100], reason=str(event))
    row = {
        "sequence": stored.sequence,
        "subject": stored.subject,
        "reason": str(event),
        "expires_at": expires_at(stored),
    }
    connection.execute(insert(unreadable).values(row))
    if stored.subject.startswith("jobs."):
        # A command expects the sequence of the last event about the name, whatever that event is.
        change_job(connection, stored.job_name, sequence=stored.sequence)


def _position(connection: Connection) -> tuple[int, str]:
    """Lock the checkpoint, and return it and the log that the rows are of."""
    row = connection.execute(_POSITION).one()
    return row.sequence, row.log_id


def _checked_position(connection: Connection, log_id: str, after: int) -> int:
    sequence, of_log = _position(connection)
    if of_log != log_id or sequence < after:
        raise StartedOver
    return sequence
