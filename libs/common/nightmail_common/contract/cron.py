"""Cron expressions that cronsim evaluates, with `15W`: the weekday nearest to a day of the month.

`15W` stays in its month, as in Quartz's CronTrigger: 1W is Monday the 3rd when the 1st is a Saturday, and a month
without a 31st has no 31W.
"""

import calendar
import re
from datetime import date, datetime

from cronsim import CronSim

_NEAREST = re.compile(r"(\d+)W", re.IGNORECASE)
#: Stands in for the terms that cronsim does not know, until its set of days is replaced.
_PLACEHOLDER = "L"


def evaluate(cron: str, after: datetime) -> CronSim:
    """Return the iterator over an expression's times strictly after a moment.

    Raises:
        CronSimError: an expression is malformed, or names a day that none of its months has.
    """
    return _NearestWeekdayCron(cron, after) if _NEAREST.search(cron) else CronSim(cron, after)


def nearest_days(cron: CronSim) -> frozenset[int]:
    """Return the days of the month whose nearest weekday an expression names."""
    return cron.nearest if isinstance(cron, _NearestWeekdayCron) else frozenset()


class _NearestWeekdayCron(CronSim):
    def __init__(self, cron: str, after: datetime) -> None:
        minute, hour, days, month, weekday = cron.split()
        terms = days.split(",")
        self.nearest = frozenset(int(match[1]) for term in terms if (match := _NEAREST.fullmatch(term)))
        others = ",".join(term for term in terms if not _NEAREST.fullmatch(term))
        super().__init__(f"{minute} {hour} {others or _PLACEHOLDER} {month} {weekday}", after)
        if not others:
            self.days = set()

    def match_dom(self, d: date) -> bool:
        return super().match_dom(d) or any(_nearest_weekday(d, day) == d.day for day in self.nearest)


def _nearest_weekday(month: date, day: int) -> int | None:
    """Return the day of that month, Monday to Friday, that is nearest to a day; None if the month has no such day."""
    last = calendar.monthrange(month.year, month.month)[1]
    if day > last:
        return None
    match month.replace(day=day).isoweekday():
        case 6:
            return day - 1 if day > 1 else 3
        case 7:
            return day + 1 if day < last else day - 2
        case _:
            return day
