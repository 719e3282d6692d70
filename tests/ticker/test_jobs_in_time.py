"""Which due times are owed to a job's owner, as the log's events change the job. Pure: the events bring their times."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from nightmail_common.contract.envelope import StoredEvent, event_headers
from nightmail_common.contract.events import Event, JobCreated, JobDeleted, JobErased, JobPaused, JobResumed, JobUpdated
from nightmail_common.contract.job import Job
from nightmail_common.contract.subjects import subject_of
from nightmail_ticker.jobs import Jobs, ScheduledJob
from nightmail_ticker.missed import fate

MakeJob = Callable[..., Job]
EIGHT = datetime(2026, 3, 10, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)


def stored(event: Event, time: datetime) -> StoredEvent:
    headers = event_headers(event, "test")
    return StoredEvent(1, time, subject_of(event), headers, event.model_dump_json(exclude_none=True).encode())


def created(jobs: Jobs, job: Job, at: datetime = EIGHT) -> None:
    jobs.apply(stored(JobCreated(job_name=job.job_name, job_id=job.job_id, actor="test", job=job), at))


def changed(job: Job, kind: type[JobPaused | JobResumed | JobDeleted]) -> Event:
    return kind.model_validate({"job_name": job.job_name, "job_id": job.job_id, "actor": "test", "job_version": 2})


def updated(job: Job, **fields: str) -> JobUpdated:
    return JobUpdated(
        job_name=job.job_name,
        job_id=job.job_id,
        actor="test",
        job=job.model_copy(update={"version": 2, **fields}),
    )


def due_of(jobs: Jobs, now: datetime) -> datetime | None:
    (job,) = jobs.active()
    decided = fate(job, None, now, still_runs=False, remembered=timedelta(days=90))
    return None if decided is None else decided.due.at


def test_nothing_that_came_due_while_a_job_was_paused_is_caught_up(make_job: MakeJob) -> None:
    jobs, job = Jobs(), make_job(schedule_time="0 * * * *", timezone="UTC")
    created(jobs, job)
    jobs.apply(stored(changed(job, JobPaused), EIGHT + HOUR / 2))
    assert list(jobs.active()) == []
    jobs.apply(stored(changed(job, JobResumed), EIGHT + 3.5 * HOUR))
    assert due_of(jobs, EIGHT + 3.6 * HOUR) is None
    assert due_of(jobs, EIGHT + 4 * HOUR) == EIGHT + 4 * HOUR


def test_a_job_that_moves_to_another_zone_owes_nothing_of_before(make_job: MakeJob) -> None:
    jobs, job = Jobs(), make_job(schedule_time="0 9 * * *", timezone="UTC")
    created(jobs, job)
    jobs.apply(stored(updated(job, timezone="Europe/Paris"), EIGHT + HOUR / 2))  # where it has been 9 already
    assert due_of(jobs, EIGHT + 1.1 * HOUR) is None
    assert due_of(jobs, EIGHT + 24 * HOUR) == EIGHT + 24 * HOUR


def test_an_edit_that_leaves_the_schedule_alone_loses_no_due_time(make_job: MakeJob) -> None:
    jobs, job = Jobs(), make_job(schedule_time="0 9 * * *", timezone="UTC")
    created(jobs, job)
    jobs.apply(stored(updated(job, description="new"), EIGHT + 1.2 * HOUR))
    assert due_of(jobs, EIGHT + 1.3 * HOUR) == EIGHT + HOUR


def test_a_deleted_job_and_one_of_the_same_name_are_two(make_job: MakeJob) -> None:
    jobs, job = Jobs(), make_job(schedule_time="0 * * * *", timezone="UTC")
    created(jobs, job)
    jobs.apply(stored(changed(job, JobDeleted), EIGHT + HOUR / 2))
    assert list(jobs.active()) == []
    again = make_job(schedule_time="0 * * * *", timezone="UTC")
    created(jobs, again, EIGHT + 1.5 * HOUR)
    (there,) = jobs.active()
    assert isinstance(there, ScheduledJob)
    assert UUID(there.job_id) == again.job_id
    assert due_of(jobs, EIGHT + 1.6 * HOUR) is None


def test_what_a_job_was_until_it_was_paused_rescheduled_or_deleted_is_kept(make_job: MakeJob) -> None:
    jobs, job = Jobs(), make_job(schedule_time="0 * * * *", timezone="UTC")
    created(jobs, job)
    jobs.apply(stored(changed(job, JobPaused), EIGHT + HOUR))
    jobs.apply(stored(updated(job, schedule_time="30 * * * *"), EIGHT + 2 * HOUR))  # still paused
    jobs.apply(stored(changed(job, JobResumed), EIGHT + 3 * HOUR))
    jobs.apply(stored(updated(job, schedule_time="45 * * * *"), EIGHT + 4 * HOUR))
    jobs.apply(stored(changed(job, JobDeleted), EIGHT + 5 * HOUR))
    assert [(ended.since, ended.until) for ended in jobs.ended] == [
        (EIGHT, EIGHT + HOUR),
        (EIGHT + 3 * HOUR, EIGHT + 4 * HOUR),
        (EIGHT + 4 * HOUR, EIGHT + 5 * HOUR),
    ]
    erased = JobErased(job_name=job.job_name, job_id=job.job_id, actor="test", events_purged=1, results_purged=0)
    jobs.apply(stored(erased, EIGHT + 6 * HOUR))
    assert jobs.ended == [], "of who was erased nothing more is said"


def test_an_event_that_cannot_be_understood_changes_nothing(make_job: MakeJob) -> None:
    jobs, job = Jobs(), make_job()
    created(jobs, job)
    broken = updated(job, timezone="Europe/Atlantis")
    jobs.apply(stored(broken, EIGHT))
    (there,) = jobs.active()
    assert there.version == 1
