"""Columns of text that a person takes for numbers: a note names the first value that is none.

A sum over such a column joins its texts: 10 and 7 become 107, and nothing in the report says so.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow
import pyarrow.compute

from nightmail_runner.parsing.columns import Arrow, NumberFormat, is_kept
from nightmail_runner.parsing.error_text import shorten

#: The values that decide whether a column can be meant: a column of words costs nothing more.
_FIRST = 20
#: So many values of a chunk are judged, and so many rows of a column are searched.
_JUDGED, _SEARCHED_ROWS = 1000, 1_000_000
#: What people and programs write for a missing number.
_MISSING_WORDS = frozenset(
    {"-", "--", "---", ".", "..", "?", "n/a", "na", "n.a.", "#n/a", "nan", "null", "none", "nil", "missing"}
    | {"unknown", "tbd", "k.a.", "n/d", "nd", "s/o", "#ref!", "#value!", "#div/0!"}
)
_CURRENCY = "$€£¥₹"
#: A number with a sign, a currency, separators, or a percent sign that no canonical number has.
_WRITTEN_OTHERWISE = re.compile(
    rf"[-+\u2212(]?[ \u00a0]?[{_CURRENCY}]?[ \u00a0]?\d{{1,3}}([ \u00a0\u202f.,'\u2019]?\d{{3}})*([.,]\d+)?[ \u00a0]?[%{_CURRENCY}]?[-)]?"
)
_ONLY_SEPARATORS = re.compile(r"-?[\d.,' \u00a0\u202f\u2019]+")
_WITH_COMMA = re.compile(r"-?\d{1,3}([. \u00a0\u202f'\u2019]?\d{3})*,\d+")
_DIGIT = re.compile("[0-9]")
_DECIMAL = re.compile("-?[0-9]+[.][0-9]+")
#: A code, which is no number on purpose.
_LEADING_ZERO = re.compile(r"-?0\d")


def note_almost_numbers(
    name: str, texts: Arrow, numbers: NumberFormat, notes: list[str], place: Callable[[int], str]
) -> None:
    """Add a note if a column of text has numbers, or decimal commas, and else only words like `n/a` or numbers written otherwise.

    Args:
        texts: strings in chunks; null where missing.
        place: names where a row (from 0) stands in the user's file: `line 7`.
    """
    pattern = re.compile(numbers.pattern())
    first_texts = texts.slice(0, _FIRST).drop_null().to_pylist()
    if not any(pattern.match(text) and _DIGIT.search(text) for text in first_texts) and not (
        first_texts and all(map(_WITH_COMMA.fullmatch, first_texts))
    ):
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
        others = chunk.filter(pyarrow.compute.invert(is_number)).slice(0, _JUDGED).to_pylist()
        if all(_is_missing(text) or _WRITTEN_OTHERWISE.fullmatch(text) for text in others):
            value = others[0]
            notes.append(
                f"the column {name!r} is text, so a sum joins its values: {place(row + first)} has {shorten(value)!r},"
                f" which is no number here; {_way_out(value)}"
            )
        return


def note_decimals_in_quotes(name: str, values: Sequence[Any], notes: list[str]) -> None:
    """Add a note if all values of a column (None where missing) are texts such as `10.00`, as JSON has them for exact amounts.

    Whole numbers in quotes are mostly codes.
    """
    known = (value for value in values if value is not None)
    first = next(known, None)
    if not _is_decimal(first) or not all(map(_is_decimal, known)):
        return
    notes.append(
        f"the column {name!r} is text, so a sum joins its values: all are text in the data, such as {shorten(str(first))!r}; "
        "types can declare number"
    )


def _is_decimal(value: object) -> bool:
    # A number of JSON that no float keeps is text here, too, but not in the data.
    return isinstance(value, str) and _DECIMAL.fullmatch(value) is not None and is_kept(value, float(value))


def _is_missing(text: str) -> bool:
    return text.strip().casefold() in _MISSING_WORDS


def _way_out(value: str) -> str:
    if _is_missing(value):
        return "na_values can name it as missing"
    if _ONLY_SEPARATORS.fullmatch(value):
        return "thousands and decimal can say how numbers are written"
    return "the script can make it a number"
