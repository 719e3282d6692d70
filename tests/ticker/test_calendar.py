"""Holidays in a real log: a due time is skipped visibly, and a moved one fires on its business day."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from nats.aio.client import Client

from nightmail_common.broker.log import EventLog
from nightmail_common.contract.events import JobCreated
from nightmail_common.contract.job import Job
from support.deadlines import eventually
from support.tickers import ShiftedClock, create, publishing, requests, running_ticker, skips

MakeJob = Callable[..., Job]


async def test_a_due_time_on_a_day_off_is_a_skip_with_the_name_of_the_day(
    nats_client: Client, event_log: EventLog, make_job: MakeJob
) -> None:
    clock = ShiftedClock()
    due = clock.jump_behind_next_minute()
    calendar = {"days": [due.date().isoformat()], "on_holiday": "skip"}
    job = await create(event_log, make_job(schedule_time="* * * * *", timezone="UTC", calendar=calendar))
    async with running_ticker(nats_client, clock):
        (skip,) = await eventually(lambda: skips(event_log), "the skip")
    assert (skip.job_id, skip.scheduled_at, skip.reason) == (job.job_id, due, "holiday")
    assert skip.detail == "holiday: a day off of the job"
    assert await requests(event_log) == []


async def test_after_an_outage_the_run_before_a_holiday_is_caught_up_and_the_holiday_is_skipped(
    nats_client: Client, event_log: EventLog, make_job: MakeJob
) -> None:
    clock = ShiftedClock()
    calendar = {"country": "DE", "on_holiday": "skip"}
    fields = {"schedule_time": "09:00", "timezone": "Europe/Berlin", "max_lateness_seconds": 2 * 86_400}
    job = make_job(calendar=calendar, **fields)
    created = JobCreated(job_name=job.job_name, job_id=job.job_id, actor="test", job=job)
    christmas = datetime(clock.now().year + 1, 12, 25, 8, tzinfo=UTC)
    clock.set_to(christmas + timedelta(hours=2))
    async with publishing(nats_client, clock, [(created, christmas - timedelta(hours=30))]) as ticker:
        await ticker.publish_due()
        (request,) = await requests(event_log)
        (skip,) = await skips(event_log)
    assert (request.scheduled_at, request.late) == (christmas - timedelta(days=1), True)
    assert (skip.scheduled_at, skip.detail) == (christmas, "holiday: Christmas Day")
