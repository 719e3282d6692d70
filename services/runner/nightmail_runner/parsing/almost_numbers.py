"""Columns of text that a person takes for numbers: a note names the first value that is none.

A sum over such a column joins its texts: 10 and 7 become 107, and nothing in the report says so.
"""

import datetime
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy
import pandas
import pyarrow
import pyarrow.compute

from nightmail_common.contract.canonical_number import canonical_number
from nightmail_runner.parsing.columns import Arrow, NumberFormat, is_kept, to_numbers
from nightmail_runner.parsing.error_text import show_value
from nightmail_runner.parsing.missing_words import is_missing_word

#: The values that decide whether a column can be meant: a column of words costs nothing more.
_FIRST = 20
#: So many values of a chunk are judged, and so many rows of a column are searched.
_JUDGED, _SEARCHED_ROWS = 1000, 1_000_000
#: What the values of JSON and of a workbook are to a person. Nested ones are the script's own matter.
_KINDS: dict[type, str] = {
    bool: "a truth value",
    int: "a number",
    float: "a number",
    str: "a text",
    datetime.date: "a date",
    datetime.datetime: "a date",
    datetime.time: "a time",
    datetime.timedelta: "a duration",
}
#: Among numbers, so large a share of other values is an accident: a line of units, a footer, a header that is repeated.
_FEW = 0.01
_CURRENCY = "$€£¥₹"
_MONEY = rf"(?:[{_CURRENCY}]|EUR|USD|GBP|CHF|JPY|CNY|INR|CAD|AUD|SEK|NOK|DKK|PLN|CZK|BRL|ZAR|Rs\.?|R\$|kr\.?|zł)"
#: Text that programs hide from Excel, which would take `00123` for a number.
_IN_FORMULA = re.compile(r'="[^"]*"')
_BEHIND_APOSTROPHE = re.compile(r"'[-+]?\d[\d.,-]*")
_QUOTED_BEHIND_SPACE = re.compile(r'\s+"[^"]*"\s*|"[^"]*"\s+')
#: Marks of the direction of text, and spaces without width, which stand unseen beside a number.
_UNSEEN = "\u200b-\u200f\u202a-\u202e\u2060\ufeff"
#: What looks like a minus: of mathematics, hyphens and dashes, and the full-width one.
_MINUS = "\u2212\u2010-\u2013\ufe63\uff0d"
#: A number with a sign, a currency, separators, a percent sign or an unseen character that no canonical number has.
_WRITTEN_OTHERWISE = re.compile(
    rf"[{_UNSEEN}]*[-+{_MINUS}(]?[ \u00a0]?(?:{_MONEY}[ \u00a0]*)?-?(?:\d{{1,3}}(?:[ \u00a0\u202f.,'\u2019_]?\d{{3}})*"
    rf"(?:[.,]\d*)?(?:[eE][-+]\d+)?"
    rf"|\d{{1,2}}(?:,\d{{2}})+,\d{{3}}(?:\.\d+)?)[ \u00a0]?(?:%|{_MONEY})?[-)]?[{_UNSEEN}]*|{_MONEY} *-+|[-+]?inf(?:inity)?",
    re.IGNORECASE,
)
#: What a number of people has, and a code or the number of a telephone has not.
_MARK_OF_A_NUMBER = re.compile(rf"[.,'\u2019\u00a0\u202f]\d|[{_CURRENCY}(]|\d-|[{_UNSEEN}]|^[{_MINUS}]|(?![0-9])\d")
#: What no integer is, and what no float holds.
_NOT_KEPT = r"^-0$|[eE][+-][0-9]{3,}$"
#: What ryu writes (Polars, DuckDB, Rust), and what a code such as `12E4` can be.
_BARE_EXPONENT = "^-?[0-9]+[eE][0-9]+$"
_ONLY_SEPARATORS = re.compile(r"-?[\d.,' \u00a0\u202f\u2019]+")
_WITH_COMMA = re.compile(r"-?\d{1,3}([. \u00a0\u202f'\u2019]?\d{3})*,\d+")
_DIGIT = re.compile("[0-9]")
_DECIMAL = re.compile("-?[0-9]+[.][0-9]+")
_WITH_EXPONENT = re.compile("-?[0-9]+(?:[.][0-9]+)?[eE][+-]?[0-9]+")
#: A float or an integer of 64 bits keeps a number of so many characters.
_SURELY_KEPT_CHARACTERS = 15
_CANONICAL = f"^(?:{canonical_number()})$"
_TOO_LONG = "the column {name} has numbers with more digits than 64 bits hold; it is text, with every digit, so a sum joins its values"
#: A code, which is no number on purpose.
_LEADING_ZERO = re.compile(r"-?0\d")


