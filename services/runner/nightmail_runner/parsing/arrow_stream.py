"""An Arrow IPC stream to a table: the result of a query, whose columns have types already."""

from datetime import date
from typing import Any

import pandas
import pyarrow
import pyarrow.compute
import pyarrow.ipc

from nightmail_runner.parsing.almost_numbers import note_decimals_of_query
from nightmail_runner.parsing.arrow_metadata import DECIMAL
from nightmail_runner.parsing.column_names import name_columns
from nightmail_runner.parsing.columns import NumberFormat, number_array, text_array, to_numbers
from nightmail_runner.parsing.error_text import shorten, show_value
from nightmail_runner.parsing.options import InputNotReadable
from nightmail_runner.parsing.table import Table

#: The days since 1970 of the years 1 to 9999.
_DAYS = (date.min - date(1970, 1, 1)).days, (date.max - date(1970, 1, 1)).days
_MICROSECONDS = _DAYS[0] * 86_400 * 10**6, (_DAYS[1] + 1) * 86_400 * 10**6 - 1


def read_arrow_stream(data: memoryview, notes: list[str]) -> Table:
    """Return the result of a query as a table. Integers keep every digit, decimals too: as text if a float does not.

    Raises:
        InputNotReadable: it has a date that is none, such as `infinity`.
    """
    with pyarrow.ipc.open_stream(pyarrow.BufferReader(pyarrow.py_buffer(data))) as stream:
        table = stream.read_all()
    names = name_columns(table.column_names, notes, "the query's result")
    columns = {
        name: _to_column(name, field, column, notes)
        for name, field, column in zip(names, table.schema, table.columns, strict=True)
    }
    return Table(pandas.DataFrame(columns), notes)


def _to_column(name: str, field: Any, column: Any, notes: list[str]) -> Any:
    kind = column.type
    if field.metadata == DECIMAL:
        return _decimals(name, column, notes)
    if pyarrow.types.is_string(kind):
        _note_padding(name, column, notes)
        note_decimals_of_query(name, column, notes)
        return text_array(column)
    if pyarrow.types.is_boolean(kind):
        return pandas.array(column.to_pylist(), dtype="boolean") if column.null_count else column.to_numpy()
    if pyarrow.types.is_date32(kind):
        _check_range(name, column.cast(pyarrow.int32()), *_DAYS)
        return pandas.array(column.cast(pyarrow.timestamp("s")).to_numpy())
    if pyarrow.types.is_timestamp(kind):
        _check_range(name, column.cast(pyarrow.timestamp("us", kind.tz)).cast(pyarrow.int64()), *_MICROSECONDS)
        return column.to_pandas()
    if pyarrow.types.is_float64(kind) and _any(pyarrow.compute.is_nan(column)):
        notes.append(f"the column {name!r} has NaN, which counts as missing")
    if pyarrow.types.is_time(kind):
        _check_times(name, column)
        return column.to_pandas()
    return number_array(column)


def _decimals(name: str, texts: Any, notes: list[str]) -> Any:
    # PostgreSQL's driver writes `nan` and `inf`, Python's decimals `NaN` and `Infinity`.
    if _any(pyarrow.compute.match_substring_regex(texts, "^[+-]?inf", ignore_case=True)):
        raise InputNotReadable(f"the column {shorten(name)!r} has Infinity, which no number is: cast it to text")
    is_nan = pyarrow.compute.match_substring_regex(texts, "^[+-]?s?nan", ignore_case=True)
    if _any(is_nan):
        notes.append(f"the column {name!r} has NaN, which counts as missing")
        # A new array: to_numbers needs empty bytes at each missing value.
        values: Any = [None if nan else text for text, nan in zip(texts.to_pylist(), is_nan.to_pylist(), strict=True)]
        texts = pyarrow.chunked_array([pyarrow.array(values, texts.type)])
    if texts.null_count == len(texts):
        return pandas.array([float("nan")] * len(texts), dtype="float64")
    values = to_numbers(texts, NumberFormat())
    if values is None:
        notes.append(
            f"the column {name!r} has numbers with more digits than 64 bits hold; it is text, with every digit"
        )
        return text_array(texts)
    return number_array(values)


def _note_padding(name: str, texts: Any, notes: list[str]) -> None:
    """Add a note if texts are filled up with spaces to one length, as those of the type `char(n)` are: `== 'a'` finds none."""
    lengths: Any = pyarrow.compute.min_max(pyarrow.compute.utf8_length(texts)).as_py()
    padded: Any = pyarrow.compute.ends_with(texts, " ")
    if lengths["max"] is not None and 1 < lengths["min"] == lengths["max"] and _any(padded):
        value = texts.filter(padded)[0].as_py()
        notes.append(
            f"the texts of the column {name!r} are filled up with spaces to {lengths['max']} characters, such as {show_value(value)},"
            " as those of the type char are; rtrim(...) in the query takes them off"
        )


def _any(truths: Any) -> bool:
    return bool(pyarrow.compute.any(truths).as_py())


def _check_times(name: str, column: Any) -> None:
    last: Any = pyarrow.compute.max(column.cast(pyarrow.time64("us"), safe=False).cast(pyarrow.int64())).as_py()
    if last is not None and last >= 86_400 * 10**6:
        raise InputNotReadable(f"the column {shorten(name)!r} has the time 24:00, which no time is: cast it to text")


def _check_range(name: str, values: Any, first: int, last: int) -> None:
    bounds: Any = pyarrow.compute.min_max(values).as_py()
    if bounds["min"] is not None and not (first <= bounds["min"] and bounds["max"] <= last):
        raise InputNotReadable(
            f"the column {shorten(name)!r} has a date outside of the years 1 to 9999, such as infinity: cast it to text"
        )
