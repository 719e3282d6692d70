"""An example of each event: one job, its runs and its mails on one day."""

from datetime import UTC, datetime
from uuid import UUID

from nightmail_common.contract import events
from nightmail_common.contract.blob import Blob
from nightmail_common.contract.events import Event
from nightmail_common.contract.job import Job
from nightmail_common.contract.mail_outcomes import RecipientOutcome, WaitingRecipient
from nightmail_common.contract.result_parts import Runtime

_DUE = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
_LATER = datetime(2026, 11, 23, 8, 5, tzinfo=UTC)
_CREATED = datetime(2026, 11, 20, 15, 48, tzinfo=UTC)
_CSV = b"region,amount\nnorth,1200\nsouth,950\n"
_SHA256 = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
_MESSAGE_ID = "<3f1d3c0e-6a52-5d7e-9b8e-0f6c1c7a9d21.result@mail.example.com>"

_JOB_ID = UUID("4f6ac7a4-6f2e-4b4e-9a5e-0f8f3a0b8f0e")
_OF_JOB = {"job_name": "daily sales", "job_id": _JOB_ID, "actor": "maria"}
_OF_RUN = {"job_name": "daily sales", "run_id": UUID("3f1d3c0e-6a52-5d7e-9b8e-0f6c1c7a9d21")}
_OF_MAIL = _OF_RUN | {"kind": "result", "message_id": _MESSAGE_ID}
_JOB = Job.model_validate(
    {
        "job_name": "daily sales",
        "schedule_time": "0 9 * * 1-5",
        "timezone": "Europe/Paris",
        "data_source": {"source_type": "api", "location": "https://example.com/sales.csv", "file_type": "csv"},
        "processing_script": "return data.groupby('region', as_index=False).amount.sum()",
        "consumer_emails": ["reports@example.com"],
        "job_id": _JOB_ID,
        "version": 1,
        "created_at": _CREATED,
        "updated_at": _CREATED,
    }
)
_OUTCOME = _OF_RUN | {
    "job": _JOB,
    "trigger": "schedule",
    "scheduled_at": _DUE,
    "log": "read 2 regions\n",
    "timings": events.Timings(fetch_ms=41.2, parse_ms=1.9, script_ms=3.4, output_ms=0.8, total_ms=52.6),
}
_ERROR = events.RunError(stage="fetch", type="HTTPStatusError", message="https://example.com/sales.csv answers 503")
_ACCEPTED = RecipientOutcome(address="reports@example.com", outcome="accepted", answer="250 2.0.0 Ok: queued")
_REFUSED = RecipientOutcome(address="reports@example.com", outcome="refused", answer="550 5.1.1 no such user")
_WAITS = WaitingRecipient(
    address="reports@example.com", answer="451 4.7.1 greylisted", attempts=1, since=_DUE, next_attempt=_LATER
)

_FIELDS: dict[type[Event], dict[str, object]] = {
    events.JobCreated: _OF_JOB | {"job": _JOB},
    events.JobUpdated: _OF_JOB | {"job": _JOB.model_copy(update={"version": 2, "updated_at": _DUE})},
    events.JobPaused: _OF_JOB | {"job_version": 3},
    events.JobResumed: _OF_JOB | {"job_version": 4},
    events.JobDeleted: _OF_JOB | {"job_version": 5},
    events.RecipientUnsubscribed: _OF_JOB | {"actor": "recipient", "address": "reports@example.com"},
    events.JobErased: _OF_JOB | {"events_purged": 42, "results_purged": 7, "up_to": 4711},
    events.RunRequested: _OF_RUN | {"job": _JOB, "trigger": "schedule", "scheduled_at": _DUE},
    events.RunSkipped: _OF_RUN
    | {
        "job_id": _JOB_ID,
        "job_version": 1,
        "scheduled_at": _DUE,
        "reason": "overlap",
        "detail": "the previous run had not ended",
    },
    events.RunCancelled: _OF_RUN | {"actor": "maria"},
    events.RunStarted: _OF_RUN | {"runner": "host-1/4711", "attempt": 1},
    events.AttemptFailed: _OF_RUN | {"attempt": 1, "error": _ERROR, "retry_at": _LATER},
    events.ResultReady: _OUTCOME
    | {
        "rows": 2,
        "columns": ("region", "amount"),
        "text_columns": (0,),
        "csv": Blob(size=len(_CSV), sha256=_SHA256, data=_CSV),
        "input_sha256": _SHA256,
        "script_sha256": _SHA256,
        "runtime": Runtime(python="3.11.7", pandas="3.1.1"),
        "notes": (events.Note(stage="parse", text="line 7 had fewer fields than the header"),),
    },
    events.RunFailed: _OUTCOME | {"error": _ERROR},
    events.InputKept: _OF_RUN
    | {
        "source": "main",
        "size": 4711,
        "sha256": _SHA256,
        "object_name": _SHA256,
        "file_type": "csv",
        "charset": "utf-8",
        "keep_inputs": 10,
    },
    events.MailSent: _OF_MAIL | {"recipients": (_ACCEPTED,), "attachment_sha256": _SHA256},
    events.MailFailed: _OF_MAIL | {"recipients": (_REFUSED,), "reason": "every recipient was refused"},
    events.MailDeferred: _OF_MAIL | {"recipients": (_WAITS,)},
    events.MailBounced: _OF_MAIL | {"address": "reports@example.com", "status": "5.2.2", "answer": "552 mailbox full"},
    events.MailSkipped: _OF_RUN | {"kind": "failure", "reason": "streak"},
    events.MailRequested: _OF_RUN
    | {
        "request_id": UUID("7d0c2b1e-93a5-4f61-8a40-2d9f5a9f3c11"),
        "outcome_sequence": 4711,
        "recipients": ("reports@example.com",),
        "actor": "maria",
    },
}


def example_of(event: type[Event]) -> Event:
    """Return an example of an event.

    Raises:
        KeyError: the event has none yet.
    """
    return event.model_validate(_FIELDS[event])
