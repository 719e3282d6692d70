"""The words of `na_values` as numbers: where values have types, `-999` means the number, too; in text, the word alone."""

import re
from collections.abc import Callable, Iterable
from typing import Any

import pandas

from nightmail_common.contract.canonical_number import canonical_number


class MissingValues:
    """Says whether a value is one of the words, or a number that one of them writes."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = frozenset(words)
        numbers = [word for word in self._words if re.fullmatch(canonical_number(), word)]
        self.numbers = frozenset(int(word) if word.lstrip("-").isdecimal() else float(word) for word in numbers)

    def __contains__(self, value: object) -> bool:
        if isinstance(value, str):
            return value in self._words
        return isinstance(value, int | float) and not isinstance(value, bool) and value in self.numbers


def note_other_spellings(
    name: str, column: Any, texts: Any, missing: MissingValues, notes: list[str], place: Callable[[int], str]
) -> None:
    """Add a note if a column of numbers from text has one that a word of `na_values` writes in another way.

    Args:
        column: the numbers, as pandas keeps them.
        texts: as the data has them.
        place: returns where a row, counted from 0, stands in the data.
    """
    if not missing.numbers or column.dtype.kind not in "iuf":
        return
    rows = pandas.Series(column, copy=False).isin([*missing.numbers]).to_numpy(bool).nonzero()[0]
    if len(rows):
        first, many = int(rows[0]), "1 value" if len(rows) == 1 else f"{len(rows)} values"
        notes.append(
            f"column {name!r}: {many}, the first {texts[first].as_py()!r} in {place(first)}, not missing: na_values writes the"
            " number otherwise, and can name this text, too"
        )
