"""Due times become requests in a real log: each one, once, whoever believes to lead."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

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
    RunSkipped,
    Timings,
)
from nightmail_common.contract.job import Job
from nightmail_common.contract.run import manual_run_id, scheduled_run_id
from nightmail_ticker.leader import Lease
from nightmail_ticker.ticker import Ticker
from support.deadlines import eventually, scaled
from support.tickers import ShiftedClock, create, fates, running_ticker

MakeJob = Callable[..., Job]


@pytest.fixture
def clock() -> ShiftedClock:
    return ShiftedClock()


def jump_behind_next_minute(clock: ShiftedClock) -> datetime:
    """Put the clock one second behind the next full minute and return that minute."""
    now = clock.now()
    due = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
    clock.offset += due + timedelta(seconds=1) - now
    return due


async def requests(log: EventLog) -> list[RunRequested]:
    return [event for stored in await fates(log) if isinstance(event := stored.event(), RunRequested)]


async def skips(log: EventLog) -> list[RunSkipped]:
    return [event for stored in await fates(log) if isinstance(event := stored.event(), RunSkipped)]


async def forget_message_ids(client: Client) -> None:
    """Shrink the duplicate window to what a test can outwait, as an hour's stop of a leader would."""
    js = client.jetstream()
    config = (await js.stream_info(streams.STREAM)).config
    config.duplicate_window = 0.1
    await js.update_stream(config)
    await asyncio.sleep(0.2)


async def test_a_due_time_becomes_the_request_that_its_job_and_time_give(
    nats_client: Client, event_log: EventLog, make_job: MakeJob, clock: ShiftedClock
) -> None:
    job = await create(event_log, make_job(job_name="café · 日本 * >", schedule_time="* * * * *"))
    due = jump_behind_next_minute(clock)
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
    due = jump_behind_next_minute(clock)
    async with running_ticker(nats_client, clock, run_retention=timedelta(minutes=1)):
        (request,) = await eventually(lambda: requests(event_log), "the request")
    assert request.scheduled_at == due


@pytest.mark.parametrize("window", ["hour", "outwaited"])
async def test_two_tickers_that_both_believe_to_lead_request_each_run_once(
    nats_client: Client, event_log: EventLog, make_job: MakeJob, clock: ShiftedClock, window: str
) -> None:
    jobs = [await create(event_log, make_job(job_name=f"job {n}", schedule_time="* * * * *")) for n in range(30)]
    async with running_ticker(nats_client, clock) as leader, running_ticker(nats_client, clock) as other:
        await eventually(lambda: leader._lease.held or other._lease.held, "a leader")
        due = jump_behind_next_minute(clock)
        for ticker in (leader, other):
            ticker._lease._until = float("inf")
        await leader._fire(list(leader._jobs.active()))
        if window == "outwaited":
            await forget_message_ids(nats_client)
        stale = other._runs
        stale._by_name.clear()
        stale._served.clear()
        await other._fire(list(other._jobs.active()))
    assert sorted(request.run_id for request in await requests(event_log)) == sorted(
        scheduled_run_id(job.job_id, due) for job in jobs
    )


async def test_a_run_asked_for_by_hand_does_not_hide_that_the_due_time_was_served(
    nats_client: Client, event_log: EventLog, make_job: MakeJob, clock: ShiftedClock
) -> None:
    job = await create(event_log, make_job(schedule_time="* * * * *"))
    due = jump_behind_next_minute(clock)
    async with running_ticker(nats_client, clock):
        await eventually(lambda: requests(event_log), "the request")
    by_hand = manual_run_id(job.job_id)
    await event_log.publish(
        RunRequested(job_name=job.job_name, run_id=by_hand, job=job, trigger="manual", scheduled_at=clock.now()),
        message_id=run_message_id(by_hand),
    )
    await forget_message_ids(nats_client)
    async with running_ticker(nats_client, clock) as ticker:
        await eventually(lambda: ticker._lease.held, "the lead")
        assert ticker._runs.served(next(iter(ticker._jobs.active()))) == due
        await ticker._catch_up()
    assert [request.trigger for request in await requests(event_log)] == ["schedule", "manual"]


async def test_what_was_missed_runs_once_marked_late_or_is_told_of(
    nats_client: Client, event_log: EventLog, make_job: MakeJob, clock: ShiftedClock
) -> None:
    cases: dict[str, dict[str, Any]] = {
        "once": {},
        "never": {"on_missed": "skip"},
        "too late": {"max_lateness_seconds": 60},
    }
    for name, fields in cases.items():
        await create(event_log, make_job(job_name=name, schedule_time="@daily", timezone="UTC", **fields))
    midnight = clock.now().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=3)
    clock.offset = midnight + timedelta(minutes=3) - datetime.now(UTC)
    async with running_ticker(nats_client, clock):
        await eventually(lambda: _count(event_log, 3), "every due time's fate")
    (late,) = await requests(event_log)
    assert (late.job_name, late.late, late.scheduled_at, late.missed_before) == ("once", True, midnight, 2)
    assert late.first_missed_at == midnight - timedelta(days=2)
    assert {(skip.job_name, skip.reason, skip.missed_before) for skip in await skips(event_log)} == {
        ("never", "missed", 2),
        ("too late", "missed", 2),
    }


