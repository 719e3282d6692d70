"""What the log is told of a due time: the message of a run request or of a skip."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import uuid_utils.compat
from nats.js.api import Header

from nightmail_common.broker.batch import Message
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.events import RunRequested, RunSkipped
from nightmail_common.contract.subjects import job_token
from nightmail_ticker.jobs import ScheduledJob
from nightmail_ticker.missed import Due, Fate
from nightmail_ticker.runs import DUE_HEADER, REQUESTED


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a job's due time, and what it rests on: the last due time served and the last request."""

    job: ScheduledJob
    fate: Fate
    run_id: str
    served: datetime | None
    last_request: int


class Messages:
    """Makes messages quickly: the headers that all have in common are made once."""

    def __init__(self, log: EventLog) -> None:
        self._requested = log.headers_of(RunRequested)
        self._skipped = log.headers_of(RunSkipped)

    def of(self, decision: Decision, now: datetime) -> Message:
        """Return the message of a decision; `now` is the moment that the event tells of."""
        run = decision.fate.kind == "run"
        name = REQUESTED if run else RunSkipped.name
        headers = {
            **(self._requested if run else self._skipped),
            "ce-id": str(uuid_utils.compat.uuid7()),
            "ce-time": now.astimezone(UTC).isoformat(timespec="milliseconds"),
            Header.MSG_ID.value: decision.run_id,
            DUE_HEADER: f"{_iso(decision.fate.due.at)} {decision.job.job_id}",
        }
        if run:
            headers[Header.EXPECTED_LAST_SUBJECT_SEQUENCE.value] = str(decision.last_request)
        body = request_body(decision) if run else _skip_body(decision)
        return Message(f"runs.{job_token(decision.job.job_name)}.{name}", body, headers)


def request_body(decision: Decision) -> bytes:
    """Return the JSON of a `RunRequested` around the job's own, which was made once when the job came.

    Making the event and its JSON by the model takes five times as long, which at 10,000 jobs is seconds.
    """
    due = decision.fate.due
    fields: dict[str, object] = {
        "job_name": decision.job.job_name,
        "run_id": decision.run_id,
        "trigger": "schedule",
        "scheduled_at": _iso(due.at),
        "late": decision.fate.late,
        **_missed_fields(due),
    }
    return json.dumps(fields, ensure_ascii=False)[:-1].encode() + b',"job":' + decision.job.json + b"}"


def _skip_body(decision: Decision) -> bytes:
    job, due = decision.job, decision.fate.due
    event = RunSkipped.model_validate(
        {
            "job_name": job.job_name,
            "run_id": UUID(decision.run_id),
            "job_id": UUID(job.job_id),
            "job_version": job.version,
            "scheduled_at": due.at.astimezone(UTC),
            "reason": "overlap" if decision.fate.kind == "overlap" else "missed",
            "detail": _why(decision),
            **_missed_fields(due),
        }
    )
    return event.model_dump_json(exclude_none=True).encode()


def _why(decision: Decision) -> str:
    if decision.fate.kind == "overlap":
        return "the previous run had not ended"
    if decision.job.until is not None:
        return "nothing ran at the due time, and then the job was paused, deleted or given another schedule"
    return f"nothing ran at the due time; noticed {decision.fate.late_seconds:.0f} s late"


def _missed_fields(due: Due) -> dict[str, object]:
    if not due.missed_before:
        return {}
    times = [_iso(missed) for missed in due.missed]
    return {"missed_before": due.missed_before, "first_missed_at": times[0], "missed_times": times}


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
