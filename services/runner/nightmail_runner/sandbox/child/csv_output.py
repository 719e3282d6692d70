"""A DataFrame to CSV: UTF-8, `\\n`, ISO 8601, and nothing that a spreadsheet would take for a formula."""

import re
from typing import BinaryIO

import numpy
import pandas
import pyarrow
import pyarrow.compute

#: What a spreadsheet takes for a formula (OWASP, CSV Injection), unless it is a number with a sign.
_FORMULA = re.compile(r"[=@\t\r]|[+-](?!(?:\d[\d.,]*|[.,]\d+)(?:[eE][+-]?\d+)?%?\Z)")
#: Most texts are told from formulas by this alone, and quickly.
_SUSPICIOUS = r"^[=@\t\r+-]"
#: Above this a float does not hold every integer.
_EXACT_INTEGERS = 2.0**53


def prepare_for_csv(result: pandas.DataFrame, *, keep_formulas: bool) -> pandas.DataFrame:
    """Return a script's DataFrame as its CSV shows it.

    An index with names becomes columns, any other is dropped. Integers with holes, which pandas makes floats of, are
    integers again; times are ISO 8601, without the time of day where all are midnight. Text and column names that a
    spreadsheet would calculate get a leading quote unless `keep_formulas`.
    """
    frame = pandas.DataFrame(result)
    if any(name is not None for name in result.index.names):
        frame = frame.reset_index(allow_duplicates=True)
    for position, kind in enumerate(frame.dtypes):
        if kind.kind in "iub":
            continue
        column = frame.iloc[:, position]
        shown = _shown(column, keep_formulas)
        if shown is not column:
            frame.isetitem(position, shown.array)
    if not keep_formulas:
        frame.columns = _quoted_names(frame.columns)
    return frame


def write(frame: pandas.DataFrame, output: BinaryIO) -> None:
    frame.to_csv(output, index=False, lineterminator="\n")


def _shown(column: pandas.Series, keep_formulas: bool) -> pandas.Series:
    kind = column.dtype
    if isinstance(kind, pandas.DatetimeTZDtype):
        return column.map(lambda time: time.isoformat(), na_action="ignore").astype(object)
    if kind.kind == "M":
        return _iso(column)
    if kind.kind == "f" and isinstance(kind, numpy.dtype):
        return _whole(column)
    if keep_formulas:
        return column
    if isinstance(kind, pandas.StringDtype) or kind.kind == "U":
        suspicious = pyarrow.compute.match_substring_regex(pyarrow.array(column.array), _SUSPICIOUS)
        if not pyarrow.compute.any(suspicious).as_py():
            return column
    elif kind.kind != "O":
        return column
    return column.astype(object).map(_quoted, na_action="ignore")


def _quoted_names(columns: pandas.Index) -> pandas.Index:
    if columns.nlevels > 1:
        return pandas.MultiIndex.from_tuples([tuple(map(_quoted, names)) for names in columns], names=columns.names)
    names = [_quoted(name) for name in columns]
    return columns if all(name is own for name, own in zip(names, columns, strict=True)) else pandas.Index(names)


def _iso(column: pandas.Series) -> pandas.Series:
    times = column.to_numpy()
    there = times[~numpy.isnat(times)]
    unit = "D" if (there == there.astype("M8[D]")).all() else "s" if (there == there.astype("M8[s]")).all() else "us"
    text = numpy.datetime_as_string(times.astype(f"M8[{unit}]")).astype(object)
    text[numpy.isnat(times)] = None
    return pandas.Series(text, index=column.index, name=column.name, dtype=object)


def _whole(column: pandas.Series) -> pandas.Series:
    values = column.to_numpy()
    holes = numpy.isnan(values)
    if not holes.any() or holes.all():
        return column
    there = values[~holes]
    whole = (numpy.abs(there) < _EXACT_INTEGERS).all() and (there == numpy.trunc(there)).all()
    return column.astype("Int64") if whole else column


def _quoted(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value