def note_almost_numbers(
    name: str, texts: Arrow, numbers: NumberFormat, notes: list[str], place: Callable[[int], str]
) -> None:
    """Add a note if a column of text has numbers, and else few values, or only words like `n/a` or numbers written otherwise.

    Args:
        texts: strings in chunks; null where missing.
        place: names where a row (from 0) stands in the user's file: `line 7`.
    """
    first_values = texts.slice(0, _FIRST).drop_null().to_pylist()
    if first_values and all(map(_IN_FORMULA.fullmatch, first_values)):
        notes.append(
            f"the column {name!r} has its values in formulas such as {show_value(first_values[0])}, as programs write text for Excel;"
            f" they are kept; data[{name!r}].str[2:-1] is the text"
        )
    elif first_values and (marks := _marks_around(first_values)) is not None:
        notes.append(
            f"the column {name!r} has {marks} in its values, such as {show_value(first_values[0])}; they are kept, because only double"
            " quotes at both ends of a field are no text; the script can strip them"
        )
        return
    if not _may_be_meant(texts, numbers):
        return
    row = 0
    for chunk in texts.slice(0, _SEARCHED_ROWS).chunks:
        if any(map(_LEADING_ZERO.match, chunk.slice(0, _JUDGED).drop_null().to_pylist())):
            return
        is_number = pyarrow.compute.and_(
            pyarrow.compute.match_substring_regex(chunk, numbers.pattern()),
            pyarrow.compute.match_substring_regex(chunk, _DIGIT.pattern),
        )
        first = pyarrow.compute.index(is_number, False).as_py()
        if first < 0:
            row += len(chunk)
            continue
        others: Any = chunk.filter(pyarrow.compute.invert(is_number))
        known = len(chunk) - chunk.null_count
        are_few = len(others) <= max(1, known * _FEW) and known > 2 * len(others)
        judged = others.slice(0, _JUDGED).to_pylist()
        if are_few or all(is_missing_word(text) or _is_written_otherwise(text) for text in judged):
            value = judged[0]
            notes.append(
                f"the column {name!r} is text, so a sum joins its values: {place(row + first)} has {show_value(value)},"
                f" which is no number here; {_way_out(value)}"
            )
        return
    if _has_long_numbers(texts.slice(0, _SEARCHED_ROWS), numbers):
        notes.append(_TOO_LONG.format(name=repr(name)))
        return
    not_kept: Any = pyarrow.compute.match_substring_regex(texts, _NOT_KEPT)
    if (row := pyarrow.compute.index(not_kept, True).as_py()) >= 0:
        value = texts[row].as_py()
        way_out = "types can declare number" if value == "-0" else "the script can make it a number"
        notes.append(
            f"the column {name!r} is text, so a sum joins its values: {place(row)} has {show_value(value)}, which"
            f" 64 bits do not hold as it is written; {way_out}"
        )
        return
    bare: Any = pyarrow.compute.match_substring_regex(texts, _BARE_EXPONENT)
    with_decimals: Any = pyarrow.compute.match_substring(texts, numbers.decimal)
    if (row := pyarrow.compute.index(bare, True).as_py()) >= 0 and pyarrow.compute.any(with_decimals).as_py():
        notes.append(
            f"the column {name!r} is text, so a sum joins its values: {place(row)} has {show_value(texts[row].as_py())}, which"
            " may be a code; types can declare number"
        )


def _marks_around(values: Sequence[str]) -> str | None:
    """Return which quotes each of the first values has around it, or before it as Excel hides numbers; None if there are none."""
    if all(len(value) > 1 and value[0] == value[-1] == "'" for value in values):
        return "single quotes"
    if all(_BEHIND_APOSTROPHE.fullmatch(value) for value in values):
        return "an apostrophe"
    if all(_QUOTED_BEHIND_SPACE.fullmatch(value) for value in values):
        return "a space and quotes"
    return None


def _may_be_meant(texts: Arrow, numbers: NumberFormat) -> bool:
    """Return whether one of the first values is a number, or all of them are numbers that are written otherwise."""
    pattern = re.compile(numbers.pattern())
    first = texts.slice(0, _FIRST).drop_null().to_pylist()
    if all(map(is_missing_word, first)):
        first = texts.slice(0, _JUDGED).drop_null().to_pylist()
    if any(pattern.match(text) and _DIGIT.search(text) for text in first):
        return True
    # Nobody sums up percentages.
    known = [text for text in first if not is_missing_word(text) and not text.endswith("%")]
    return any(map(_MARK_OF_A_NUMBER.search, known)) and all(map(_is_written_otherwise, known))