async def test_what_was_missed_before_a_change_is_told_of_when_a_ticker_is_back(
    nats_client: Client, event_log: EventLog, make_job: MakeJob, clock: ShiftedClock
) -> None:
    """The broker dates events itself, so the ticker is told of the past directly."""
    last_hour = clock.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    names = ("paused", "rescheduled", "deleted", "paused in time")
    jobs = {name: make_job(job_name=name, schedule_time="0 * * * *", timezone="UTC") for name in names}

    def about(name: str) -> dict[str, Any]:
        return {"job_name": name, "job_id": jobs[name].job_id, "actor": "test"}

    later = jobs["rescheduled"].model_copy(update={"version": 2, "schedule_time": "0 0 29 2 *"})
    minute = timedelta(minutes=1)
    past: list[tuple[Event, datetime]] = [
        *((JobCreated(**about(name), job=jobs[name]), last_hour - 61 * minute) for name in names[:3]),
        (JobCreated(**about("paused in time"), job=jobs["paused in time"]), last_hour - 2 * minute),
        (JobPaused(**about("paused in time"), job_version=2), last_hour - minute),
        (JobPaused(**about("paused"), job_version=2), last_hour + minute),
        (JobUpdated(**about("rescheduled"), job=later), last_hour + minute),
        (JobDeleted(**about("deleted"), job_version=2), last_hour + minute),
    ]
    async with running_ticker(nats_client, clock, past):
        await eventually(lambda: _count(event_log, 3), "the fate of what was missed")
    missed = await skips(event_log)
    assert {skip.job_name for skip in missed} == set(names[:3])
    assert {(skip.reason, skip.scheduled_at, skip.missed_before) for skip in missed} == {("missed", last_hour, 1)}
    assert "then the job was paused, deleted or given another schedule" in missed[0].detail


async def _count(log: EventLog, count: int) -> bool:
    return len(await fates(log)) == count


async def test_no_run_starts_while_the_previous_one_has_not_ended(
    nats_client: Client, event_log: EventLog, make_job: MakeJob, clock: ShiftedClock
) -> None:
    job = await create(event_log, make_job(schedule_time="* * * * *", overlap="skip"))
    async with running_ticker(nats_client, clock) as ticker:
        await eventually(lambda: ticker._lease.held, "the lead")
        await fire_at_next_minute(ticker, clock)
        await fire_at_next_minute(ticker, clock)
        (request,) = await requests(event_log)
        assert [skip.reason for skip in await skips(event_log)] == ["overlap"]
        await event_log.publish(_failure(request), message_id=run_message_id(request.run_id, "outcome"))
        await eventually(lambda: not ticker._runs.still_runs(job.job_name), "the run's end is known")
        await fire_at_next_minute(ticker, clock)
    assert len(await requests(event_log)) == 2


async def fire_at_next_minute(ticker: Ticker, clock: ShiftedClock) -> None:
    jump_behind_next_minute(clock)
    await ticker._fire(list(ticker._jobs.active()))


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
    async with running_ticker(nats_client, clock) as ticker:
        await eventually(lambda: ticker._lease.held, "the lead")
        job = await create(event_log, make_job(schedule_time="* * * * *"))
        await eventually(lambda: _names(ticker) == [job.job_name], "the job is known")
        said: dict[str, Any] = {"job_name": job.job_name, "job_id": job.job_id, "actor": "test", "job_version": 2}
        await event_log.publish(JobPaused(**said))
        await eventually(lambda: _names(ticker) == [], "the pause is known")
        await fire_at_next_minute(ticker, clock)
        await event_log.publish(JobResumed(**said))
        await eventually(lambda: _names(ticker) == [job.job_name], "the resumption is known")
        await event_log.publish(JobDeleted(**said))
        await eventually(lambda: _names(ticker) == [], "the deletion is known")
        assert ticker._slots._slots == {}


def _names(ticker: Ticker) -> list[str]:
    return [job.job_name for job in ticker._jobs.active()]


async def test_a_standby_takes_over_within_five_seconds_and_the_old_leader_knows(
    nats_client: Client, event_log: EventLog
) -> None:
    bucket = await nats_client.jetstream().key_value(streams.LEASES)
    leader, standby = Lease(bucket, str(uuid4())), Lease(bucket, str(uuid4()))
    await leader.campaign()
    stopped = time.monotonic()  # it renews no more
    await standby.campaign()
    assert time.monotonic() - stopped < scaled(5)
    assert standby.held
    assert not leader.held


async def test_a_leader_that_resigns_is_followed_at_once(nats_client: Client, event_log: EventLog) -> None:
    bucket = await nats_client.jetstream().key_value(streams.LEASES)
    leader, standby = Lease(bucket, str(uuid4())), Lease(bucket, str(uuid4()))
    await leader.campaign()
    await leader.resign()
    await asyncio.wait_for(standby.campaign(), 1)


def test_a_run_id_is_the_same_wherever_it_is_made() -> None:
    job_id = UUID("7f7ba5f4-0000-4000-8000-000000000000")
    here = scheduled_run_id(job_id, datetime.fromisoformat("2026-11-23T10:00:00+01:00"))
    assert here == scheduled_run_id(job_id, datetime(2026, 11, 23, 9, tzinfo=UTC))
