"""Columns of a query's result: values that Python has no number or time for are missing with a note, or refused."""

from typing import Any

import pandas
import pyarrow
import pyarrow.ipc
import pytest

from nightmail_runner.parsing.arrow_metadata import DECIMAL
from nightmail_runner.parsing.arrow_stream import read_arrow_stream
from nightmail_runner.parsing.options import InputNotReadable
from nightmail_runner.parsing.table import Table


def read(values: Any, kind: Any, metadata: Any = None) -> Table:
    schema = pyarrow.schema([pyarrow.field("a", kind, metadata=metadata)])
    sink = pyarrow.BufferOutputStream()
    with pyarrow.ipc.new_stream(sink, schema) as stream:
        stream.write_batch(pyarrow.record_batch([values], schema=schema))
    return read_arrow_stream(memoryview(sink.getvalue().to_pybytes()), [])


@pytest.mark.parametrize("nan", ["nan", "NaN"])
def test_nan_among_decimals_is_missing_and_the_others_stay_numbers(nan: str) -> None:
    table = read(pyarrow.array(["1.5", nan]), pyarrow.string(), DECIMAL)
    assert table.frame.a[0] == 1.5
    assert pandas.isna(table.frame.a[1])
    assert table.notes == ["the column 'a' has NaN, which counts as missing"]


def test_nan_among_decimals_of_many_digits_leaves_their_texts() -> None:
    table = read(pyarrow.array(["99999999999999999999", "nan"]), pyarrow.string(), DECIMAL)
    assert table.frame.a[0] == "99999999999999999999"
    assert pandas.isna(table.frame.a[1])
    assert len(table.notes) == 2


@pytest.mark.parametrize("text", ["inf", "-inf", "Infinity", "-Infinity"])
def test_infinity_among_decimals_is_refused(text: str) -> None:
    with pytest.raises(InputNotReadable, match="the column 'a' has Infinity, which no number is: cast it to text"):
        read(pyarrow.array(["1.5", text]), pyarrow.string(), DECIMAL)


def test_the_time_24_00_is_refused() -> None:
    values = pyarrow.array([0, 86_400 * 10**6], pyarrow.int64()).cast(pyarrow.time64("us"))
    with pytest.raises(InputNotReadable, match="the column 'a' has the time 24:00, which no time is: cast it to text"):
        read(values, pyarrow.time64("us"))
    assert str(read(values.slice(0, 1), pyarrow.time64("us")).frame.a[0]) == "00:00:00"
