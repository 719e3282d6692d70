"""Columns of text become numbers only where every value is a canonical number; declared types are applied or refused."""

import math
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias, cast

import numpy
import pandas
import pyarrow
import pyarrow.compute

from nightmail_common.contract.source_types import ColumnType
from nightmail_runner.parsing.byte_search import has_one_of
from nightmail_runner.parsing.declared_times import NotOfType, to_dates, to_datetimes
from nightmail_runner.parsing.error_text import shorten, show_value
from nightmail_runner.parsing.missing_words import is_missing_word
from nightmail_runner.parsing.options import InputNotReadable, ReadOptions

#: An Arrow array, whole or in chunks. (Its published types are generic, the classes themselves are not.)
Arrow: TypeAlias = Any

#: A float keeps every decimal number of 15 significant digits; a sign and a decimal point come on top.
_SURELY_EXACT_CHARACTERS = 15
#: `12E4` is a code: an exponent has a sign, or stands behind a decimal point.
_EXPONENT = r"^-?(\d+[eE][+-]\d+|\d*\.\d+[eE][+-]?\d+)$"
#: A float this small may be zero, and one this large infinite, and the number is not.
_EXTREME = r"[eE][+-]?0*([3-9]\d\d|[1-9]\d{3,})$"
#: A column whose first values are text is text: no cast of the whole is tried.
_TRIED_FIRST = 20
_TEXT = cast("Any", pandas.StringDtype(na_value=numpy.nan))
#: How pandas keeps text, so that a column of text is not copied.
TEXT: Any = pyarrow.large_string()
_SPACES = " \t\u00a0"
#: Marks between groups of digits that look alike: programs write a space that does not break, and a curly apostrophe.
_LIKE_MARKS = (" \u00a0\u202f\u2009", "'\u2019")
_TRUE, _FALSE = frozenset({"true", "t", "yes", "y", "1"}), frozenset({"false", "f", "no", "n", "0"})
_TOO_MANY_DIGITS = (
    "64 bits do not keep all of its digits; declare text, and convert it in the script if you can do without them"
)
_FRACTION = re.compile(r"[+-]?[0-9]*[.][0-9]+")
#: What a script converts text with, of types of which people write values in many forms.
_CONVERSIONS: dict[ColumnType, str] = dict.fromkeys(("date", "datetime"), " (pd.to_datetime with a format)")
_EXPECTED: dict[ColumnType, str] = {
    "text": "text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false (or yes/no, 1/0)",
    "date": "a date like 2026-01-31",
    "datetime": "a time like 2026-01-31T09:30:00 (ISO 8601)",
}


@dataclass(frozen=True)
class NumberFormat:
    """How numbers are written: the decimal mark, and the mark between groups of three digits if there is one."""

    decimal: str = "."
    thousands: str | None = None

    @classmethod
    def of(cls, options: ReadOptions) -> "NumberFormat":
        return cls(options.decimal, options.thousands)

    @property
    def is_plain(self) -> bool:
        return self.decimal == "." and self.thousands is None

    @property
    def grouping_marks(self) -> str:
        """The characters between groups of digits: the declared one, and those that look like it."""
        mark = self.thousands or ""
        return next((marks for marks in _LIKE_MARKS if mark and mark in marks), mark)

    def pattern(self) -> str:
        """Return the pattern of numbers, canonical or not: groups have three digits, with commas also those of India."""
        mark = f"[{re.escape(self.grouping_marks)}]"
        grouped = rf"[0-9]{{1,3}}({mark}[0-9]{{3}})+|" if self.thousands else ""
        if self.thousands == ",":
            grouped += r"[0-9]{1,2}(,[0-9]{2})+,[0-9]{3}|"
        return rf"^-?({grouped}[0-9]*)({re.escape(self.decimal)}[0-9]+)?([eE][+-]?[0-9]+)?$"

    def to_plain(self, texts: Arrow) -> Arrow | None:
        """Return the texts as plain numbers; None if one of them is not written in this format."""
        if self.is_plain:
            return texts
        matches = pyarrow.compute.match_substring_regex(texts, self.pattern())
        if not _all(matches):
            return None
        for mark in self.grouping_marks:
            texts = pyarrow.compute.replace_substring(texts, mark, "")
        return pyarrow.compute.replace_substring(texts, self.decimal, ".")


