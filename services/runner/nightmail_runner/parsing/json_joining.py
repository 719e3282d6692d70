"""JSON that has the names of its columns apart from their values, joined to records."""

from itertools import zip_longest
from typing import Any

from nightmail_runner.parsing.column_names import name_columns
from nightmail_runner.parsing.error_text import shorten
from nightmail_runner.parsing.json_shapes import is_columns, is_header_and_rows, is_unnamed_rows, names_of, split_keys
from nightmail_runner.parsing.options import InputNotReadable


def join_shape(found: Any, notes: list[str]) -> list[dict[str, Any]] | None:
    """Return the records of a value that has their names apart from them, which is a note; None of any other value.

    Raises:
        InputNotReadable: a column would be lost.
    """
    if (keys := split_keys(found)) is not None:
        notes.append(f"the data has {keys[0]} and rows apart (split); they were joined")
        names = name_columns(names_of(found[keys[0]]), notes, keys[0])
        records = [dict(zip(names, row, strict=True)) for row in found[keys[1]]]
        return _with_index(records, found.get("index"), notes)
    if is_columns(found):
        notes.append("the data has a list of values for each column; they were joined")
        return [dict(zip(found, row, strict=True)) for row in zip(*found.values(), strict=True)]
    if is_header_and_rows(found):
        notes.append("the first list of the data was taken for the names of the columns")
        names = name_columns(found[0], notes, "the first list")
        if short := sum(len(row) < len(names) for row in found):
            notes.append(
                f"{short} of the lists had fewer values than the first has names; the others are missing values"
            )
        return [dict(zip_longest(names, row)) for row in found[1:]]
    if is_unnamed_rows(found):
        names = name_columns([""] * len(found[0]), [], "")
        notes.append(
            f"the lists of the data have no names; their columns are {shorten(', '.join(map(repr, names)))} here:"
            " `data.columns = [...]` in the script names them"
        )
        return [dict(zip(names, row, strict=True)) for row in found]
    return None


def _with_index(records: list[dict[str, Any]], index: Any, notes: list[str]) -> list[dict[str, Any]]:
    """Return records with the labels that pandas writes beside them, unless these count the rows."""
    if not isinstance(index, list) or len(index) != len(records) or index == list(range(len(index))):
        return records
    if any("index" in record for record in records):
        raise InputNotReadable("the data has an index beside its rows, and a column 'index': one of them would be lost")
    notes.append("the index of the data is the column 'index' here")
    return [{"index": label, **record} for label, record in zip(index, records, strict=True)]
