"""Compares a result with the last delivered one, in the worker that wrote it."""

import csv
import io
import os
from typing import BinaryIO

from nightmail_common.contract.comparison import CannotCompare, CsvTable, TooManyRows, compare
from nightmail_common.contract.limits import MAX_COMPARED_BYTES
from nightmail_runner.sandbox.result import ChangeCounts
from nightmail_runner.sandbox.task import Task


def compare_with_previous(task: Task, result: BinaryIO, previous: BinaryIO | None) -> tuple[ChangeCounts | None, str]:
    """Return what changed since the last delivered result, if there is one, and a note, which may be empty.

    The key is checked without an earlier result, too: a job must not fail on its second run.

    Args:
        result, previous: the CSVs, open for reading.

    Raises:
        CannotCompare: the result does not have the columns of `compare_by`, or two of its rows have the same key.
    """
    for file in (result, previous):
        if file is not None and (size := os.fstat(file.fileno()).st_size) > MAX_COMPARED_BYTES:
            return None, f"nothing is compared: a result has {size} bytes; at most {MAX_COMPARED_BYTES} are compared"
    after = CsvTable(result, task.csv.delimiter)
    note = ""
    try:
        if previous is not None and task.previous is not None:
            try:
                before = CsvTable(previous, task.previous.delimiter, "the last delivered result")
                return _counts(before, after, task.compare_by)
            except CannotCompare as error:
                if error.table is after:
                    raise
                note = f"nothing is compared: {error}"
        compare(_without_rows(after), after, task.compare_by)
    except CannotCompare as error:
        raise CannotCompare(after, f"compare_by: {error}") from None
    except TooManyRows as error:
        return None, f"nothing is compared: {error}"
    return None, note


def _counts(before: CsvTable, after: CsvTable, key: tuple[str, ...]) -> tuple[ChangeCounts, str]:
    found = compare(before, after, key)
    counts = ChangeCounts(
        added=found.added,
        removed=found.removed,
        changed=found.changed,
        unchanged=found.unchanged,
        columns_differ=bool(found.columns_added or found.columns_removed),
        marks=tuple(found.marks),
    )
    said = [
        f"{what} since the last delivered result: {', '.join(names)}"
        for what, names in (("new columns", found.columns_added), ("columns gone", found.columns_removed))
        if names
    ]
    return counts, "; ".join(said)


def _without_rows(table: CsvTable) -> CsvTable:
    header = io.StringIO()
    csv.writer(header).writerow(table.columns)
    return CsvTable(io.BytesIO(header.getvalue().encode()), name=table.name)
