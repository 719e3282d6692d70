"""Somebody sets the clock; many jobs come back from a day of downtime; and what the ticker counts of it."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from nats.aio.client import Client
from prometheus_client import REGISTRY

from nightmail_common.broker.log import EventLog
from nightmail_common.contract.events import RunRequested
from nightmail_common.contract.job import Job
from support.deadlines import eventually
from support.tickers import ShiftedClock, create, fates, running_ticker

MakeJob = Callable[..., Job]


@pytest.fixture
def clock() -> ShiftedClock:
    return ShiftedClock()


def set_to(clock: ShiftedClock, moment: datetime) -> None:
    clock.offset += moment - clock.now()


async def requests(log: EventLog) -> list[RunRequested]:
    return [event for stored in await fates(log) if isinstance(event := stored.event(), RunRequested)]


def midnight_in(days: int, clock: ShiftedClock) -> datetime:
    return clock.now().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=days)


async def test_a_clock_that_jumps_forward_misses_nothing_and_one_that_jumps_back_runs_nothing_twice(
    nats_client: Client, event_log: EventLog, make_job: MakeJob, clock: ShiftedClock
) -> None:
    await create(event_log, make_job(schedule_time="@daily", timezone="UTC"))
    first = midnight_in(2, clock)
    async with running_ticker(nats_client, clock) as ticker:
        await eventually(lambda: ticker._lease.held, "the lead")
        set_to(clock, first + timedelta(hours=3))
        (request,) = await eventually(lambda: requests(event_log), "the due time that the jump went over")
        assert (request.scheduled_at, request.late) == (first, True)
        set_to(clock, first - timedelta(seconds=2))
        await ticker._catch_up()
        # It comes to the same midnight again, and to the next one: that is the first to run.
        set_to(clock, first + timedelta(days=1) - timedelta(seconds=2))
        both = await eventually(lambda: _two(event_log), "the next due time")
    assert [request.scheduled_at for request in both] == [first, first + timedelta(days=1)]
    assert not both[1].late


async def _two(log: EventLog) -> list[RunRequested] | None:
    found = await requests(log)
    return found if len(found) >= 2 else None


async def test_two_hundred_jobs_catch_up_paced_and_behind_what_is_due_now(
    nats_client: Client, event_log: EventLog, make_job: MakeJob, clock: ShiftedClock
) -> None:
    for number in range(200):
        await create(event_log, make_job(job_name=f"late {number}", schedule_time="@daily", timezone="UTC"))
    midnight = midnight_in(2, clock)
    only_then = f"1 3 {midnight.day} {midnight.month} *"
    for number in range(5):
        await create(event_log, make_job(job_name=f"now {number}", schedule_time=only_then, timezone="UTC"))
    set_to(clock, midnight + timedelta(hours=3, seconds=57))
    async with running_ticker(nats_client, clock):
        await eventually(lambda: _requested(event_log, "late", 100), "late runs go out")
        await eventually(lambda: _in_time(event_log, 5), "what is due now")
        found = await requests(event_log)
    assert 100 <= sum(request.late and request.job_name.startswith("late") for request in found) <= 150


async def _requested(log: EventLog, prefix: str, count: int) -> bool:
    return sum(request.job_name.startswith(prefix) for request in await requests(log)) >= count


async def _in_time(log: EventLog, count: int) -> bool:
    return sum(not request.late for request in await requests(log)) >= count


async def test_what_becomes_of_due_times_is_counted(
    nats_client: Client, event_log: EventLog, make_job: MakeJob, clock: ShiftedClock
) -> None:
    def count(fate: str) -> float:
        return REGISTRY.get_sample_value("nightmail_ticker_due_times_total", {"fate": fate}) or 0.0

    def lateness_count() -> float:
        return REGISTRY.get_sample_value("nightmail_ticker_due_time_lateness_seconds_count") or 0.0

    before = {fate: count(fate) for fate in ("run", "late_run", "missed")}
    lateness_before = lateness_count()
    await create(event_log, make_job(job_name="late", schedule_time="@daily", timezone="UTC"))
    await create(event_log, make_job(job_name="skips", schedule_time="@daily", timezone="UTC", on_missed="skip"))
    set_to(clock, midnight_in(2, clock) + timedelta(hours=3))
    async with running_ticker(nats_client, clock) as ticker:
        await eventually(lambda: _all(event_log), "both fates")
        await eventually(lambda: lateness_count() == lateness_before + 2, "they are counted")
        assert ticker._lease.held
        assert REGISTRY.get_sample_value("nightmail_ticker_leads") == 1
        assert REGISTRY.get_sample_value("nightmail_ticker_jobs") == 2
        assert REGISTRY.get_sample_value("nightmail_ticker_schedules") == 1
    assert {fate: count(fate) - before[fate] for fate in before} == {"run": 0, "late_run": 1, "missed": 1}
    assert REGISTRY.get_sample_value("nightmail_ticker_leads") == 0


async def _all(log: EventLog) -> bool:
    return len(await fates(log)) == 2