class _DigitsLost(ValueError):
    """A number has more digits than a column of its type keeps."""


def to_column(name: str, texts: Arrow, options: ReadOptions, notes: list[str], place: Callable[[int], str]) -> Any:
    """Return a column of text as pandas keeps it: by its declared type, else as numbers if all of it is, else as text.

    Args:
        texts: strings, or numbers that have been recognised already; null where missing.
        place: names where a row (from 0) stands in the user's file: `line 7`.

    Raises:
        InputNotReadable: a value is not of the declared type.
    """
    declared = options.types.get(name)
    if texts.type != TEXT:
        return number_array(texts)
    if declared is None:
        return _infer(name, texts, NumberFormat.of(options), notes)
    return convert(name, texts, declared, NumberFormat.of(options), place)


def convert(name: str, texts: Arrow, declared: ColumnType, numbers: NumberFormat, place: Callable[[int], str]) -> Any:
    """Return a column of text as its declared type.

    Raises:
        InputNotReadable: a value is not of that type; names the row by `place`.
    """
    try:
        return _CONVERTERS[declared](texts, numbers)
    except NotOfType as error:
        raise InputNotReadable(
            f"{place(error.row)}: the column {name!r} has {show_value(error.value)}, but types declares {declared}: "
            f"{error.why or f'{_EXPECTED[declared]} is expected; {_way_out(error.value, declared, numbers)}'}"
        ) from None


def _way_out(value: str, declared: ColumnType, numbers: NumberFormat) -> str:
    if is_missing_word(value):
        return "na_values can name it as missing"
    if declared in {"integer", "number"} and not numbers.is_plain:
        return f"numbers are written with decimal {numbers.decimal!r} and thousands {numbers.thousands!r} here"
    if declared == "integer" and _FRACTION.fullmatch(value):
        return "types can declare number"
    marks = ", or set decimal and thousands" if declared in {"integer", "number"} and "," in value else ""
    return f"declare text, and convert it in the script{_CONVERSIONS.get(declared, marks)}"


def check_declared(columns: Sequence[str], options: ReadOptions) -> None:
    """Raise InputNotReadable if `types` names a column that does not exist."""
    for name in options.types:
        if name not in columns:
            known = shorten(", ".join(columns)) or "none"
            raise InputNotReadable(f"types names the column {name!r}, which does not exist; the columns are: {known}")


def empty_column(declared: ColumnType | None) -> Any:
    """Return a column without rows, of its declared type."""
    return _CONVERTERS[declared or "text"](pyarrow.chunked_array([], TEXT), NumberFormat())


def text_array(texts: Arrow) -> Any:
    return _TEXT.__from_arrow__(texts.cast(TEXT))


def number_array(values: Arrow) -> Any:
    """Return numbers as NumPy's; integers with missing values as pandas' nullable ones: no digit is lost."""
    if pyarrow.types.is_integer(values.type) and values.null_count:
        return cast("Any", pandas.Int64Dtype()).__from_arrow__(values)
    return values.to_numpy()


def _infer(name: str, texts: Arrow, numbers: NumberFormat, notes: list[str]) -> Any:
    if texts.null_count == len(texts) or not begins_with_numbers(texts, numbers):
        return text_array(texts)
    values = to_numbers(texts, numbers)
    if values is None:
        values = to_numbers(pyarrow.compute.utf8_trim(texts, _SPACES), numbers)
        if values is None:
            return text_array(texts)
        notes.append(f"the column {name!r} has spaces around its numbers; they were ignored")
    return number_array(values)


def begins_with_numbers(texts: Arrow, numbers: NumberFormat) -> bool:
    """Return whether the first values can be numbers: most columns of text are recognised by them, at no cost."""
    pattern = re.compile(numbers.pattern())
    first = texts.slice(0, _TRIED_FIRST)
    if first.null_count:
        first = texts.drop_null().slice(0, _TRIED_FIRST)
    return all(pattern.match(text.strip(_SPACES)) for text in first.to_pylist())


