"""What an event says about its run, as columns of the run's row."""

import json
from datetime import UTC, timedelta
from typing import Any

from nats.js.api import Header

from nightmail_common.contract.envelope import StoredEvent, iso_time
from nightmail_common.contract.events import (
    MailEvent,
    ResultReady,
    RunEvent,
    RunFailed,
    RunRequested,
    RunSkipped,
    RunStarted,
)


def expires_at(stored: StoredEvent) -> float | None:
    """Return when the log drops an event (its `Nats-TTL`, whole seconds), in seconds since 1970; None for never."""
    lifetime = stored.headers.get(Header.MSG_TTL.value, "")
    if not lifetime.endswith("s") or not lifetime[:-1].isdigit():
        return None
    return (stored.time + timedelta(seconds=int(lifetime[:-1]))).timestamp()


def identity(event: RunEvent) -> dict[str, Any] | None:
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
        "late": int(late),
    }


def columns(event: RunEvent, stored: StoredEvent, status: str | None, mails: str) -> dict[str, Any]:
    """Return what an event says about its run beside the status."""
    now = iso_time(stored.time)
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
