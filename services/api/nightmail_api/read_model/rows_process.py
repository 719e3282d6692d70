"""A page of a result's rows with the types of its columns. Large results are read in a process of their own:

python -m nightmail_api.read_model.rows_process
"""

import csv
import io
import re
import sys
from decimal import Decimal
from typing import Any, Literal

from nightmail_common.contract.canonical_number import CANONICAL_INTEGER, canonical_number
from nightmail_common.contract.limits import MAX_DIFF_CPU_SECONDS, MAX_DIFF_MEMORY_BYTES, MAX_LISTED_CHARS
from nightmail_common.service.limited_process import serve

ColumnType = Literal["integer", "number", "boolean", "date", "datetime", "text"]

#: The type of a column is the first whose pattern all of its cells match.
_PATTERNS: tuple[tuple[ColumnType, str], ...] = (
    ("boolean", r"True|False"),
    ("date", r"[0-9]{4}-[0-9]{2}-[0-9]{2}"),
    ("datetime", r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?([+-][0-9]{2}:[0-9]{2}|Z)?"),
)
#: A double holds every integer up to it, and every decimal fraction of so many digits.
_MAX_EXACT_INTEGER = 2**53
_EXACT_DIGITS = 15


class _Column:
    """What all cells of a column have in common."""

    def __init__(self, name: str, decimal: str, *, is_text: bool) -> None:
        self.name = name
        self._decimal = decimal
        numbers: list[tuple[ColumnType, str]] = []
        if not is_text:
            numbers = [("integer", CANONICAL_INTEGER), ("number", canonical_number(decimal))]
        self._possible = [(kind, re.compile(text)) for kind, text in [*numbers, *_PATTERNS]]
        self._exact = True
        self._seen = False

    def add(self, cell: str) -> None:
        if not cell:
            return
        self._seen = True
        self._possible = [(kind, pattern) for kind, pattern in self._possible if pattern.fullmatch(cell)]
        if self._exact and self.type in {"integer", "number"}:
            self._exact = self._is_exact(cell)

    @property
    def type(self) -> ColumnType:
        return self._possible[0][0] if self._seen and self._possible else "text"

    def value(self, cell: str) -> Any:
        """Return a cell as JSON has it. Numbers are JSON numbers only if a double holds each of the column exactly."""
        if not cell:
            return None
        if self.type == "boolean":
            return cell == "True"
        if not self._exact or self.type not in {"integer", "number"}:
            return cell
        return int(cell) if self.type == "integer" else float(cell.replace(self._decimal, "."))

    def key(self, cell: str) -> Any:
        """Return what a cell is sorted by."""
        if self.type in {"integer", "number"}:
            return Decimal(cell.replace(self._decimal, "."))
        return cell

    def _is_exact(self, cell: str) -> bool:
        if cell.lstrip("-").isdigit():
            return len(cell) <= _EXACT_DIGITS or abs(int(cell)) <= _MAX_EXACT_INTEGER
        digits = re.sub(r"[eE].*|[^0-9]", "", cell).lstrip("0")
        return len(digits) <= _EXACT_DIGITS and ("e" not in cell.lower() or self._is_float(cell))

    def _is_float(self, cell: str) -> bool:
        """Return whether a number with an exponent is neither too large nor too small for a double."""
        text = cell.replace(self._decimal, ".")
        return Decimal(repr(float(text))) == Decimal(text)


def read_rows(request: dict[str, Any], data: bytes) -> dict[str, Any]:
    """Return the columns with their types, a page of rows, and the number of all rows.

    Args:
        request: `delimiter` and `decimal` of the CSV; `offset` and `limit` of the page, which ends earlier if it is large;
            `sort`: a column's name, with a leading `-` for the largest first; None for the order of the file;
            `as_texts`: cells are what the file has, not values; `text_columns`: the positions of those without numbers.
    """
    reader = csv.reader(
        io.TextIOWrapper(io.BytesIO(data), "utf-8-sig", newline=""), delimiter=request["delimiter"], strict=True
    )
    csv.field_size_limit(sys.maxsize)
    of_text = frozenset(request["text_columns"])
    columns = [
        _Column(name, request["decimal"], is_text=position in of_text) for position, name in enumerate(next(reader, []))
    ]
    rows = []
    for row in reader:
        for column, cell in zip(columns, row, strict=True):
            column.add(cell)
        rows.append(row)
    if (names := _sort(rows, columns, request["sort"])) is not None:
        return {"no_such_column": names}
    page = _page(rows[request["offset"] : request["offset"] + request["limit"]], columns, as_texts=request["as_texts"])
    described = [{"name": column.name, "type": column.type} for column in columns]
    return {"columns": described, "rows": page, "total": len(rows)}


def _sort(rows: list[list[str]], columns: list[_Column], sort: str | None) -> list[str] | None:
    """Sort rows in place, missing values last; return the names that there are if there is no such column."""
    if sort is None:
        return None
    names = [column.name for column in columns]
    descending = sort not in names and sort.startswith("-")
    name = sort[1:] if descending else sort
    if name not in names:
        return names
    place = names.index(name)
    present = [row for row in rows if row[place]]
    present.sort(key=lambda row: columns[place].key(row[place]), reverse=descending)
    rows[:] = present + [row for row in rows if not row[place]]
    return None


def _page(rows: list[list[str]], columns: list[_Column], *, as_texts: bool) -> list[list[Any]]:
    page: list[list[Any]] = []
    size = 0
    for row in rows:
        size += sum(map(len, row))
        if page and size > MAX_LISTED_CHARS:
            break
        values = (cell or None if as_texts else column.value(cell) for column, cell in zip(columns, row, strict=True))
        page.append(list(values))
    return page


if __name__ == "__main__":
    serve(read_rows, MAX_DIFF_CPU_SECONDS, MAX_DIFF_MEMORY_BYTES)
