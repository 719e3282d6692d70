"""Parquet to a table: columns have types already."""

from typing import Any, cast

import pandas
import pyarrow
import pyarrow.parquet

from nightmail_runner.parsing.column_names import name_columns
from nightmail_runner.parsing.content import say_of_text
from nightmail_runner.parsing.error_text import shorten
from nightmail_runner.parsing.options import InputNotReadable
from nightmail_runner.parsing.table import Table

_NULLABLE = {
    pyarrow.int8(): pandas.Int8Dtype(),
    pyarrow.int16(): pandas.Int16Dtype(),
    pyarrow.int32(): pandas.Int32Dtype(),
    pyarrow.int64(): pandas.Int64Dtype(),
    pyarrow.uint8(): pandas.UInt8Dtype(),
    pyarrow.uint16(): pandas.UInt16Dtype(),
    pyarrow.uint32(): pandas.UInt32Dtype(),
    pyarrow.uint64(): pandas.UInt64Dtype(),
    pyarrow.bool_(): pandas.BooleanDtype(),
}


def read_parquet(data: memoryview, notes: list[str]) -> Table:
    """Return a Parquet file as a table, every column of the file a column of it.

    Integers with missing values become pandas' nullable ones, and nested values Python's: no digit is lost.

    Raises:
        InputNotReadable: it is not a Parquet file, or it has values that pandas does not keep.
    """
    try:
        table = pyarrow.parquet.ParquetFile(pyarrow.BufferReader(pyarrow.py_buffer(data))).read()
    except (pyarrow.ArrowException, OSError) as error:
        raise InputNotReadable(f"this is not a Parquet file: {say_of_text(data) or error}") from None
    names = name_columns(table.column_names, notes, "the Parquet file")
    columns = {name: _read_column(name, column) for name, column in zip(names, table.columns, strict=True)}
    return Table(pandas.DataFrame(columns, copy=False), notes)


def _read_column(name: str, column: Any) -> Any:
    try:
        return _to_column(column)
    except (ValueError, OverflowError) as error:
        raise InputNotReadable(
            f"the column {shorten(name)!r} cannot be read, because {_reason(column.type) or error}; write it as text"
        ) from None


def _reason(kind: Any) -> str | None:
    if pyarrow.types.is_date(kind):
        return "it has a date outside of the years 1 to 9999"
    if pyarrow.types.is_time(kind):
        return "it has a time with nanoseconds, and a time has microseconds in Python"
    if pyarrow.types.is_timestamp(kind) and kind.tz is not None:
        return f"its time zone {kind.tz!r} is unknown"
    return None


def _to_column(column: Any) -> Any:
    if pyarrow.types.is_nested(column.type):
        return pandas.Series(column.to_pylist(), dtype=object).array
    if column.null_count and (dtype := _NULLABLE.get(column.type)) is not None:
        return cast("Any", dtype).__from_arrow__(column)
    return column.to_pandas().array
