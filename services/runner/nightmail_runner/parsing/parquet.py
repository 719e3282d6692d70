"""Parquet to a table: columns have types already."""

from typing import Any, cast

import pandas
import pyarrow
import pyarrow.parquet

from nightmail_runner.parsing.column_names import name_columns
from nightmail_runner.parsing.content import say_of_text
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
        InputNotReadable: it is not a Parquet file.
    """
    try:
        table = pyarrow.parquet.ParquetFile(pyarrow.BufferReader(pyarrow.py_buffer(data))).read()
    except (pyarrow.ArrowException, OSError) as error:
        raise InputNotReadable(f"this is not a Parquet file: {say_of_text(data) or error}") from None
    names = name_columns(table.column_names, notes, "the Parquet file")
    columns = {name: _to_column(column) for name, column in zip(names, table.columns, strict=True)}
    return Table(pandas.DataFrame(columns, copy=False), notes)


def _to_column(column: Any) -> Any:
    if pyarrow.types.is_nested(column.type):
        return pandas.Series(column.to_pylist(), dtype=object).array
    if column.null_count and (dtype := _NULLABLE.get(column.type)) is not None:
        return cast("Any", dtype).__from_arrow__(column)
    return column.to_pandas().array
