"""A table to CSV: UTF-8, `\\n`, ISO 8601, and nothing that a spreadsheet would take for a formula."""

import csv
import datetime
import io
import json
from typing import BinaryIO

import numpy
import pandas

from nightmail_runner.sandbox.child.formulas import has_suspicious_text, neutralise
from nightmail_runner.sandbox.child.report_table import to_table

#: Above this a float does not hold every integer.
_EXACT_INTEGERS = 2.0**53
_SCANNED_BYTES = 1024**2


def _quotes_carriage_returns() -> bool:
    row = io.StringIO()
    csv.writer(row, lineterminator="\n").writerow(["\r"])
    return '"' in row.getvalue()


#: False on Python before 3.11.9 and 3.12.3 (https://github.com/python/cpython/issues/67044).
_QUOTES_CARRIAGE_RETURNS = _quotes_carriage_returns()


def prepare_for_csv(result: pandas.DataFrame | pandas.Series, *, keep_formulas: bool) -> pandas.DataFrame:
    """Return a script's result as its CSV shows it.

    Labels become columns (`to_table`). Integers with holes, which pandas makes floats of, are integers again; times are
    ISO 8601, without the time of day where all are midnight; lists and dicts are JSON. Text and column names that a
    spreadsheet would calculate get a leading quote unless `keep_formulas`.
    """
    frame = to_table(result)
    for position, kind in enumerate(frame.dtypes):
        if kind.kind in "iub":
            continue
        column = frame.iloc[:, position]
        shown = _shown(column, keep_formulas)
        if shown is not column:
            frame.isetitem(position, shown.array)
    if not keep_formulas:
        frame.columns = _neutral_names(frame.columns)
    return frame


def write(frame: pandas.DataFrame, output: BinaryIO) -> None:
    """Write a prepared table to a file that can also be read and is empty."""
    frame.to_csv(output, index=False, lineterminator="\n")
    if not _QUOTES_CARRIAGE_RETURNS and _has_carriage_return(output):
        output.seek(0)
        frame.to_csv(_NewlineRows(output), index=False, lineterminator="\r\n")


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
        return _iso(column)
    if kind.kind == "f" and isinstance(kind, numpy.dtype):
        return _whole(column)
    if isinstance(kind, pandas.StringDtype) or kind.kind == "U":
        if keep_formulas or not has_suspicious_text(column):
            return column
    elif kind.kind != "O":
        return column
    return column.astype(object).map(_exact if keep_formulas else _neutral, na_action="ignore")


def _neutral_names(columns: pandas.Index) -> pandas.Index:
    names = [_neutral(name) for name in columns]
    return columns if all(name is own for name, own in zip(names, columns, strict=True)) else pandas.Index(names)


def _iso(column: pandas.Series) -> pandas.Series:
    times = column.to_numpy()
    known = times[~numpy.isnat(times)]
    unit = next((unit for unit in ("D", "s", "us") if (known == known.astype(f"M8[{unit}]")).all()), "ns")
    text = numpy.datetime_as_string(times.astype(f"M8[{unit}]")).astype(object)
    text[numpy.isnat(times)] = None
    return pandas.Series(text, index=column.index, name=column.name, dtype=object)


def _whole(column: pandas.Series) -> pandas.Series:
    values = column.to_numpy()
    missing = numpy.isnan(values)
    if not missing.any() or missing.all():
        return column
    known = values[~missing]
    whole = (numpy.abs(known) < _EXACT_INTEGERS).all() and (known == numpy.trunc(known)).all()
    return column.astype("Int64") if whole else column


def _neutral(value: object) -> object:
    return neutralise(value) if isinstance(value, str) else _exact(value)


def _exact(value: object) -> object:
    """Return a value whose `str` says all of it."""
    if isinstance(value, list | dict | numpy.ndarray):
        try:
            return json.dumps(value, ensure_ascii=False, default=_jsonable)
        except (TypeError, ValueError):  # keys that JSON does not have, a structure that contains itself
            return str(value)
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    return value


def _jsonable(value: object) -> object:
    if isinstance(value, numpy.ndarray | numpy.generic):
        return value.tolist()
    return value.isoformat() if isinstance(value, datetime.date) else str(value)
