"""The shapes in which JSON has records: a list of objects, or the names of the columns apart from their values."""

from typing import Any

#: Where an object has the names of its columns, and where its rows: pandas, Elasticsearch, InfluxDB, ClickHouse, Metabase, Quandl.
_NAMES_KEYS, _ROWS_KEYS = ("columns", "column_names", "cols", "fields", "headers", "meta"), ("data", "rows", "values")


def count_records(found: Any) -> int:
    """Return how many records a value is, in whichever of the shapes; an object of no shape is one, and null is none."""
    if found is None:
        return 0
    if (keys := split_keys(found)) is not None:
        return len(found[keys[1]])
    if isinstance(found, dict) and found and all(isinstance(values, list) for values in found.values()):
        return max(map(len, found.values()))
    if isinstance(found, list):
        return len(found) - (bool(found) and isinstance(found[0], list) and not is_unnamed_rows(found))
    return 1


def is_split(found: Any) -> bool:
    """Return whether an object has the names of its columns apart from its rows, which are lists."""
    return split_keys(found) is not None


def split_keys(found: Any) -> tuple[str, str] | None:
    """Return under which keys an object has the names of its columns, and its rows: lists that are as long. Else None."""
    if not isinstance(found, dict):
        return None
    for name, rows in ((name, rows) for name in _NAMES_KEYS for rows in _ROWS_KEYS if name in found and rows in found):
        names = names_of(found[name])
        values = found[rows] if names or found[name] == [] else None
        if isinstance(values, list) and all(isinstance(row, list) and len(row) == len(names) for row in values):
            return name, rows
    return None


def names_of(columns: Any) -> list[str]:
    """Return the names of columns: texts, or objects with a `name`; none of anything else."""
    if not isinstance(columns, list):
        return []
    names = [column.get("name") if isinstance(column, dict) else column for column in columns]
    return [str(name) for name in names] if all(isinstance(name, str) for name in names) else []


def is_columns(found: Any) -> bool:
    """Return whether an object has a list of values for each column, all of one length (pandas' `list`)."""
    return (
        isinstance(found, dict)
        and all(isinstance(values, list) for values in found.values())
        and len({len(values) for values in found.values()}) == 1
        and not any(isinstance(value, list | dict) for values in found.values() for value in values)
        and any(found.values())
    )


def is_header_and_rows(found: Any) -> bool:
    """Return whether a list has lists, of which the first has different texts, and none is longer (a sheet's or census' rows).

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
    """Return whether a list has lists of values, all of one length, of which the first has other values than texts.

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
