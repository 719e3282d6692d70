"""The description, the preview, the ledger of due times and the ticker say the same about any schedules, zone and calendar."""

import json
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import holidays
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from api.conftest import Api, Replica
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.events import JobCreated
from nightmail_common.contract.run import scheduled_run_id
from nightmail_ticker.clock import Clock
from nightmail_ticker.plan import RunState, ScheduledJob, decide
from nightmail_ticker.triggers import PREPARE_LEAD, ScheduleTrigger
from support.job_requests import job_request
from support.schedule_words import cron_expressions, wall_times_on

SPAN = timedelta(days=12)
DAY = timedelta(days=1)
#: Enough for every hour of the span; a walk of more due times ends early.
MOST = 100
PLACES = {
    "Germany (BY)": {"country": "DE", "subdivision": "BY"},
    "United States": {"country": "US"},
    "Egypt": {"country": "EG"},
    "China": {"country": "CN"},
}
numbers = count()


@st.composite
def calendars(draw: st.DrawFn) -> dict[str, Any] | None:
    """Return a calendar whose `days` are numbers of days from the beginning of the span."""
    on_holiday = draw(st.sampled_from(["skip", "next_business_day", "previous_business_day"]))
    place = draw(st.one_of(st.none(), st.sampled_from(sorted(PLACES))))
    days = draw(st.lists(st.integers(-3, SPAN.days), max_size=4, unique=True))
    if place is None and not days:
        return None
    return PLACES.get(place or "", {}) | {"on_holiday": on_holiday, "days": days}


class Oracle:
    """Reads a description, and knows the holidays from the library alone."""

    def __init__(self, description: str, days: list[date]) -> None:
        schedules, _, self._calendar = description.partition(". ")
        self._schedules = [f"{one[0].upper()}{one[1:]}" for one in schedules.split("; ")]
        place = next((place for place in PLACES if place in self._calendar), None)
        codes = PLACES.get(place or "", {})
        self._place = holidays.country_holidays(codes["country"], subdiv=codes.get("subdivision")) if codes else None
        self._days = days

    def _holiday(self, day: date) -> bool:
        return day in self._days or (self._place is not None and day in self._place)

    def _business_day(self, day: date) -> bool:
        if self._place is None:
            return day.weekday() < 5 and day not in self._days
        return self._place.is_working_day(day) and day not in self._days

    def _named(self, day: date) -> set[tuple[int, int]]:
        return {time for one in self._schedules for time in wall_times_on(one, day)}

    def runs(self, day: date) -> set[tuple[int, int]]:
        """Return hours and minutes of the runs on a day."""
        if not self._calendar:
            return self._named(day)
        if self._calendar.startswith("Skipped"):
            return set() if self._holiday(day) else self._named(day)
        if not self._business_day(day):
            return set()
        step = -DAY if "the next business day" in self._calendar else DAY
        found, other = self._named(day), day + step
        while not self._business_day(other):
            found |= self._named(other)
            other += step
        return found


def ticker_walk(job: ScheduledJob, start: datetime, until: datetime) -> tuple[list[str], list[str]]:
    """Return the due times of the runs and of the skips that the ticker publishes, one timer after the other."""
    clock, now, last = Clock(), start, None
    trigger = ScheduleTrigger(job.timetable, clock)
    runs: list[str] = []
    skips: list[str] = []
    previous = None
    while len(runs) + len(skips) < 2 * MOST:
        previous = trigger.get_next_fire_time(previous, now)
        now = previous + PREPARE_LEAD
        if now >= until:
            break
        decision = decide(job, RunState(last, 0, overlapping=False), now, remembered=timedelta(days=90))
        assert decision is not None
        assert (decision.due.at, decision.due.missed_before) == (now, 0)
        (skips if decision.skip == "holiday" else runs).append(_text(decision.due.at))
        last = decision.due.at
    return runs, skips


def check_description(
    preview: dict[str, Any], own_days: list[date], local: list[datetime], first: date, end: date
) -> None:
    """Compare the runs, as moments of the job's zone, with the description on each day from `first` to before `end`."""
    oracle = Oracle(preview["description"], own_days)
    changes = {note["time"][:10] for note in preview["notes"] if "dst" in note}
    for number in range((end - first).days):
        day = first + number * DAY
        near = {due.utcoffset() for due in local if abs((due.date() - day).days) <= 5}
        if len(near) > 1 or day.isoformat() in changes:
            continue  # daylight saving time moves or repeats times of these days; test_schedule.py has its rules
        assert {(due.hour, due.minute) for due in local if due.date() == day} == oracle.runs(day), (preview, day)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


