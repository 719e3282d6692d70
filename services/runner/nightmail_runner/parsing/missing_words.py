"""Words that programs write for a missing value. They stay text unless `na_values` names them."""

import re

#: What people and programs write for a missing number.
_MISSING_WORDS = frozenset(
    {"-", "--", "---", ".", "..", "?", "n/a", "na", "n.a.", "#n/a", "nan", "null", "none", "nil", "missing"}
    | {"unknown", "tbd", "k.a.", "n/d", "nd", "s/o", "#ref!", "#value!", "#div/0!", "#num!", "#name?", "#null!"}
    | {"", "\\n", "(null)", "<null>", "[null]", "<na>", "nat", "-nan", "(blank)", "(empty)", "n.v."}
    | {":", "...", "\u2026", "*", "**", "/", "x", "(x)"}  # of offices of statistics
)
#: What a spreadsheet shows of a number in a column that is too narrow.
_TOO_NARROW = re.compile("#{3,}")


def is_missing_word(text: str) -> bool:
    """Return whether a text is what people and programs write for a missing value, or only spaces."""
    return text.strip().casefold() in _MISSING_WORDS or _TOO_NARROW.fullmatch(text.strip()) is not None
