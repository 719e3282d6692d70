"""What a schedule means: Debian cron, in a zone."""

import time
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from nightmail_common.contract.schedule import Schedule
from nightmail_common.contract.schedule_syntax import ScheduleError
from nightmail_common.contract.timezones import TimezoneError
from support.deadlines import scaled


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
        (
            "0 0 3-3/7 * *",
            "2026-11-04T00:00:00+00:00",
            "2026-12-03T00:00:00+00:00",
        ),  # a range of one, whatever its step
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
def test_an_invalid_or_never_due_schedule_is_refused(schedule: str) -> None:
    with pytest.raises(ScheduleError):
        Schedule.parse(schedule, "UTC")


def test_a_zone_that_does_not_exist_is_refused() -> None:
    with pytest.raises(TimezoneError):
        Schedule.parse("09:00", "Europe/Atlantis")


def test_the_same_text_in_the_same_zone_is_the_same_schedule() -> None:
    assert Schedule.parse("9:00", "UTC") == Schedule.parse("0  9 * * *", "UTC") != Schedule.parse("9:00", "Asia/Tokyo")


@pytest.mark.parametrize(
    ("schedule", "zone", "after", "notes"),
    [
        ("30 2 * * *", "Europe/Paris", "2026-03-28T12:00:00+00:00", ["moved", None]),
        ("0 3 * * *", "Europe/Paris", "2026-03-28T12:00:00+00:00", [None, None]),  # due right after the gap anyway
        ("*/30 2 * * *", "Europe/Paris", "2026-03-28T12:00:00+00:00", [None, None]),  # follows real time
        ("30 2 * * *", "Europe/Paris", "2026-10-24T12:00:00+00:00", ["repeated", None]),
        ("30 3 * * *", "Europe/Paris", "2026-10-24T12:00:00+00:00", [None, None]),
        ("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00:00+00:00", ["moved", None]),
        ("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T12:00:00+00:00", ["repeated", None]),
        ("0 0 * * *", "America/Sao_Paulo", "2018-11-03T12:00:00+00:00", ["moved", None]),
        ("0 * * * *", "America/New_York", "2026-11-01T04:59:00+00:00", ["repeated", "repeated", None]),
        ("0 12 30 12 *", "Pacific/Apia", "2011-12-29T12:00:00+00:00", ["moved", None]),  # a day that never was
    ],
)
def test_due_times_that_dst_moves_or_repeats_are_noted(
    schedule: str, zone: str, after: str, notes: list[str | None]
) -> None:
    parsed = Schedule.parse(schedule, zone)
    due_times = islice(parsed.due_times(datetime.fromisoformat(after)), len(notes))
    assert [(note := parsed.dst_note(due)) and note.dst for due in due_times] == notes


@pytest.mark.parametrize(
    ("schedule", "zone", "texts"),
    [
        ("*/30 2 * * *", "Europe/Berlin", ["2026-03-29 02:00 to 02:30 do not exist; it does not run then"]),
        ("*/30 2,3 * * *", "Europe/Berlin", ["2026-03-29 02:00 to 02:30 do not exist; it does not run then"]),
        ("* 2 * * 7", "Europe/Berlin", ["2026-03-29 02:00 to 02:59 do not exist; it does not run then"]),
        ("*/30 * * * *", "Europe/Berlin", []),  # its next hour follows right after the gap
        ("*/30 3 * * *", "Europe/Berlin", []),
        ("30 2 * * *", "Europe/Berlin", []),  # runs right after the gap
        ("at 2026-03-29 02:30", "Europe/Berlin", []),
        ("*/30 2 * * *", "UTC", []),
        ("*/30 2 * * *", "Australia/Lord_Howe", []),
    ],
)
def test_due_times_that_dst_skips_for_good_are_noted(schedule: str, zone: str, texts: list[str]) -> None:
    parsed = Schedule.parse(schedule, zone)
    notes = list(parsed.skipped_notes(datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 4, 20, tzinfo=UTC)))
    assert [note.text for note in notes] == texts
    end = datetime(9999, 12, 31, 12, 59, tzinfo=UTC)
    assert list(parsed.skipped_notes(end - timedelta(hours=30), end)) == []
    assert all((note.dst, note.time.isoformat()) == ("skipped", "2026-03-29T03:00:00+02:00") for note in notes)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
@pytest.mark.parametrize(
    "after", ["0001-01-01T00:00:00+00:00", "9999-12-30T12:00:00+00:00", "9999-12-31T23:59:59+00:00"]
)
def test_the_first_and_last_years_of_the_calendar_are_no_error(zone: str, after: str) -> None:
    due_times = list(islice(Schedule.parse("0 9 * * *", zone).due_times(datetime.fromisoformat(after)), 3))
    assert due_times == sorted(due_times)
    assert len(due_times) == 3 or after.startswith("9999")


FIELDS = st.one_of(
    st.just("*"),
    st.integers(0, 59).map(str),
    st.tuples(st.integers(0, 29), st.integers(30, 59)).map(lambda ends: f"{ends[0]}-{ends[1]}/7"),
    st.lists(st.integers(0, 59), min_size=2, max_size=4).map(lambda values: ",".join(map(str, values))),
)


def _in_range(text: str, low: int, high: int) -> str:
    """Fold the numbers of a field of minutes into another field's range; a range that turned round becomes a list."""
    if text == "*":
        return text
    numbers, _, step = text.partition("/")
    folded = [low + int(number) % (high - low + 1) for number in numbers.replace("-", ",").split(",")]
    if "-" in numbers and folded[0] <= folded[-1]:
        return f"{folded[0]}-{folded[-1]}" + (f"/{step}" if step else "")
    return ",".join(map(str, folded))