@settings(max_examples=30)
@given(
    schedules=st.lists(cron_expressions(), min_size=1, max_size=3),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"]),
    calendar=calendars(),
    days_ahead=st.integers(2, 700),
    first_alone=st.booleans(),
)
async def test_description_preview_ledger_and_ticker_agree(
    api: Replica,
    event_log: EventLog,
    schedules: list[str],
    zone: str,
    calendar: dict[str, Any] | None,
    days_ahead: int,
    first_alone: bool,
) -> None:
    start = (datetime.now(UTC) + days_ahead * DAY).replace(microsecond=0)
    until = start + SPAN
    own_days = [start.date() + number * DAY for number in (calendar or {}).get("days", ())]
    if calendar is not None:
        calendar = calendar | {"days": [day.isoformat() for day in own_days]}
    fields: dict[str, Any] = {"schedules": schedules, "schedule_time": None, "timezone": zone, "calendar": calendar}
    if first_alone:
        fields |= {"schedule_time": schedules[0], "schedules": schedules[1:]}
    name = f"job {next(numbers)}"
    created = await api.http.post("/jobs", json=job_request(job_name=name) | fields)
    query = {"timezone": zone, "after": start.isoformat(), "count": MOST, "schedules": fields["schedules"]}
    if first_alone:
        query["schedule_time"] = schedules[0]
    if calendar is not None:
        query["calendar"] = json.dumps(calendar)
    answer = await api.http.get("/schedules/preview", params=query)
    assert (created.status_code, answer.status_code) in {(201, 200), (400, 400)}, (created.text, answer.text)
    assume(created.status_code == 201)  # the date of a schedule never comes
    preview = answer.json()
    found = await api.http.get("/slots", params={"from": _text(start), "until": _text(until), "job_name": name})
    slots = [(item["due"], item["fate"]) for item in found.json()["items"]]
    stored = await event_log.last_event("jobs.*.job-created")
    assert stored is not None
    event = stored.event()
    assert isinstance(event, JobCreated)
    runs, skips = ticker_walk(ScheduledJob.of(event.job, start), start, until)

    previewed = [due for due in preview["next_runs"] if datetime.fromisoformat(due) < until]
    assert [_text(datetime.fromisoformat(due)) for due in previewed][: len(runs)] == runs[: len(previewed)]
    assert len(previewed) == min(len(runs), MOST) or len(runs) + len(skips) >= 2 * MOST
    assert [due for due, fate in slots if fate == "due" and due != _text(start)][: len(runs)] == runs
    assert [due for due, fate in slots if fate == "skipped" and due != _text(start)][: len(skips)] == skips
    assert len({scheduled_run_id(event.job.job_id, datetime.fromisoformat(due)) for due in (*runs, *skips)}) == len(
        [*runs, *skips]
    )

    local = [datetime.fromisoformat(due) for due in previewed]
    ends = local[-1].date() if len(local) == MOST else (until - DAY).date()
    check_description(preview, own_days, local, (start + 2 * DAY).date(), ends - DAY)


@pytest.mark.parametrize(
    ("fields", "field", "reason"),
    [
        ({"schedules": ["09:00", "*/90 * * * *"]}, "schedules.1", "larger than the field"),
        ({"schedules": ["09:00"] * 21}, "schedules", "at most 20 items"),
        ({"schedules": []}, "schedule_time", "the field is required"),
        ({"schedules": ["at 2020-01-01 09:00"]}, "schedules", "has passed"),
        ({"schedules": ["09:00"], "calendar": {"country": "germany"}}, "calendar.country", "did you mean DE"),
        ({"schedules": ["09:00"], "calendar": {"country": "DE", "subdivision": "Bavaria"}}, "calendar.subdivision", "BB"),
        ({"schedules": ["09:00"], "calendar": {"country": "DE", "on_holiday": "move"}}, "calendar.on_holiday", "skip"),
        ({"schedules": ["09:00"], "calendar": {}}, "calendar", "a country, or days, or both"),
    ],
)  # fmt: skip
async def test_the_preview_and_the_creation_refuse_the_same_schedules_and_calendars(
    shared_api: Api, fields: dict[str, Any], field: str, reason: str
) -> None:
    query = fields | ({"calendar": json.dumps(fields["calendar"])} if "calendar" in fields else {})
    preview = await shared_api.http.get("/schedules/preview", params=query)
    created = await shared_api.http.post(
        "/jobs", json=job_request(job_name="refused") | {"schedule_time": None} | fields
    )
    for answer in (preview, created):
        assert answer.status_code == 400
        assert [(error["field"], reason in error["detail"]) for error in answer.json()["errors"]] == [(field, True)]


async def test_a_job_with_schedules_and_a_calendar_shows_them_and_its_next_run(shared_api: Api) -> None:
    year = datetime.now(UTC).year + 1
    calendar = {"country": "DE", "days": [f"{year}-12-27"], "on_holiday": "next_business_day"}
    fields = {"schedule_time": None, "schedules": [f"at {year}-12-25 09:00"], "calendar": calendar}
    body = job_request(job_name="christmas", timezone="Europe/Berlin") | fields
    job = (await shared_api.http.post("/jobs", json=body)).json()
    assert (job["schedule_time"], job["schedules"]) == (None, fields["schedules"])
    assert job["calendar"] == {"subdivision": None} | calendar
    first = date(year, 12, 28)
    while first.weekday() > 4:
        first += DAY
    assert job["next_run"] == f"{first}T09:00:00+01:00"
    again = await shared_api.http.put("/jobs/christmas", json=body)
    assert again.json()["version"] == 1
    changed = await shared_api.http.put("/jobs/christmas", json=body | {"calendar": None})
    assert (changed.json()["version"], changed.json()["next_run"]) == (2, f"{year}-12-25T09:00:00+01:00")
