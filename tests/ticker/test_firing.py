"""Due times become requests in a real log: one request each, whatever else the log has and however many tickers publish."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import nats
import pytest
from nats.aio.client import Client

from nightmail_common.broker import streams
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.envelope import run_message_id
from nightmail_common.contract.events import (
    Event,
    JobCreated,
    JobDeleted,
    JobPaused,
    JobResumed,
    JobUpdated,
    RunError,
    RunFailed,
    RunRequested,
    Timings,
)
from nightmail_common.contract.job import Job
from nightmail_common.contract.run import manual_run_id, scheduled_run_id
from support.deadlines import eventually, scaled
from support.lossy_proxy import LossyProxy
from support.nats_server import NatsServer
from support.tickers import (
    ShiftedClock,
    count_due_time_events,
    create,
    leads,
    publishing,
    requests,
    running_ticker,
    sample,
    skips,
)

MakeJob = Callable[..., Job]


async def forget_message_ids(client: Client) -> None:
    """Shrink the duplicate window and let it pass, as a ticker does that is suspended for more than an hour."""
    js = client.jetstream()
    config = (await js.stream_info(streams.STREAM)).config
    config.duplicate_window = 0.1
    await js.update_stream(config)
    await asyncio.sleep(scaled(0.2))  # the broker says nowhere that the window has passed


async def test_a_due_time_becomes_the_request_that_its_job_and_time_give(
    nats_client: Client, event_log: EventLog, make_job: MakeJob, clock: ShiftedClock
) -> None:
    job = await create(event_log, make_job(job_name="café · 日本 * >", schedule_time="* * * * *"))
    due = clock.jump_behind_next_minute()
    async with running_ticker(nats_client, clock):
        (request,) = await eventually(lambda: requests(event_log), "the request")
    assert request == RunRequested(
        job_name=job.job_name,
        run_id=scheduled_run_id(job.job_id, due),
        job=job,
        trigger="schedule",
        scheduled_at=due,
    )


async def test_a_due_time_fires_however_short_its_run_is_kept(
    nats_client: Client, event_log: EventLog, make_job: MakeJob, clock: ShiftedClock
) -> None:
    await create(event_log, make_job(schedule_time="* * * * *"))
    due = clock.jump_behind_next_minute()
    async with running_ticker(nats_client, clock, run_retention=timedelta(minutes=1)):
        (request,) = await eventually(lambda: requests(event_log), "the request")
    assert request.scheduled_at == due


@pytest.mark.parametrize("message_ids", ["kept", "forgotten"])
async def test_two_tickers_that_both_have_a_term_request_each_run_once(
    nats_client: Client, event_log: EventLog, make_job: MakeJob, clock: ShiftedClock, message_ids: str
) -> None:
    jobs = [await create(event_log, make_job(job_name=f"job {n}", schedule_time="* * * * *")) for n in range(30)]
    due = clock.jump_behind_next_minute()
    async with publishing(nats_client, clock) as leader, publishing(nats_client, clock) as other:
        with other.runs.follow_paused():  # it is suspended: it does not read what the leader stores
            await leader.publish_due()
            if message_ids == "forgotten":
                await forget_message_ids(nats_client)
        await other.publish_due()
    assert sorted(request.run_id for request in await requests(event_log)) == sorted(
        scheduled_run_id(job.job_id, due) for job in jobs
    )


async def test_a_due_time_that_comes_while_an_earlier_one_is_published_gets_a_run_too(
    nats_server: NatsServer, event_log: EventLog, make_job: MakeJob, clock: ShiftedClock
) -> None:
    await create(event_log, make_job(job_name="report", schedule_time="* * * * *"))
    first_due = clock.jump_behind_next_minute()
    async with LossyProxy(nats_server.port, "runs.report.run-requested").serving() as proxy:
        client = await nats.connect(proxy.url)
        async with publishing(client, clock) as ticker:
            proxy.plan(1.0)
            first = asyncio.create_task(ticker.publish_due())
            await eventually(lambda: proxy.applied == 1, "the first request is sent, its answer is held up")
            second_due = clock.jump_behind_next_minute()
            await ticker.publish_due()
            await first
        await client.close()
    assert [request.scheduled_at for request in await requests(event_log)] == [first_due, second_due]


async def test_a_manual_run_does_not_hide_the_last_due_time_that_was_fired(
    nats_client: Client, event_log: EventLog, make_job: MakeJob, clock: ShiftedClock
) -> None:
    job = await create(event_log, make_job(schedule_time="* * * * *"))
    due = clock.jump_behind_next_minute()
    async with publishing(nats_client, clock) as ticker:
        await ticker.publish_due()
    manual = manual_run_id(job.job_id)
    await event_log.publish(
        RunRequested(job_name=job.job_name, run_id=manual, job=job, trigger="manual", scheduled_at=clock.now()),
        message_id=run_message_id(manual),
    )
    await forget_message_ids(nats_client)
    async with publishing(nats_client, clock) as ticker:
        (scheduled,) = ticker.jobs.active()
        assert ticker.runs.state_of(scheduled).last_fired == due
        await ticker.publish_due()
    assert [request.trigger for request in await requests(event_log)] == ["schedule", "manual"]


async def test_a_missed_due_time_runs_once_and_is_marked_late_or_is_skipped(
    nats_client: Client, event_log: EventLog, make_job: MakeJob, clock: ShiftedClock
) -> None:
    cases: dict[str, dict[str, Any]] = {
        "once": {},
        "never": {"on_missed": "skip"},
        "too late": {"max_lateness_seconds": 60},
    }
    for name, fields in cases.items():
        await create(event_log, make_job(job_name=name, schedule_time="@daily", timezone="UTC", **fields))
    midnight = clock.midnight(days=3)
    clock.set_to(midnight + timedelta(minutes=3))
    async with running_ticker(nats_client, clock):
        await eventually(lambda: stored(event_log, 3), "an event for each job")
    (late,) = await requests(event_log)
    assert (late.job_name, late.late, late.scheduled_at, late.missed_before) == ("once", True, midnight, 2)
    assert late.first_missed_at == midnight - timedelta(days=2)
    assert {(skip.job_name, skip.reason, skip.missed_before) for skip in await skips(event_log)} == {
        ("never", "missed", 2),
        ("too late", "missed", 2),
    }


async def stored(log: EventLog, count: int) -> bool:
    return await count_due_time_events(log) == count


async def test_a_due_time_that_was_missed_before_a_job_changed_is_skipped_as_missed(
    nats_client: Client, event_log: EventLog, make_job: MakeJob, clock: ShiftedClock
) -> None:
    last_hour = clock.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    names = ("paused", "rescheduled", "deleted", "paused in time")
    jobs = {name: make_job(job_name=name, schedule_time="0 * * * *", timezone="UTC") for name in names}

    def about(name: str) -> dict[str, Any]:
        return {"job_name": name, "job_id": jobs[name].job_id, "actor": "test"}

    later = jobs["rescheduled"].model_copy(update={"version": 2, "schedule_time": "0 0 29 2 *"})
    minute = timedelta(minutes=1)
    history: list[tuple[Event, datetime]] = [
        *((JobCreated(**about(name), job=jobs[name]), last_hour - 61 * minute) for name in names[:3]),
        (JobCreated(**about("paused in time"), job=jobs["paused in time"]), last_hour - 2 * minute),
        (JobPaused(**about("paused in time"), job_version=2), last_hour - minute),
        (JobPaused(**about("paused"), job_version=2), last_hour + minute),
        (JobUpdated(**about("rescheduled"), job=later), last_hour + minute),
        (JobDeleted(**about("deleted"), job_version=2), last_hour + minute),
    ]
    async with publishing(nats_client, clock, history) as ticker:
        await ticker.reconciler.catch_up(ticker.term)
    missed = await skips(event_log)
    assert {skip.job_name for skip in missed} == set(names[:3])
    assert {(skip.reason, skip.scheduled_at, skip.missed_before) for skip in missed} == {("missed", last_hour, 1)}
    assert "then the job was paused, deleted or given another schedule" in missed[0].detail
    assert await count_due_time_events(event_log) == 3


async def test_no_run_starts_while_the_previous_one_has_not_ended(
    nats_client: Client, event_log: EventLog, make_job: MakeJob, clock: ShiftedClock
) -> None:
    await create(event_log, make_job(schedule_time="* * * * *", overlap="skip"))
    async with publishing(nats_client, clock) as ticker:
        for _ in range(2):
            clock.jump_behind_next_minute()
            await ticker.publish_due()
        (request,) = await requests(event_log)
        assert [skip.reason for skip in await skips(event_log)] == ["overlap"]
        end = await event_log.publish(_failure(request), message_id=run_message_id(request.run_id, "outcome"))
        await ticker.runs.wait_until_followed(end.sequence)
        clock.jump_behind_next_minute()
        await ticker.publish_due()
    assert len(await requests(event_log)) == 2


def _failure(request: RunRequested) -> RunFailed:
    error = RunError(stage="script", type="ValueError", message="no")
    return RunFailed(
        job_name=request.job_name,
        run_id=request.run_id,
        job=request.job,
        trigger="schedule",
        scheduled_at=request.scheduled_at,
        error=error,
        log="",
        timings=Timings(total_ms=1),
    )


async def test_changes_take_effect_while_the_ticker_runs(
    nats_client: Client, event_log: EventLog, make_job: MakeJob, clock: ShiftedClock
) -> None:
    def active() -> float:
        return sample("nightmail_ticker_jobs")

    async with running_ticker(nats_client, clock):
        await eventually(leads, "the lease")
        job = await create(event_log, make_job(job_name="paused", schedule_time="* * * * *"))
        other = await create(event_log, make_job(job_name="active", schedule_time="* * * * *"))
        await eventually(lambda: active() == 2, "both jobs")
        change: dict[str, Any] = {"job_name": job.job_name, "job_id": job.job_id, "actor": "test", "job_version": 2}
        await event_log.publish(JobPaused(**change))
        await eventually(lambda: active() == 1, "the pause")
        due = clock.jump_behind_next_minute()
        await eventually(lambda: stored(event_log, 1), "the event of the active job")
        (request,) = await requests(event_log)
        await event_log.publish(JobResumed(**change))
        await eventually(lambda: active() == 2, "the resumption")
        for deleted in (job, other):
            await event_log.publish(JobDeleted(**change | {"job_name": deleted.job_name, "job_id": deleted.job_id}))
        await eventually(lambda: active() == 0, "the deletions")
        assert sample("nightmail_ticker_schedules") == 0
    assert (request.job_name, request.scheduled_at) == ("active", due)


def test_a_run_id_is_the_same_in_every_time_zone() -> None:
    job_id = UUID("7f7ba5f4-0000-4000-8000-000000000000")
    here = scheduled_run_id(job_id, datetime.fromisoformat("2026-11-23T10:00:00+01:00"))
    assert here == scheduled_run_id(job_id, datetime(2026, 11, 23, 9, tzinfo=UTC))
