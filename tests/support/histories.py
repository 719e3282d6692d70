"""A history of twenty jobs: every kind of event that changes a row, in a possible order."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID, uuid4

from api.test_runs_over_rest import DUE, inline, mail_sent, result_ready
from nightmail_common.broker.log import EventLog, Publication
from nightmail_common.contract.events import (
    Event,
    InputKept,
    JobCreated,
    JobDeleted,
    JobErased,
    JobPaused,
    JobResumed,
    JobUpdated,
    RecipientUnsubscribed,
    RunError,
    RunEvent,
    RunFailed,
    RunRequested,
    RunSkipped,
    RunStarted,
    Timings,
)
from nightmail_common.contract.job import Job
from nightmail_common.contract.job_definition import JobDefinition
from support.job_requests import job_request

BATCH = 500


async def write(log: EventLog, history: Iterator[Event], events: int) -> None:
    """Store the next events of a history."""
    written = 0
    while written < events:
        batch = [Publication(next(history)) for _ in range(min(BATCH, events - written))]
        await log.publish_batch(batch)
        written += len(batch)


def random_history(rng: random.Random) -> Iterator[Event]:
    """Yield events without end. A deleted or erased job is created again under its name."""
    jobs: dict[str, Job] = {}
    working: list[RunEvent] = []
    while True:
        if working and rng.random() < 0.6:
            yield working.pop(rng.randrange(min(len(working), 20)))
            continue
        name = f"job {rng.randrange(20)}"
        job = jobs.get(name)
        if job is None:
            jobs[name] = job = _new_job(name)
            yield JobCreated(job_name=name, job_id=job.job_id, actor="maria", job=job)
            continue
        match rng.randrange(200):
            case 0:
                yield JobDeleted(job_name=name, job_id=job.job_id, actor="maria", job_version=job.version)
                del jobs[name]
            case 1:
                yield JobErased(job_name=name, job_id=job.job_id, actor="admin", events_purged=0, results_purged=0)
                del jobs[name]
            case number if number < 40:
                jobs[name] = job = job.model_copy(
                    update={
                        "version": job.version + 1,
                        "description": str(rng.randrange(1000)),
                        "keep_inputs": rng.randrange(5),
                    }
                )
                yield JobUpdated(job_name=name, job_id=job.job_id, actor="maria", job=job)
            case 40 | 41 | 42:
                yield JobPaused(job_name=name, job_id=job.job_id, actor="maria", job_version=job.version)
            case 43 | 44 | 45:
                yield JobResumed(job_name=name, job_id=job.job_id, actor="maria", job_version=job.version)
            case 46 | 47 | 48:
                address = f"reader-{rng.randrange(3)}@example.com"
                yield RecipientUnsubscribed(job_name=name, job_id=job.job_id, actor="recipient", address=address)
            case _:
                first, *rest = _run(rng, job)
                working += rest
                yield first


def _new_job(name: str) -> Job:
    definition = JobDefinition.model_validate(job_request(job_name=name))
    return definition.new_job(datetime.now(UTC))


def _run(rng: random.Random, job: Job) -> Iterator[RunEvent]:
    run_id: UUID = uuid4()
    if rng.random() < 0.1:
        yield RunSkipped(
            job_name=job.job_name,
            run_id=run_id,
            job_id=job.job_id,
            job_version=job.version,
            scheduled_at=DUE,
            reason="overlap",
            detail="the run before has not ended",
        )
        return
    yield RunRequested(job_name=job.job_name, run_id=run_id, job=job, trigger="schedule", scheduled_at=DUE)
    yield RunStarted(job_name=job.job_name, run_id=run_id, runner="r", attempt=1)
    if rng.random() < 0.2:
        yield RunFailed(
            job_name=job.job_name,
            run_id=run_id,
            job=job,
            trigger="schedule",
            scheduled_at=DUE,
            error=RunError(stage="script", type="KeyError", message="'amount'"),
            log="",
            timings=Timings(total_ms=1.0),
        )
        return
    yield result_ready(run_id, job, inline(b"a,b\n1,2\n"))
    sha256 = f"{rng.randrange(5):064x}"
    yield InputKept(
        job_name=job.job_name,
        run_id=run_id,
        source="data",
        size=rng.randrange(1000),
        sha256=sha256,
        object_name=rng.choice([None, sha256]),
        file_type="csv",
        keep_inputs=rng.randrange(1, 5),
    )
    yield mail_sent(run_id, job)
