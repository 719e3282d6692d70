"""The check of a schedule's text, with a reason for each fault. Source: crontab(5) of Debian.

`Schedule.parse` reads every schedule in the log; this module decides which ones a user may write.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
#: Follows `neither`.
FORMS = (
    "five cron fields (minute hour day-of-month month day-of-week) nor a time of day (HH:MM) nor a date and time"
    f" (at 2026-12-01 09:00) nor one of {', '.join(ALIASES)}"
)

#: A longer list is shown as ranges.
_MAX_LISTED = 7
_DAYS_IN_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class ScheduleError(ValueError):
    """The text is not a schedule, or a schedule that is never due; the message names the wrong part and why."""


@dataclass(frozen=True)
class _Field:
    name: str
    first: int
    last: int
    names: tuple[str, ...] = ()
    #: What else stands for a value.
    special: str = r"(?!)"
    #: What a misspelling of a special value has in it, and the right spelling.
    misspelt: str = r"(?!)"
    spelling: str = ""

    @property
    def size(self) -> int:
        return self.last - self.first + (1 if self.name != "day-of-week" else 0)  # 0 and 7 are one day

    def number(self, text: str) -> int:
        if text in self.names:
            return self.first + self.names.index(text)
        if not (text.isascii() and text.isdigit()):
            names = f" or a name ({self.names[0]} to {self.names[-1]})" if self.names else ""
            raise ScheduleError(
                f"bad value for {self.name}: {text!r} is not a number from {self.first} to {self.last}{names}"
            )
        if not self.first <= int(text) <= self.last:
            raise ScheduleError(f"bad value for {self.name}: {text} is not from {self.first} to {self.last}")
        return int(text)

    def values(self, term: str) -> list[int]:
        """Return the values of one term of a list, in order; none for a special term such as `L`.

        Raises:
            ScheduleError: the term is malformed.
        """
        base, slash, step_text = term.partition("/")
        if re.fullmatch(self.special, base):
            if slash:
                raise ScheduleError(f"{self.name} {term!r}: a step goes with * or a range")
            return []
        if re.search(self.misspelt, base):
            raise ScheduleError(f"bad value for {self.name}: {term!r} is no value of it; {self.spelling}")
        step = self._step(step_text) if slash else 1
        if base == "*":
            return list(range(self.first, self.last + 1, step))
        low, dash, high = base.partition("-")
        start = self.number(low)
        end = self.number(high) if dash else (self.last if slash else start)
        if end < start:
            raise ScheduleError(f"{self.name} {term!r} runs backwards; write {self._wrapped(start, end, step, low)}")
        return list(range(start, end + 1, step))

    def _step(self, text: str) -> int:
        if not (text.isascii() and text.isdigit()) or int(text) == 0:
            raise ScheduleError(f"{self.name}: {text!r} is not a step; a step is a whole number from 1")
        if int(text) > self.size:
            raise ScheduleError(
                f"{self.name}: a step of {text} is larger than the field ({self.first}-{self.last});"
                f" cron counts from {self.first} again in each round"
            )
        return int(text)

    def _wrapped(self, start: int, end: int, step: int, low: str) -> str:
        size = self.size
        count = (end - start) % size // step + 1
        values = [self.first + (start - self.first + number * step) % size for number in range(count)]
        if count > _MAX_LISTED and step == 1:
            return f"{start}-{self.last},{self.first}-{end}"
        return ",".join(self.names[value - self.first] if low in self.names else str(value) for value in values)


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field(
        "day-of-month",
        1,
        31,
        special=r"L|LW|0*([1-9]|[12]\d|3[01])W",
        misspelt=r"^L|W$|L-|\dW",
        spelling="write L for the last day of the month, LW for its last weekday, 15W for the weekday nearest to the 15th;"
        " a day counted from the end, or a range with one of these, cannot be written",
    ),
    _Field("month", 1, 12, tuple(month[:3].upper() for month in MONTHS)),
    _Field(
        "day-of-week",
        0,
        7,
        tuple(day[:3].upper() for day in WEEKDAYS[:7]),
        special=r"[0-7]L|([0-7]|[A-Z]{3})#[1-5]",
        misspelt=r"^L$|\b([0-7]|SUN|MON|TUE|WED|THU|FRI|SAT)L$|#",
        spelling="write 5L for the last Friday of the month, 5#3 for its third one",
    ),
)


def check_cron(text: str) -> None:
    """Check five cron fields.

    Raises:
        ScheduleError: a field is malformed, runs backwards or steps over itself, or the date never comes.
    """
    fields = text.upper().split()
    values = []
    for field, field_text in zip(_FIELDS, fields, strict=True):
        terms = field_text.split(",")
        values.append([field.values(term) for term in terms])
    for term in fields[4].split(","):
        if "#" in term:
            _FIELDS[4].number(term.partition("#")[0])
    days_and_weekdays = fields[2].startswith("*") or fields[4].startswith("*")
    if days_and_weekdays and all(values[2]):
        _check_dates([day for term in values[2] for day in term], [month for term in values[3] for month in term])


def _check_dates(days: Sequence[int], months: Sequence[int]) -> None:
    if any(day <= _DAYS_IN_MONTH[month - 1] for day in days for month in months):
        return
    dates = [f"{day} {MONTHS[month - 1]}" for month in sorted(set(months)) for day in sorted(set(days))]
    raise ScheduleError(f"{' and '.join(dates)} never {'comes' if len(dates) == 1 else 'come'}")
