"""Public holidays and business days, from the `holidays` library (https://holidays.readthedocs.io).

The library is imported when the first calendar is used: it takes 10 MB and 50 ms that jobs without one do not need.
"""

import difflib
import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from holidays import HolidayBase

#: `skip`: no run on a holiday. The others move what is not on a business day to the next or the previous business day.
OnHoliday = Literal["skip", "next_business_day", "previous_business_day"]

_DAY = timedelta(days=1)
_OWN_DAY = "a day off of the job"


class CalendarError(ValueError):
    """The library has no such country or subdivision; the message has the nearest name if there is one."""


@dataclass(frozen=True, slots=True)
class BusinessCalendar:
    """The days off of a country or of one of its subdivisions, and more days of the job's own.

    Without a country the weekend is Saturday and Sunday, and only `days` are holidays. A year for which the library has no data
    has the weekend and `days` only.
    """

    country: str | None
    subdivision: str | None
    days: tuple[date, ...]
    on_holiday: OnHoliday

    @property
    def moves(self) -> bool:
        """Whether due times move to business days; otherwise those on holidays are skipped."""
        return self.on_holiday != "skip"

    @property
    def place(self) -> str | None:
        """The country in words: `Germany (BY)`."""
        if self.country is None:
            return None
        name = _country_names()[self.country]
        return name if self.subdivision is None else f"{name} ({self.subdivision})"

    def holiday(self, day: date) -> str | None:
        """Return the name of the holiday on a day; None if it is none. A weekend is no holiday."""
        name = None if self.country is None else _year_of(self.country, self.subdivision, day.year).get(day)
        return str(name) if name is not None else (_OWN_DAY if day in self.days else None)

    def is_business_day(self, day: date) -> bool:
        if day in self.days:
            return False
        if self.country is None:
            return day.isoweekday() < 6
        # Knows of weekends that were worked in exchange for a holiday, too.
        return _year_of(self.country, self.subdivision, day.year).is_working_day(day)

    def business_day_of(self, day: date) -> date:
        """Return the day itself if it is a business day, or else the next or the previous business day."""
        step = _DAY if self.on_holiday == "next_business_day" else -_DAY
        while not self.is_business_day(day):
            day += step
        return day

    def days_moved_to(self, day: date) -> tuple[date, date]:
        """Return the first and the last of the days whose due times a business day has: its own, and the days off next to it."""
        first = last = day
        if self.on_holiday == "next_business_day":
            while not self.is_business_day(first - _DAY):
                first -= _DAY
        else:
            while not self.is_business_day(last + _DAY):
                last += _DAY
        return first, last


def check_country(country: str) -> str:
    """Return a country's code (ISO 3166-1 alpha-2), without the spaces around it.

    Raises:
        CalendarError: the library does not know it.
    """
    country = country.strip()
    names = _country_names()
    if country not in names:
        nearest = _nearest(country, _codes_by_name())
        hint = f"; did you mean {nearest} ({names[nearest]})?" if nearest else " such as 'DE' (ISO 3166-1 alpha-2)"
        raise CalendarError(f"{country!r} is not the code of a country whose holidays are known{hint}")
    return country


def check_subdivision(country: str, subdivision: str) -> str:
    """Return the code of a part of a country (ISO 3166-2 without the country), without the spaces around it.

    Raises:
        CalendarError: the library does not know it.
    """
    subdivision = subdivision.strip()
    entity = _year_of(country, None, None)
    if subdivision not in entity.subdivisions:
        codes = {code.casefold(): code for code in entity.subdivisions}
        aliases = {name.casefold(): code for name, code in entity.subdivisions_aliases.items()}
        nearest = _nearest(subdivision, aliases | codes)
        known = (
            f" such as {entity.subdivisions[0]!r}"
            if entity.subdivisions
            else ", of whose parts none has its own holidays"
        )
        hint = f"; did you mean {nearest}?" if nearest else known
        raise CalendarError(f"{subdivision!r} is not the code of a subdivision of {country}{hint}")
    return subdivision


def _nearest(text: str, codes: dict[str, str]) -> str | None:
    wanted = text.casefold()
    names = [name for name in codes if len(name) > 3]  # a code of two letters resembles many others
    similar = difflib.get_close_matches(wanted, names, n=1, cutoff=0.75)
    return codes.get(wanted) or (codes[similar[0]] if similar else None)


@lru_cache(maxsize=1)
def _country_names() -> dict[str, str]:
    from holidays.registry import COUNTRIES  # see the module's docstring

    # Each has the name of its class, `UnitedStates`, and its codes, `US` and `USA`.
    return {code: re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name) for name, code, *_ in COUNTRIES.values()}


def _codes_by_name() -> dict[str, str]:
    from holidays.registry import COUNTRIES  # see the module's docstring

    names = {name.casefold(): code for code, name in _country_names().items()}
    return names | {one.casefold(): code for _, code, *others in COUNTRIES.values() for one in (code, *others)}


# One object for each year: the library fills an object that has several when it is asked, which two threads must not do.
@lru_cache(maxsize=512)
def _year_of(country: str, subdivision: str | None, year: int | None) -> "HolidayBase":
    from holidays import country_holidays  # see the module's docstring

    entity = country_holidays(country, subdiv=subdivision, expand=False)
    if year is None or not entity.start_year <= year <= entity.end_year:
        return entity
    language = "en_US" if "en_US" in entity.supported_languages else None
    return country_holidays(country, subdiv=subdivision, years=year, expand=False, language=language)
