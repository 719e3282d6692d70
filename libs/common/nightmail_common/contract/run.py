"""The identity of a run, and its status as a function of its events."""

from datetime import UTC, datetime
from typing import Literal
from uuid import UUID, uuid5

import uuid_utils.compat

from nightmail_common.contract.events import (
    MailDeferred,
    MailFailed,
    MailSent,
    MailSkipped,
    ResultReady,
    RunCancelled,
    RunEvent,
    RunFailed,
    RunSkipped,
    RunStarted,
)

RunStatus = Literal["requested", "running", "processed", "delivered", "failed", "undelivered", "skipped", "cancelled"]

#: A run with one of these statuses has a result or a reason, and computes nothing more.
ENDED: frozenset[RunStatus] = frozenset({"processed", "delivered", "failed", "undelivered", "skipped", "cancelled"})


def scheduled_run_id(job_id: UUID, scheduled_at: datetime) -> UUID:
    """Return the id of a job's one run for a due time: the same on every ticker, before and after a crash."""
    return uuid5(job_id, scheduled_at.astimezone(UTC).isoformat())


def manual_run_id(job_id: UUID, idempotency_key: str | None = None) -> UUID:
    """Return the id of a manual run: a new one, or always the same one for the same idempotency key."""
    return uuid_utils.compat.uuid7() if idempotency_key is None else uuid5(job_id, f"manual:{idempotency_key}")


def status_after(before: RunStatus | None, event: RunEvent) -> RunStatus:
    """Return a run's status after the next of its events.

    A failure mail, sent or not, leaves a failed run failed; a run that has ended does not start again. A
    result whose mail is skipped counts as delivered. A slice that is skipped says nothing about the others.
    """
    match event:
        case RunSkipped() if before not in ENDED or (before == "processed" and event.reason == "deleted"):
            return "skipped"
        case RunCancelled() if before not in ENDED:
            return "cancelled"
        case RunStarted() if before not in ENDED:
            return "running"
        case ResultReady() if before not in ENDED:
            return "processed"
        case RunFailed() if before not in ENDED:
            return "failed"
        case MailSkipped(kind="result", split_value=str()) if before != "processed":
            return before or "requested"
        case MailSent(kind="result") | MailSkipped(kind="result"):
            return "delivered"
        case MailDeferred(kind="result") if any(one.outcome == "accepted" for one in event.settled):
            return "delivered"
        case MailFailed(kind="result") if before != "delivered":
            return "undelivered"
        case _:
            return before or "requested"
