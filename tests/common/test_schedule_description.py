"""What a user may write as a schedule and a zone, the reasons of refusals, and the description in words."""

import calendar
import re
from datetime import UTC, date, datetime, timedelta
from itertools import islice, takewhile

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from nightmail_common.contract.schedule import (
    Schedule,
    ScheduleError,
    TimezoneError,
    check_schedule_time,
    check_timezone,
)


@pytest.mark.parametrize(
    ("schedule", "reason"),
    [
        ("*/90 * * * *", "a step of 90 is larger than the field (0-59)"),
        ("0 */25 * * *", "a step of 25 is larger than the field (0-23)"),
        ("0 9 * * FRI-MON", "runs backwards; write FRI,SAT,SUN,MON"),
        ("0 9 * * fri-sun", "runs backwards; write FRI,SAT,SUN"),
        ("0 9 * * 6-2", "runs backwards; write 6,0,1,2"),
        ("0 22-2 * * *", "runs backwards; write 22,23,0,1,2"),
        ("50-10 * * * *", "runs backwards; write 50-59,0-10"),
        ("0 9 * NOV-FEB *", "runs backwards; write NOV,DEC,JAN,FEB"),
        ("0 9 * 11-2/2 *", "runs backwards; write 11,1"),
        ("0 0 30 2 *", "30 February never comes"),
        ("0 0 31 4,6 *", "31 April and 31 June never come"),
        ("0 0 31W 2 *", "never comes"),
        ("60 9 * * *", "bad value for minute: 60 is not from 0 to 59"),
        ("0 9 * * MONDAY", "bad value for day-of-week: 'MONDAY'"),
        ("0 9 32W * *", "bad value for day-of-month: '32W'"),
        ("0 9 L/2 * *", "a step goes with * or a range"),
        ("0/0 9 * * *", "a step is a whole number from 1"),
        ("at 2026-02-30 09:00", "write it as at 2026-12-01 09:00"),
        ("@never", "is not one of @hourly"),
    ],
)
def test_a_schedule_that_is_refused_has_the_reason(schedule: str, reason: str) -> None:
    with pytest.raises(ScheduleError) as refused:
        check_schedule_time(schedule)
    assert reason in str(refused.value)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("europe/paris", "did you mean Europe/Paris?"),
        ("Paris", "did you mean Europe/Paris?"),
        ("new york", "did you mean America/New_York?"),
        ("Europe/Pris", "did you mean Europe/Paris?"),
        *((name, "not an IANA time zone") for name in ("Factory", "localtime", "posixrules", "right/UTC", "posix/UTC")),
    ],
)
def test_a_zone_that_is_refused_has_the_nearest_name(name: str, reason: str) -> None:
    with pytest.raises(TimezoneError) as refused:
        check_timezone(name)
    assert reason in str(refused.value)


def test_spaces_around_a_schedule_and_a_zone_are_ignored() -> None:
    assert (check_schedule_time(" 0 9 * * * "), check_timezone("Europe/Paris ")) == ("0 9 * * *", "Europe/Paris")


def test_a_stored_schedule_that_would_be_refused_today_is_readable() -> None:
    schedule = Schedule.parse("*/90 * * * *", "UTC")
    assert schedule.description == "Every hour"


@pytest.mark.parametrize(
    ("schedule", "description"),
    [
        ("0 9 * * 1-5", "At 09:00, Monday through Friday"),
        ("0 9,17 * * *", "At 09:00 and 17:00"),
        ("0 9 * * 5-7,1", "At 09:00, only on Monday, Friday, Saturday and Sunday"),
        ("0 0 */10 * 1", "At 00:00, on days 1, 11, 21 and 31 of the month, and only on Monday"),
        ("0 0 13 * 5", "At 00:00, on day 13 of the month, or on Friday"),
        ("0 0 l * *", "At 00:00, on the last day of the month"),
        ("0 9 1,15w,LW * *", "At 09:00, on day 1, the weekday nearest to day 15 and the last weekday of the month"),
        ("0 9 * * 5L", "At 09:00, only on the last Friday of the month"),
        ("0 9 * * 5#3", "At 09:00, only on the third Friday of the month"),
        ("*/15 * * * *", "Every 15 minutes"),
        ("*/7 9-17 * * *", "At 0, 7, 14, 21, 28, 35, 42, 49 and 56 minutes past the hour, between 09:00 and 17:59"),
        ("@yearly", "At 00:00, on day 1 of the month, only in January"),
        ("@midnight", "At 00:00"),
        ("at 2026-12-01 9:00", "Once, at 2026-12-01 09:00"),
    ],
)
def test_the_description_of_a_schedule(schedule: str, description: str) -> None:
    assert Schedule.parse(check_schedule_time(schedule), "UTC").description == description


