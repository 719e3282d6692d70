"""A table to CSV: UTF-8, `\\n`, ISO 8601, and nothing that a spreadsheet would take for a formula."""

import codecs
import csv
import datetime
import io
import operator
from decimal import Decimal
from functools import partial
from typing import BinaryIO, Literal

import numpy
import pandas

from nightmail_runner.sandbox.child.cell_values import exact, format_decimal, is_narrow, map_objects, widen
from nightmail_runner.sandbox.child.formulas import has_suspicious_text, neutralise
from nightmail_runner.sandbox.child.report_table import to_table
from nightmail_runner.sandbox.task import CsvFormat

#: Above this a float does not hold every integer.
_EXACT_INTEGERS = 2.0**53
_SCANNED_BYTES = 1024**2
DEFAULT_FORMAT = CsvFormat()


def _quotes_carriage_returns() -> bool:
    row = io.StringIO()
    csv.writer(row, lineterminator="\n").writerow(["\r"])
    return '"' in row.getvalue()


#: False on Python before 3.11.9 and 3.12.3 (https://github.com/python/cpython/issues/67044).
_QUOTES_CARRIAGE_RETURNS = _quotes_carriage_returns()


def prepare_for_csv(
    result: pandas.DataFrame | pandas.Series, *, keep_formulas: bool, options: CsvFormat = DEFAULT_FORMAT
) -> pandas.DataFrame:
    """Return a script's result, or its table, as its CSV shows it.

    Labels become columns (`to_table`). Integers with holes, which pandas makes floats of, are integers again, unless floats
    have a format of their own; times are ISO 8601, without the time of day where all are midnight; lists and dicts are JSON.
    Text and column names that a spreadsheet would calculate get a leading quote unless `keep_formulas`.
    """
    frame = to_table(result)
    for position, kind in enumerate(frame.dtypes):
        if kind.kind in "iub":
            continue
        column = frame.iloc[:, position]
        if options.float_format is None and kind.kind == "f" and isinstance(kind, numpy.dtype):
            shown = column.astype("Int64") if is_whole(column) else column
        else:
            shown = _shown(column, keep_formulas)
        if shown is not column:
            frame.isetitem(position, shown.array)
    if not keep_formulas:
        frame.columns = _neutral_names(frame.columns)
    return frame


def write(frame: pandas.DataFrame, output: BinaryIO, options: CsvFormat = DEFAULT_FORMAT) -> None:
    """Write a prepared table to a file that can also be read and is empty."""
    frame = _with_formatted_floats(frame, options)
    write = partial(
        frame.to_csv, index=False, sep=options.delimiter, decimal=options.decimal, float_format=options.float_format
    )
    write(output, lineterminator="\n", encoding="utf-8-sig" if options.bom else "utf-8")
    if not _QUOTES_CARRIAGE_RETURNS and _has_carriage_return(output):
        output.seek(len(codecs.BOM_UTF8) if options.bom else 0)
        write(_NewlineRows(output), lineterminator="\r\n")


def _with_formatted_floats(frame: pandas.DataFrame, options: CsvFormat) -> pandas.DataFrame:
    """Return a table in which the floats among other objects are text as `options` say; pandas formats columns of floats."""
    if options.decimal == "." and options.float_format is None:
        return frame
    frame = frame.copy(deep=False)
    for position, kind in enumerate(frame.dtypes):
        if kind.kind == "O":
            frame.isetitem(position, map_objects(frame.iloc[:, position], partial(_formatted, options)).array)
    return frame


def _formatted(options: CsvFormat, value: object) -> object:
    if not isinstance(value, float | Decimal):
        return value
    if options.float_format is None:
        text = f"{value}"
    elif isinstance(value, Decimal):
        text = format_decimal(value, options.float_format)
    else:
        text = options.float_format % value
    return text.replace(".", options.decimal)


class _NewlineRows(io.TextIOBase):
    """Takes rows that end with CRLF, in which every csv module quotes a carriage return, and writes them with LF.

    csv passes each row in one call.
    """

    def __init__(self, output: BinaryIO) -> None:
        self._output = output

    def write(self, row: str) -> int:
        self._output.write(f"{row[:-2]}\n".encode())
        return len(row)


def _has_carriage_return(output: BinaryIO) -> bool:
    output.seek(0)
    return any(b"\r" in part for part in iter(lambda: output.read(_SCANNED_BYTES), b""))


def _shown(column: pandas.Series, keep_formulas: bool) -> pandas.Series:
    kind = column.dtype
    if isinstance(kind, pandas.DatetimeTZDtype):
        return column.map(lambda time: time.isoformat(), na_action="ignore").astype(object)
    if kind.kind == "M":
        if isinstance(kind, pandas.ArrowDtype) and column.to_numpy().dtype.kind == "O":  # dates, and times with a zone
            return map_objects(column, _isoformat)
        return _iso(column)
    if kind.kind == "f" and isinstance(kind, pandas.ArrowDtype):  # pandas writes a NaN of Arrow as a word
        return widen(column)
    if isinstance(kind, pandas.StringDtype) or kind.kind == "U":
        if keep_formulas or not has_suspicious_text(column):
            return column
    elif kind.kind != "O":
        return column
    return map_objects(column, exact if keep_formulas else _neutral)


def _neutral_names(columns: pandas.Index) -> pandas.Index:
    own = list(columns)  # an Index of text makes other objects each time
    names = [_neutral(name) for name in own]
    return columns if all(map(operator.is_, names, own)) else pandas.Index(names)


def _isoformat(value: object) -> str:
    assert isinstance(value, datetime.date)
    return value.isoformat()


def _iso(column: pandas.Series) -> pandas.Series:
    times = column.to_numpy()
    unit = time_unit(times[~numpy.isnat(times)])
    text = numpy.datetime_as_string(times.astype(f"M8[{unit}]")).astype(object)
    text[numpy.isnat(times)] = None
    return pandas.Series(text, index=column.index, name=column.name, dtype=object)


def time_unit(times: numpy.ndarray) -> Literal["D", "s", "us", "ns"]:
    """Return the coarsest unit in which times are exact; days if all are midnight."""
    units: tuple[Literal["D", "s", "us"], ...] = ("D", "s", "us")
    return next((unit for unit in units if (times == times.astype(f"M8[{unit}]")).all()), "ns")


def is_whole(column: pandas.Series) -> bool:
    """Return whether a column of floats holds integers with holes, which pandas makes floats of."""
    values = column.to_numpy()
    missing = numpy.isnan(values)
    if not missing.any() or missing.all():
        return False
    known = values[~missing]
    if is_narrow(known.dtype):  # a float of 2 bytes does not hold the limit
        known = known.astype(float)
    return bool((numpy.abs(known) < _EXACT_INTEGERS).all() and (known == numpy.trunc(known)).all())


def _neutral(value: object) -> object:
    return neutralise(value) if isinstance(value, str) else exact(value)
