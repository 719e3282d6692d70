"""What a user may write as a schedule and a zone, the reasons of refusals, and the description in words."""

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from itertools import islice, takewhile

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from nightmail_common.contract.schedule import Schedule, check_schedule_time
from nightmail_common.contract.schedule_syntax import ScheduleError
from nightmail_common.contract.timezones import TimezoneError, check_timezone, zone
from support.schedule_words import cron_field, reads_days, reads_times


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
        ("0 9 L-1 * *", "'L-1' is no value of it; write L for the last day of the month, LW for its last weekday"),
        ("0 9 * * L", "'L' is no value of it; write 5L for the last Friday of the month"),
        ("0 9 * * FRIL", "'FRIL' is no value of it; write 5L for the last Friday of the month"),
        ("0 9 * * FRI#6", "write 5L for the last Friday of the month, 5#3 for its third one"),
        ("0 9 * * JUL", "'JUL' is not a number from 0 to 7 or a name (SUN to SAT)"),
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


@pytest.mark.parametrize("name", ["a/" * 500 + "b", "*/" * 30_000, "x" * 65])
def test_a_long_name_of_a_time_zone_is_refused(name: str) -> None:
    with pytest.raises(TimezoneError, match=f"at most 64 characters in its name, not {len(name)}"):
        check_timezone(name)
    with pytest.raises(TimezoneError):
        zone(name)


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


@settings(max_examples=150)
@example(minute="*", hour="*", day="1W", month="*", weekday="MON", zone="UTC", start=date(2025, 1, 30))
@given(
    minute=cron_field(0, 59),
    hour=cron_field(0, 23),
    day=cron_field(1, 31, "L", "LW", "15W", "1W", "31W"),
    month=cron_field(1, 12),
    weekday=cron_field(0, 6, "5L", "1#2", "7", "MON"),
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
    plain = [due for due in due_times if schedule.dst_note(due) is None]
    times, rest = reads_times(schedule.description)
    for due in plain:
        assert (due.hour, due.minute) in times, (text, schedule.description, due)
    for plain_day in {due.date() for due in plain}:
        assert reads_days(rest, plain_day), (text, schedule.description, plain_day)
    by_day = defaultdict(list)
    for due in due_times:
        by_day[due.date()].append(due)
    plain_counts = Counter(due.date() for due in plain)
    covered = (due_times[-1] if len(due_times) == 2000 else until).astimezone(UTC).date()
    for number in range(1, (covered - start).days - 1):
        one = start + timedelta(days=number)
        if reads_days(rest, one):
            assert one in by_day, (text, schedule.description, one)
            wall = {(due.hour, due.minute) for due in by_day[one]}
            noted = plain_counts[one] < len(by_day[one])
            days = (one - timedelta(days=1), one, one + timedelta(days=1))
            offsets = {due.utcoffset() for near in days for due in by_day.get(near, [])}
            assert wall == times or noted or len(offsets) > 1, (text, schedule.description, one)
