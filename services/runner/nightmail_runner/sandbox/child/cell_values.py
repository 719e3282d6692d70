"""Values of cells as Python has them, and as the text that says all of a value."""

import datetime
import json
from collections.abc import Callable, Set
from decimal import Decimal
from typing import Any

import numpy
import pandas

#: Values that are written as a JSON list.
_ARRAYS = numpy.ndarray | pandas.api.extensions.ExtensionArray | pandas.Index
#: Bytes of a float of Python.
_FLOAT_BYTES = 8


def to_python(value: object) -> object:
    """Return a number of numpy as a number of Python; all other values as they are.

    A float of 2 or 4 bytes is its shortest text, 0.1 and not 0.10000000149011612. A float of higher precision is not
    converted if Python's float cannot represent it.
    """
    match value:
        case numpy.timedelta64() | numpy.complexfloating():
            return value
        case numpy.bool_() | numpy.integer() | numpy.float64():
            return value.item()
        case numpy.floating():
            number = float(str(value))
            return value if value.itemsize > _FLOAT_BYTES and number != value else number
    return value


def is_narrow(kind: object) -> bool:
    """Return whether the values of a type are floats of 2 or 4 bytes."""
    return getattr(kind, "kind", "") == "f" and getattr(kind, "itemsize", _FLOAT_BYTES) < _FLOAT_BYTES


def widen(column: pandas.Series) -> pandas.Series:
    """Return a column of floats as Python's floats, narrow ones of the same shortest texts. Missing values are NaN."""
    values = column.to_numpy(f"f{column.dtype.itemsize}", na_value=numpy.nan)  # type: ignore[union-attr]
    wide = values.astype(str).astype(float) if is_narrow(values.dtype) else values
    return pandas.Series(wide, index=column.index, name=column.name)


def map_objects(column: pandas.Series, function: Callable[[object], object]) -> pandas.Series:
    """Return a column of objects with a function applied to each value that is not missing.

    `Series.map`, and `to_numpy` of categories, make a float of an integer beside missing values, and large integers lose
    digits by it.
    """
    missing = column.isna().tolist()
    mapped = (None if gone else function(value) for value, gone in zip(column.tolist(), missing, strict=True))
    array = numpy.fromiter(mapped, dtype=object, count=len(missing))
    return pandas.Series(array, index=column.index, name=column.name, dtype=object)


def exact(value: object) -> object:
    """Return a value whose `str` loses no information.

    Lists, tuples, sets (sorted), dicts and arrays are JSON, times are ISO 8601, and numbers of numpy are those of Python.
    """
    if isinstance(value, list | tuple | dict | set | frozenset | _ARRAYS):
        return _to_json(value)
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    return to_python(value)


def format_decimal(value: Decimal, float_format: str) -> str:
    """Return what a printf-style format (`%.2f`, with one of the letters `eEfFgG`) writes, without a float in between.

    Decimal's own formats of `e` and `g` differ from those of floats in the digits of the exponent and in zeros.
    """
    if not value or not value.is_finite():
        return float_format % value
    precision, letter = int(float_format[2:-1]), float_format[-1]
    if letter in "fF":
        return format(value, float_format[1:])
    digits = precision if letter in "eE" else max(precision, 1) - 1
    mantissa, _, exponent = format(value, f".{digits}e").partition("e")
    power = int(exponent)
    if letter in "gG":
        if -4 <= power <= digits:
            return _without_zeros(format(value, f".{digits - power}f"))
        mantissa = _without_zeros(mantissa)
    return f"{mantissa}{'e' if letter.islower() else 'E'}{power:+03d}"


def _without_zeros(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def _to_json(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, default=_jsonable)
    except (TypeError, ValueError):  # keys that JSON does not have, a structure that contains itself
        pass
    try:
        tree = _tree(value)
    except RecursionError:
        return str(value)
    try:
        return json.dumps(tree, ensure_ascii=False, default=_jsonable)
    except (TypeError, ValueError):
        return str(tree)


def _jsonable(value: object) -> object:
    if isinstance(value, _ARRAYS):
        return _items(value)
    if isinstance(value, set | frozenset):
        return _sorted(value)
    if value is pandas.NaT or value is pandas.NA:
        return None
    if isinstance(value, numpy.datetime64):
        return None if numpy.isnat(value) else str(value)
    if isinstance(value, numpy.generic):
        number = to_python(value)
        return str(value) if number is value else number
    return value.isoformat() if isinstance(value, datetime.date) else str(value)


def _tree(value: object) -> object:
    """Return a structure with numbers of Python and without sets, also in the keys of dicts."""
    if isinstance(value, dict):
        tree = {key_to_python(key): _tree(item) for key, item in value.items()}
        return tree if len(tree) == len(value) else value
    if isinstance(value, list | tuple):
        return [_tree(item) for item in value]
    if isinstance(value, set | frozenset):
        return [_tree(item) for item in _sorted(value)]
    return to_python(value)


def key_to_python(key: object) -> object:
    """Return a key with numbers of Python, and a set in it as a sorted tuple."""
    if isinstance(key, frozenset):
        key = tuple(_sorted(key))
    return tuple(map(key_to_python, key)) if isinstance(key, tuple) else to_python(key)


def _sorted(values: Set[object]) -> list[object]:
    """Return the items of a set in an order of their own: that of a set differs from one process to the next."""
    return sorted(values, key=_order)


def _order(value: object) -> tuple[int, Any]:
    """Return a key by which values of all types can be sorted: numbers by value, texts, tuples, and others by their text."""
    value = to_python(value)
    match value:
        case int() | float() | Decimal() if value == value:
            return 0, value
        case str():
            return 1, value
        case tuple():
            return 2, [_order(item) for item in value]
    return 3, f"{exact(value)}"


def _items(array: object) -> object:
    if isinstance(array, numpy.ndarray):
        if not array.ndim:
            return array[()]
        # The list of an array of nanoseconds has integers, and that of narrow floats has digits that they do not have.
        return list(array) if array.dtype.kind in "mM" or is_narrow(array.dtype) else array.tolist()
    assert isinstance(array, pandas.api.extensions.ExtensionArray | pandas.Index)
    return [None if missing else item for item, missing in zip(array, array.isna(), strict=True)]
