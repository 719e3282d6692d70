"""The events of `tests/support/record_log.py`: every type and every field, as the services would write them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from nightmail_common.contract.blob import Blob, ResultFigure, ResultFile
from nightmail_common.contract.events import (
    AttemptFailed,
    Event,
    InputKept,
    JobCreated,
    JobDeleted,
    JobErased,
    JobPaused,
    JobResumed,
    JobUpdated,
    MailBounced,
    MailDeferred,
    MailFailed,
    MailRequested,
    MailSent,
    MailSkipped,
    Note,
    RecipientUnsubscribed,
    ResultReady,
    RunCancelled,
    RunError,
    RunFailed,
    RunRequested,
    RunSkipped,
    RunStarted,
    Timings,
)
from nightmail_common.contract.job import Job
from nightmail_common.contract.job_definition import JobDefinition
from nightmail_common.contract.kept_input import Validators
from nightmail_common.contract.mail_outcomes import RecipientOutcome, WaitingRecipient
from nightmail_common.contract.result_parts import Changes, Runtime

DUE = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
CSV = b"region,amount\nnorth,17\n"
TIMINGS = Timings(fetch_ms=12.5, parse_ms=1.5, script_ms=3.0, output_ms=1.0, total_ms=18.5)
ERROR = RunError(
    stage="script",
    type="KeyError",
    message="'amount'",
    traceback="  File \"script\", line 1, in <module>\nKeyError: 'amount'",
    line=1,
)
MISSED: dict[str, Any] = {
    "missed_before": 2,
    "first_missed_at": DUE - timedelta(days=2),
    "missed_times": (DUE - timedelta(days=2), DUE - timedelta(days=1)),
}

#: Every option of every type of source.
SOURCES: dict[str, dict[str, Any]] = {
    "data": {
        "source_type": "api",
        "location": "https://crm.example.com/orders",
        "file_type": "json",
        "method": "POST",
        "headers": {"Accept": "application/json"},
        "params": {"since": "{{ last_success_at | date('%Y-%m-%d') }}", "size": 100},
        "body": {"open": True},
        "auth": {
            "type": "oauth2_client_credentials",
            "token_url": "https://login.example.com/token",
            "client_id": "nightmail",
            "client_secret": "{{ secrets.CRM }}",
            "scope": "orders.read",
        },
        "timeout_seconds": 120,
        "records_path": "items",
        "pagination": {"type": "cursor", "path": "next", "param": "after", "max_pages": 20},
    },
    "regions": {
        "source_type": "api",
        "location": "https://example.com/regions.csv",
        "file_type": "csv",
        "auth": {"type": "basic", "username": "nightmail", "password": "{{ secrets.REGIONS }}"},
        "delimiter": ";",
        "encoding": "iso-8859-1",
        "decimal": ",",
        "thousands": ".",
        "skip_rows": 2,
        "comment": "#",
        "na_values": ["-"],
        "types": {"region": "text"},
    },
    "people": {
        "source_type": "api",
        "location": "https://example.com/people",
        "file_type": "json",
        "auth": {"type": "bearer", "token": "{{ secrets.PEOPLE }}"},
        "pagination": {"type": "next_url", "path": "links.next", "max_pages": 3},
    },
    "stock": {
        "source_type": "api",
        "location": "https://example.com/stock",
        "file_type": "jsonl",
        "auth": {"type": "header", "name": "X-Api-Key", "value": "{{ secrets.STOCK }}"},
        "pagination": {"type": "offset", "param": "skip", "start": 0, "max_pages": 3},
    },
    "prices": {
        "source_type": "api",
        "location": "https://example.com/prices",
        "file_type": "tsv",
        "pagination": {"type": "page", "param": "p", "start": 1, "max_pages": 3},
    },
    "returns": {
        "source_type": "api",
        "location": "https://example.com/returns",
        "file_type": "json",
        "pagination": {"type": "link", "max_pages": 3},
    },
    "plan": {"source_type": "file", "location": "plan.xlsx", "file_type": "xlsx", "sheet": "2026"},
    "ledger": {
        "source_type": "sql",
        "location": "LEDGER",
        "query": "SELECT region, amount FROM ledger WHERE booked >= :since::date",
        "parameters": {"since": "2026-01-01"},
    },
}


def job_of(name: str, job_id: UUID, version: int = 1, **fields: Any) -> Job:
    """Return a job as the API stores it."""
    required = {
        "job_name": name,
        "data_source": {"source_type": "file", "location": "sales.csv", "file_type": "csv"},
        "processing_script": "return data.groupby('region', as_index=False).amount.sum()",
        "consumer_emails": ["reports@example.com"],
    }
    definition = JobDefinition.model_validate(required | fields)
    return Job(
        **definition.model_dump(),
        job_id=job_id,
        version=version,
        created_at=DUE - timedelta(days=30),
        updated_at=DUE - timedelta(days=30 - version),
    )


def full_job(job_id: UUID, version: int) -> Job:
    """Return a job with a value in every field."""
    more = {name: source for name, source in SOURCES.items() if name != "data"}
    return job_of(
        "sales 50%.*",
        job_id,
        version,
        schedule_time="0 9 * * 1-5",
        schedules=["0 18 * * 5"],
        timezone="Europe/Paris",
        calendar={"country": "DE", "subdivision": "BY", "days": ["2026-12-24"], "on_holiday": "next_business_day"},
        data_source=SOURCES["data"],
        more_sources=more,
        description="Umsätze nach Region",
        timeout_seconds=60,
        retries=2,
        subject="{{ job_name }}: {{ rows }} rows",
        message="Good morning, *team*.",
        when_unchanged="skip",
        compare_by=["region"],
        attachments=["csv", "xlsx"],
        csv={"delimiter": ";", "decimal": ",", "bom": True, "float_format": "%.2f"},
        keep_inputs=5,
        sender_name="Sales reports",
        reply_to="sales@example.com",
        cc=["team@example.com"],
        bcc=["archive@example.com"],
        failure_emails=["ops@example.com"],
    )


def history() -> Iterator[Event]:
    """Yield the events in an order in which they can happen."""
    full, plain, gone = uuid4(), uuid4(), uuid4()
    first, second = full_job(full, 1), full_job(full, 2)
    yield JobCreated(job_name=first.job_name, job_id=full, actor="maria", job=first)
    yield JobUpdated(job_name=first.job_name, job_id=full, actor="maria", job=second, rolled_back_to=1)
    yield JobPaused(job_name=first.job_name, job_id=full, actor="maria", job_version=2)
    yield JobResumed(job_name=first.job_name, job_id=full, actor="maria", job_version=2)
    yield RecipientUnsubscribed(job_name=first.job_name, job_id=full, actor="recipient", address="team@example.com")
    yield from delivered_run(second)
    yield from failed_runs(job_of("plain", plain, schedule_time="*/5 * * * *"))
    job = job_of("gone", gone, schedule_time="@daily")
    yield JobCreated(job_name="gone", job_id=gone, actor="maria", job=job)
    yield JobDeleted(job_name="gone", job_id=gone, actor="maria", job_version=1)
    # Its other events are purged.
    yield JobErased(job_name="erased", job_id=uuid4(), actor="admin", events_purged=2, results_purged=1, up_to=20)


def delivered_run(job: Job) -> Iterator[Event]:
    """Yield a late run with a result of several files, which is mailed, deferred, bounced and mailed again."""
    run: dict[str, Any] = {"job_name": job.job_name, "run_id": uuid4()}
    due: dict[str, Any] = {"job": job, "scheduled_at": DUE, "late": True}
    stored = Blob(size=300_000, sha256=SHA256, bucket="RESULTS", object_name=f"sales/{run['run_id']}/1")
    inline = Blob(size=len(CSV), sha256=SHA256, data=CSV)
    yield RunRequested(**run, **due, trigger="schedule", actor="maria", **MISSED)
    yield RunStarted(**run, runner="host/1", attempt=1)
    retry_at = DUE + timedelta(seconds=2)
    yield AttemptFailed(**run, attempt=1, error=ERROR.model_copy(update={"stage": "fetch"}), retry_at=retry_at)
    yield RunStarted(**run, runner="host/2", attempt=2)
    yield ResultReady(
        **run,
        **due,
        trigger="schedule",
        rows=1,
        columns=("region", "amount"),
        csv=inline,
        log="read 3 rows\n",
        timings=TIMINGS,
        input_sha256=SHA256,
        more_inputs_sha256={"plan": SHA256},
        script_sha256=SHA256,
        runtime=Runtime(python="3.11.7", pandas="3.1.1"),
        notes=(Note(stage="parse", text="line 2 had fewer fields than the header"),),
        attachments=(ResultFile(format="xlsx", blob=stored),),
        figures=(ResultFigure(name="figure-1.png", alt="amount by region", width=640, height=480, blob=inline),),
        changes=Changes(
            run_id=uuid4(),
            since=DUE - timedelta(days=1),
            added=1,
            removed=1,
            changed=1,
            unchanged=4,
            marks=("new", "changed"),
        ),
    )
    kept: dict[str, Any] = {"size": 1832, "sha256": SHA256, "file_type": "json", "keep_inputs": job.keep_inputs}
    validators = Validators(
        etag='"1"', last_modified="Mon, 23 Nov 2026 08:00:00 GMT", request_sha256=SHA256, fetched_at=DUE
    )
    yield InputKept(**run, source="data", object_name=SHA256, charset="utf-8", validators=validators, **kept)
    yield InputKept(**run, source="plan", **kept | {"size": 2**25, "file_type": "xlsx"})
    mail: dict[str, Any] = {"kind": "result", "message_id": f"<{run['run_id']}.result@example.com>"}
    accepted = RecipientOutcome(address="reports@example.com", outcome="accepted", answer="250 OK")
    waiting = WaitingRecipient(
        address="archive@example.com", answer="451 later", attempts=2, since=DUE, next_attempt=DUE + timedelta(hours=1)
    )
    yield MailDeferred(**run, **mail, recipients=(waiting,), settled=(accepted,))
    yield MailSent(**run, **mail, recipients=(accepted,), attachment_sha256=SHA256)
    yield MailBounced(**run, **mail, address="reports@example.com", status="5.1.1", answer="550 no such user")
    recipients = ("reports@example.com",)
    yield MailRequested(**run, request_id=uuid4(), outcome_sequence=10, recipients=recipients, actor="maria")


def failed_runs(job: Job) -> Iterator[Event]:
    """Yield runs that fail, are skipped, cancelled, or mail nobody."""
    yield JobCreated(job_name=job.job_name, job_id=job.job_id, actor="token of ci", job=job)
    due: dict[str, Any] = {"job": job, "scheduled_at": DUE}
    failed, cancelled, skipped, holiday = ({"job_name": job.job_name, "run_id": uuid4()} for _ in range(4))
    yield RunRequested(**failed, **due, trigger="manual", actor="maria")
    yield RunStarted(**failed, runner="host/1", attempt=1)
    note = Note(stage="fetch", text="the answer was gzip")
    outcome: dict[str, Any] = {"error": ERROR, "log": "half\n", "timings": TIMINGS, "notes": (note,)}
    yield RunFailed(**failed, **due | {"late": True}, trigger="manual", **outcome)
    refused = RecipientOutcome(address="reports@example.com", outcome="refused", answer="550 no such user")
    mail: dict[str, Any] = {"kind": "failure", "message_id": f"<{failed['run_id']}.failure@example.com>"}
    yield MailFailed(
        **failed, **mail, recipients=(refused,), reason="every recipient was refused", attachment_sha256=SHA256
    )
    yield MailSkipped(**failed, kind="failure", reason="streak")
    yield RunRequested(**cancelled, **due, trigger="manual", actor="maria")
    yield RunCancelled(**cancelled, actor="maria")
    of_job: dict[str, Any] = {"job_id": job.job_id, "job_version": job.version, "scheduled_at": DUE}
    yield RunRequested(**skipped, **due, trigger="schedule")
    yield RunSkipped(**skipped, **of_job, reason="script", detail="nothing today", log="0 rows\n", timings=TIMINGS)
    yield RunSkipped(**holiday, **of_job, reason="missed", detail="the system was down", **MISSED)
