"""How errors show what is in the user's data. Without pandas and pyarrow, which a runner's own process does not import."""

from typing import Any

_LONGEST_SHOWN = 200


def shorten(text: str) -> str:
    """Return a text as an error message shows it: one line, at most 200 characters."""
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def show_value(text: str) -> str:
    """Return a value as an error message shows it: in quotes, each space and invisible character as it is, 200 characters at most."""
    return repr(text) if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]!r}..."


def kind_of(value: Any) -> str:
    """Return what a JSON value is, in words."""
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
