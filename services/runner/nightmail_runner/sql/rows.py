"""Rows of Python values to Arrow, for drivers that return them: every digit is kept, and a column has one type.

The type of a column depends on all its values, so no batch is written before the last row. Batches are small compared to the values.
"""

import json
from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import pyarrow

from nightmail_runner.parsing.arrow_metadata import DECIMAL
from nightmail_runner.sql.request import QueryFailed, QueryRequest

#: Rows fetched at a time.
BATCH_ROWS = 10_000

_ARROW: dict[str, Any] = {
    "integer": pyarrow.int64(),
    "float": pyarrow.float64(),
    "decimal": pyarrow.string(),
    "text": pyarrow.string(),
    "boolean": pyarrow.bool_(),
    "date": pyarrow.date32(),
    "datetime": pyarrow.timestamp("us"),
    "datetime with zone": pyarrow.timestamp("us", "UTC"),
    "time": pyarrow.time64("us"),
    "binary": pyarrow.binary(),
}
_KINDS: dict[type, str] = {
    bool: "boolean",
    float: "float",
    Decimal: "decimal",
    str: "text",
    date: "date",
    time: "time",
    bytes: "binary",
    UUID: "text",
    dict: "text",
    list: "text",
}
_NUMBERS = frozenset({"integer", "float", "decimal"})


class _Column:
    """The batches of a column, and the kinds of their values."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._batches: list[tuple[str, Any]] = []
        self._kinds: set[str] = set()

    def add(self, values: Sequence[Any]) -> int:
        """Keep the values of a batch; return the bytes that they take.

        Raises:
            QueryFailed: a value has a type that is not understood.
        """
        kinds = {self._kind(value) for value in values if value is not None}
        self._kinds |= kinds
        kind = self._joined(kinds)
        array = pyarrow.array([_convert(value, kind) for value in values], _ARROW[kind])
        self._batches.append((kind if array.null_count < len(array) else "null", array))
        size: int = array.nbytes
        return size

    def finish(self, notes: list[str]) -> tuple[Any, Any]:
        """Return the field and the column, whose batches have one type now.

        Raises:
            QueryFailed: the batches have types that do not go together.
        """
        kind = self._joined(self._kinds)
        if kind == "text" and self._kinds & _NUMBERS:
            notes.append(f"the column {self.name[:200]!r} has numbers and text; it is text, as the values came")
        arrays = [_as_kind(array, found, kind) for found, array in self._batches]
        field = pyarrow.field(self.name, _ARROW[kind], metadata=DECIMAL if kind == "decimal" else None)
        return field, pyarrow.chunked_array(arrays, _ARROW[kind])

    def _kind(self, value: Any) -> str:
        if isinstance(value, time) and value.tzinfo is not None:
            raise self._unreadable("time with a time zone")
        if isinstance(value, datetime):
            return "datetime" if value.tzinfo is None else "datetime with zone"
        if type(value) is int:
            return "integer" if -(2**63) <= value < 2**63 else "decimal"
        try:
            return _KINDS[type(value)]
        except KeyError:
            raise self._unreadable(type(value).__name__) from None

    def _unreadable(self, kind: str) -> QueryFailed:
        return QueryFailed(
            f"the column {self.name[:200]!r} has values of the type {kind}, which cannot be read: cast it to text"
        )

    def _joined(self, kinds: set[str]) -> str:
        if len(kinds) <= 1:
            return next(iter(kinds), "text")
        if kinds <= _NUMBERS:
            return "decimal"
        if kinds <= _NUMBERS | {"text"}:
            return "text"
        raise QueryFailed(f"the column {self.name[:200]!r} has values of several types: {', '.join(sorted(kinds))}")


def read_rows(
    names: Sequence[str], fetch: Callable[[], Sequence[Sequence[Any]]], request: QueryRequest
) -> pyarrow.RecordBatchReader:
    """Return all rows as Arrow.

    Args:
        fetch: returns the next rows, none after the last ones.

    Raises:
        QueryFailed: the rows are more than the request allows, or have a value whose type is not understood.
    """
    columns = [_Column(name) for name in names[: request.max_columns + 1]]
    count, size = 0, 0
    while rows := fetch():
        count += len(rows)
        if count > request.max_rows:
            raise QueryFailed(f"the result has more than the {request.max_rows} rows of NIGHTMAIL_MAX_ROWS")
        for column, values in zip(columns, zip(*rows, strict=True), strict=False):
            size += column.add(values)
        if size > request.max_bytes:
            raise QueryFailed(f"the data is larger than the {request.max_bytes} bytes of NIGHTMAIL_MAX_INPUT_BYTES")
    if not count:
        request.notes.append(
            "the query returns no rows, and the database does not say of which types its columns are: they are text here"
        )
    finished = [column.finish(request.notes) for column in columns]
    table = pyarrow.Table.from_arrays(
        [array for _, array in finished], schema=pyarrow.schema([one for one, _ in finished])
    )
    return table.to_reader()


def _convert(value: Any, kind: str) -> Any:
    if value is None or kind not in {"decimal", "text"} or type(value) is str:
        return value
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, Decimal) and value.is_finite():
        return format(value, "f")
    return str(value)


def _as_kind(array: Any, found: str, kind: str) -> Any:
    if found == kind:
        return array
    if found == "null":
        return pyarrow.array([None] * len(array), _ARROW[kind])
    return pyarrow.array([None if value is None else str(value) for value in array.to_pylist()], _ARROW[kind])
