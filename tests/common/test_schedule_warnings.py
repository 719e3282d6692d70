"""Schedules that are legal and probably wrong."""

from datetime import UTC, datetime, timedelta

import pytest

from nightmail_common.contract.business_calendar import BusinessCalendar
from nightmail_common.contract.schedule import Schedule
from nightmail_common.contract.schedule_warnings import overlap_warning, schedule_warnings, shortest_interval
from nightmail_common.contract.timetable import Timetable

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
GERMANY = BusinessCalendar("DE", None, (), "skip")


def timetable(*schedules: str, calendar: BusinessCalendar | None = None) -> Timetable:
    return Timetable(tuple(Schedule.parse(one, "UTC") for one in schedules), calendar)


@pytest.mark.parametrize(
    ("scheduled", "field", "detail"),
    [
        (timetable("0 9 29 2 *"), "schedule_time", "its next run is on 2028-02-29"),
        (timetable("at 2026-01-01 09:00"), "schedule_time", "the job does not run again: its due time has passed"),
        (timetable("0 9 25 12 *", calendar=GERMANY), "schedule_time", "its calendar skips every due time"),
        (timetable("0 9 25 12 *", "0 9 1 1 *", calendar=GERMANY), "schedules", "its calendar skips every due time"),
        (timetable("09:00", "at 2026-01-01 09:00"), "schedules", "'at 2026-01-01 09:00' has passed"),
    ],
)
def test_a_schedule_that_is_probably_wrong_has_a_warning(scheduled: Timetable, field: str, detail: str) -> None:
    [warning] = schedule_warnings(scheduled, NOW)
    assert warning.field == field
    assert detail in warning.detail


def test_a_usual_schedule_has_none() -> None:
    for scheduled in (timetable("09:00"), timetable("@yearly"), timetable("0 9 * * 1-5", calendar=GERMANY)):
        assert schedule_warnings(scheduled, NOW) == []


def test_runs_that_take_longer_than_the_shortest_time_between_two_of_them_have_a_warning() -> None:
    twice = timetable("0 9 * * *", "5 9 * * *")
    interval = shortest_interval(twice, NOW)
    assert interval == timedelta(minutes=5)
    assert overlap_warning(twice, interval, timedelta(minutes=5)) is None
    warning = overlap_warning(twice, interval, timedelta(minutes=6))
    assert warning is not None
    assert warning.field == "schedules"
    assert "took 360 s, and a run is due every 300 s" in warning.detail
    assert shortest_interval(timetable("at 2026-12-01 09:00"), NOW) is None
