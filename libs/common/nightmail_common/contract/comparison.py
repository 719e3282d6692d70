"""What differs between two results: the rows that were added, removed and changed, and the columns.

Cells are compared as the text of their CSV, so `1.10` is not `1.1`. Nothing but digests of the rows is kept in memory:
some 250 bytes for each row of the earlier result. Used by `GET /runs/{a}/diff/{b}` and by the runner (`compare_by`).
"""

import csv
import io
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import BinaryIO, Literal

from nightmail_common.contract.limits import (
    MAX_COMPARED_ROWS,
    MAX_LISTED_CELL_CHARS,
    MAX_LISTED_CHARS,
    MAX_LISTED_ROWS,
    MAX_MARKED_ROWS,
)
from nightmail_common.contract.text import shorten

#: What a mail marks a row with: it is new, or one of its cells changed.
RowMark = Literal["new", "changed", ""]
#: The place of a name among equal names of columns, and the name.
_Label = tuple[str, int]


class CannotCompare(Exception):
    """The two results cannot be compared by this key: `table` does not fit it; the message says why."""

    def __init__(self, table: "CsvTable", message: str) -> None:
        super().__init__(message)
        self.table = table


class TooManyRows(Exception):
    """A result has more rows than a comparison may have."""

    def __init__(self) -> None:
        super().__init__(f"at most {MAX_COMPARED_ROWS:,} rows of each result are compared")


class CsvTable:
    """A CSV that can be read several times.

    Args:
        file: a buffered file at any position, which can seek.
        name: how errors call the result.
    """

    def __init__(self, file: BinaryIO, delimiter: str = ",", name: str = "the result") -> None:
        self._file = file
        self._delimiter = delimiter
        self.name = name
        self.columns = next(self._records(), [])
        self.labels = _labels(self.columns)

    def rows(self) -> Iterator[list[str]]:
        """Yield the cells of each row.

        Raises:
            TooManyRows: there are more than `MAX_COMPARED_ROWS`.
        """
        records = self._records()
        next(records, None)
        width = len(self.columns)
        for number, cells in enumerate(records):
            if number == MAX_COMPARED_ROWS:
                raise TooManyRows
            yield cells if len(cells) == width else (cells + [""] * width)[:width]

    def places(self, names: Sequence[str]) -> list[int]:
        """Return the places of key columns.

        Raises:
            CannotCompare: a column does not exist, or occurs more than once.
        """
        for name in names:
            if (count := self.columns.count(name)) != 1:
                found = "occurs more than once" if count else f"does not exist; there are {_listed(self.columns)}"
                raise CannotCompare(self, f"the column {_shown(name)!r} of {self.name} {found}")
        return [self.columns.index(name) for name in names]

    def _records(self) -> Iterator[list[str]]:
        csv.field_size_limit(sys.maxsize)  # of the process; the module's own is 128 KiB
        self._file.seek(0)
        text = io.TextIOWrapper(self._file, "utf-8-sig", newline="")
        try:
            yield from csv.reader(text, delimiter=self._delimiter)
        finally:
            text.detach()


@dataclass(frozen=True)
class ChangedCell:
    """A cell of a row that both results have."""

    column: str
    before: str
    after: str


@dataclass(frozen=True)
class ChangedRow:
    """A row that both results have: the cells of its key, and those that differ."""

    key: list[str]
    cells: list[ChangedCell]


@dataclass
class Comparison:
    """Counts of what differs, and the first rows of each kind, with their long cells shortened.

    `unchanged` counts rows that are equal in the columns that both results have. `marks` are those of the first rows of
    the later result.
    """

    columns_added: list[str]
    columns_removed: list[str]
    added: int = 0
    removed: int = 0
    changed: int = 0
    unchanged: int = 0
    added_rows: list[list[str]] = field(default_factory=list)
    removed_rows: list[list[str]] = field(default_factory=list)
    changed_rows: list[ChangedRow] = field(default_factory=list)
    marks: list[RowMark] = field(default_factory=list)

    @property
    def is_same(self) -> bool:
        return not (self.added or self.removed or self.changed or self.columns_added or self.columns_removed)


def compare(before: CsvTable, after: CsvTable, key: Sequence[str] = ()) -> Comparison:
    """Compare two results in the columns that both have.

    Args:
        key: the columns that identify a row; without them the results are multisets of rows, and none is `changed`.

    Raises:
        CannotCompare: a key column does not exist or occurs twice, or two rows of a result have the same key.
        TooManyRows: a result has too many rows.
        csv.Error, UnicodeDecodeError: the bytes are no CSV that Nightmail wrote.
    """
    found = Comparison(
        columns_added=[label[0] for label in after.labels if label not in before.labels],
        columns_removed=[label[0] for label in before.labels if label not in after.labels],
    )
    common = [label for label in before.labels if label in after.labels]
    old, new = (_Side(table, key, [table.labels[label] for label in common]) for table in (before, after))
    if key:
        _compare_by_key(old, new, [name for name, _ in common], found)
    else:
        _compare_as_multisets(old, new, found)
    return found


