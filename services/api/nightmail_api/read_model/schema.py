"""The tables of the read model, for SQLite and PostgreSQL alike."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Dialect,
    Double,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    func,
    insert,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection
from sqlalchemy.types import TypeDecorator

from nightmail_api.read_model.day_triggers import COUNTERS, triggers

#: Tables of another version are rebuilt from the log.
SCHEMA_VERSION = 28


class _PostgresText(TypeDecorator[str]):
    """Text in the order of its bytes, which is SQLite's order.

    PostgreSQL refuses NUL.
    """

    impl = postgresql.TEXT
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002
        return without_nul(value)


def without_nul(value: Any) -> Any:
    """Return a text with U+0001 for NUL: no name holds a control character, so a search with either finds nothing."""
    return value.replace("\0", "\1") if isinstance(value, str) and "\0" in value else value


_text = Text().with_variant(_PostgresText(collation="C"), "postgresql")
#: 64 bits on both: SQLite's INTEGER has as many as a value needs.
_integer = Integer().with_variant(BigInteger(), "postgresql")


def _required(name: str, kind: Any = _text, **options: Any) -> Column[Any]:
    return Column(name, kind, nullable=False, **options)


metadata = MetaData()

#: One row: the sequence of the last applied event, and the creation time of the stream, which identifies the log.
checkpoint = Table("checkpoint", metadata, _required("sequence", _integer), _required("log_id"))

jobs = Table(
    "jobs",
    metadata,
    Column("job_name", _text, primary_key=True),
    _required("folded_name"),
    _required("status"),
    _required("sequence", _integer),
    Column("job_id", _text),
    Column("definition", _text),
    Column("last_run_id", _text),
    #: The last run, so that lists sorted by it, and lists of failing jobs, read no rows of `runs`.
    _required("last_requested_at", server_default=""),
    Column("last_status", _text),
    _required("unsubscribed", server_default="[]"),
    #: What `timetable_json` writes.
    Column("timetable", _text),
    # A list by name, and a search, read this index alone.
    Index("jobs_to_list", "job_name", "status", "folded_name", "last_status"),
)
# A list by last run reads the beginning of this index.
Index(
    "jobs_by_last_run",
    jobs.c.last_requested_at.desc(),
    *(jobs.c[name] for name in ("job_name", "status", "folded_name", "last_status")),
)
# What reads the timetables of all jobs reads this index alone. An entry of PostgreSQL's holds no long timetable.
Index(
    "jobs_by_timetable", jobs.c.timetable, jobs.c.status, jobs.c.job_name, jobs.c.folded_name, jobs.c.last_status
).ddl_if("sqlite")

versions = Table(
    "versions",
    metadata,
    _required("job_id"),
    _required("version", _integer),
    _required("job_name"),
    _required("sequence", _integer),
    _required("time"),
    _required("actor"),
    Column("rolled_back_to", _integer),
    _required("definition"),
    PrimaryKeyConstraint("job_id", "version"),
    Index("versions_by_name", "job_name"),
)

runs = Table(
    "runs",
    metadata,
    Column("sequence", _integer, primary_key=True, autoincrement=False),
    _required("run_id", unique=True),
    _required("job_name"),
    _required("job_id"),
    _required("job_version", _integer),
    _required("trigger"),
    _required("scheduled_at"),
    _required("late", _integer),
    #: The due times that the run or skip stands for besides its own, as a JSON list.
    Column("missed", _text),
    _required("status"),
    #: Its item in the ledger of due times, as `slot_items.py` writes it.
    _required("slot"),
    Column("requested_at", _text),
    Column("started_at", _text),
    Column("finished_at", _text),
    Column("rows", _integer),
    Column("bytes", _integer),
    Column("error", _text),
    Column("skipped", _text),
    _required("mails", server_default="[]"),
    Column("timings", _text),
    Column("outcome_sequence", _integer),
    _required("details", server_default="{}"),
    _required("timeline"),
    Column("expires_at", Double()),
)
Index("runs_of_job", runs.c.job_name, runs.c.status, runs.c.trigger, runs.c.sequence)
# The last runs of one job, as a summary of the job has them: it reads this index alone.
Index(
    "runs_by_job",
    *(runs.c[name] for name in ("job_name", "sequence", "run_id", "status", "scheduled_at", "rows")),
)
# The index has the time, so that a list up to a time skips later runs without reading their rows.
Index("runs_to_list", runs.c.status, runs.c.trigger, runs.c.sequence, runs.c.requested_at)
# The ledger of due times reads this index alone.
Index(
    "runs_by_due_time",
    *(runs.c[name] for name in ("scheduled_at", "job_name", "trigger", "slot")),
)
# The runs of one job, which may have run each minute for months.
Index("runs_of_job_by_due_time", runs.c.job_name, runs.c.scheduled_at, runs.c.trigger)
_missed = runs.c.missed.is_not(None)
Index("runs_after_missed", runs.c.scheduled_at, sqlite_where=_missed, postgresql_where=_missed)
Index("runs_by_time", runs.c.requested_at, runs.c.sequence)
_expires = runs.c.expires_at.is_not(None)
Index("runs_by_expiry", runs.c.expires_at, sqlite_where=_expires, postgresql_where=_expires)

#: The delivery ledger: one row for each recipient of a mail. The newest event has the highest `place`.
mails = Table(
    "mails",
    metadata,
    Column("place", _integer, primary_key=True, autoincrement=False),
    _required("run_id"),
    _required("message_id"),
    _required("job_name"),
    _required("kind"),
    Column("split_value", _text),
    _required("recipient"),
    _required("outcome"),
    _required("answer"),
    _required("time"),
    Column("since", _text),
    Column("next_attempt", _text),
    Index("mails_of_run", "run_id", "message_id"),
    # A list with any of the three filters reads what it shows, and nothing else.
    Index("mails_of_job", "job_name", "outcome", "place"),
    Index("mails_by_outcome", "outcome", "place"),
    Index("mails_by_message", "message_id", "place"),
)

#: A mailbox is searched for whatever the case of its letters; the collation `C` and SQLite fold those of ASCII.
FOLDED_RECIPIENT = func.lower(mails.c.recipient)
Index("mails_of_recipient", FOLDED_RECIPIENT, mails.c.outcome, mails.c.place)
Index("mails_of_job_to_recipient", mails.c.job_name, FOLDED_RECIPIENT, mails.c.outcome, mails.c.place)

#: The inputs of runs that are kept. Without `object_name`: too large to be kept.
inputs = Table(
    "inputs",
    metadata,
    Column("sequence", _integer, primary_key=True, autoincrement=False),
    _required("run_id"),
    _required("job_name"),
    _required("source"),
    _required("size", _integer),
    _required("sha256"),
    Column("object_name", _text),
    _required("file_type"),
    Column("charset", _text),
    _required("kept_at"),
    Index("inputs_of_run", "run_id"),
    Index("inputs_of_job", "job_name", "sequence"),
)

#: What became of runs and mails by day; the triggers of `day_triggers.py` count.
days = Table(
    "days",
    metadata,
    _required("day"),
    _required("job_name"),
    *(_required(name, _integer, server_default="0") for name in COUNTERS),
    PrimaryKeyConstraint("day", "job_name"),
    Index("days_of_job", "job_name", "day"),
)

#: The events that somebody caused; see `acts.py`.
acts = Table(
    "acts",
    metadata,
    Column("sequence", _integer, primary_key=True, autoincrement=False),
    _required("actor"),
    _required("job_name"),
    _required("type"),
    Column("run_id", _text),
    Index("acts_of_actor", "actor", "sequence"),
    Index("acts_of_run", "run_id"),
    Index("acts_of_job", "job_name", "sequence"),
)

erased = Table(
    "erased",
    metadata,
    Column("job_id", _text, primary_key=True),
    _required("job_name"),
    Index("erased_by_name", "job_name"),
)

#: Events that the projection could not apply, and why.
unreadable = Table(
    "unreadable",
    metadata,
    Column("sequence", _integer, primary_key=True, autoincrement=False),
    _required("subject"),
    _required("reason"),
    Column("expires_at", Double(), index=True),
)

#: The tables that the log fills.
TABLES = (jobs, versions, runs, mails, inputs, days, acts, erased, unreadable)


def create_tables(connection: Connection) -> None:
    """Create all tables, empty."""
    metadata.create_all(connection, checkfirst=False)
    for statement in triggers(connection.dialect.name):
        connection.exec_driver_sql(statement)
    connection.execute(insert(checkpoint).values(sequence=0, log_id=""))
