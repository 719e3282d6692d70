"""The events that somebody caused, by actor: they are few, and the log cannot be asked for them."""

from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.engine import Connection

from nightmail_api.read_model.queries import Queries
from nightmail_api.read_model.schema import acts, runs
from nightmail_common.contract.envelope import StoredEvent
from nightmail_common.contract.events import Event, RunEvent

_INSERT = insert(acts)


def act_of(event: Event, stored: StoredEvent) -> dict[str, Any] | None:
    """Return the row of an event; None if nobody is named."""
    actor = getattr(event, "actor", None)
    if actor is None:
        return None
    run_id = str(event.run_id) if isinstance(event, RunEvent) else None
    return {
        "sequence": stored.sequence,
        "actor": actor,
        "job_name": event.job_name,
        "type": event.name,
        "run_id": run_id,
    }


def add_acts(connection: Connection, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(_INSERT, rows)


def known_event_of_job(queries: Queries, job_name: str, before: int, limit: int) -> int | None:
    """Return a sequence from which on a job has about `limit` events before another one; None if none is known.

    They are what somebody did to the job, and the first event of each run; the log has others between them.
    """
    found = {
        row["sequence"]
        for table in (acts, runs)
        for row in queries.all_rows(
            select(table.c.sequence)
            .where(table.c.job_name == job_name, table.c.sequence < before)
            .order_by(table.c.sequence.desc())
            .limit(limit)
        )
    }
    return min(sorted(found, reverse=True)[:limit], default=None)


def acts_of(
    queries: Queries,
    /,
    actor: str,
    limit: int,
    *,
    after: int | None = None,
    before: int | None = None,
    **fields: str | None,
) -> list[int]:
    """Return the sequences of the first events of an actor after a sequence, in order, or the last before one, newest first.

    Args:
        fields: values of columns of `acts`; None for any value.
    """
    statement = select(acts.c.sequence).where(acts.c.actor == actor).limit(limit)
    for name, value in fields.items():
        statement = statement if value is None else statement.where(acts.c[name] == value)
    if before is None:
        statement = statement.where(acts.c.sequence > after).order_by(acts.c.sequence)
    else:
        statement = statement.where(acts.c.sequence < before).order_by(acts.c.sequence.desc())
    return [row["sequence"] for row in queries.all_rows(statement)]
