"""Several schedules and a calendar: which due times a job has, and which of them are skipped."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest
from pydantic import ValidationError

from nightmail_common.contract.timetable import Timetable
from nightmail_common.contract.timetable_definition import TimetableDefinition

#: A Wednesday; 25 and 26 December 2026 are a Friday and a Saturday, holidays in Germany as 1 January, a Friday, is.
AFTER = "2026-12-23T12:00:00+01:00"
GERMANY = {"country": "DE"}


def timetable(*schedules: str, timezone: str = "Europe/Berlin", **calendar: Any) -> Timetable:
    fields = {"schedules": schedules, "timezone": timezone, "calendar": calendar or None}
    return Timetable.of(TimetableDefinition.model_validate(fields))


def shown(due_times: Any, count: int = 5) -> list[str]:
    return [f"{due:%a %m-%d %H:%M}" for due in islice(due_times, count)]


def refusal(**fields: Any) -> tuple[str, str]:
    with pytest.raises(ValidationError) as refused:
        TimetableDefinition.model_validate({"schedule_time": "09:00", "timezone": "UTC"} | fields)
    [error] = refused.value.errors()
    return ".".join(map(str, error["loc"])), error["msg"].removeprefix("Value error, ")


def test_a_due_time_that_two_schedules_share_is_one_due_time() -> None:
    both = timetable("0 9 * * *", "0 9,17 * * 1-5")
    assert shown(both.due_times(datetime.fromisoformat(AFTER))) == [
        "Wed 12-23 17:00",
        "Thu 12-24 09:00",
        "Thu 12-24 17:00",
        "Fri 12-25 09:00",
        "Fri 12-25 17:00",
    ]
    assert both.description == "At 09:00; at 09:00 and 17:00, Monday through Friday"


def test_a_repeated_hour_keeps_both_of_its_due_times_and_joins_equal_ones() -> None:
    # 02:30 comes twice on 25 October 2026 in Paris; the half-hourly schedule follows elapsed time.
    half_hourly = timetable("*/30 * * * *", "30 2 * * *", timezone="Europe/Paris")
    found = islice(half_hourly.due_times(datetime(2026, 10, 24, 23, 59, tzinfo=UTC)), 5)
    assert [due.isoformat()[11:] for due in found] == [
        "02:00:00+02:00",
        "02:30:00+02:00",
        "02:00:00+01:00",
        "02:30:00+01:00",
        "03:00:00+01:00",
    ]


def test_a_due_time_on_a_holiday_is_skipped_and_named_but_one_on_a_weekend_runs() -> None:
    daily = timetable("09:00", country="DE", on_holiday="skip")
    after = datetime.fromisoformat(AFTER)
    assert shown(daily.due_times(after)) == [
        f"{day} 09:00" for day in ("Thu 12-24", "Fri 12-25", "Sat 12-26", "Sun 12-27", "Mon 12-28")
    ]
    assert shown(daily.runs(after), 3) == ["Thu 12-24 09:00", "Sun 12-27 09:00", "Mon 12-28 09:00"]
    assert [daily.holiday(due) for due in islice(daily.due_times(after), 4)] == [
        None,
        "Christmas Day",
        "Second Day of Christmas",
        None,
    ]
    assert [note.text for note in daily.calendar_notes(after, after + timedelta(days=3))] == [
        "2026-12-25 is Christmas Day; it is skipped",
        "2026-12-26 is Second Day of Christmas; it is skipped",
    ]


@pytest.mark.parametrize(
    ("schedules", "calendar", "expected"),
    [
        # Moved onto a day that has the same due time, it is due once.
        (["0 9 * * 1-5"], GERMANY | {"on_holiday": "next_business_day"}, ["Thu 12-24", "Mon 12-28", "Tue 12-29"]),
        (["0 9 25 * *"], GERMANY | {"on_holiday": "next_business_day"}, ["Mon 12-28", "Mon 01-25", "Thu 02-25"]),
        (["0 9 25 * *"], GERMANY | {"on_holiday": "previous_business_day"}, ["Thu 12-24", "Mon 01-25", "Thu 02-25"]),
        (["0 9 1 * *"], GERMANY | {"on_holiday": "previous_business_day"}, ["Thu 12-31", "Mon 02-01", "Mon 03-01"]),
        # 6 January is a holiday in Bavaria only.
        (["0 9 6 1 *"], GERMANY | {"subdivision": "BY", "on_holiday": "next_business_day"}, ["Thu 01-07", "Fri 01-07"]),
        (["0 9 6 1 *"], GERMANY | {"on_holiday": "next_business_day"}, ["Wed 01-06", "Thu 01-06"]),
        # The weekend is Friday and Saturday.
        (["0 9 * * 5"], {"country": "EG", "on_holiday": "next_business_day"}, ["Sun 12-27", "Sun 01-03"]),
        (["0 9 * * 5"], {"days": ["2026-12-25"], "on_holiday": "skip"}, ["Fri 01-01", "Fri 01-08"]),
        (["09:00"], {"days": ["2026-12-24", "2026-12-25"], "on_holiday": "next_business_day"}, ["Mon 12-28", "Tue 12-29"]),
        # Its own schedule fires at 12:00 of the same day, in the order of time.
        (["0 12 * * 1", "0 9 25 * *"], GERMANY | {"on_holiday": "next_business_day"}, ["Mon 12-28", "Mon 12-28"]),
    ],
)  # fmt: skip
def test_a_due_time_moves_to_a_business_day(
    schedules: list[str], calendar: dict[str, Any], expected: list[str]
) -> None:
    found = timetable(*schedules, **calendar).runs(datetime.fromisoformat(AFTER))
    assert [f"{due:%a %m-%d}" for due in islice(found, len(expected))] == expected


@pytest.mark.parametrize("on_holiday", ["skip", "next_business_day", "previous_business_day"])
def test_the_last_due_time_and_those_from_any_moment_are_those_of_one_walk(on_holiday: str) -> None:
    calendar: dict[str, Any] = {"country": "US", "days": ["2026-12-28", "2027-01-04"], "on_holiday": on_holiday}
    found = timetable("0 */7 * * *", "30 22 * * 5", timezone="America/New_York", **calendar)
    start = datetime(2026, 12, 1, tzinfo=UTC)
    walk = list(islice(found.due_times(start), 200))
    assert walk == sorted(walk)
    for number in range(1, len(walk) - 1):
        assert found.next_due(walk[number]) == walk[number + 1]
        assert found.next_due(walk[number] - timedelta.resolution) == walk[number]
        assert found.last_due(start, walk[number]) == walk[number]
        assert found.last_due(start, walk[number + 1] - timedelta.resolution) == walk[number]


def test_a_moved_due_time_that_daylight_saving_time_skips_runs_after_the_gap() -> None:
    # Sunday 29 March 2026 is a working day of the weekend in Egypt; the gap of Paris is on it.
    moved = timetable("30 2 * * 6", timezone="Europe/Paris", country="EG", on_holiday="next_business_day")
    assert (due := moved.next_due(datetime(2026, 3, 27, tzinfo=UTC))) is not None
    assert due.isoformat() == "2026-03-29T03:00:00+02:00"


def test_a_schedule_on_holidays_only_has_no_run_however_often_it_is_due() -> None:
    christmas = timetable("* * 25 12 *", country="DE", on_holiday="skip")
    assert christmas.next_due(datetime.fromisoformat(AFTER)) is not None
    assert christmas.next_run(datetime.fromisoformat(AFTER)) is None


def test_the_description_names_the_calendar() -> None:
    by: dict[str, Any] = {"country": "DE", "subdivision": "BY", "days": ["2026-12-24"]}
    assert timetable("09:00", **by).description == "At 09:00. Skipped on a holiday in Germany (BY) and on 1 more day"
    moved = timetable("09:00", country="US", on_holiday="next_business_day").description
    assert moved == "At 09:00. Moved to the next business day if it is on a weekend, a holiday in United States"


@pytest.mark.parametrize(
    ("calendar", "field", "reason"),
    [
        ({"country": "Germany"}, "calendar.country", "did you mean DE (Germany)?"),
        ({"country": "DEU"}, "calendar.country", "did you mean DE (Germany)?"),
        ({"country": "Germny"}, "calendar.country", "did you mean DE (Germany)?"),
        ({"country": "XX"}, "calendar.country", "such as 'DE' (ISO 3166-1 alpha-2)"),
        ({"country": "DE", "subdivision": "Bayern"}, "calendar.subdivision", "did you mean BY?"),
        ({"country": "DE", "subdivision": "XX"}, "calendar.subdivision", "such as 'BB'"),
        ({"subdivision": "BY", "days": ["2026-12-24"]}, "calendar.subdivision", "goes with a country"),
        ({"on_holiday": "skip"}, "calendar", "a country, or days, or both"),
        ({"days": [1]}, "calendar.days.0", "a day is written as in 2026-12-24"),
        ({"days": ["2026-02-30"]}, "calendar.days.0", "valid date"),
        ({"days": ["2026-12-24"] * 61}, "calendar.days", "at most 60"),
        ({"country": "DE", "weekend": []}, "calendar.weekend", "not permitted"),
    ],
)
def test_a_calendar_that_is_refused_has_the_reason(calendar: dict[str, Any], field: str, reason: str) -> None:
    named, detail = refusal(calendar=calendar)
    assert named == field
    assert reason in detail


def test_a_job_has_a_schedule_and_at_most_twenty_more() -> None:
    assert refusal(schedule_time=None) == ("schedule_time", "Field required")
    assert refusal(schedules=["09:00"] * 21)[0] == "schedules"
    assert refusal(schedules=["09:00", "*/90 * * * *"])[0] == "schedules.1"


def test_the_library_of_holidays_is_imported_for_a_job_with_a_calendar_only() -> None:
    program = """
import sys
from nightmail_common.contract.timetable import Timetable
from nightmail_common.contract.job_definition import JobDefinition
from nightmail_common.contract.timetable_definition import TimetableDefinition
for calendar in (None, {"country": "DE"}):
    fields = {"schedule_time": "09:00", "timezone": "UTC", "calendar": calendar}
    Timetable.of(TimetableDefinition.model_validate(fields))
    print("holidays" in sys.modules)
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "True"]
