"""What becomes of a due time. Pure functions: the tests give the time."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightmail_common.contract.business_calendar import BusinessCalendar
from nightmail_common.contract.schedule import Schedule
from nightmail_common.contract.timetable import Timetable
from nightmail_ticker.plan import MISFIRE_GRACE, Decision, RunState, ScheduledJob, decide, latest_due

CREATED = datetime(2026, 3, 1, tzinfo=UTC)
NINE = datetime(2026, 3, 10, 9, tzinfo=UTC)
DAY = timedelta(days=1)


def scheduled(cron: str = "0 9 * * *", timezone: str = "UTC", **fields: Any) -> ScheduledJob:
    values: dict[str, Any] = {
        "job_name": "report",
        "job_id": "7f7ba5f4-0000-4000-8000-000000000000",
        "version": 1,
        "timetable": Timetable((Schedule.parse(cron, timezone),)),
        "on_missed": "run_once",
        "max_lateness_seconds": 86_400,
        "overlap": "allow",
        "json": b"{}",
        "since": CREATED,
    }
    return ScheduledJob(**values | fields)


def decided(
    job: ScheduledJob, last_fired: datetime | None, now: datetime, *, overlapping: bool = False
) -> Decision | None:
    return decide(job, RunState(last_fired, 0, overlapping), now, remembered=90 * DAY)


@pytest.mark.parametrize(
    ("fields", "last_fired", "now", "skip", "late", "missed_before"),
    [
        ({}, NINE - DAY, NINE, None, False, 0),
        ({}, NINE - DAY, NINE + MISFIRE_GRACE, None, False, 0),
        ({}, NINE - DAY, NINE + timedelta(minutes=3), None, True, 0),
        ({"on_missed": "skip"}, NINE - DAY, NINE + MISFIRE_GRACE, None, False, 0),
        ({"on_missed": "skip"}, NINE - DAY, NINE + timedelta(minutes=3), "missed", True, 0),
        ({"max_lateness_seconds": 60}, NINE - DAY, NINE + timedelta(seconds=61), "missed", True, 0),
        ({}, NINE - 3 * DAY, NINE + timedelta(hours=1), None, True, 2),
        ({"on_missed": "skip"}, NINE - 3 * DAY, NINE, None, False, 2),
        ({}, None, NINE, None, False, 9),
        ({"since": NINE - timedelta(milliseconds=100)}, None, NINE, None, False, 0),
    ],
)
def test_a_due_time_runs_on_time_or_late_or_is_missed(
    fields: dict[str, Any],
    last_fired: datetime | None,
    now: datetime,
    skip: str | None,
    late: bool,
    missed_before: int,
) -> None:
    decision = decided(scheduled(**fields), last_fired, now)
    assert decision is not None
    assert decision.due.at == NINE
    assert (decision.skip, decision.late, decision.due.missed_before) == (skip, late, missed_before)


def test_a_due_time_before_the_job_exists_or_with_an_event_gets_none() -> None:
    assert decided(scheduled(since=NINE), None, NINE + timedelta(hours=1)) is None
    assert decided(scheduled(), NINE, NINE + timedelta(hours=1)) is None


def test_a_due_time_older_than_the_log_remembers_gets_no_event() -> None:
    """The log does not know in July whether a yearly job ran in March, and a ticker that starts then must not guess."""
    yearly = scheduled("0 9 10 3 *")
    assert decided(yearly, None, NINE + 89 * DAY) is not None
    assert decided(yearly, None, NINE + 90 * DAY) is None


def test_a_due_time_before_a_pause_or_a_deletion_is_missed() -> None:
    decision = decided(scheduled(until=NINE + timedelta(hours=1)), NINE - 3 * DAY, NINE + 5 * DAY)
    assert decision is not None
    assert (decision.due.at, decision.skip, decision.due.missed_before) == (NINE, "missed", 2)
    assert decided(scheduled(until=NINE + timedelta(hours=1)), NINE, NINE + 5 * DAY) is None


def test_a_clock_that_is_set_back_fires_nothing_again() -> None:
    assert decided(scheduled(), NINE, NINE - DAY + timedelta(minutes=1)) is None


def test_a_run_that_has_not_ended_skips_the_next_one_but_not_a_missed_one() -> None:
    overlap = decided(scheduled(overlap="skip"), NINE - DAY, NINE, overlapping=True)
    assert overlap is not None
    assert overlap.skip == "overlap"
    missed = decided(scheduled(overlap="skip", on_missed="skip"), NINE - DAY, NINE + DAY / 2, overlapping=True)
    assert missed is not None
    assert missed.skip == "missed"


def test_missed_due_times_are_counted_up_to_a_limit() -> None:
    due = latest_due(Timetable((Schedule.parse("* * * * *", "UTC"),)), NINE - 365 * DAY, NINE)
    assert due is not None
    assert (due.at, due.missed_before) == (NINE, 10_000)


@given(
    minute=st.integers(0, 59),
    hour=st.integers(0, 23),
    after=st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1)),  # noqa: DTZ001 - hypothesis wants naive bounds
    down=st.timedeltas(timedelta(0), timedelta(days=40)),
)
def test_the_latest_due_time_and_the_count_equal_a_walk_over_every_day(
    minute: int, hour: int, after: datetime, down: timedelta
) -> None:
    after = after.replace(tzinfo=UTC)
    until = after + down
    day = after.replace(hour=hour, minute=minute, second=0, microsecond=0)
    expected = [at for number in range(43) if after < (at := day + number * DAY) <= until]
    due = latest_due(Timetable((Schedule.parse(f"{minute} {hour} * * *", "UTC"),)), after, until)
    if due is None:
        assert expected == []
    else:
        assert (due.at, due.missed_before) == (expected[-1], len(expected) - 1)
        assert list(due.missed) == expected[:-1]


CHRISTMAS = datetime(2026, 12, 25, 9, tzinfo=UTC)


def at_christmas(**fields: Any) -> ScheduledJob:
    calendar = BusinessCalendar("DE", None, (), "skip")
    timetable = Timetable((Schedule.parse("0 9 * * *", "UTC"),), calendar)
    return scheduled(timetable=timetable, since=datetime(2026, 12, 1, tzinfo=UTC), **fields)


def test_a_due_time_on_a_holiday_is_skipped_by_the_name_of_the_holiday() -> None:
    decision = decided(at_christmas(), CHRISTMAS - DAY, CHRISTMAS)
    assert decision is not None
    assert (decision.due.at, decision.skip, decision.holiday) == (CHRISTMAS, "holiday", "Christmas Day")


def test_a_missed_due_time_before_a_holiday_gets_its_late_run_first() -> None:
    job = at_christmas(max_lateness_seconds=2 * 86_400)
    first = decided(job, CHRISTMAS - 3 * DAY, CHRISTMAS + timedelta(hours=1))
    assert first is not None
    assert (first.due.at, first.skip, first.late) == (CHRISTMAS - DAY, None, True)
    assert first.due.missed == (CHRISTMAS - 2 * DAY,)
    second = decided(job, first.due.at, CHRISTMAS + timedelta(hours=1))
    assert second is not None
    assert (second.due.at, second.skip, second.due.missed) == (CHRISTMAS, "holiday", ())
