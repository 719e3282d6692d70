"""The names of columns: never empty, each once."""

import re
import string
from collections.abc import Callable
from typing import Any

import numpy
import pandas

from nightmail_runner.parsing.error_text import shorten

#: Characters without width, and marks of the direction of text.
_UNSEEN = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
_UNUSUAL_SPACES = re.compile(f"[{_UNSEEN}\u00a0\u2007\u2009\u202f]")
#: The mark of UTF-8 as a program shows it that reads cp1252.
_MARK_READ_WRONGLY = "\u00ef\u00bb\u00bf"
_NUMBER = re.compile(r"-?[0-9]+([.,][0-9]+)*")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].*)?|[0-9]{1,2}([./])[0-9]{1,2}\2[0-9]{4}")
#: A pivot's columns have them.
_YEAR = re.compile(r"(19|20)[0-9]{2}")


def name_columns(fields: list[str], notes: list[str], place: str) -> list[str]:
    """Return unique names for the columns, as pandas makes them unique; what was changed is a note.

    Args:
        place: where the header stands in the user's file: `line 1`.
    """
    names: list[str] = []
    taken: set[str] = set()
    numbers: dict[str, int] = {}  # the last one of each name: a header may have one name 16,000 times
    for position, name in enumerate(fields):
        own = name.removeprefix(_MARK_READ_WRONGLY).strip(f"{_UNSEEN}{string.whitespace}\u00a0").strip()
        if not own:
            own = f"Unnamed: {position}"
            notes.append(f"{place}: column {position + 1} has no name; it is {own!r} here")
        elif own != name:
            what = "spaces" if own == name.strip() else "characters that are not shown"
            if name.startswith(_MARK_READ_WRONGLY):
                what = "a byte order mark that was read in another encoding"
            notes.append(f"{place}: the column name {name!r} has {what} at its ends; it is {own!r} here")
        elif _UNUSUAL_SPACES.search(own):
            notes.append(
                f"{place}: the column name {name!r} has a character that looks like a space or is not shown; it is kept"
            )
        unique = own
        while unique in taken:
            numbers[own] = numbers.get(own, 0) + 1
            unique = f"{own}.{numbers[own]}"
        if unique != own:
            notes.append(f"{place}: the column name {own!r} is there twice; column {position + 1} is {unique!r} here")
        names.append(unique)
        taken.add(unique)
    return names


def note_values_as_names(names: list[str], notes: list[str], place: str) -> None:
    """Add a note if a header seems to be the first record: it has one number or date, a decimal number, or nothing else.

    Years are names.
    """
    dates = [name for name in names if _DATE.fullmatch(name)]
    numbers = [name for name in names if _NUMBER.fullmatch(name) and not _YEAR.fullmatch(name) and name not in dates]
    if len(numbers + dates) in {1, len(names)} or any("." in number or "," in number for number in numbers):
        first = f"the number {shorten(numbers[0])!r}" if numbers else f"the date {shorten(dates[0])!r}"
        notes.append(
            f"{place} was taken for the header, and has {first}; if it is a record, it is missing"
            " from the rows: the data needs a line with the names of its columns"
        )


def note_repeated_header(fields: list[str], columns: list[Any], notes: list[str], place: Callable[[int], str]) -> None:
    """Add a note if a record of several fields is the header again, as in files that were joined.

    Args:
        fields: the header's, as the file has them.
        columns: as pandas keeps them. A name makes a column text.
    """
    if len(fields) < 2 or not all(isinstance(column.dtype, pandas.StringDtype) for column in columns):
        return
    rows = numpy.arange(len(columns[0]))
    for name, column in zip(fields, columns, strict=True):
        values = column[rows]
        rows = rows[values.isna() if not name else numpy.asarray(values == name, bool)]
    if len(rows):
        notes.append(
            f"{place(int(rows[0]))} repeats the header, as in files that were joined; it is a record here, so all columns are text"
        )
