"""Paths into JSON: `records_path` of a source, and where its pages name the next one."""

import re
from typing import Any

from nightmail_runner.parsing.error_text import kind_of, shorten
from nightmail_runner.parsing.options import InputNotReadable

#: A step of a path: `[2]`, `[-1]`, `["a.b"]`, `[rel=next]`, or what stands between dots.
_STEP = re.compile(r"""\[(-?\d+)\]|\[(["'])(.*?)\2\]|\[([\w-]+)=([^\[\]]+)\]|([^.\[\]]+)""")
_INDEX = re.compile(r"-?[0-9]{1,9}")


class PathMissing(InputNotReadable):
    """A path leads to nothing. `last`: the value where it ends."""

    def __init__(self, message: str, last: Any) -> None:
        super().__init__(message)
        self.last = last


def follow(found: Any, path: str, passed: list[Any] | None = None) -> Any:
    """Return what `records_path` leads to. A key that has dots in it is found as it is, too.

    Args:
        passed: gets the values on the way, the document first.

    Raises:
        PathMissing: the path leads to nothing.
    """
    rest = path
    while rest:
        if passed is not None:
            passed.append(found)
        if rest == "*" and isinstance(found, dict):
            return [_with_key(key, value, path) if isinstance(value, dict) else value for key, value in found.items()]
        if isinstance(found, dict) and (key := _longest_key(found, rest)) is not None:
            found, rest = found[key], rest[len(key) :].removeprefix(".")
            continue
        step = _STEP.match(rest)
        if step is None:
            raise InputNotReadable(f"records_path {path!r} cannot be understood at {rest!r}")
        key = step[3] if step[3] is not None else step[1] or step[6] or f"{step[4]}={step[5]}"
        if isinstance(found, dict) and key in found:
            found = found[key]
        elif isinstance(found, list) and _INDEX.fullmatch(key) and -len(found) <= int(key) < len(found):
            found = found[int(key)]
        elif step[4] is not None and (chosen := _chosen(found, step[4], step[5])) is not None:
            found = chosen
        else:
            there = shorten(", ".join(found)) if isinstance(found, dict) else kind_of(found)
            raise PathMissing(f"records_path {path!r}: there is no {key!r}; there is: {there}", found)
        rest = rest[step.end() :].removeprefix(".")
    return found


def _chosen(found: Any, key: str, value: str) -> dict[str, Any] | None:
    """Return the first object of a list that has a value under a key, as a list of links has its relations; else None."""
    objects = (one for one in found if isinstance(one, dict)) if isinstance(found, list) else ()
    return next((one for one in objects if value in (one.get(key), str(one.get(key)))), None)


def _with_key(name: str, record: dict[str, Any], path: str) -> dict[str, Any]:
    """Return a record with its name in the object as `key`; one that has the same there already loses nothing."""
    own = record.get("key", name)
    if own != name and not (type(own) is int and str(own) == name):
        raise InputNotReadable(
            f"records_path {path!r}: the record {shorten(name)!r} has a field 'key' of its own ({shorten(str(own))!r}), but the "
            "column key is for the names of the records, which would be lost; rename the field at its source"
        )
    return {"key": name, **record}


def _longest_key(found: dict[str, Any], rest: str) -> str | None:
    ends = [rest, *(rest[:position] for position in range(len(rest) - 1, 0, -1) if rest[position] in ".[")]
    return next((key for key in ends if key in found), None)
