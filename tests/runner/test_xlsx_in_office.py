"""The xlsx of a result in office programs: LibreOffice reads the values and types that openpyxl reads; and what it costs."""

import io
import shutil
import subprocess
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy
import openpyxl
import pandas as pd
import pytest

from nightmail_runner.sandbox.child import csv_output, xlsx_output
from nightmail_runner.sandbox.child.report_table import to_table
from support.deadlines import scaled

SOFFICE = shutil.which("soffice")
_TABLE, _OFFICE = (
    "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}",
    "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}",
)
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"

FRAME = pd.DataFrame(
    {
        "id": ["007", "12E4", "=1+1", "+49 170 1234567"],
        "text": ["<&>\"'", "日本 😀", "a]]>b", "Ünïcode, with comma"],
        "whole": [1, -2, 10**15 - 1, 0],
        "number": [0.1 + 0.2, 1e22, 1e-7, None],
        "true": [True, False, True, False],
        "day": pd.to_datetime(pd.Series(["2026-01-02", "1999-12-31", None, "2100-02-28"])),
        "time": pd.to_datetime(pd.Series(["2026-01-02 03:04:05", None, "1970-01-01 00:00:01", "2026-12-31 23:59:59"])),
        "long": ["1000000000000000", "x", "y", "z"],
    }
)


def to_xlsx(frame: pd.DataFrame) -> bytes:
    output = io.BytesIO()
    xlsx_output.write(to_table(frame), output)
    return output.getvalue()


def rows_of_openpyxl(xlsx: bytes) -> list[list[Any]]:
    sheet = openpyxl.load_workbook(io.BytesIO(xlsx)).active
    assert sheet is not None
    return [list(row) for row in sheet.iter_rows(values_only=True)]


def rows_of_libreoffice(xlsx: bytes, folder: Path) -> list[list[Any]]:
    """Return the cells as LibreOffice exports them to a flat OpenDocument sheet (ODF 1.3), which has each cell's type."""
    (folder / "report.xlsx").write_bytes(xlsx)
    assert SOFFICE is not None
    subprocess.run(
        [
            SOFFICE,
            f"-env:UserInstallation={(folder / 'profile').as_uri()}",
            *("--headless", "--convert-to", "fods", "--outdir", str(folder), str(folder / "report.xlsx")),
        ],
        check=True,
        capture_output=True,
        timeout=scaled(90),
    )
    table = ET.parse(folder / "report.fods").getroot().find(f".//{_TABLE}table")  # noqa: S314
    assert table is not None
    rows = []
    for row in table.iter(f"{_TABLE}table-row"):
        cells = []
        for cell in row.iter(f"{_TABLE}table-cell"):
            cells += [_value(cell)] * int(cell.get(f"{_TABLE}number-columns-repeated", "1"))
        rows.append(cells[: len(FRAME.columns)])
    return rows[: len(FRAME) + 1]


def _value(cell: ET.Element) -> Any:
    if (formula := cell.get(f"{_TABLE}formula")) in {"of:=TRUE()", "of:=FALSE()"}:
        return formula == "of:=TRUE()"  # LibreOffice has no other truth values
    match cell.get(f"{_OFFICE}value-type"):
        case "float":
            return float(cell.get(f"{_OFFICE}value", ""))
        case "date":
            return datetime.fromisoformat(cell.get(f"{_OFFICE}date-value", ""))
        case "string":
            return "\n".join("".join(line.itertext()) for line in cell.findall(f"{_TEXT}p"))
        case _:
            return None


def test_openpyxl_reads_the_values_and_types_of_the_table() -> None:
    header, *rows = rows_of_openpyxl(to_xlsx(FRAME))
    assert header == list(FRAME.columns)
    expected = FRAME.astype(object).where(FRAME.notna(), None).values.tolist()
    assert [[_plain(value) for value in row] for row in rows] == [[_plain(value) for value in row] for row in expected]
    assert [type(value) for value in rows[0]] == [str, str, int, float, bool, datetime, datetime, str]


@pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not installed: it does not read the xlsx")
def test_libreoffice_reads_what_openpyxl_reads(tmp_path: Path) -> None:
    xlsx = to_xlsx(FRAME)
    ours = [[_plain(value) for value in row] for row in rows_of_openpyxl(xlsx)]
    theirs = [[_plain(value) for value in row] for row in rows_of_libreoffice(xlsx, tmp_path)]
    assert theirs == ours


def _plain(value: Any) -> Any:
    """Return a value as both readers have it: one type for all numbers, of the 15 digits of a spreadsheet, and for all dates."""
    if isinstance(value, bool):
        return f"{value}"
    if isinstance(value, int | float):
        return float(f"{value:.15g}")
    return datetime(value.year, value.month, value.day) if type(value) is date else value  # noqa: DTZ001


#: The xlsx of 100,000 rows takes at most this many times the processor time of the CSV.
MAX_RATIO = 3.0
ROWS = 100_000


def test_an_xlsx_of_100000_rows_takes_at_most_three_times_the_processor_time_of_the_csv() -> None:
    random = numpy.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "id": numpy.arange(ROWS),
            "region": random.choice(["north", "south", "east", "west"], ROWS),
            "amount": random.random(ROWS) * 1000,
            "quantity": random.integers(1, 100, ROWS),
            "day": pd.Timestamp("2026-01-01") + pd.to_timedelta(random.integers(0, 365, ROWS), unit="D"),
            "customer": [f"Customer {number % 5000}" for number in range(ROWS)],
        }
    )

    def write_csv() -> None:
        csv_output.write(csv_output.prepare_for_csv(to_table(frame), keep_formulas=False), io.BytesIO())

    def write_xlsx() -> None:
        xlsx_output.write(to_table(frame), io.BytesIO())

    # Other processes only add to a time, and the speed of a machine varies: the shortest of some that alternate.
    times = [(processor_time(write_xlsx), processor_time(write_csv)) for _ in range(5)]
    assert min(xlsx for xlsx, _ in times) <= MAX_RATIO * min(csv for _, csv in times)


def processor_time(write: Callable[[], None]) -> float:
    """Return the processor time of a call, in seconds."""
    started = time.process_time()
    write()
    return time.process_time() - started
