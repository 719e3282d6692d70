"""Which due times a job owes, after the events of the log that change it. Pure: the events bring their times."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from nightmail_common.contract.events import Event, JobCreated, JobDeleted, JobErased, JobPaused, JobResumed, JobUpdated
from nightmail_common.contract.job import Job
from nightmail_ticker.jobs import JobProjection
from nightmail_ticker.plan import RunState, decide
from support.tickers import stored_event

MakeJob = Callable[..., Job]
EIGHT = datetime(2026, 3, 10, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)


def created(jobs: JobProjection, job: Job, at: datetime = EIGHT) -> None:
    jobs.apply(stored_event(JobCreated(job_name=job.job_name, job_id=job.job_id, actor="test", job=job), at))


def changed(job: Job, kind: type[JobPaused | JobResumed | JobDeleted]) -> Event:
    return kind.model_validate({"job_name": job.job_name, "job_id": job.job_id, "actor": "test", "job_version": 2})


def updated(job: Job, **fields: str) -> JobUpdated:
    return JobUpdated(
        job_name=job.job_name,
        job_id=job.job_id,
        actor="test",
        job=job.model_copy(update={"version": 2, **fields}),
    )


def due_of(jobs: JobProjection, now: datetime) -> datetime | None:
    (job,) = jobs.active()
    decision = decide(job, RunState(None, 0, False), now, remembered=timedelta(days=90))
    return None if decision is None else decision.due.at


def test_a_due_time_during_a_pause_is_not_owed(make_job: MakeJob) -> None:
    jobs, job = JobProjection(), make_job(schedule_time="0 * * * *", timezone="UTC")
    created(jobs, job)
    jobs.apply(stored_event(changed(job, JobPaused), EIGHT + HOUR / 2))
    assert list(jobs.active()) == []
    jobs.apply(stored_event(changed(job, JobResumed), EIGHT + 3.5 * HOUR))
    assert due_of(jobs, EIGHT + 3.6 * HOUR) is None
    assert due_of(jobs, EIGHT + 4 * HOUR) == EIGHT + 4 * HOUR


def test_a_job_that_moves_to_another_zone_owes_no_earlier_due_time(make_job: MakeJob) -> None:
    jobs, job = JobProjection(), make_job(schedule_time="0 9 * * *", timezone="UTC")
    created(jobs, job)
    jobs.apply(stored_event(updated(job, timezone="Europe/Paris"), EIGHT + HOUR / 2))  # 9:00 is past there
    assert due_of(jobs, EIGHT + 1.1 * HOUR) is None
    assert due_of(jobs, EIGHT + 24 * HOUR) == EIGHT + 24 * HOUR


def test_an_edit_that_keeps_the_schedule_loses_no_due_time(make_job: MakeJob) -> None:
    jobs, job = JobProjection(), make_job(schedule_time="0 9 * * *", timezone="UTC")
    created(jobs, job)
    jobs.apply(stored_event(updated(job, description="new"), EIGHT + 1.2 * HOUR))
    assert due_of(jobs, EIGHT + 1.3 * HOUR) == EIGHT + HOUR


def test_a_job_that_takes_a_deleted_jobs_name_is_another_job(make_job: MakeJob) -> None:
    jobs, job = JobProjection(), make_job(schedule_time="0 * * * *", timezone="UTC")
    created(jobs, job)
    jobs.apply(stored_event(changed(job, JobDeleted), EIGHT + HOUR / 2))
    assert list(jobs.active()) == []
    again = make_job(schedule_time="0 * * * *", timezone="UTC")
    created(jobs, again, EIGHT + 1.5 * HOUR)
    (current,) = jobs.active()
    assert UUID(current.job_id) == again.job_id
    assert due_of(jobs, EIGHT + 1.6 * HOUR) is None


def test_a_job_is_kept_as_it_was_before_a_pause_a_new_schedule_or_a_deletion(make_job: MakeJob) -> None:
    jobs, job = JobProjection(), make_job(schedule_time="0 * * * *", timezone="UTC")
    created(jobs, job)
    jobs.apply(stored_event(changed(job, JobPaused), EIGHT + HOUR))
    jobs.apply(stored_event(updated(job, schedule_time="30 * * * *"), EIGHT + 2 * HOUR))  # still paused
    jobs.apply(stored_event(changed(job, JobResumed), EIGHT + 3 * HOUR))
    jobs.apply(stored_event(updated(job, schedule_time="45 * * * *"), EIGHT + 4 * HOUR))
    jobs.apply(stored_event(changed(job, JobDeleted), EIGHT + 5 * HOUR))
    assert [(ended.since, ended.until) for ended in jobs.ended] == [
        (EIGHT, EIGHT + HOUR),
        (EIGHT + 3 * HOUR, EIGHT + 4 * HOUR),
        (EIGHT + 4 * HOUR, EIGHT + 5 * HOUR),
    ]
    erased = JobErased(job_name=job.job_name, job_id=job.job_id, actor="test", events_purged=1, results_purged=0)
    jobs.apply(stored_event(erased, EIGHT + 6 * HOUR))
    assert jobs.ended == [], "no event names an erased job"


def test_an_invalid_event_changes_nothing(make_job: MakeJob) -> None:
    jobs, job = JobProjection(), make_job()
    created(jobs, job)
    broken = updated(job, timezone="Europe/Atlantis")
    jobs.apply(stored_event(broken, EIGHT))
    (current,) = jobs.active()
    assert current.version == 1
