"""The clock is set forward or back, or many jobs were missed for a day: what is published, in which order, and counted."""

from collections.abc import Callable
from datetime import datetime, timedelta

from nats.aio.client import Client

from nightmail_common.broker.log import EventLog
from nightmail_common.contract.events import JobCreated
from nightmail_common.contract.job import Job
from nightmail_ticker.jobs import JobProjection
from support.deadlines import eventually
from support.tickers import (
    ShiftedClock,
    count_due_time_events,
    create,
    leads,
    publishing,
    requests,
    running_ticker,
    sample,
    stored_event,
)

MakeJob = Callable[..., Job]


async def test_a_clock_set_forward_misses_nothing_and_one_set_back_runs_nothing_twice(
    nats_client: Client, event_log: EventLog, make_job: MakeJob, clock: ShiftedClock
) -> None:
    await create(event_log, make_job(schedule_time="@daily", timezone="UTC"))
    first = clock.midnight(days=2)
    second = first + timedelta(days=1)
    async with running_ticker(nats_client, clock):
        await eventually(leads, "the lease")
        clock.set_to(first + timedelta(hours=3))
        (request,) = await eventually(lambda: requests(event_log), "the due time that the clock was set over")
        assert (request.scheduled_at, request.late) == (first, True)
        clock.set_to(first - timedelta(seconds=2))
        await eventually(lambda: clock.now() > first + timedelta(seconds=1), "the same midnight again")
        clock.set_to(second - timedelta(seconds=2))

        async def both() -> bool:
            return len(await requests(event_log)) >= 2

        await eventually(both, "the next due time")
        found = await requests(event_log)
    assert [(request.scheduled_at, request.late) for request in found] == [(first, True), (second, False)]


def every_minute(make_job: MakeJob) -> Job:
    return make_job(schedule_time="* * * * *", timezone="UTC", overlap="allow")


async def test_a_clock_that_was_ahead_does_not_stop_the_due_times_after_it_is_right_again(
    nats_client: Client, event_log: EventLog, make_job: MakeJob, clock: ShiftedClock
) -> None:
    await create(event_log, every_minute(make_job))

    async def times(count: int) -> list[datetime]:
        found = [request.scheduled_at for request in await requests(event_log)]
        return found if len(found) >= count else []

    async with running_ticker(nats_client, clock):
        await eventually(leads, "the lease")
        first = clock.jump_behind_next_minute()
        assert await eventually(lambda: times(1), "a run") == [first]
        clock.set_to(clock.now() + timedelta(minutes=30))
        [_, ahead] = await eventually(lambda: times(2), "a run ahead of time")
        assert ahead == first + timedelta(minutes=30)
        clock.set_to(first + timedelta(minutes=1, seconds=1))
        assert (await eventually(lambda: times(3), "the next run"))[2:] == [first + timedelta(minutes=1)]
        assert sample("nightmail_ticker_due_times_ahead") == 1


async def test_after_a_restart_a_due_time_that_a_clock_ahead_fired_hides_no_other_and_is_not_fired_again(
    nats_client: Client, event_log: EventLog, make_job: MakeJob, clock: ShiftedClock
) -> None:
    minute = clock.now().replace(second=0, microsecond=0)
    job = await create(event_log, every_minute(make_job))
    history = [
        (JobCreated(job_name=job.job_name, job_id=job.job_id, actor="test", job=job), minute - timedelta(hours=1))
    ]

    async def fired_at(now: datetime) -> list[datetime]:
        before = len(await requests(event_log))
        clock.set_to(now)
        async with publishing(nats_client, clock, history) as ticker:
            await ticker.publish_due()
        return [request.scheduled_at for request in (await requests(event_log))[before:]]

    second = timedelta(seconds=1)
    ahead = minute + timedelta(minutes=30)
    assert await fired_at(minute + second) == [minute]
    assert await fired_at(ahead + second) == [ahead]
    assert await fired_at(minute + 2 * second) == []
    assert await fired_at(minute + timedelta(minutes=1) + second) == [minute + timedelta(minutes=1)]
    assert await fired_at(ahead - timedelta(minutes=1) + second) == [ahead - timedelta(minutes=1)]
    assert await fired_at(ahead + 2 * second) == []
    assert await fired_at(ahead + timedelta(minutes=1) + second) == [ahead + timedelta(minutes=1)]


async def test_a_job_that_was_created_while_the_clock_was_ahead_fires_from_now_on(
    make_job: MakeJob, clock: ShiftedClock
) -> None:
    jobs, job, now = JobProjection(), every_minute(make_job), clock.now()
    created = JobCreated(job_name=job.job_name, job_id=job.job_id, actor="test", job=job)
    jobs.apply(stored_event(created, now + timedelta(minutes=30)))
    assert [job.since for job in jobs.clamp_since(now)] == [now]
    assert [job.since for job in jobs.active()] == [now]
    assert jobs.clamp_since(now) == []


async def test_two_hundred_late_runs_are_paced_and_yield_to_runs_due_now(
    nats_client: Client, event_log: EventLog, make_job: MakeJob, clock: ShiftedClock
) -> None:
    for number in range(200):
        await create(event_log, make_job(job_name=f"late {number}", schedule_time="@daily", timezone="UTC"))
    midnight = clock.midnight(days=2)
    only_then = f"1 3 {midnight.day} {midnight.month} *"
    for number in range(5):
        await create(event_log, make_job(job_name=f"now {number}", schedule_time=only_then, timezone="UTC"))
    clock.set_to(midnight + timedelta(hours=3, seconds=57))

    async def late(count: int) -> bool:
        return sum(request.late for request in await requests(event_log)) >= count

    async def on_time(count: int) -> bool:
        return sum(not request.late for request in await requests(event_log)) >= count

    async with running_ticker(nats_client, clock):
        await eventually(lambda: late(100), "late runs")
        await eventually(lambda: on_time(5), "the runs that are due now")
        found = await requests(event_log)
    assert 100 <= sum(request.late for request in found) <= 150


async def test_due_times_are_counted_by_outcome(
    nats_client: Client, event_log: EventLog, make_job: MakeJob, clock: ShiftedClock
) -> None:
    def outcomes() -> list[float]:
        return [sample("nightmail_ticker_due_times_total", fate=fate) for fate in ("run", "late_run", "missed")]

    def lateness_count() -> float:
        return sample("nightmail_ticker_due_time_lateness_seconds_count")

    before = outcomes()
    lateness_before = lateness_count()
    await create(event_log, make_job(job_name="late", schedule_time="@daily", timezone="UTC"))
    await create(event_log, make_job(job_name="skips", schedule_time="@daily", timezone="UTC", on_missed="skip"))
    clock.set_to(clock.midnight(days=2) + timedelta(hours=3))

    async def both() -> bool:
        return await count_due_time_events(event_log) == 2

    async with running_ticker(nats_client, clock):
        await eventually(both, "both events")
        await eventually(lambda: lateness_count() == lateness_before + 2, "both are counted")
        assert leads()
        assert sample("nightmail_ticker_jobs") == 2
        assert sample("nightmail_ticker_schedules") == 1
    assert [after - count for after, count in zip(outcomes(), before, strict=True)] == [0, 1, 1]
    assert not leads()