def to_numbers(texts: Arrow, numbers: NumberFormat) -> Arrow | None:
    """Return texts as 64-bit integers, or as floats, if each is a canonical number and no digit is lost; else None."""
    plain = numbers.to_plain(texts)
    if plain is None:
        return None
    chunks = plain.chunks if isinstance(plain, pyarrow.ChunkedArray) else [plain]
    # A cast that fails is slow, so the right one is chosen first. `-0` and integers beyond 64 bits are text.
    kind = pyarrow.float64() if any(_has_byte(chunk, b".eE") for chunk in chunks) else pyarrow.int64()
    values = _cast(chunks, kind)
    if values is None:
        return None
    return pyarrow.chunked_array(values, kind) if isinstance(plain, pyarrow.ChunkedArray) else values[0]


def _cast(chunks: list[Arrow], kind: Any) -> list[Arrow] | None:
    casts = []
    for texts in chunks:
        try:
            values = pyarrow.compute.cast(texts, kind)
        except pyarrow.ArrowInvalid:
            return None
        if pyarrow.types.is_integer(kind):
            canonical = _are_canonical_integers(texts, values)
        else:
            canonical = _are_canonical(texts) and _are_exact(texts, values)
        if not canonical:
            return None
        casts.append(values)
    return casts


def _are_canonical_integers(texts: Arrow, values: Arrow) -> bool:
    """Return whether each integer is written as Python writes it.

    Another text, such as `007` or `-0`, is longer, so the length of all texts together tells. Arrow reads `0xFF`, too.
    """
    if _has_byte(texts, b"xX"):
        return False
    if texts.null_count:
        texts, values = texts.drop_null(), values.drop_null()
    if not len(texts):
        return True
    integers = values.to_numpy()
    magnitudes = numpy.abs(integers).view(numpy.uint64)  # of -2**63, too, which has no positive counterpart
    needed = len(integers) + numpy.count_nonzero(integers < 0)
    power, highest = 10, int(magnitudes.max())
    while power <= highest:
        needed += numpy.count_nonzero(magnitudes >= power)
        power *= 10
    return int(_bytes_of(texts)[2].sum()) == needed


def _are_canonical(texts: Arrow) -> bool:
    """Return whether each float is written in a canonical way; Arrow has read all of them.

    None has a leading plus, or a leading zero before another character than a point or an `e`, none ends in a point, and
    every exponent has a sign or stands behind a decimal point.
    """
    data, starts, lengths = _bytes_of(texts)
    if texts.null_count:
        starts, lengths = starts[lengths > 0], lengths[lengths > 0]
    if not len(starts):
        return True
    if (data[starts + (lengths - 1)] == ord(".")).any():
        return False
    first = data[starts]
    minus = first == ord("-")
    if minus.any():
        starts, lengths = starts + minus, lengths - minus
        first = data[numpy.minimum(starts, len(data) - 1)]
    is_digit = (first - numpy.uint8(ord("0"))) < 10
    if not is_digit.all() and not ((first == ord(".")) & (lengths > 1))[~is_digit].all():
        return False
    zeros = numpy.flatnonzero(first == ord("0"))
    second = data[numpy.minimum(starts[zeros] + 1, len(data) - 1)]
    in_fraction = (second == ord(".")) | (second == ord("e")) | (second == ord("E"))
    if numpy.where(lengths[zeros] == 1, minus[zeros], ~in_fraction).any():
        return False
    return not _has_byte(texts, b"eE") or _exponents_are_canonical(texts)


def _exponents_are_canonical(texts: Arrow) -> bool:
    with_exponent = texts.filter(pyarrow.compute.match_substring(texts, "e", ignore_case=True))
    if not _all(pyarrow.compute.match_substring_regex(with_exponent, _EXPONENT)):
        return False
    extreme = with_exponent.filter(pyarrow.compute.match_substring_regex(with_exponent, _EXTREME))
    return all(is_kept(text, float(text)) for text in extreme.to_pylist())


def _bytes_of(texts: Arrow) -> tuple[Any, Any, Any]:
    """Return the bytes of a chunk of strings as an array, and where each string starts and how long it is."""
    _, offsets, data = texts.buffers()
    kind = numpy.int64 if texts.type == TEXT else numpy.int32
    ends = numpy.frombuffer(offsets, kind)[texts.offset : texts.offset + len(texts) + 1]
    return numpy.frombuffer(data if data is not None else b"", numpy.uint8), ends[:-1], numpy.diff(ends)