class _Side:
    """One of the two results: how to read the key and the compared cells of its rows."""

    def __init__(self, table: CsvTable, key: Sequence[str], common: list[int]) -> None:
        self.table = table
        self.key = table.places(key)
        self.common = common

    def key_of(self, row: list[str]) -> list[str]:
        return [row[place] for place in self.key]

    def cells_of(self, row: list[str]) -> list[str]:
        return [row[place] for place in self.common]

    def duplicate(self, row: list[str]) -> CannotCompare:
        shown = ", ".join(f"{self.table.columns[place]} = {row[place][:MAX_LISTED_CELL_CHARS]!r}" for place in self.key)
        return CannotCompare(self.table, f"two rows of {self.table.name} have the same key: {shown}")


def _compare_by_key(before: _Side, after: _Side, columns: list[str], found: Comparison) -> None:
    rows: dict[bytes, bytes] = {}
    for row in before.table.rows():
        digest = _digest(before.key_of(row))
        if digest in rows:
            raise before.duplicate(row)
        rows[digest] = _digest(before.cells_of(row))
    listing = _Listing()
    changed: dict[bytes, list[str]] = {}
    seen: set[bytes] = set()
    for row in after.table.rows():
        digest = _digest(after.key_of(row))
        if digest in seen:
            raise after.duplicate(row)
        seen.add(digest)
        if digest not in rows:
            mark: RowMark = "new"
            found.added += 1
            listing.add(found.added_rows, row)
        elif rows[digest] != _digest(cells := after.cells_of(row)):
            mark = "changed"
            found.changed += 1
            if len(changed) < MAX_LISTED_ROWS:
                changed[digest] = cells
        else:
            mark = ""
            found.unchanged += 1
        if len(found.marks) < MAX_MARKED_ROWS:
            found.marks.append(mark)
    found.removed = len(rows) - found.changed - found.unchanged
    del rows
    for row in before.table.rows():
        digest = _digest(before.key_of(row))
        if digest not in seen:
            listing.add(found.removed_rows, row)
        elif (cells := changed.pop(digest, [])) and listing.has_room(found.changed_rows):
            pairs = zip(columns, before.cells_of(row), cells, strict=True)
            differing = [ChangedCell(name, _shown(old), _shown(new)) for name, old, new in pairs if old != new]
            found.changed_rows.append(ChangedRow([_shown(cell) for cell in before.key_of(row)], differing))
            listing.count(cell.before + cell.after for cell in differing)


def _compare_as_multisets(before: _Side, after: _Side, found: Comparison) -> None:
    counts = Counter(_digest(before.cells_of(row)) for row in before.table.rows())
    listing = _Listing()
    for row in after.table.rows():
        digest = _digest(after.cells_of(row))
        is_new = not counts[digest]
        if is_new:
            found.added += 1
            listing.add(found.added_rows, row)
        else:
            counts[digest] -= 1
            found.unchanged += 1
        if len(found.marks) < MAX_MARKED_ROWS:
            found.marks.append("new" if is_new else "")
    found.removed = counts.total()
    if found.removed:
        # Equal rows cannot be distinguished: the last ones count as removed.
        for row in before.table.rows():
            digest = _digest(before.cells_of(row))
            if counts[digest]:
                counts[digest] -= 1
                listing.add(found.removed_rows, row)


class _Listing:
    """Bounds the rows that are listed: their number, the length of each cell, and all of their text."""

    def __init__(self) -> None:
        self._chars = 0

    def has_room(self, rows: Sequence[object]) -> bool:
        return len(rows) < MAX_LISTED_ROWS and self._chars < MAX_LISTED_CHARS

    def add(self, rows: list[list[str]], row: list[str]) -> None:
        """Add a row if there is room for it."""
        if self.has_room(rows):
            rows.append([_shown(cell) for cell in row])
            self.count(rows[-1])

    def count(self, texts: Iterator[str] | list[str]) -> None:
        self._chars += sum(len(text) + 4 for text in texts)  # with quotes, a comma and a space


def _digest(cells: list[str]) -> bytes:
    """Return a digest that differs for different cells: their lengths say where each one ends."""
    return blake2b("".join([f"{len(cell)}:{cell}" for cell in cells]).encode(), digest_size=16).digest()


def _labels(columns: list[str]) -> dict[_Label, int]:
    """Return the place of each column by its name, and how many columns before it have that name."""
    counts: Counter[str] = Counter()
    labels = {}
    for place, name in enumerate(columns):
        labels[name, counts[name]] = place
        counts[name] += 1
    return labels


def _listed(columns: list[str]) -> str:
    return ", ".join(map(_shown, columns[:20])) + (f" and {len(columns) - 20} more" if len(columns) > 20 else "")


def _shown(text: str) -> str:
    return shorten(text, MAX_LISTED_CELL_CHARS)
