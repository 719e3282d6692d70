"""Columns that are declared as dates or as times: each value is written in ISO 8601, or the column is refused."""

from collections.abc import Callable
from typing import Any, cast

import pandas
import pyarrow
import pyarrow.compute

#: No calendar has a year 0.
_YEAR = "(?:[1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])"
#: A date, perhaps with a time of at most nine decimals, perhaps with an offset. pandas also reads words such as `now` and `NaT`,
#: a lone year, and drops the decimals behind the ninth.
_TIME = (
    rf"^ *(?:{_YEAR}-[0-9]{{2}}-[0-9]{{2}}|{_YEAR}[0-9]{{4}})"
    r"(?:[T ][0-9:]+(?:\.[0-9]{1,9}0*)?(?: ?(?:Z|[+-][0-9:]+))?)? *$"
)
_MIDNIGHT = r"^ *([0-9-]+)(?:[T ]00:00(?::00(?:\.0+)?)?)? *$"
_BASIC_DATE = "^([0-9]{4})([0-9]{2})([0-9]{2})$"
#: The end of a time that has an offset from UTC.
_OFFSET = r"(Z|[T ].*[+-][0-9:]+) *$"
_WITHOUT_OFFSET = (
    "it has no offset from UTC, but the values before it have one; correct it at its source, or declare text, and "
    "convert it in the script"
)
_WITH_OFFSET = (
    "it has an offset from UTC, but the values before it have none; correct it at its source, or declare text, and "
    "convert it in the script"
)
_NOT_BESIDE_NANOSECONDS = (
    "a column with nanoseconds keeps only the years 1678 to 2261; declare text, and convert it in the script"
)


class NotOfType(Exception):
    """A value is not of its column's declared type. `row` counts from 0; `why` adds a reason to the expected type."""

    def __init__(self, row: int, value: str, why: str | None = None) -> None:
        super().__init__(value)
        self.row = row
        self.value = value
        self.why = why


def to_dates(texts: Any) -> Any:
    """Return texts such as `2026-01-31` as dates.

    Raises:
        NotOfType: a value is no date.
    """
    try:
        days = _parse_dates(texts)
    except ValueError:
        raise _first_refused(texts, _parse_dates) from None
    return pandas.array(cast("Any", pyarrow.compute.cast(days, pyarrow.timestamp("s"))).to_numpy())


def to_datetimes(texts: Any) -> Any:
    """Return texts such as `2026-01-31T09:30:00` as times; in UTC if their offsets differ.

    Raises:
        NotOfType: a value is no time, or some have an offset from UTC and others have none.
    """
    _check_pattern(texts)
    try:
        return _parse_datetimes(texts)
    except ValueError:
        _check_offsets(texts)
    try:
        return _parse_datetimes(texts, utc=True)
    except pandas.errors.OutOfBoundsDatetime:
        raise _first_refused(texts, _parse_nanoseconds, _NOT_BESIDE_NANOSECONDS) from None
    except ValueError:
        raise _first_refused(texts, lambda some: _parse_datetimes(some, utc=True)) from None


def _check_pattern(texts: Any) -> None:
    matches: Any = pyarrow.compute.match_substring_regex(texts, _TIME)
    if (row := pyarrow.compute.index(matches, False).as_py()) >= 0:
        raise NotOfType(row, texts[row].as_py())


def _check_offsets(texts: Any) -> None:
    has_offset: Any = pyarrow.compute.match_substring_regex(texts, _OFFSET)
    without, with_offset = (pyarrow.compute.index(has_offset, kind).as_py() for kind in (False, True))
    if without >= 0 and with_offset >= 0:
        row = max(without, with_offset)
        raise NotOfType(row, texts[row].as_py(), _WITH_OFFSET if row == with_offset else _WITHOUT_OFFSET)


def _parse_dates(texts: Any) -> Any:
    """Return texts as days. Spaces around a date and a midnight after it, as programs write them, are ignored."""
    texts = pyarrow.compute.replace_substring_regex(texts, _MIDNIGHT, r"\1")
    texts = pyarrow.compute.replace_substring_regex(texts, _BASIC_DATE, r"\1-\2-\3")
    days: Any = pyarrow.compute.cast(texts, pyarrow.date32())
    if pyarrow.compute.any(pyarrow.compute.starts_with(texts, "0000")).as_py():
        raise ValueError("no calendar has a year 0")
    return days


def _parse_datetimes(texts: Any, *, utc: bool = False) -> Any:
    return pandas.to_datetime(pandas.Series(texts.to_pylist(), dtype="str"), format="ISO8601", utc=utc).array


def _parse_nanoseconds(texts: Any) -> Any:
    return _parse_datetimes(texts, utc=True).as_unit("ns")


def _first_refused(texts: Any, parse: Callable[[Any], Any], why: str | None = None) -> NotOfType:
    """Return an error that names the first value that cannot be parsed, of texts of which at least one cannot.

    Half after half is parsed: pandas takes 100 times as long for single values as for a column of them.
    """
    first, count = 0, len(texts)
    while count > 1:
        half = count // 2
        try:
            parse(texts.slice(first, half))
        except ValueError:
            count = half
        else:
            first, count = first + half, count - half
    return NotOfType(first, texts[first].as_py(), why)
