"""Every reader of the log goes on after an event that it cannot read: of any type, with any content."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY

from nightmail_cli.commands.event_tail import to_json, to_line
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.envelope import StoredEvent, event_body, event_headers
from nightmail_common.contract.events import Event, JobCreated, JobDeleted, RecipientUnsubscribed, RunCancelled
from nightmail_common.contract.job import Job
from nightmail_common.contract.subjects import subject_of
from nightmail_mailer.records.log_record import Unsubscribes, cancelled_runs, deleted_jobs
from nightmail_runner.stops import Stops
from nightmail_ticker.jobs import JobProjection
from nightmail_ticker.plan import RunState
from nightmail_ticker.runs import RunStates
from support.deadlines import scaled
from support.poison_events import poison_events

SEEDS = range(2)


def stored(event: Event) -> StoredEvent:
    return StoredEvent(2**41, datetime.now(UTC), subject_of(event), event_headers(event, "test"), event_body(event))


def unreadable(consumer: str) -> float:
    return REGISTRY.get_sample_value("nightmail_unreadable_events_total", {"queue": consumer}) or 0


@pytest.mark.parametrize("seed", SEEDS)
def test_the_ticker_schedules_a_job_among_poison_events(seed: int, make_job: Callable[..., Job]) -> None:
    jobs, runs = JobProjection(), RunStates()
    before = unreadable("jobs")
    for event in poison_events("poisoned", seed):
        if event.subject.startswith("jobs."):
            jobs.apply(event)
        else:
            runs.apply(event)
    job = make_job(job_name="honest")
    jobs.apply(stored(JobCreated(job_name="honest", job_id=job.job_id, actor="admin", job=job)))

    assert "honest" in {job.job_name for job in jobs.active()}
    for scheduled in jobs.active():
        scheduled.timetable.next_due(datetime.now(UTC))
        assert isinstance(runs.state_of(scheduled), RunState)
    assert unreadable("jobs") > before


@pytest.mark.parametrize("seed", SEEDS)
async def test_the_runner_and_the_mailer_follow_the_log_past_poison_events(seed: int, event_log: EventLog) -> None:
    job_id, run_id = uuid4(), uuid4()
    stops, unsubscribes = Stops(event_log), Unsubscribes(event_log)
    jobs, runs = deleted_jobs(event_log), cancelled_runs(event_log)
    consumers = ("stops", "unsubscribes", "deleted jobs", "cancelled runs")
    before = [unreadable(consumer) for consumer in consumers]
    await publish(event_log, list(poison_events("poisoned", seed)))
    deleted = JobDeleted(job_name="honest", job_id=job_id, actor="admin", job_version=1)
    gone = RecipientUnsubscribed(job_name="honest", job_id=job_id, actor="a@example.com", address="a@example.com")
    cancelled = RunCancelled(job_name="honest", run_id=run_id, actor="admin")
    for event in (deleted, gone, cancelled):
        await event_log.publish(event, message_id=str(uuid4()))

    async with asyncio.timeout(scaled(60)):
        await stops.load()
        await asyncio.gather(*(record.catch_up() for record in (unsubscribes, jobs, runs)))

    assert unsubscribes.subscribed(job_id, ["a@example.com", "b@example.com"]) == ("b@example.com",)
    assert job_id in jobs
    assert runs.has_before(run_id, 2**62)
    assert all(unreadable(consumer) > count for consumer, count in zip(consumers, before, strict=True))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_tail_prints_every_event(seed: int) -> None:
    for event in poison_events("poisoned", seed):
        assert str(event.sequence) in to_line(event)
        assert to_json(event)["seq"] == event.sequence


def test_a_subject_without_a_name_is_read_as_its_token() -> None:
    event = StoredEvent(1, datetime.now(UTC), "jobs.%FF.job-created", {}, b"{}")
    assert event.job_name == "%FF"


async def publish(log: EventLog, events: list[StoredEvent]) -> None:
    """Store events as they are, past the services."""
    js = log._js
    for event in events:
        await js.publish(event.subject, event.data, headers=dict(event.headers), timeout=timedelta(seconds=20).seconds)
