"""A schedule as an English sentence: `At 09:00, Monday through Friday`.

The sentence is derived from the sets that cronsim evaluates, so that it agrees with the due times.
"""

from collections.abc import Sequence, Set
from itertools import pairwise

from cronsim import CronSim

from nightmail_common.contract.cron import nearest_days
from nightmail_common.contract.schedule_syntax import MONTHS, WEEKDAYS

#: More times of day are described as minutes and hours.
_MAX_TIMES = 6
#: From here on, values without a hole are a range.
_MIN_RANGE = 3
_ORDINALS = ("first", "second", "third", "fourth", "fifth")


def describe_cron(cron: CronSim) -> str:
    months = ""
    if len(cron.months) < len(MONTHS):
        months = f", only in {_ranged(sorted(cron.months), [*MONTHS], first=1)}"
    return _times(sorted(cron.minutes), sorted(cron.hours)) + _days(cron) + months


def _times(minutes: Sequence[int], hours: Sequence[int]) -> str:
    every_hour = len(hours) == 24
    if not every_hour and len(minutes) * len(hours) <= _MAX_TIMES:
        return f"At {_listed([f'{hour:02}:{minute:02}' for hour in hours for minute in minutes])}"
    if minutes == [0] and (hour_step := _whole_step(hours, 24)):
        return "Every hour" if hour_step == 1 else f"Every {hour_step} hours"
    if step := _whole_step(minutes, 60):
        text = "Every minute" if step == 1 else f"Every {step} minutes"
    else:
        text = f"At {_listed([str(minute) for minute in minutes])} minutes past the hour"
    if every_hour:
        return text
    if _is_range(hours):
        return f"{text}, between {hours[0]:02}:00 and {hours[-1]:02}:59"
    return f"{text}, in the hours that begin at {_listed([f'{hour:02}:00' for hour in hours])}"


def _whole_step(values: Sequence[int], size: int) -> int | None:
    """Return the distance of values that are evenly spaced from 0, also across the end; None for others."""
    step = size // len(values)
    return step if len(values) > 1 and list(values) == list(range(0, size, step)) and size % step == 0 else None


def _days(cron: CronSim) -> str:
    weekdays = {day % 7 for day in cron.weekdays if isinstance(day, int)}
    every_day = set(range(1, 32)) <= set(cron.days)
    every_weekday = len(weekdays) == 7
    if (every_day and every_weekday) or (not cron.day_and and (every_day or every_weekday)):
        return ""
    month_days = _month_days(cron)
    week_days = _week_days(weekdays, {day for day in cron.weekdays if isinstance(day, tuple)})
    if every_day:
        return f", {week_days}" if " through " in week_days else f", only {week_days}"
    if every_weekday:
        return f", {month_days}"
    return f", {month_days}, {'and only' if cron.day_and else 'or'} {week_days}"


def _month_days(cron: CronSim) -> str:
    days = sorted(day for day in cron.days if day > 0)
    parts = []
    if days:
        parts.append(
            f"{'day' if len(days) == 1 else 'days'} {_ranged(days, [str(day) for day in range(1, 32)], first=1)}"
        )
    parts += [f"the weekday nearest to day {day}" for day in sorted(nearest_days(cron))]
    if CronSim.LAST in cron.days:
        parts.append("the last day")
    if CronSim.LAST_WEEKDAY in cron.days:
        parts.append("the last weekday")
    return f"on {_listed(parts)} of the month"


def _week_days(weekdays: Set[int], of_month: Set[tuple[int, int]]) -> str:
    from_monday = sorted((day - 1) % 7 for day in weekdays)
    names = WEEKDAYS[1:]
    if _is_range(from_monday) and not of_month:
        return _ranged(from_monday, names, first=0)
    parts = [names[day] for day in from_monday]
    for weekday, number in sorted(of_month):
        ordinal = "last" if number == CronSim.LAST else _ORDINALS[number - 1]
        parts.append(f"the {ordinal} {WEEKDAYS[weekday]} of the month")
    return f"on {_listed(parts)}"


def _is_range(values: Sequence[int]) -> bool:
    return len(values) >= _MIN_RANGE and all(after == before + 1 for before, after in pairwise(values))


def _ranged(values: Sequence[int], names: Sequence[str], *, first: int) -> str:
    if _is_range(values):
        return f"{names[values[0] - first]} through {names[values[-1] - first]}"
    return _listed([names[value - first] for value in values])


def _listed(parts: Sequence[str]) -> str:
    return " and ".join((", ".join(parts[:-1]), parts[-1])) if len(parts) > 1 else parts[0]
