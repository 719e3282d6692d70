"""Writes a result once more in slices, one for each value of a column: the files of all slices, and then their index."""

import json
from collections.abc import Iterator
from io import BytesIO
from typing import BinaryIO

import numpy
import pandas

from nightmail_common.contract.limits import (
    MAX_RECIPIENTS,
    MAX_SLICE_INDEX_BYTES,
    MAX_SLICE_VALUE_CHARS,
    MAX_SLICES,
)
from nightmail_runner.sandbox.child import csv_output, xlsx_output
from nightmail_runner.sandbox.child.error_hints import list_names
from nightmail_runner.sandbox.task import Split, Task


class CannotSplit(Exception):
    """The result cannot be split as its job asks; the message has the reason."""


def split_result(task: Task, split: Split, table: pandas.DataFrame, csv: pandas.DataFrame, output: BinaryIO) -> int:
    """Write the files of all slices, and behind them the index, which is JSON. Return the size of the index.

    Args:
        table: the result as its xlsx shows it.
        csv: the same rows as its CSV shows them.

    Raises:
        CannotSplit: a column does not exist, a row has no value or no address, or there are too many values.
    """
    values = _texts(table, split.by, "split_by")
    addresses = None
    if split.recipients_column is not None:
        addresses = _texts(table, split.recipients_column, "recipients_by")
    index = []
    for value, places in _groups(values):
        files = []
        for format_, data in _files(task, table, csv, places):
            output.write(data)
            files.append({"format": format_, "size": len(data)})
        named = [] if addresses is None else list(dict.fromkeys(addresses[places].tolist()))
        if len(named) > MAX_RECIPIENTS:
            raise CannotSplit(f"{value!r} has {len(named)} recipients; a slice has at most {MAX_RECIPIENTS}")
        index.append({"value": value, "rows": len(places), "addresses": named, "files": files})
    encoded = json.dumps(index).encode()
    if len(encoded) > MAX_SLICE_INDEX_BYTES:
        raise CannotSplit(f"the values and addresses of the slices take more than {MAX_SLICE_INDEX_BYTES} bytes")
    output.write(encoded)
    output.flush()
    return len(encoded)


def _texts(table: pandas.DataFrame, name: str, field: str) -> numpy.ndarray:
    """Return the values of a column as the CSV shows them, without quotes for formulas."""
    names = [f"{column}" for column in table.columns]
    if names.count(name) != 1:
        problem = "has more than once" if name in names else "does not have"
        raise CannotSplit(f"{field} names the column {name!r}, which the result {problem}; it has {list_names(names)}")
    column = table.iloc[:, [names.index(name)]].set_axis(["value"], axis=1).reset_index(drop=True)
    shown = csv_output.prepare_for_csv(column, keep_formulas=True).iloc[:, 0]
    missing = shown.isna().to_numpy(dtype=bool)
    texts = ["" if gone else f"{value}" for value, gone in zip(shown.tolist(), missing, strict=True)]
    if empty := sum(not text.strip() for text in texts):
        raise CannotSplit(f"the column {name!r} of {field} has no value in {empty:,} of {len(texts):,} rows")
    if (longest := max(map(len, texts), default=0)) > MAX_SLICE_VALUE_CHARS:
        raise CannotSplit(
            f"the column {name!r} of {field} has a value of {longest} characters; at most {MAX_SLICE_VALUE_CHARS} are allowed"
        )
    return numpy.array(texts, dtype=object)


def _groups(values: numpy.ndarray) -> Iterator[tuple[str, numpy.ndarray]]:
    """Yield each value with the places of its rows, in the order of the first row of each."""
    codes, distinct = pandas.factorize(values)
    if len(distinct) > MAX_SLICES:
        raise CannotSplit(f"the result has {len(distinct):,} values to split it by; at most {MAX_SLICES:,} are allowed")
    order = numpy.argsort(codes, kind="stable")
    ends = numpy.cumsum(numpy.bincount(codes, minlength=len(distinct)))
    yield from zip(distinct, numpy.split(order, ends[:-1]), strict=False)  # without a value, split yields one part


def _files(
    task: Task, table: pandas.DataFrame, csv: pandas.DataFrame, places: numpy.ndarray
) -> Iterator[tuple[str, bytes]]:
    file = BytesIO()
    csv_output.write(csv.iloc[places], file, task.csv)
    yield "csv", file.getvalue()
    if task.xlsx:
        file = BytesIO()
        xlsx_output.write(table.iloc[places], file)
        yield "xlsx", file.getvalue()
