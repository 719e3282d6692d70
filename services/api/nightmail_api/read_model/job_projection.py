"""The rows of jobs and of their versions."""

import json
from typing import Any
from uuid import UUID

from sqlalchemy import Table, bindparam, delete, insert, select, update
from sqlalchemy.engine import Connection

from nightmail_api.read_model.acts import act_of, add_acts
from nightmail_api.read_model.input_projection import delete_earlier_inputs
from nightmail_api.read_model.mail_projection import PLACES
from nightmail_api.read_model.schema import acts, erased, inputs, jobs, mails, runs, unreadable, versions
from nightmail_common.contract.envelope import StoredEvent, iso_time
from nightmail_common.contract.events import (
    Event,
    JobCreated,
    JobDeleted,
    JobErased,
    JobPaused,
    JobResumed,
    JobUpdated,
    RecipientUnsubscribed,
)
from nightmail_common.contract.job import Job
from nightmail_common.contract.subjects import events_of_job
from nightmail_common.contract.timetable import timetable_json

# Built once: to build a statement costs as much as to execute it.
_DELETE = {
    table.name: delete(table).where(*(key == bindparam(f"key_{key.name}") for key in table.primary_key))
    for table in (jobs, versions, erased)
}
_INSERT = {table.name: insert(table) for table in (jobs, versions, erased)}


def apply_job_event(connection: Connection, event: Event, stored: StoredEvent) -> None:
    """Change the rows of a job as its event says."""
    if (act := act_of(event, stored)) is not None:
        add_acts(connection, [act])
    name, sequence = event.job_name, stored.sequence
    match event:
        case JobCreated():
            definition = event.job.model_dump_json()
            _put_job(connection, name, "active", sequence, event.job.job_id, event.job, definition)
            _add_version(connection, event.job, definition, stored, event.actor, None)
        case JobUpdated():
            job, definition = event.job, event.job.model_dump_json()
            change_job(connection, name, sequence=sequence, definition=definition, timetable=timetable_json(job))
            _add_version(connection, job, definition, stored, event.actor, event.rolled_back_to)
            delete_earlier_inputs(connection, name, job.keep_inputs)
        case JobPaused():
            change_job(connection, name, sequence=sequence, status="paused")
        case JobResumed():
            change_job(connection, name, sequence=sequence, status="active")
        case RecipientUnsubscribed():
            _unsubscribe(connection, event, sequence)
        case JobDeleted():
            _delete(connection, event, sequence)
        case JobErased():
            _erase(connection, event, sequence)


def change_job(connection: Connection, job_name: str, **columns: Any) -> None:
    """Set columns of a job's row. Every event about a name sets `sequence`: a command expects the name's last one."""
    connection.execute(update(jobs).where(jobs.c.job_name == job_name).values(columns))


def _put_job(
    connection: Connection, name: str, status: str, sequence: int, job_id: UUID, job: Job | None, definition: str | None
) -> None:
    _replace(
        connection,
        jobs,
        job_name=name,
        folded_name=name.casefold(),
        status=status,
        sequence=sequence,
        job_id=str(job_id),
        definition=definition,
        unsubscribed="[]",
        timetable=None if job is None else timetable_json(job),
    )


def _add_version(
    connection: Connection, job: Job, definition: str, stored: StoredEvent, actor: str, rolled_back_to: int | None
) -> None:
    _replace(
        connection,
        versions,
        job_id=str(job.job_id),
        version=job.version,
        job_name=job.job_name,
        sequence=stored.sequence,
        time=iso_time(stored.time),
        actor=actor,
        rolled_back_to=rolled_back_to,
        definition=definition,
    )


def _unsubscribe(connection: Connection, event: RecipientUnsubscribed, sequence: int) -> None:
    change_job(connection, event.job_name, sequence=sequence)
    same_job = (jobs.c.job_name == event.job_name, jobs.c.job_id == str(event.job_id), jobs.c.status != "deleted")
    found = connection.scalar(select(jobs.c.unsubscribed).where(*same_job))
    addresses = json.loads(found or "[]")
    if event.address not in addresses:
        text = json.dumps([*addresses, event.address])
        connection.execute(update(jobs).where(*same_job).values(unsubscribed=text))


def _delete(connection: Connection, event: JobDeleted | JobErased, sequence: int) -> None:
    # The name keeps its last sequence: a command that creates a job of this name must expect it.
    _put_job(connection, event.job_name, "deleted", sequence, event.job_id, None, None)


def _erase(connection: Connection, event: JobErased, sequence: int) -> None:
    name = event.job_name
    row = connection.execute(select(jobs.c.sequence, jobs.c.job_id).where(jobs.c.job_name == name)).first()
    if row is None or row.sequence <= event.up_to or row.job_id == str(event.job_id):
        _delete(connection, event, sequence)
    else:
        # A new job of this name was created during the erasure: only the name's last event changes.
        change_job(connection, name, sequence=sequence)
    for table in (versions, runs, inputs, acts):
        connection.execute(delete(table).where(table.c.job_name == name, table.c.sequence <= event.up_to))
    of_mails = (mails.c.job_name == name, mails.c.place < (event.up_to + 1) * PLACES)
    connection.execute(delete(mails).where(*of_mails))
    for subjects in events_of_job(name):
        # `jobs.name.` up to, and without, `jobs.name/`, the next text in the order of bytes.
        first = subjects.removesuffix(">")
        of_job = (unreadable.c.subject >= first, unreadable.c.subject < f"{first[:-1]}/")
        connection.execute(delete(unreadable).where(*of_job, unreadable.c.sequence <= event.up_to))
    _replace(connection, erased, job_id=str(event.job_id), job_name=name)


def _replace(connection: Connection, table: Table, **columns: Any) -> None:
    """Insert a row in place of the row of the same key, if there is one."""
    connection.execute(_DELETE[table.name], {f"key_{key.name}": columns[key.name] for key in table.primary_key})
    connection.execute(_INSERT[table.name], columns)
