"""The words of `na_values` where values have types: `-999` means the number, too."""

import re
from collections.abc import Iterable
from typing import Any

import pandas

from nightmail_common.contract.canonical_number import canonical_number


class MissingValues:
    """Says whether a value is one of the words, or a number that one of them writes."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = frozenset(words)
        numbers = [word for word in self._words if re.fullmatch(canonical_number(), word)]
        self._numbers = frozenset(int(word) if word.lstrip("-").isdecimal() else float(word) for word in numbers)

    def __contains__(self, value: object) -> bool:
        if isinstance(value, str):
            return value in self._words
        return isinstance(value, int | float) and not isinstance(value, bool) and value in self._numbers

    def drop_from(self, column: Any) -> Any:
        """Return a column as pandas keeps it; of numbers, those that the words write are missing: `-999.0` is `-999`."""
        kind = column.dtype.kind
        if kind not in "iuf" or not self._numbers:
            return column
        numbers = self._numbers if kind == "f" else {int(number) for number in self._numbers if number == int(number)}
        values = pandas.Series(column, copy=False)
        is_missing = values.isin(sorted(numbers))
        if not is_missing.any():
            return column
        return (values if kind == "f" else values.astype("Int64")).mask(is_missing).array
