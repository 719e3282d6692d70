"""Texts that are numbers, and not codes: `0101.21`, `12E45` and `+49` are codes (docs/sources.md)."""

import re

#: `-0`, which a format of floats writes, is a number and no integer: an integer has no such value.
CANONICAL_INTEGER = r"0|-?[1-9][0-9]*"
#: An exponent of more digits is that of no float.
_EXPONENT_DIGITS = "[0-9]{1,3}"


def canonical_number(decimal: str = ".") -> str:
    """Return the pattern of a number with a decimal mark.

    It has no leading zero before another digit and no leading plus, and an exponent only with a sign or behind a
    decimal mark.
    """
    integer = "-?(?:0|[1-9][0-9]*)"
    fraction = rf"-?(?:0|[1-9][0-9]*)?{re.escape(decimal)}[0-9]+"
    return rf"{integer}(?:[eE][-+]{_EXPONENT_DIGITS})?|{fraction}(?:[eE][-+]?{_EXPONENT_DIGITS})?"
