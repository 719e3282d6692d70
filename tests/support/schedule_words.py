"""Reads the description of a schedule; it knows neither the cron expression nor cronsim."""

import calendar
import re
from datetime import date, timedelta

from hypothesis import strategies as st

WEEKDAYS = list(calendar.day_name)
MONTHS = list(calendar.month_name)
ORDINALS = ("first", "second", "third", "fourth", "fifth")


def _items(text: str, names: list[str]) -> set[int]:
    """Read `Monday through Friday` or `day 1, 11 and 21` as indexes of the names."""
    numbers = {name: number for number, name in enumerate(names)}
    if match := re.fullmatch(r"(\w+) through (\w+)", text):
        return set(range(numbers[match[1]], numbers[match[2]] + 1))
    return {numbers[item] for item in re.split(r", | and ", text)}


def reads_times(text: str) -> tuple[set[tuple[int, int]], str]:
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
    match = re.search(r"(?<!nearest to )days? ([\d, through and]*\d)", text)
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


def reads_days(text: str, day: date) -> bool:
    """Return whether a day is one of those that the rest of a description names."""
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


def cron_field(low: int, high: int, *special: str) -> st.SearchStrategy[str]:
    """Return a strategy for one field of a cron expression."""
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


def cron_expressions() -> st.SearchStrategy[str]:
    """Return a strategy for five cron fields; the date of some never comes."""
    return st.tuples(
        cron_field(0, 59),
        cron_field(0, 23),
        cron_field(1, 31, "L", "LW", "15W", "1W", "31W"),
        cron_field(1, 12),
        cron_field(0, 6, "5L", "1#2", "7", "MON"),
    ).map(" ".join)


def wall_times_on(description: str, day: date) -> set[tuple[int, int]]:
    """Return hours and minutes on a day that the description of one schedule names."""
    times, rest = reads_times(description)
    return times if reads_days(rest, day) else set()
