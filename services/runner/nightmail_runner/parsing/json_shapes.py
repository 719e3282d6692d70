"""The shapes in which JSON has records: a list of objects, or the names of the columns apart from their values."""

from typing import Any


def count_records(found: Any) -> int:
    """Return how many records a value is, in whichever of the shapes; an object of no shape is one, and null is none."""
    if found is None:
        return 0
    if is_split(found):
        return len(found["data"])
    if isinstance(found, dict) and found and all(isinstance(values, list) for values in found.values()):
        return max(map(len, found.values()))
    if isinstance(found, list):
        return len(found) - (bool(found) and isinstance(found[0], list) and not is_unnamed_rows(found))
    return 1


def is_split(found: Any) -> bool:
    return (
        isinstance(found, dict)
        and isinstance(names := found.get("columns"), list)
        and isinstance(rows := found.get("data"), list)
        and all(isinstance(name, str) for name in names)
        and all(isinstance(row, list) and len(row) == len(names) for row in rows)
    )


def is_columns(found: Any) -> bool:
    """Say whether an object has a list of values for each column, all of one length (pandas' `list`)."""
    return (
        isinstance(found, dict)
        and all(isinstance(values, list) for values in found.values())
        and len({len(values) for values in found.values()}) == 1
        and not any(isinstance(value, list | dict) for values in found.values() for value in values)
        and any(found.values())
    )


def is_header_and_rows(found: Any) -> bool:
    """Say whether a list has lists, of which the first has different texts, and none is longer (a sheet's or census' rows).

    Google Sheets leaves out empty cells at the end of a row.
    """
    return (
        isinstance(found, list)
        and len(found) > 1
        and isinstance(found[0], list)
        and len(found[0]) > 1
        and all(isinstance(name, str) and name for name in found[0])
        and len(set(found[0])) == len(found[0])
        and all(isinstance(row, list) and len(row) <= len(found[0]) for row in found)
    )


def is_unnamed_rows(found: Any) -> bool:
    """Say whether a list has lists of values, all of one length, of which the first has other values than texts.

    A first list of texts may be names that are no header, because one is there twice.
    """
    return (
        isinstance(found, list)
        and bool(found)
        and isinstance(found[0], list)
        and not all(isinstance(value, str) for value in found[0])
        and all(isinstance(row, list) and len(row) == len(found[0]) for row in found)
        and not any(isinstance(value, dict) for row in found for value in row)
    )
