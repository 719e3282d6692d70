"""Jobs, and the events of a run that went well."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from nightmail_common.contract.blob import Blob
from nightmail_common.contract.events import (
    Event,
    JobCreated,
    MailSent,
    ResultReady,
    RunRequested,
    RunStarted,
    Timings,
)
from nightmail_common.contract.job import Job
from nightmail_common.contract.job_definition import JobDefinition
from nightmail_common.contract.mail_outcomes import RecipientOutcome
from nightmail_common.contract.result_parts import Runtime

SCRIPT = "return data.groupby('region', as_index=False).amount.sum()"
#: A small result.
CSV = b"region,amount\nnorth,17\n"


def table(rows: int) -> bytes:
    """Return a CSV of two columns that `SCRIPT` groups into seven rows."""
    return b"region,amount\n" + b"".join(b"region %d,%d\n" % (row % 7, row) for row in range(rows))


def job_fields(name: str, **fields: Any) -> dict[str, Any]:
    """Return a job as a user registers it."""
    return {
        "job_name": name,
        "schedule_time": "0 9 * * 1-5",
        "timezone": "Europe/Paris",
        "data_source": {"source_type": "api", "location": "https://example.com/sales.csv", "file_type": "csv"},
        "processing_script": SCRIPT,
        "consumer_emails": ["reports@example.com"],
    } | fields


def file_source(name: str) -> dict[str, str]:
    return {"source_type": "file", "location": name, "file_type": "csv"}


def make_job(name: str, **fields: Any) -> Job:
    definition = JobDefinition.model_validate(job_fields(name, **fields))
    return definition.new_job(datetime.now(UTC))


def created(job: Job) -> JobCreated:
    return JobCreated(job_name=job.job_name, job_id=job.job_id, actor="bench", job=job)


def requested(job: Job, run_id: UUID, at: datetime) -> RunRequested:
    return RunRequested(job_name=job.job_name, run_id=run_id, job=job, trigger="schedule", scheduled_at=at)


def result_of(job: Job, run_id: UUID, at: datetime, csv: Blob, rows: int = 1) -> ResultReady:
    return ResultReady(
        job_name=job.job_name,
        run_id=run_id,
        job=job,
        trigger="schedule",
        scheduled_at=at,
        rows=rows,
        columns=("region", "amount"),
        csv=csv,
        log="",
        timings=Timings(fetch_ms=5, parse_ms=1, script_ms=3, output_ms=1, total_ms=12),
        input_sha256="0" * 64,
        script_sha256="0" * 64,
        runtime=Runtime(python="3", pandas="3"),
    )


def a_run(job: Job, run_id: UUID, at: datetime) -> list[Event]:
    """Return the four events of a run."""
    recipient = RecipientOutcome(address=job.consumer_emails[0], outcome="accepted", answer="250 OK")
    message_id = f"<{run_id}@bench>"
    return [
        requested(job, run_id, at),
        RunStarted(job_name=job.job_name, run_id=run_id, runner="bench", attempt=1),
        result_of(job, run_id, at, Blob(size=len(CSV), sha256="0" * 64, data=CSV)),
        MailSent(job_name=job.job_name, run_id=run_id, kind="result", message_id=message_id, recipients=(recipient,)),
    ]
