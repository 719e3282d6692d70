"""Parquet to a table: columns have types already."""

from typing import Any, cast

import pandas
import pyarrow
import pyarrow.compute

from nightmail_runner.parsing.column_names import name_columns
from nightmail_runner.parsing.content import say_of_text
from nightmail_runner.parsing.error_text import shorten
from nightmail_runner.parsing.options import InputNotReadable
from nightmail_runner.parsing.patches import leave_out_remote_file_systems
from nightmail_runner.parsing.table import Table

leave_out_remote_file_systems()
import pyarrow.parquet  # noqa: E402 (see above)

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
_BINARY = (
    pyarrow.types.is_binary,
    pyarrow.types.is_large_binary,
    pyarrow.types.is_binary_view,
    pyarrow.types.is_fixed_size_binary,
)
#: The latest time that nanoseconds since 1970 can express: the years 1677 to 2262.
_MOST_MICROSECONDS = (2**63 - 1) // 1000
#: What no text has, and many a number in binary has.
_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"


def read_parquet(data: memoryview, notes: list[str]) -> Table:
    """Return a Parquet file as a table, every column of the file a column of it.

    Integers with missing values become pandas' nullable ones, and nested values Python's: no digit is lost.

    Raises:
        InputNotReadable: it is not a Parquet file, or it has values that pandas does not keep.
    """
    try:
        table = _open(data).read()
        table = _with_far_times(table, data)
    except (pyarrow.ArrowException, OSError) as error:
        raise InputNotReadable(f"this is not a Parquet file: {say_of_text(data) or error}") from None
    table = _with_counted_index(table)
    names = name_columns(table.column_names, notes, "the Parquet file")
    columns = {name: _read_column(name, column, notes) for name, column in zip(names, table.columns, strict=True)}
    return Table(pandas.DataFrame(columns, copy=False), notes)


def _open(data: memoryview, **options: Any) -> Any:
    return pyarrow.parquet.ParquetFile(pyarrow.BufferReader(pyarrow.py_buffer(data)), **options)


def _with_far_times(table: Any, data: memoryview) -> Any:
    """Return the table with times of INT96, as Spark writes them, in microseconds where nanoseconds do not hold them.

    PyArrow reads 9999-12-31 as 1816-03-29 otherwise (https://issues.apache.org/jira/browse/ARROW-12096).
    """
    file = _open(data, coerce_int96_timestamp_unit="us")
    for position, field in enumerate(table.schema):
        if not pyarrow.types.is_timestamp(field.type) or file.schema_arrow.field(position).type == field.type:
            continue
        same_names_before = table.column_names[:position].count(field.name)
        times = file.read(columns=[field.name]).column(same_names_before)
        bounds: Any = pyarrow.compute.min_max(times.cast(pyarrow.int64())).as_py()
        if bounds["min"] is not None and not (
            bounds["min"] > -_MOST_MICROSECONDS and bounds["max"] < _MOST_MICROSECONDS
        ):
            table = table.set_column(position, field.name, times)
    return table


def _with_counted_index(table: Any) -> Any:
    """Return the table with an index that has a name and counts rows: pandas writes its start and end only, and no column."""
    for index in (table.schema.pandas_metadata or {}).get("index_columns", []):
        name = index.get("name") if isinstance(index, dict) and index.get("kind") == "range" else None
        if name is not None and str(name) not in table.column_names:
            numbers = range(index["start"], index["stop"], index["step"])
            if len(numbers) == len(table):
                table = table.append_column(str(name), pyarrow.array(numbers, pyarrow.int64()))
    return table


def _read_column(name: str, column: Any, notes: list[str]) -> Any:
    if any(is_kind(column.type) for is_kind in _BINARY):
        if (texts := _as_text(column)) is not None:
            notes.append(f"the column {shorten(name)!r} is binary in the Parquet file; it was read as text in UTF-8")
            return texts.to_pandas().array
        notes.append(
            f"the column {shorten(name)!r} has binary data, which a report shows as Python writes it (b'...'); the script can make"
            " it text (.str.decode(...), .map(bytes.hex)) or drop it"
        )
    if pyarrow.types.is_floating(column.type) and pyarrow.compute.any(pyarrow.compute.is_nan(column)).as_py():
        notes.append(f"the column {shorten(name)!r} has NaN, which counts as missing")
    try:
        return _to_column(column)
    except (ValueError, OverflowError) as error:
        raise InputNotReadable(
            f"the column {shorten(name)!r} cannot be read, because {_reason(column.type) or error}; write it as text"
        ) from None


def _as_text(column: Any) -> Any:
    """Return a binary column as text, if all of it is printable UTF-8, as programs write text that name no type; else None."""
    if pyarrow.types.is_fixed_size_binary(column.type):  # a key or a hash
        return None
    try:
        texts = column.cast(pyarrow.large_string())
    except pyarrow.ArrowInvalid:
        return None
    has_control: Any = pyarrow.compute.any(pyarrow.compute.match_substring_regex(texts, _CONTROL)).as_py()
    return None if has_control else texts


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
