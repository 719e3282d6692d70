"""The words of `na_values` where values have types: `-999` means the number, too."""

import re
from collections.abc import Iterable

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
