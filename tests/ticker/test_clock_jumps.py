"""The clock is set forward or back, or many jobs were missed for a day: what is published, in which order, and counted."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from nats.aio.client import Client

from nightmail_common.broker.log import EventLog
from nightmail_common.contract.job import Job
from support.deadlines import eventually
from support.tickers import ShiftedClock, count_due_time_events, create, leads, requests, running_ticker, sample

MakeJob = Callable[..., Job]


@pytest.fixture
def clock() -> ShiftedClock:
    return ShiftedClock()


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
