"""Records of delimited text that may be none, or several: the reader takes them as they are written, and a note says so."""

import csv
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pandas
import pyarrow.compute

from nightmail_runner.parsing.byte_search import parts_of
from nightmail_runner.parsing.columns import TEXT, NumberFormat
from nightmail_runner.parsing.error_text import shorten
from nightmail_runner.parsing.layout import HEAD_BYTES, Layout
from nightmail_runner.parsing.missing_words import is_missing_word

#: So many values with line breaks of a column are judged, and so many first values of a column, or records of a file.
_JUDGED = 1000
#: A title, the rest of a header and units have no more lines.
_MOST_NAMES = 10
#: A small run does not wait for more.
_FIRST_RECORDS = 100
_SHOWN_NAMES = 3
#: A file with more blank lines has them everywhere.
MOST_GAPS = 2
_NUMBER = re.compile(r"[-+]?[\d.,]+%?")
#: Numbers as versions and sections are written: 1.9, 1.10.
_SHORT_DECIMAL = re.compile(r"\d{1,2}\.(\d{1,2})")


def note_swallowed_records(texts: Sequence[Any], delimiter: str, notes: list[str]) -> None:
    """Add a note if the lines of a field in quotes are whole records, as where an inch mark opens quotes: `5" disk`.

    Args:
        texts: Arrow arrays, those of text with strings.
    """
    width = len(texts)
    for position, column in enumerate(texts):
        if width < 2 or column.type != TEXT:
            continue
        with_breaks: Any = column.filter(pyarrow.compute.match_substring(column, "\n"))
        for value in with_breaks.slice(0, _JUDGED).to_pylist():
            lines = value.split("\n")
            counts = [line.count(delimiter) for line in lines]
            expected = [width - 1 - position, *[width - 1] * (len(lines) - 2), position]
            if counts == expected and f"{delimiter} " not in value:
                notes.append(
                    f"a field in quotes has {len(lines)} lines, each of which would be a record without the quotes: {shorten(value)!r};"
                    " if the quote is text, such as that of inches, records are missing from the rows: it must be doubled, in quotes"
                )
                return


@dataclass
class TableGaps:
    """Finds the header of another table below a blank line. `line` is what the source has lines of: a sheet has rows."""

    line: str = "line"
    _count: int = 0
    _found: tuple[int, list[str]] | None = None

    def add(self, line: int, record: list[str]) -> None:
        """Take a record that follows blank lines, which follow a record."""
        self._count += 1
        names = [field.strip() for field in record if field.strip()]
        has_names = 1 < len(names) == len(set(names)) and not any(map(_NUMBER.fullmatch, names))
        if self._found is None and has_names:
            self._found = line, names

    def note(self, last_line: int, header: list[str], notes: list[str]) -> None:
        """Add a note if the file has one gap or two, below one of which names and a record stand."""
        if self._found is None or self._count > MOST_GAPS:
            return
        line, names = self._found
        if last_line > line and names != [field.strip() for field in header]:
            shown = ", ".join(names[:_SHOWN_NAMES])
            notes.append(
                f"{self.line} {line} follows a blank {self.line} and has no numbers: {shorten(shown)!r}; if it is the header of"
                " another table, the records of both are one table here"
            )


def note_tables_below_gaps(records: memoryview, starts: Sequence[int], layout: Layout, notes: list[str]) -> None:
    """Add a note if one or two records that follow a blank line are the names of another table.

    Args:
        starts: where these records begin, in ascending order.
    """
    gaps = TableGaps()
    if not 0 < len(starts) <= MOST_GAPS:
        return
    for start in starts:
        line, *below = bytes(records[start : start + HEAD_BYTES]).decode("utf-8", "replace").splitlines()[:2]
        record = next(csv.reader([line], delimiter=layout.delimiter, quoting=layout.quoting), [])
        if below:
            gaps.add(layout.start_line + sum(part.count(b"\n") for part in parts_of(records[:start])), record)
    gaps.note(sys.maxsize, layout.fields, notes)


def note_lines_above_numbers(
    columns: Mapping[str, Any],
    declared: Iterable[str],
    numbers: NumberFormat,
    notes: list[str],
    place: Callable[[int], str],
) -> None:
    """Add a note if columns have words in their first records, and only numbers below: a title, units, a header of two lines.

    One such line of a column is the matter of `note_almost_numbers`.

    Args:
        columns: as pandas keeps them.
    """
    pattern = re.compile(numbers.pattern())
    found: dict[int, list[str]] = {}
    for name, column in columns.items():
        if name in declared or not isinstance(column.dtype, pandas.StringDtype):
            continue
        first = [None if pandas.isna(value) else value for value in column[:_JUDGED]]
        is_number = [value is not None and pattern.match(value) is not None and value != "" for value in first]
        rows = is_number.index(True) if True in is_number else 0
        below = [number or value is None for number, value in zip(is_number[rows:], first[rows:], strict=True)]
        above = first[rows - 1] if rows else None
        if (
            1 < rows <= _MOST_NAMES
            and above is not None
            and not is_missing_word(above)
            and all(below)
            and sum(is_number) > 1
        ):
            found.setdefault(rows, []).append(name)
    if not found:
        return
    rows = max(found, key=lambda count: len(found[count]))
    shown = ", ".join(map(repr, found[rows][:_SHOWN_NAMES]))
    notes.append(
        f"numbers begin in {place(rows)} of the column{'s' if len(found[rows]) > 1 else ''} {shown}; if the lines above it are a"
        " title, units or names, they are records here: skip_rows can skip those above the header"
    )


def note_versions(names: Sequence[str], records: Iterable[list[str]], numeric: Iterable[str], notes: list[str]) -> None:
    """Add a note if numbers are written as versions are: 1.10, which is 1.1 as a number, beside 1.9.

    Programs write the same number of decimals each time, or none that they do not need.

    Args:
        numeric: the names of columns that were read as decimals.
    """
    columns = dict(zip(names, zip(*islice(records, _FIRST_RECORDS), strict=False), strict=False))
    for name in numeric:
        values = [value.strip() for value in columns.get(name, ()) if value.strip()]
        found = [_SHORT_DECIMAL.fullmatch(value) for value in values]
        decimals = [match[1] for match in found if match is not None]
        if len(decimals) < len(values) or {len(digits) for digits in decimals} != {1, 2}:
            continue
        if (zero := next((value for value in values if value[-1] == "0" and value[-3] == "."), None)) is not None:
            other = next(value for value in values if value[-2] == ".")
            notes.append(
                f"the column {name!r} has {zero!r} beside {other!r}, and was read as numbers, so {zero} is {float(zero):g} here; if"
                " they are versions or codes, types can declare text"
            )