def test_equivalent_aliases_are_the_same_schedule() -> None:
    assert Schedule.parse("@annually", "UTC") == Schedule.parse("@yearly", "UTC") == Schedule.parse("0 0 1 1 *", "UTC")
    assert Schedule.parse("@midnight", "UTC") == Schedule.parse("@daily", "UTC")


@pytest.mark.parametrize(
    ("schedule", "zone", "due"),
    [
        ("at 2026-12-01 09:00", "Europe/Paris", "2026-12-01T09:00:00+01:00"),
        ("at 2027-03-28 02:30", "Europe/Paris", "2027-03-28T03:00:00+02:00"),  # right after the gap
        ("at 2027-10-31 02:30", "Europe/Paris", "2027-10-31T02:30:00+02:00"),  # the first time
    ],
)
def test_a_date_and_time_is_due_once(schedule: str, zone: str, due: str) -> None:
    parsed = Schedule.parse(schedule, zone)
    [moment] = parsed.due_times(datetime(2026, 1, 1, tzinfo=UTC))
    assert moment.isoformat() == due
    assert parsed.next_due(moment) is None
    last = parsed.last_due(datetime(2026, 1, 1, tzinfo=UTC), moment + timedelta(days=900))
    assert (last and last.isoformat()) == due
    note = parsed.dst_note(moment)
    assert (note and note.dst) == {"03:00:00": "moved", "02:30:00": "repeated"}.get(due[11:19])


def test_a_date_and_time_in_the_past_is_never_due() -> None:
    with pytest.raises(ScheduleError, match="has passed"):
        Schedule.parse("at 2026-01-01 09:00", "UTC").check_not_passed(datetime(2026, 1, 1, 9, tzinfo=UTC))


@pytest.mark.parametrize(
    ("schedule", "days"),
    [
        # 15 August 2026 is a Saturday, 15 November a Sunday.
        ("0 9 15W * *", ["2026-08-14", "2026-09-15", "2026-10-15", "2026-11-16"]),
        # 1 August 2026 is a Saturday, 1 November a Sunday: it stays in its month.
        ("0 9 1W * *", ["2026-08-03", "2026-09-01", "2026-10-01", "2026-11-02"]),
        # 31 October 2026 is a Saturday, 31 January 2027 a Sunday; September and November have no 31st.
        ("0 9 31W * *", ["2026-08-31", "2026-10-30", "2026-12-31", "2027-01-29"]),
        ("0 9 15W * MON", ["2026-08-03", "2026-08-10", "2026-08-14", "2026-08-17"]),
    ],
)
def test_the_weekday_nearest_to_a_day_of_the_month(schedule: str, days: list[str]) -> None:
    due_times = Schedule.parse(check_schedule_time(schedule), "UTC").due_times(datetime(2026, 8, 1, tzinfo=UTC))
    assert [due.date().isoformat() for due in islice(due_times, len(days))] == days


WEEKDAYS = list(calendar.day_name)
MONTHS = list(calendar.month_name)
ORDINALS = ("first", "second", "third", "fourth", "fifth")


def _items(text: str, names: list[str]) -> set[int]:
    """Read `Monday through Friday` or `day 1, 11 and 21` as indexes of the names."""
    numbers = {name: number for number, name in enumerate(names)}
    if match := re.fullmatch(r"(\w+) through (\w+)", text):
        return set(range(numbers[match[1]], numbers[match[2]] + 1))
    return {numbers[item] for item in re.split(r", | and ", text)}


def _reads_times(text: str) -> tuple[set[tuple[int, int]], str]:
    """Return the times of day that a description's beginning names, and the rest."""
    hours = set(range(24))
    if match := re.match(r"At ((?:\d\d:\d\d(?:, | and )?)+)(?=,|$)", text):
        times = {(int(at[:2]), int(at[3:])) for at in re.findall(r"\d\d:\d\d", match[1])}
        return times, text[match.end() :]
    if match := re.match(r"Every (?:(\d+) )?hours?", text):
        return {(hour, 0) for hour in range(0, 24, int(match[1] or 1))}, text[match.end() :]
    if match := re.match(r"Every (?:(\d+) )?minutes?", text):
        minutes = set(range(0, 60, int(match[1] or 1)))
    else:
        match = re.match(r"At ([\d, and]+) minutes past the hour", text)
        assert match is not None, text
        minutes = {int(minute) for minute in re.findall(r"\d+", match[1])}
    rest = text[match.end() :]
    if match := re.match(r", between (\d\d):00 and (\d\d):59", rest):
        hours = set(range(int(match[1]), int(match[2]) + 1))
        rest = rest[match.end() :]
    elif match := re.match(r", in the hours that begin at ((?:\d\d:00(?:, | and )?)+)(?=,|$)", rest):
        hours = {int(hour) for hour in re.findall(r"(\d\d):00", match[1])}
        rest = rest[match.end() :]
    return {(hour, minute) for hour in hours for minute in minutes}, rest


