"""Bytes to a DataFrame and a DataFrame to CSV bytes."""

import io
import json
from typing import Any, BinaryIO

import pandas


class NotRecords(ValueError):
    """The JSON is valid, but no list of records."""


def read(data: bytes, file_type: str, records_path: str | None) -> pandas.DataFrame:
    """Return data as a DataFrame.

    Raises:
        ValueError: the bytes are not what the file type says.
    """
    if file_type == "csv":
        return pandas.read_csv(io.BytesIO(data), encoding="utf-8-sig")
    return pandas.DataFrame(_records(data, records_path))


def write(frame: pandas.DataFrame, output: BinaryIO | io.BytesIO) -> None:
    """Write a DataFrame as CSV: UTF-8, `\\n`, the index only if it has a name."""
    frame.to_csv(output, index=any(name is not None for name in frame.index.names), lineterminator="\n")


def column_names(frame: pandas.DataFrame) -> list[str]:
    """Return the names that stand in the CSV's first line."""
    index = [str(name) for name in frame.index.names] if any(name is not None for name in frame.index.names) else []
    return index + [str(name) for name in frame.columns]


def _records(data: bytes, records_path: str | None) -> list[Any]:
    found = json.loads(data)
    for key in (records_path or "").split("."):
        if not key:
            continue
        if not isinstance(found, dict) or key not in found:
            raise NotRecords(f"records_path {records_path!r}: there is no {key!r}")
        found = found[key]
    if not isinstance(found, list):
        raise NotRecords(f"a list of records is needed, this is a {type(found).__name__}")
    return found
