"""What a schedule means: Debian cron, in a zone."""

from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightmail_common.schedule import Schedule, ScheduleError, TimezoneError


def first(schedule: str, zone: str, after: str, count: int = 3) -> list[str]:
    due_times = Schedule.parse(schedule, zone).due_times(datetime.fromisoformat(after))
    return [due.isoformat() for due in islice(due_times, count)]


def test_one_to_five_is_monday_to_friday() -> None:
    due_times = Schedule.parse("0 9 * * 1-5", "UTC").due_times(datetime(2026, 11, 21, tzinfo=UTC))  # a Saturday
    assert [due.strftime("%a") for due in islice(due_times, 6)] == ["Mon", "Tue", "Wed", "Thu", "Fri", "Mon"]


@pytest.mark.parametrize(
    ("schedule", "after", "expected"),
    [
        ("09:00", "2026-01-01T08:59:59.9+00:00", "2026-01-01T09:00:00+00:00"),
        ("9:05", "2026-01-01T09:05:00+00:00", "2026-01-02T09:05:00+00:00"),
        ("@hourly", "2026-12-31T23:00:00+00:00", "2027-01-01T00:00:00+00:00"),
        ("@weekly", "2026-11-21T00:00:00+00:00", "2026-11-22T00:00:00+00:00"),
        ("0 0 29 2 *", "2026-01-01T00:00:00+00:00", "2028-02-29T00:00:00+00:00"),
        ("0 0 31 * *", "2026-01-31T00:00:00+00:00", "2026-03-31T00:00:00+00:00"),
        ("0 0 13 * 5", "2026-11-21T00:00:00+00:00", "2026-11-27T00:00:00+00:00"),  # 13th OR Friday
        ("0 0 * * 7", "2026-11-21T00:00:00+00:00", "2026-11-22T00:00:00+00:00"),
        ("0 0 * jan sun", "2026-11-21T00:00:00+00:00", "2027-01-03T00:00:00+00:00"),
    ],
)
def test_the_first_due_time_strictly_after_a_moment(schedule: str, after: str, expected: str) -> None:
    assert first(schedule, "UTC", after, 1) == [expected]


@pytest.mark.parametrize(
    ("schedule", "zone", "after", "expected"),
    [
        # Skipped by DST: right after the gap, and only once.
        (
            "30 2 * * *",
            "Europe/Paris",
            "2026-03-28T12:00:00+00:00",
            ["2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"],
        ),
        # Repeated by DST: the first time.
        (
            "30 2 * * *",
            "Europe/Paris",
            "2026-10-24T12:00:00+00:00",
            ["2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"],
        ),
        # A gap of half an hour, at midnight's side of the world.
        (
            "15 2 * * *",
            "Australia/Lord_Howe",
            "2026-10-03T12:00:00+00:00",
            ["2026-10-04T02:30:00+11:00", "2026-10-05T02:15:00+11:00"],
        ),
        # A star in minute or hour follows real time.
        (
            "0 * * * *",
            "America/New_York",
            "2026-11-01T04:59:00+00:00",
            ["2026-11-01T01:00:00-04:00", "2026-11-01T01:00:00-05:00"],
        ),
    ],
)
def test_dst_moves_a_skipped_time_and_runs_a_repeated_one_once(
    schedule: str, zone: str, after: str, expected: list[str]
) -> None:
    assert first(schedule, zone, after, len(expected)) == expected


@pytest.mark.parametrize(
    "schedule", ["", "0 9 * *", "60 9 * * *", "0 24 * * *", "24:00", "@never", "0 0 30 2 *", "a b c d e"]
)
def test_what_is_no_schedule_or_never_comes_is_refused(schedule: str) -> None:
    with pytest.raises(ScheduleError):
        Schedule.parse(schedule, "UTC")


def test_a_zone_that_does_not_exist_is_refused() -> None:
    with pytest.raises(TimezoneError):
        Schedule.parse("09:00", "Europe/Atlantis")


def test_the_same_text_in_the_same_zone_is_the_same_schedule() -> None:
    assert Schedule.parse("9:00", "UTC") == Schedule.parse("0  9 * * *", "UTC") != Schedule.parse("9:00", "Asia/Tokyo")


@settings(max_examples=60, deadline=None)
@given(
    zone=st.sampled_from(["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]),
    hour=st.integers(0, 23),
    minute=st.integers(0, 59),
    start=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001 - hypothesis wants naive bounds
)
def test_a_daily_time_comes_once_a_day_at_its_wall_time_or_right_after_the_gap(
    zone: str, hour: int, minute: int, start: datetime
) -> None:
    """The oracle walks real minutes and looks at the wall clock."""
    tz = ZoneInfo(zone)
    after = start.replace(tzinfo=UTC, second=0, microsecond=0)
    until = after + timedelta(days=3)
    expected = []
    before = after.astimezone(tz)
    for number in range(1, 3 * 24 * 60 + 1):
        now = (after + timedelta(minutes=number)).astimezone(tz)
        target = now.replace(hour=hour, minute=minute, tzinfo=None)
        reached = before.replace(tzinfo=None) < target <= now.replace(tzinfo=None)
        if reached and now.fold == 0:
            expected.append(now)
        before = now
    due_times = [
        due for due in islice(Schedule.parse(f"{minute} {hour} * * *", zone).due_times(after), 5) if due <= until
    ]
    assert due_times == expected


@given(
    cron=st.sampled_from(["* * * * *", "0 9 * * 1-5", "*/7 3 * * *", "0 0 29 2 *", "30 2 * * *"]),
    after=st.datetimes(datetime(2024, 1, 1), datetime(2026, 1, 1)),  # noqa: DTZ001 - hypothesis wants naive bounds
    span=st.timedeltas(timedelta(0), timedelta(days=2)),
)
@settings(max_examples=60, deadline=None)
def test_the_last_due_time_of_a_span_is_the_last_that_walking_through_it_meets(
    cron: str, after: datetime, span: timedelta
) -> None:
    schedule = Schedule.parse(cron, "Europe/Paris")
    after = after.replace(tzinfo=UTC)
    walked = list(takewhile(lambda due: due <= after + span, schedule.due_times(after)))
    assert schedule.last_due(after, after + span) == (walked[-1] if walked else None)
