"""What a run is: its identity, and its status as its events make it."""

from datetime import UTC, datetime
from typing import Literal
from uuid import UUID, uuid5

import uuid_utils.compat

from nightmail_common.contract.events import (
    MailFailed,
    MailSent,
    MailSkipped,
    ResultReady,
    RunEvent,
    RunFailed,
    RunSkipped,
    RunStarted,
)

RunStatus = Literal["requested", "running", "processed", "delivered", "failed", "undelivered", "skipped"]

#: A run in one of these has a result or a reason; nothing more is computed for it.
ENDED: frozenset[RunStatus] = frozenset({"processed", "delivered", "failed", "undelivered", "skipped"})


def scheduled_run_id(job_id: UUID, scheduled_at: datetime) -> UUID:
    """Return the id of the one run that a job has for a due time: the same on every ticker, after every crash."""
    return uuid5(job_id, scheduled_at.astimezone(UTC).isoformat())


def manual_run_id(job_id: UUID, idempotency_key: str | None = None) -> UUID:
    """Return the id of a run that somebody asks for: a new one, or the key's own one each time it is given."""
    return uuid_utils.compat.uuid7() if idempotency_key is None else uuid5(job_id, f"manual:{idempotency_key}")


def status_after(before: RunStatus | None, event: RunEvent) -> RunStatus:
    """Return a run's status after one more of its events.

    A failure mail, sent or not, leaves a failed run failed; a run that has ended does not start again. A result that
    nobody is to get is delivered: no mail is owed any more.
    """
    match event:
        case RunSkipped():
            return "skipped"
        case RunStarted() if before not in ENDED:
            return "running"
        case ResultReady() if before not in ENDED:
            return "processed"
        case RunFailed() if before not in ENDED:
            return "failed"
        case MailSent(kind="result") | MailSkipped(kind="result"):
            return "delivered"
        case MailFailed(kind="result") if before != "delivered":
            return "undelivered"
        case _:
            return before or "requested"