def _has_long_numbers(texts: Arrow, numbers: NumberFormat) -> bool:
    """Return whether a column of text is numbers that have more digits than 64 bits keep, and no codes such as `007` or `12E4`."""
    plain = numbers.to_plain(texts)
    if plain is None:
        return False
    is_long: Any = pyarrow.compute.greater(
        pyarrow.compute.binary_length(plain), pyarrow.scalar(_SURELY_KEPT_CHARACTERS)
    )
    long: Any = plain.filter(is_long)
    if not len(long) or not pyarrow.compute.all(pyarrow.compute.match_substring_regex(long, _CANONICAL)).as_py():
        return False
    short: Any = plain.filter(pyarrow.compute.invert(is_long))
    return to_numbers(short, NumberFormat()) is not None


def note_points_beside_commas(columns: Mapping[str, Any], notes: list[str]) -> None:
    """Add a note if a column was read with decimal points that may separate thousands: another one has decimal commas.

    Args:
        columns: as pandas keeps them.
    """
    with_comma = next((name for name, column in columns.items() if _has_decimal_commas(column)), None)
    if with_comma is None:
        return
    for name, column in columns.items():
        if column.dtype == "float64" and _may_be_thousands(column):
            notes.append(
                f"the points in the column {name!r} were read as decimal points, but the column {with_comma!r} has decimal"
                " commas; if they separate thousands, decimal and thousands can say so"
            )


def _has_decimal_commas(column: Any) -> bool:
    if not isinstance(column.dtype, pandas.StringDtype):
        return False
    first = column[:_FIRST].dropna()
    return len(first) > 0 and all(map(_WITH_COMMA.fullmatch, first))


def _may_be_thousands(column: Any) -> bool:
    """Return whether all numbers are below 1000 and have at most three decimals, and one has three."""
    known = abs(column[~numpy.isnan(column)])
    thousandths = numpy.round(known * 1000)
    if not ((known < 1000) & numpy.isclose(known * 1000, thousandths, rtol=0, atol=1e-6)).all():
        return False
    return bool((thousandths % 10 != 0).any())


def note_decimals_in_quotes(name: str, values: Sequence[Any], notes: list[str]) -> None:
    """Add a note if all values of a column (None where missing) are texts such as `10.00`, as JSON has them for exact amounts.

    Whole numbers in quotes are mostly codes. A number of JSON that no float keeps is text here, too, but not in the data.
    """
    known = (value for value in values if value is not None)
    first = next(known, None)
    if isinstance(first, str) and _WITH_EXPONENT.fullmatch(first) and not is_kept(first, float(first)):
        notes.append(
            f"the column {name!r} is text, so a sum joins its values: {show_value(first)} is beyond the numbers that 64 bits hold"
        )
        return
    if not _is_decimal(first) or not all(map(_is_decimal, known)):
        return
    if all(value is None or is_kept(value, float(value)) for value in values):
        notes.append(
            f"the column {name!r} is text, so a sum joins its values: all are text in the data, such as {show_value(str(first))}; "
            "types can declare number"
        )
    else:
        notes.append(_TOO_LONG.format(name=repr(name)))


def note_decimals_of_query(name: str, texts: Arrow, notes: list[str]) -> None:
    """Add a note if all values of a column of text are decimals such as `10.00`: tables that were imported have text for numbers."""
    first = next((value for value in texts.slice(0, _FIRST).to_pylist() if value is not None), None)
    if (
        _is_decimal(first)
        and pyarrow.compute.all(pyarrow.compute.match_substring_regex(texts, f"^{_DECIMAL.pattern}$")).as_py()
    ):
        notes.append(
            f"the column {name!r} is text, so a sum joins its values: all are text in the database, such as {show_value(str(first))}; the"
            " query can cast it to a number"
        )


def note_several_kinds(name: str, values: Sequence[Any], notes: list[str]) -> None:
    """Add a note if a column of typed values mixes numbers and texts, or other types (None: a missing value).

    They stay as they are, so 1 and '1' are two groups, and a method of texts (`.str`) makes the numbers missing.
    """
    kinds = {kind for kind in set(map(type, values)) if kind in _KINDS}
    if len({_KINDS[kind] for kind in kinds}) < 2:
        return
    first: dict[str, str] = {}
    for value in values:
        if type(value) in kinds and (named := _KINDS[type(value)]) not in first:
            first[named] = f"{named} ({show_value(value) if isinstance(value, str) else value})"
    notes.append(
        f"the column {name!r} has values of several types, which stay as they are: {', '.join(first.values())}; types can declare"
        " one, and na_values can name a word as missing"
    )


def _is_decimal(value: object) -> bool:
    return isinstance(value, str) and _DECIMAL.fullmatch(value) is not None


def _is_written_otherwise(text: str) -> bool:
    return _WRITTEN_OTHERWISE.fullmatch(text.strip()) is not None


def _way_out(value: str) -> str:
    if is_missing_word(value):
        return "na_values can name it as missing"
    if _ONLY_SEPARATORS.fullmatch(value):
        return "thousands and decimal can say how numbers are written"
    if _is_written_otherwise(value):
        return "the script can make it a number"
    return "if it is no value, na_values can name it as missing"