def _has_byte(texts: Arrow, wanted: bytes) -> bool:
    data, starts, lengths = _bytes_of(texts)
    return len(starts) > 0 and has_one_of(memoryview(data[starts[0] : starts[-1] + lengths[-1]]), wanted)


def _are_exact(texts: Arrow, values: Arrow) -> bool:
    long = _bytes_of(texts)[2] > _SURELY_EXACT_CHARACTERS
    if not long.any():
        return True
    long = pyarrow.array(long)
    texts, values = texts.filter(long), values.filter(long)
    changed = pyarrow.compute.not_equal(pyarrow.compute.cast(values, texts.type), texts)
    return all(map(is_kept, texts.filter(changed).to_pylist(), values.filter(changed).to_pylist()))


def is_kept(text: str, value: float) -> bool:
    """Return whether a float is exactly the number that a text is."""
    with suppress(InvalidOperation):  # an exponent of 19 digits
        return Decimal(repr(value)) == Decimal(text)
    return False


def _to_integers(texts: Arrow, numbers: NumberFormat) -> Any:
    found = to_numbers(pyarrow.compute.utf8_trim(texts, _SPACES), numbers)
    if found is None or not pyarrow.types.is_integer(found.type):
        found = _one_by_one(texts, numbers, _parse_integer, pyarrow.int64())
    return number_array(found)


def _to_numbers(texts: Arrow, numbers: NumberFormat) -> Any:
    found = to_numbers(pyarrow.compute.utf8_trim(texts, _SPACES), numbers)
    if found is None:
        found = _one_by_one(texts, numbers, _parse_number, pyarrow.float64())
    return number_array(found)


def _to_booleans(texts: Arrow, numbers: NumberFormat) -> Any:
    found = _one_by_one(texts, numbers, _parse_boolean, pyarrow.bool_())
    return pandas.array(found.to_pylist(), dtype="boolean") if found.null_count else found.to_numpy()


_CONVERTERS: dict[ColumnType, Callable[[Arrow, NumberFormat], Any]] = {
    "text": lambda texts, _numbers: text_array(texts),
    "integer": _to_integers,
    "number": _to_numbers,
    "boolean": _to_booleans,
    "date": lambda texts, _numbers: to_dates(texts),
    "datetime": lambda texts, _numbers: to_datetimes(texts),
}


def _one_by_one(texts: Arrow, numbers: NumberFormat, parse: Callable[[str], Any], kind: Any) -> Arrow:
    pattern = re.compile(numbers.pattern())
    values: list[Any] = []
    for row, text in enumerate(texts.to_pylist()):
        if text is None:
            values.append(None)
            continue
        plain = text.strip(_SPACES)
        if not numbers.is_plain and kind != pyarrow.bool_():
            if not pattern.match(plain.removeprefix("+")):
                raise NotOfType(row, text)
            plain = plain.translate(dict.fromkeys(map(ord, numbers.grouping_marks))).replace(numbers.decimal, ".")
        try:
            values.append(parse(plain))
        except _DigitsLost:
            raise NotOfType(row, text, _TOO_MANY_DIGITS) from None
        except (ValueError, ArithmeticError):
            raise NotOfType(row, text) from None
    return pyarrow.chunked_array([pyarrow.array(values, kind)], kind)


def _parse_integer(text: str) -> int:
    integer = re.fullmatch(r"([+-]?[0-9]+)(\.0+)?", text)  # pandas writes 1.0 where another value is missing
    if integer is None:
        raise ValueError(text)
    if not -(2**63) <= (value := int(integer[1])) < 2**63:
        raise _DigitsLost(text)
    return value


def _parse_number(text: str) -> float:
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text):
        raise ValueError(text)
    value = float(text)
    if math.isinf(value) or (value == 0 and re.search("[1-9]", re.split("[eE]", text)[0])):
        raise ValueError(text)  # too large or too small for a number
    if len(text) > _SURELY_EXACT_CHARACTERS and Decimal(repr(value)) != Decimal(text):
        raise _DigitsLost(text)
    return value


def _parse_boolean(text: str) -> bool:
    folded = text.casefold()
    if folded not in _TRUE | _FALSE:
        raise ValueError(text)
    return folded in _TRUE


def _all(truths: Any) -> bool:
    return bool(pyarrow.compute.all(truths).as_py() in {True, None})
