"""Bytes as sources send them, and what the reader makes of them."""

import io
import zipfile
from typing import Any

import openpyxl
import pandas
import pytest

from nightmail_runner.parsing.options import InputNotReadable, ReadOptions
from nightmail_runner.parsing.parse_input import parse_input
from nightmail_runner.parsing.table import Table


def parsed(data: bytes | str, file_type: Any = "csv", **options: Any) -> Table:
    raw = data.encode() if isinstance(data, str) else data
    return parse_input(memoryview(raw), ReadOptions(file_type, **options))


def columns(data: bytes | str, file_type: Any = "csv", **options: Any) -> dict[str, list[Any]]:
    frame = parsed(data, file_type, **options).frame
    return {
        str(name): [None if pandas.isna(value) else value for value in values]
        for name, values in frame.to_dict("list").items()
    }


def refusal(data: bytes | str, file_type: Any = "csv", **options: Any) -> str:
    with pytest.raises(InputNotReadable) as refused:
        parsed(data, file_type, **options)
    return str(refused.value)


def zipped(**members: str) -> bytes:
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return output.getvalue()


def workbook(*rows: list[Any], sheets: int = 1) -> bytes:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.title = "Data"
    for row in rows:
        book.active.append(row)
    for number in range(1, sheets):
        book.create_sheet(f"Sheet {number}")
    return saved(book)


def saved(book: openpyxl.Workbook) -> bytes:
    output = io.BytesIO()
    book.save(output)
    return output.getvalue()


def rewritten(data: bytes, old: bytes, new: bytes) -> bytes:
    """Return a workbook with other bytes in its first sheet."""
    output = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as before, zipfile.ZipFile(output, "w") as after:
        for name in before.namelist():
            content = before.read(name)
            if name.endswith("sheet1.xml"):
                assert old in content
                content = content.replace(old, new)
            after.writestr(name, content)
    return output.getvalue()
