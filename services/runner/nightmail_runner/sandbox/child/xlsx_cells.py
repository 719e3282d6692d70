"""Values as the cells of an xlsx sheet: numbers, dates and truth values are typed, everything else is text.

Text is never a formula. What a spreadsheet's number cannot hold exactly (more than 15 digits) is text. Columns of times are cut
to milliseconds.
"""

import datetime
import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

import numpy
import pandas
import pyarrow
import pyarrow.compute

from nightmail_runner.sandbox.child.cell_values import exact, is_narrow, to_python, widen
from nightmail_runner.sandbox.child.csv_output import is_whole, time_unit

DATE, TIME, MILLISECONDS = "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss", "yyyy-mm-dd hh:mm:ss.000"
#: The number formats of typed cells.
STYLES = (DATE, TIME, MILLISECONDS)
#: A cell holds so many characters.
MAX_TEXT_CHARS = 32_767
#: A number of a spreadsheet has 15 digits.
_MAX_NUMBER_DIGITS = 15
#: With any digits, a float holds numbers from 1e-307 to below 1e308.
_MIN_EXPONENT, _MAX_EXPONENT = -307, 307
#: Serial day numbers count from here; before March 1900 they are wrong, because 1900 has a 29 February in them.
_DAY_ZERO = numpy.datetime64("1899-12-30", "us")
_FIRST_DAY, _DAY_AFTER = numpy.datetime64("1900-03-01", "us"), numpy.datetime64("10000-01-01", "us")
_DAY = numpy.timedelta64(1, "D")

#: XML has no control characters; xlsx writes them as _x0000_ (ECMA-376, ST_Xstring), and that text itself with an escape.
_ESCAPED_ALREADY = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_XML_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_SPECIAL = "[\\x00-\\x1f&<>_\ufffe\uffff]|^\\s|\\s$"

#: Gives for each value of a block what follows the cell's reference; nothing for a missing value.
CellEncoder = Callable[["pandas.Series"], Iterable[str]]


class TooLargeForXlsx(Exception):
    """The table does not fit an xlsx file."""


def check_text(text: str) -> str:
    """Return text that fits a cell.

    Raises:
        TooLargeForXlsx: it is too long.
    """
    if len(text) > MAX_TEXT_CHARS:
        raise TooLargeForXlsx(
            f"a text has {len(text)} characters, a cell of an xlsx file at most {MAX_TEXT_CHARS}: shorten it, or"
            ' attach the CSV only ("attachments": ["csv"])'
        )
    return text


def encoder_of(column: pandas.Series, styles: Mapping[str, str]) -> CellEncoder:
    """Return the encoder of a column's blocks. All values of a numeric or date column get the same type.

    Args:
        styles: the index of each of `STYLES` in the workbook.
    """
    kind = column.dtype
    if isinstance(kind, numpy.dtype):
        if kind.kind in "iu":
            fits = len(column) == 0 or max(abs(int(column.min())), abs(int(column.max()))) < 10**_MAX_NUMBER_DIGITS
            return _integers if fits else _texts
        if kind.kind == "b":
            return lambda block: [f' t="b"><v>{value:d}</v></c>' for value in block.tolist()]
        if kind.kind == "f" and is_whole(column):
            return _whole_floats
        if kind == numpy.float64:
            return _floats
        if kind.kind == "M":
            return _times_encoder(column, styles)
    if is_narrow(kind):
        return lambda block: _floats(widen(block))
    if isinstance(kind, pandas.StringDtype) and _is_plain_text(column):
        return _texts
    return lambda block: [_cell(value, styles) for value in block.tolist()]


def _integers(block: pandas.Series) -> list[str]:
    return [f"><v>{value}</v></c>" for value in block.tolist()]


def _whole_floats(block: pandas.Series) -> list[str]:
    return ["" if value != value else f"><v>{value:.0f}</v></c>" for value in block.tolist()]


def _floats(block: pandas.Series) -> list[str]:
    if numpy.isfinite(block.to_numpy()).all():
        return [f"><v>{value!r}</v></c>" for value in block.tolist()]
    return [_number(value) for value in block.tolist()]


def _number(value: float) -> str:
    if value != value:
        return ""
    return f"><v>{value!r}</v></c>" if abs(value) != numpy.inf else _text(f"{value}")