def _month_day(text: str, day: date) -> bool:
    length = calendar.monthrange(day.year, day.month)[1]
    workdays = [number for number in range(1, length + 1) if day.replace(day=number).weekday() < 5]
    match = re.search(r"days? ([\d, through and]*\d)", text)
    if match is not None and day.day in _items(match[1].strip(), [str(number) for number in range(32)]):
        return True
    for match in re.finditer(r"nearest to day (\d+)", text):
        if int(match[1]) <= length and day.day == min(workdays, key=lambda number: abs(number - int(match[1]))):
            return True
    return ("last day" in text and day.day == length) or ("last weekday" in text and day.day == workdays[-1])


def _week_day(text: str, day: date) -> bool:
    for match in re.finditer(r"the (\w+) (\w+) of the month", text):
        last = match[1] == "last" and (day + timedelta(days=7)).month != day.month
        nth = match[1] in ORDINALS and (day.day - 1) // 7 == ORDINALS.index(match[1])
        if WEEKDAYS[day.weekday()] == match[2] and (last or nth):
            return True
    plain = re.sub(r"(, | and )?the \w+ \w+ of the month", "", text)
    names = [name for name in re.split(r", | and ", plain) if name]
    return any(day.weekday() in _items(name, WEEKDAYS) for name in names)


def _reads_days(text: str, day: date) -> bool:
    """Say whether a day is one of those that the rest of a description names."""
    if match := re.search(r", only in (.*)$", text):
        if day.month not in _items(match[1], MONTHS):
            return False
        text = text[: match.start()]
    if not text:
        return True
    match = re.fullmatch(
        r"(?:, on (?P<days>(?:day|the (?:last day|last weekday|weekday)).*? of the month))?"
        r"(?P<link>, and only|, or|, only|,)?(?: on)?(?: (?P<weekdays>.+))?",
        text,
    )
    assert match is not None, text
    parts = []
    if match["days"]:
        parts.append(_month_day(match["days"], day))
    if match["weekdays"]:
        parts.append(_week_day(match["weekdays"], day))
    return any(parts) if match["link"] == ", or" else all(parts)


def _field(low: int, high: int, *special: str) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    step = st.integers(1, high - low + 1 if low else high)
    pair = st.lists(number, min_size=2, max_size=2).map(sorted)
    term = st.one_of(
        number.map(str),
        pair.map(lambda ends: f"{ends[0]}-{ends[1]}"),
        st.tuples(pair, step).map(lambda one: f"{one[0][0]}-{one[0][1]}/{one[1]}"),
        *([st.sampled_from(special)] if special else []),
    )
    return st.one_of(
        st.just("*"), step.map(lambda size: f"*/{size}"), st.lists(term, min_size=1, max_size=4).map(",".join)
    )


@settings(max_examples=150, deadline=None)
@given(
    minute=_field(0, 59),
    hour=_field(0, 23),
    day=_field(1, 31, "L", "LW", "15W", "1W", "31W"),
    month=_field(1, 12),
    weekday=_field(0, 6, "5L", "1#2", "7", "MON"),
    zone=st.sampled_from(["UTC", "Europe/Paris", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"]),
    start=st.dates(date(2024, 1, 1), date(2030, 1, 1)),
)
def test_the_description_agrees_with_the_due_times(
    minute: str, hour: str, day: str, month: str, weekday: str, zone: str, start: date
) -> None:
    """The oracle reads the sentence, and knows neither the expression nor cronsim."""
    text = f"{minute} {hour} {day} {month} {weekday}"
    try:
        schedule = Schedule.parse(check_schedule_time(text), zone)
    except ScheduleError as error:
        assume("never come" not in str(error))
        raise
    after = datetime(start.year, start.month, start.day, tzinfo=UTC)
    until = after + timedelta(days=45)
    due_times = list(takewhile(lambda due: due <= until, islice(schedule.due_times(after), 2000)))
    times, rest = _reads_times(schedule.description)
    for due in due_times:
        if schedule.dst_note(due) is None:
            assert (due.hour, due.minute) in times, (text, schedule.description, due)
            assert _reads_days(rest, due.date()), (text, schedule.description, due)
    covered = (due_times[-1] if len(due_times) == 2000 else until).astimezone(UTC).date()
    actual = {due.date() for due in due_times}
    for number in range(1, (covered - start).days - 1):
        one = start + timedelta(days=number)
        if _reads_days(rest, one):
            assert one in actual, (text, schedule.description, one)
            wall = {(due.hour, due.minute) for due in due_times if due.date() == one}
            noted = any(schedule.dst_note(due) for due in due_times if due.date() == one)
            offsets = {due.utcoffset() for due in due_times if abs((due.date() - one).days) <= 1}
            assert wall == times or noted or len(offsets) > 1, (text, schedule.description, one)
