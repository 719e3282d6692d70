"""The messages of decisions: a run request or a skip, as the log stores it."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import uuid_utils.compat
from nats.js.api import Header

from nightmail_common.broker.batch import Message
from nightmail_common.broker.log import EventLog
from nightmail_common.broker.tracing import request_headers
from nightmail_common.contract.envelope import DUE_HEADER, event_body
from nightmail_common.contract.events import RunRequested, RunSkipped
from nightmail_common.contract.subjects import job_token
from nightmail_ticker.plan import Decision


class DueTimeMessages:
    """Makes messages for one log. The headers that all messages of a kind share are made once."""

    def __init__(self, log: EventLog) -> None:
        self._requested = log.headers_of(RunRequested)
        self._skipped = log.headers_of(RunSkipped)

    def of(self, decision: Decision, now: datetime) -> Message:
        """Return the message of a decision; `now` is the time of the event."""
        run = decision.skip is None
        name = RunRequested.name if run else RunSkipped.name
        headers = {
            **(self._requested if run else self._skipped),
            "ce-id": str(uuid_utils.compat.uuid7()),
            "ce-time": now.astimezone(UTC).isoformat(timespec="milliseconds"),
            Header.MSG_ID.value: decision.run_id,
            DUE_HEADER: f"{decision.due.at.astimezone(UTC).isoformat()} {decision.job.job_id}",
        }
        if run:
            headers |= request_headers(decision.run_id)
            headers[Header.EXPECTED_LAST_SUBJECT_SEQUENCE.value] = str(decision.state.last_request)
        body = _request_body(decision) if run else _skip_body(decision)
        return Message(f"runs.{job_token(decision.job.job_name)}.{name}", body, headers)


def _request_body(decision: Decision) -> bytes:
    """Return the JSON of a `RunRequested`, with the job's JSON put in as text.

    The one encoder by hand: 100,000 jobs as JSON take 170 MB less than as models, which `model_dump_json` would need.
    """
    event = RunRequested.model_construct(**_common_fields(decision), trigger="schedule", late=decision.late)
    rest = event.model_dump_json(exclude_none=True, exclude={"job"})
    return rest[:-1].encode() + b',"job":' + decision.job.json + b"}"


def _skip_body(decision: Decision) -> bytes:
    fields = _common_fields(decision) | {
        "job_id": UUID(decision.job.job_id),
        "job_version": decision.job.version,
        "reason": decision.skip,
        "detail": _detail(decision),
    }
    return event_body(RunSkipped.model_construct(**fields))


def _common_fields(decision: Decision) -> dict[str, Any]:
    due = decision.due
    missed = tuple(moment.astimezone(UTC) for moment in due.missed)
    return {
        "job_name": decision.job.job_name,
        "run_id": UUID(decision.run_id),
        "scheduled_at": due.at.astimezone(UTC),
        "missed_before": due.missed_before,
        "first_missed_at": missed[0] if missed else None,
        "missed_times": missed,
    }


def _detail(decision: Decision) -> str:
    if decision.skip == "overlap":
        return "the previous run had not ended"
    if decision.skip == "holiday":
        return f"holiday: {decision.holiday}"
    if decision.job.until is not None:
        return "no ticker ran at the due time, and then the job was paused, deleted or given another schedule"
    return f"no ticker ran at the due time; published {decision.late_seconds:.0f} s late"
