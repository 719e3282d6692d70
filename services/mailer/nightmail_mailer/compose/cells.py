"""The cells of a column as people read them: fewer decimals, dates without midnight. The file keeps every digit."""

import re
from decimal import Decimal, InvalidOperation

from nightmail_common.contract.canonical_number import canonical_number
from nightmail_common.contract.job import CsvOptions

#: The digits of the largest number of a column: amounts keep their cents, and shares the digits that people compare.
SIGNIFICANT_DIGITS = 4
MIN_DECIMALS = 2
#: A number is written with an exponent if it would be rounded to zero, or has more integer digits than a float.
EXPONENT_DIGITS = 3
FLOAT_DIGITS = 16

_NUMBER = re.compile(rf"{canonical_number()}|nan|-?inf|")
_MIDNIGHT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[ T]00:00(:00(\.0+)?)?(Z|[-+][0-9]{2}:?[0-9]{2})?")


def is_number(cell: str, decimal: str = ".") -> bool:
    """Return whether a cell is a canonical number or empty. Thousands separators and other decimal marks make it a text."""
    return _NUMBER.fullmatch(_with_point(cell, decimal)) is not None


def format_column(cells: list[str], options: CsvOptions, *, is_text: bool) -> list[str]:
    """Return the cells of a column as a mail shows them.

    Args:
        is_text: the column may hold text: cells that look like numbers are shown unchanged.
    """
    filled = [cell for cell in cells if cell]
    if filled and all(_MIDNIGHT.fullmatch(cell) for cell in filled):
        return [cell[: len("2026-11-23")] for cell in cells]
    if is_text or options.float_format is not None:
        return cells
    if filled and all(is_number(cell, options.decimal) for cell in filled):
        rounded = _round([_with_point(cell, options.decimal) for cell in cells])
        return [cell.replace(".", options.decimal) for cell in rounded]
    return cells


def _round(cells: list[str]) -> list[str]:
    numbers = [_finite(cell) for cell in cells]
    pairs = list(zip(cells, numbers, strict=True))
    integer_digits = max((max(one.adjusted() + 1, 0) for one in numbers if one), default=0)
    decimals = max(MIN_DECIMALS, SIGNIFICANT_DIGITS - integer_digits)
    if not any(one is not None and _is_long(cell, one, decimals) for cell, one in pairs):
        return cells
    rounded = [cell if one is None else _rounded(cell, one, decimals) for cell, one in pairs]
    fixed = [cell for cell in rounded if _is_fixed(cell)]
    zeros = min((len(cell) - len(cell.rstrip("0")) for cell in fixed), default=0)
    return [cell[: len(cell) - zeros].rstrip(".") if _is_fixed(cell) else cell for cell in rounded]


def _is_long(cell: str, number: Decimal, decimals: int) -> bool:
    exponent = number.as_tuple().exponent
    has_more_decimals = isinstance(exponent, int) and -exponent > decimals
    return has_more_decimals or (number.adjusted() >= FLOAT_DIGITS and _has_exponent(cell))


def _rounded(cell: str, number: Decimal, decimals: int) -> str:
    step = Decimal(1).scaleb(-decimals)
    if number.adjusted() >= FLOAT_DIGITS:
        return f"{number:.{EXPONENT_DIGITS}g}" if _has_exponent(cell) else cell
    rounded = number.quantize(step)
    if number and not rounded:
        return f"{number:.{EXPONENT_DIGITS}g}"
    return f"{rounded or abs(rounded):f}"


def _is_fixed(cell: str) -> bool:
    """Return whether a number has decimals and no exponent."""
    return "." in cell and not _has_exponent(cell)


def _has_exponent(cell: str) -> bool:
    return "e" in cell.lower()


def _finite(cell: str) -> Decimal | None:
    try:
        number = Decimal(cell)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _with_point(cell: str, decimal: str) -> str:
    if decimal == ".":
        return cell
    return cell.replace(decimal, ".") if "." not in cell else f"{cell} "
