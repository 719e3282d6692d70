"""Values that pandas or a decompressor does not take: each is an error in the words of the user's file, or is kept."""

import datetime
import io
import zipfile
from typing import Any

import openpyxl
import pyarrow
import pyarrow.parquet
import pytest

from support.parsing import columns, parsed, refusal, saved


def _parquet(values: list[int], stored: Any, kind: Any) -> bytes:
    output = io.BytesIO()
    column = pyarrow.array(values, stored).cast(kind)
    pyarrow.parquet.write_table(pyarrow.table({"when": column}), output)
    return output.getvalue()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (_parquet([0, 2**31 - 1], pyarrow.int32(), pyarrow.date32()), "a date outside of the years 1 to 9999"),
        (_parquet([-800_000], pyarrow.int32(), pyarrow.date32()), "a date outside of the years 1 to 9999"),
        (_parquet([1_234_567_891], pyarrow.int64(), pyarrow.time64("ns")), "a time with nanoseconds"),
        (_parquet([0], pyarrow.int64(), pyarrow.timestamp("us", "Mars/Base")), "its time zone 'Mars/Base' is unknown"),
        (_parquet([2**31 - 1], pyarrow.int32(), pyarrow.date32()), "write it as text"),
    ],
)
def test_a_value_of_parquet_that_pandas_does_not_keep_names_its_column(data: bytes, reason: str) -> None:
    message = refusal(data, "parquet")
    assert "the column 'when'" in message
    assert reason in message


def test_a_nested_date_of_parquet_that_python_does_not_keep_names_its_column() -> None:
    output = io.BytesIO()
    days = pyarrow.array([[2**31 - 1]], pyarrow.list_(pyarrow.int32())).cast(pyarrow.list_(pyarrow.date32()))
    pyarrow.parquet.write_table(pyarrow.table({"when": days}), output)
    assert "the column 'when'" in refusal(output.getvalue(), "parquet")


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (datetime.timedelta(hours=30, minutes=5), "30:05:00"),
        (datetime.timedelta(days=5, seconds=7), "120:00:07"),
        (datetime.timedelta(hours=25, seconds=1.5), "25:00:01.5"),
    ],
)
def test_a_duration_of_a_workbook_that_is_declared_text_is_shown_in_hours(
    duration: datetime.timedelta, text: str
) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(["id", "d"])
    book.active.append([1, duration])
    book.active.cell(2, 2).number_format = "[h]:mm:ss"
    assert columns(saved(book), "xlsx", types={"d": "text"})["d"] == [text]
    assert "row 2: the column 'd'" in refusal(saved(book), "xlsx", types={"d": "integer"})


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, zipfile.ZIP_DEFLATED])
def test_a_damaged_member_of_a_zip_archive_is_an_error(method: int) -> None:
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", method) as archive:
        archive.writestr("a.csv", "a,b\n" + "".join(f"{n},{n * 7919 % 1000}\n" for n in range(2000)))
    whole = output.getvalue()
    for start in range(40, 400, 20):
        damaged = whole[:start] + b"\xff" * 60 + whole[start + 60 :]
        assert "the zip archive cannot be unpacked" in refusal(damaged)


def test_nan_of_parquet_is_missing_and_a_note() -> None:
    output = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table({"a": [1.5, float("nan")], "b": [None, 1.5], "c": [1, None]}), output)
    table = parsed(output.getvalue(), "parquet")
    assert table.notes == ["the column 'a' has NaN, which counts as missing"]
    assert table.frame["a"].isna().tolist() == [False, True]