def _times_encoder(column: pandas.Series, styles: Mapping[str, str]) -> CellEncoder:
    unit = time_unit(column.dropna().to_numpy())
    style = styles[{"D": DATE, "s": TIME}.get(unit, MILLISECONDS)]

    def encode(block: pandas.Series) -> list[str]:
        whole = times = block.to_numpy()
        if _is_fine(
            times.dtype
        ):  # a spreadsheet would round it, to the next day at worst; ns does not have the year 10000
            times = times.astype("M8[ms]")
        days = ((times - _DAY_ZERO.astype(times.dtype)) / _DAY).tolist()
        inside = (times >= _FIRST_DAY.astype(times.dtype)) & (times < _DAY_AFTER.astype(times.dtype))
        if inside.all():
            return [f' s="{style}"><v>{day!r}</v></c>' for day in days]
        return [
            f' s="{style}"><v>{day!r}</v></c>' if fits else _text(text) if day == day else ""
            for day, fits, text in zip(days, inside.tolist(), _iso(whole, unit), strict=True)
        ]

    return encode


def note_cut_times(table: pandas.DataFrame) -> list[str]:
    """Return the note that columns of times are cut to milliseconds, if some are: a spreadsheet has no more."""
    times = ((f"{name!r}", column.dropna().to_numpy()) for name, column in table.items() if _is_fine(column.dtype))
    names = [name for name, known in times if (known != known.astype("M8[ms]")).any()]
    if not names:
        return []
    return [f"the xlsx file has times in milliseconds, and the CSV all of their digits: {', '.join(names)}"]


def _is_fine(kind: object) -> bool:
    return isinstance(kind, numpy.dtype) and kind in {numpy.dtype("M8[us]"), numpy.dtype("M8[ns]")}


def _iso(times: numpy.ndarray, unit: str) -> list[str]:
    texts: list[str] = numpy.datetime_as_string(times.astype(f"M8[{unit}]")).tolist()
    return texts


def _is_plain_text(column: pandas.Series) -> bool:
    """Return whether texts need no escapes, and check that they fit."""
    texts = pyarrow.array(column.array)
    longest = pyarrow.compute.max(pyarrow.compute.utf8_length(texts)).as_py()
    if longest is not None and longest > MAX_TEXT_CHARS:
        check_text(" " * longest)
    return not pyarrow.compute.any(pyarrow.compute.match_substring_regex(texts, _SPECIAL)).as_py()


def _texts(block: pandas.Series) -> list[str]:
    return [
        f' t="inlineStr"><is><t>{value}</t></is></c>' if value is not None and value == value else ""
        for value in block.tolist()
    ]


def _text(text: str) -> str:
    text = _ESCAPED_ALREADY.sub("_x005F_", check_text(text)).translate(_XML_ESCAPES)
    text = _NO_XML.sub(lambda match: f"_x{ord(match[0]):04X}_", text)
    return f' t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def _cell(value: object, styles: Mapping[str, str]) -> str:
    if value is None or value is pandas.NA or value is pandas.NaT:
        return ""
    if isinstance(value, numpy.generic | Decimal):
        if pandas.isna(value):  # type: ignore[call-overload]
            return ""
        value = to_python(value)
    match value:
        case str():
            return _text(value)
        case bool():
            return f' t="b"><v>{value:d}</v></c>'
        case int():
            return f"><v>{value}</v></c>" if abs(value) < 10**_MAX_NUMBER_DIGITS else _text(f"{value}")
        case float():
            return _number(value)
        case Decimal() if _is_exact(value):
            return f"><v>{value}</v></c>"
        case datetime.date() if getattr(value, "tzinfo", None) is None:
            return _time(value, styles)
    return _text(f"{exact(value)}")


def _is_exact(value: Decimal) -> bool:
    """Return whether a number of a spreadsheet holds a value with all its digits."""
    if not value.is_finite() or len(value.as_tuple().digits) > _MAX_NUMBER_DIGITS:
        return False
    return not value or _MIN_EXPONENT <= value.adjusted() <= _MAX_EXPONENT


def _time(value: datetime.date, styles: Mapping[str, str]) -> str:
    moment = numpy.datetime64(value, "us")
    below_seconds = getattr(value, "microsecond", 0)
    is_exact = below_seconds % 1000 == 0 and not getattr(value, "nanosecond", 0)
    if not (is_exact and _FIRST_DAY <= moment < _DAY_AFTER):
        return _text(value.isoformat())
    style = styles[MILLISECONDS if below_seconds else TIME if isinstance(value, datetime.datetime) else DATE]
    return f' s="{style}"><v>{float((moment - _DAY_ZERO) / _DAY)!r}</v></c>'
