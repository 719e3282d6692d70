"""Parquet to a table: columns have types already."""

import pandas
import pyarrow
import pyarrow.parquet

from nightmail_runner.parsing.columns import check_declared
from nightmail_runner.parsing.options import InputNotReadable, ReadOptions
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


def read_parquet(data: memoryview, options: ReadOptions, notes: list[str]) -> Table:
    """Return a Parquet file as a table. Integers with missing values become pandas' nullable ones: no digit is lost.

    Raises:
        InputNotReadable: it is not a Parquet file.
    """
    try:
        table = pyarrow.parquet.read_table(pyarrow.BufferReader(pyarrow.py_buffer(data)))
    except (pyarrow.ArrowException, OSError) as error:
        raise InputNotReadable(f"this is not a Parquet file: {error}") from None
    check_declared(table.column_names, options)
    with_missing = {field.type for field, column in zip(table.schema, table.columns, strict=True) if column.null_count}
    types = {kind: dtype for kind, dtype in _NULLABLE.items() if kind in with_missing}
    return Table(table.to_pandas(types_mapper=types.get), notes)
