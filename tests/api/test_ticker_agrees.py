"""A whole ticker on a clock that the test sets fires what the preview and the ledger of due times say, and nothing else."""

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st
from nats.aio.client import Client

from api.conftest import Replica
from api.test_timetables_agree import DAY, calendars, check_description
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.events import JobCreated, RunRequested, RunSkipped
from nightmail_common.contract.run import scheduled_run_id
from nightmail_ticker import ticker
from nightmail_ticker.plan import ScheduledJob
from support.deadlines import eventually
from support.job_requests import job_request
from support.schedule_words import cron_expressions
from support.tickers import ShiftedClock, due_time_events, leads, publishing, running_ticker

#: Due times of one example that the ticker is driven through.
MOST = 8
SPAN = timedelta(days=31)
#: The clock is set to this time before a due time, which the ticker then awaits.
LEAD = timedelta(seconds=0.2)
numbers = count()


def schedules() -> st.SearchStrategy[str]:
    """Return a strategy for schedules that are due more often than most random ones."""
    often = st.sampled_from(["0 9 * * *", "30 2 * * *", "0 * * * *", "*/20 9 * * 1-5", "0 0 15W * *", "30 1 LW * *"])
    return st.one_of(cron_expressions(), often)


async def fired(log: EventLog, job_id: UUID, after: datetime) -> list[tuple[datetime, str]]:
    """Return the due times behind a moment that have an event, and `run` or the reason for none; each on time and alone."""
    found: list[tuple[datetime, str]] = []
    for stored in await due_time_events(log):
        event = stored.event()
        assert isinstance(event, RunRequested | RunSkipped)
        if event.run_id != scheduled_run_id(job_id, event.scheduled_at) or event.scheduled_at <= after:
            continue
        if isinstance(event, RunRequested):
            assert not event.late, event.scheduled_at
        assert event.missed_before == 0, event.missed_times
        found.append((event.scheduled_at, "run" if isinstance(event, RunRequested) else event.reason))
    return found


# Shrinking a failure would drive many more tickers: the failure names its schedules.
@settings(max_examples=8, phases=[Phase.generate])
@given(
    named=st.lists(schedules(), min_size=1, max_size=3),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"]),
    calendar=calendars(),
    days_ahead=st.integers(2, 700),
)
async def test_the_ticker_fires_what_the_preview_and_the_ledger_say(
    api: Replica,
    nats_client: Client,
    event_log: EventLog,
    monkeypatch: pytest.MonkeyPatch,
    named: list[str],
    zone: str,
    calendar: dict[str, Any] | None,
    days_ahead: int,
) -> None:
    monkeypatch.setattr(ticker, "CLOCK_POLL_SECONDS", 0.02)  # the clock is set often here
    start = (datetime.now(UTC) + days_ahead * DAY).replace(second=30, microsecond=0)
    own_days = [start.date() + number * DAY for number in (calendar or {}).get("days", ())]
    if calendar is not None:
        calendar = calendar | {"days": [day.isoformat() for day in own_days]}
    body = job_request(job_name=f"job {next(numbers)}", overlap="allow", timezone=zone, calendar=calendar)
    created = await api.http.post("/jobs", json=body | {"schedule_time": None, "schedules": named})
    assume(created.status_code == 201)  # the date of a schedule never comes
    stored = await event_log.last_event("jobs.*.job-created")
    assert stored is not None
    event = stored.event()
    assert isinstance(event, JobCreated)
    query = {"from": _text(start), "until": _text(start + SPAN), "job_name": event.job_name}
    items = (await api.http.get("/slots", params=query)).json()["items"][:MOST]
    expected = [(datetime.fromisoformat(one["due"]), "run" if one["fate"] == "due" else "holiday") for one in items]
    asked: dict[str, Any] = {"timezone": zone, "after": _text(start), "count": MOST, "schedules": named}
    if calendar is not None:
        asked["calendar"] = json.dumps(calendar)
    preview = (await api.http.get("/schedules/preview", params=asked)).json()

    clock = ShiftedClock()
    clock.set_to(start)
    last = ScheduledJob.of(event.job, start).timetable.last_due(event.job.created_at, start)
    if last is not None:  # the last due time before has its event: the ticker counts no backlog of months
        async with publishing(nats_client, clock, [(event, last - timedelta(seconds=1))]) as before:
            await before.publish_due()
    async with running_ticker(nats_client, clock):
        await eventually(leads, "the lease")
        for number, (due, _) in enumerate(expected, start=1):
            clock.set_to(due - LEAD)
            await eventually(
                partial(has_fired, event_log, event.job.job_id, start, number),
                f"the event of {due} of {named} in {zone} with {calendar}",
            )
        found = await fired(event_log, event.job.job_id, start)
    await api.http.delete(f"/jobs/{event.job_name}")

    assert found == expected
    runs = [due for due, fate in found if fate == "run"]
    previewed = [datetime.fromisoformat(due) for due in preview["next_runs"]]
    assert [due for due in previewed if due < start + SPAN][: len(runs)] == runs
    end = found[-1][0] if len(found) == MOST else start + SPAN
    local = [due for due in previewed if due in runs]
    check_description(preview, own_days, local, (start + 2 * DAY).date(), end.date() - DAY)


async def has_fired(log: EventLog, job_id: UUID, after: datetime, number: int) -> bool:
    return len(await fired(log, job_id, after)) >= number


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