def _matching(text: str, low: int, high: int) -> set[int]:
    if text == "*":
        return set(range(low, high + 1))
    numbers, _, step = text.partition("/")
    if "-" in numbers:
        first_one, last_one = map(int, numbers.split("-"))
        return set(range(first_one, last_one + 1, int(step or 1)))
    return {int(number) for number in numbers.split(",")}


@settings(max_examples=40)
@given(
    zone=st.sampled_from(["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "UTC"]),
    fields=st.tuples(FIELDS, FIELDS, FIELDS, FIELDS),
    start=st.sampled_from(
        [
            datetime(2026, 3, 28, 12, tzinfo=UTC),  # DST begins in Paris
            datetime(2026, 10, 24, 12, tzinfo=UTC),  # and ends
            datetime(2026, 3, 7, 20, tzinfo=UTC),  # New York
            datetime(2026, 10, 31, 20, tzinfo=UTC),
            datetime(2026, 10, 3, 2, tzinfo=UTC),  # Lord Howe, by half an hour
            datetime(2026, 4, 4, 2, tzinfo=UTC),
            datetime(2018, 11, 3, 12, tzinfo=UTC),  # Sao Paulo, at midnight
            datetime(2028, 2, 28, 6, tzinfo=UTC),  # a leap day
            datetime(2026, 12, 31, 6, tzinfo=UTC),  # a year's end
            datetime(2026, 4, 30, 6, tzinfo=UTC),  # a month without a 31st
        ]
    ),
)
def test_any_schedule_is_due_as_an_oracle_that_checks_every_minute(
    zone: str, fields: tuple[str, str, str, str], start: datetime
) -> None:
    """The oracle knows cron(8) and zoneinfo, and nothing of cronsim."""
    minute, hour = _in_range(fields[0], 0, 59), _in_range(fields[1], 0, 23)
    day, weekday = _in_range(fields[2], 1, 31), _in_range(fields[3], 0, 6)
    # cronsim 2.8 walks hours in steps of 3,600 s and, behind a change by half an hour, comes to the first one at half past.
    assume(zone != "Australia/Lord_Howe" or minute[0] != "*" or hour[0] == "*")
    tz = ZoneInfo(zone)

    def wanted(wall: datetime) -> bool:
        days = wall.day in _matching(day, 1, 31)
        weekdays = wall.isoweekday() % 7 in _matching(weekday, 0, 6)
        either = (days or weekdays) if "*" not in (day[0], weekday[0]) else (days and weekdays)
        return wall.minute in _matching(minute, 0, 59) and wall.hour in _matching(hour, 0, 23) and either

    follows_real_time = "*" in (minute[0], hour[0])
    expected: list[datetime] = []
    done: set[datetime] = set()
    before = start.astimezone(tz).replace(tzinfo=None)
    for number in range(1, 36 * 60 + 1):
        now = (start + timedelta(minutes=number)).astimezone(tz)
        wall = now.replace(tzinfo=None)
        if follows_real_time:
            due = wanted(wall)
        else:  # every wall time once, the skipped ones right after the gap
            walls = [wall]
            while walls[-1] - timedelta(minutes=1) > before:
                walls.append(walls[-1] - timedelta(minutes=1))
            due = any(wanted(one) and one not in done for one in walls)
            done.update(walls)
        before = wall
        if due:
            expected.append(now)
    schedule = Schedule.parse(f"{minute} {hour} {day} * {weekday}", zone)
    until = start + timedelta(hours=36)
    assert list(takewhile(lambda due: due <= until, schedule.due_times(start))) == expected


@settings(max_examples=30)
@given(
    zone=st.sampled_from(["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]),
    hour=st.integers(0, 23),
    minute=st.integers(0, 59),
    start=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001 - hypothesis wants naive bounds
)
def test_a_daily_schedule_is_due_once_a_day_at_its_wall_time_or_right_after_the_gap(
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
    cron=st.sampled_from(["* * * * *", "0 9 * * 1-5", "*/7 3 * * *", "0 0 29 2 *", "30 2 * * *", "*/2 2 * 3,10 *"]),
    after=st.datetimes(datetime(2024, 1, 1), datetime(2026, 1, 1)),  # noqa: DTZ001 - hypothesis wants naive bounds
    span=st.timedeltas(timedelta(0), timedelta(days=2)),
)
@settings(max_examples=60)
def test_the_last_due_time_of_a_span_is_the_last_of_all_due_times_in_it(
    cron: str, after: datetime, span: timedelta
) -> None:
    schedule = Schedule.parse(cron, "Europe/Paris")
    after = after.replace(tzinfo=UTC)
    walked = list(takewhile(lambda due: due <= after + span, schedule.due_times(after)))
    assert schedule.last_due(after, after + span) == (walked[-1] if walked else None)


@pytest.mark.parametrize(
    "until", ["2026-02-01T00:00Z", "2026-11-26T12:00Z", "2026-01-17T03:30:30Z", "2026-12-31T23:59Z"]
)
def test_the_last_due_time_of_a_frequent_schedule_is_found_without_a_walk_of_all_of_them(until: str) -> None:
    minutes = Schedule.parse("* * * 1 *", "UTC")
    end = datetime.fromisoformat(until)
    begun = time.process_time()
    found = minutes.last_due(end - timedelta(days=700), end)
    taken = time.process_time() - begun
    january = datetime(2026, 1, 31, 23, 59, tzinfo=UTC)
    assert found == min(end, january).replace(second=0)
    # The ticker asks at each due time of a job that has other schedules too. A walk of 44,640 due times took 0.25 s.
    assert taken < scaled(0.03)
