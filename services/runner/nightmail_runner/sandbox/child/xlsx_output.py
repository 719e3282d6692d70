"""A table to xlsx (ECMA-376): typed cells, a bold frozen header with a filter, as many sheets as the rows need.

XlsxWriter writes the workbook around the rows: styles, header, widths, filters. The rows are written here, column by column
in blocks, because XlsxWriter takes ten times as long as the CSV for them.
"""

import datetime
import io
import re
import zipfile
from collections.abc import Iterator
from typing import BinaryIO

import pandas
import xlsxwriter
from xlsxwriter.utility import xl_col_to_name

from nightmail_runner.sandbox.child.xlsx_cells import STYLES, CellEncoder, TooLargeForXlsx, check_text, encoder_of

#: The limits of a sheet, its header included.
MAX_SHEET_ROWS, MAX_SHEET_COLUMNS = 1_048_576, 16_384
#: Rows that are text at once: constant memory.
BLOCK_ROWS = 2_000
SHEET_NAME = "Report"
#: Widths are in characters; what is longer is cut on the screen, not in the file.
MIN_WIDTH, MAX_WIDTH = 8, 60
_ROWS_FOR_WIDTH = 100
#: What the button of a filter takes in the header.
_FILTER_CHARS = 3
#: Above this many cells the XML of a sheet can exceed 2 GiB, which needs another form of the zip file.
_ZIP64_CELLS = 10_000_000
#: For 100,000 rows, level 6 takes 1.8 times as long and saves 1 % of the size; level 1 takes half as long and adds 17 %.
COMPRESSION_LEVEL = 4

#: A workbook says when it was created. A replay of a run must give the same bytes.
_CREATED = datetime.datetime(2000, 1, 1)  # noqa: DTZ001 as XlsxWriter takes it

_SHEET = re.compile(r"xl/worksheets/sheet(\d+)\.xml")
_DIMENSION = re.compile(r'<dimension ref="[^"]*"/>')
_STYLED_CELL = re.compile(r'<c r="[A-Z]+2" s="(\d+)"')
_SAMPLE_ROW = re.compile(r'<row r="2".*?</row>')


def write(table: pandas.DataFrame, output: BinaryIO) -> None:
    """Write a table (`to_table`) to a file. The same table gives the same bytes.

    Raises:
        TooLargeForXlsx: the table has too many columns, or a text is too long for a cell.
    """
    if len(table.columns) > MAX_SHEET_COLUMNS:
        raise TooLargeForXlsx(f"the result has {len(table.columns)} columns, an xlsx sheet at most {MAX_SHEET_COLUMNS}")
    names = [check_text(f"{name}") for name in table.columns]
    starts = range(0, max(len(table), 1), MAX_SHEET_ROWS - 1)
    parts = [table.iloc[start : start + MAX_SHEET_ROWS - 1] for start in starts]
    frame = zipfile.ZipFile(_workbook(names, _widths(table, names), [len(part) for part in parts]))
    with zipfile.ZipFile(output, "w") as target:
        for member in frame.infolist():
            sheet = _SHEET.fullmatch(member.filename)
            if sheet is None:
                target.writestr(_entry(member), frame.read(member))
                continue
            part = parts[int(sheet[1]) - 1]
            with target.open(_entry(member), "w", force_zip64=part.size > _ZIP64_CELLS) as xml:
                for text in _sheet(frame.read(member).decode(), table, part):
                    xml.write(text.encode())


def _workbook(names: list[str], widths: list[int], sheet_rows: list[int]) -> io.BytesIO:
    """Return a workbook with headers only, and a sample of each style in the second row of each sheet."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True, "strings_to_numbers": False}) as workbook:
        bold = workbook.add_format({"bold": True})
        styles = [workbook.add_format({"num_format": number_format}) for number_format in STYLES]
        workbook.set_properties({"created": _CREATED})
        for number, rows in enumerate(sheet_rows, 1):
            sheet = workbook.add_worksheet(SHEET_NAME if number == 1 else f"{SHEET_NAME} {number}")
            for position, (name, width) in enumerate(zip(names, widths, strict=True)):
                sheet.write_string(0, position, name, bold)
                sheet.set_column(position, position, width)
            for position, style in enumerate(styles):
                sheet.write_blank(1, position, None, style)
            sheet.freeze_panes(1, 0)
            if names:
                sheet.autofilter(0, 0, rows, len(names) - 1)
    file.seek(0)
    return file


def _widths(table: pandas.DataFrame, names: list[str]) -> list[int]:
    first = table.head(_ROWS_FOR_WIDTH)
    longest = [
        max([len(name) + _FILTER_CHARS, *(len(f"{value}") for value in first.iloc[:, position].tolist())])
        for position, name in enumerate(names)
    ]
    return [min(max(length + 1, MIN_WIDTH), MAX_WIDTH) for length in longest]


def _sheet(frame: str, table: pandas.DataFrame, part: pandas.DataFrame) -> Iterator[str]:
    """Yield the XML of a sheet: XlsxWriter's, with the rows of a part of the table instead of its sample row."""
    sample = _SAMPLE_ROW.search(frame)
    assert sample is not None
    styles = dict(zip(STYLES, _STYLED_CELL.findall(sample[0]), strict=True))
    encoders = [encoder_of(table.iloc[:, position], styles) for position in range(len(table.columns))]
    columns = [xl_col_to_name(position) for position in range(len(encoders))]
    last = f"{columns[-1] if columns else 'A'}{len(part) + 1}"
    head = _DIMENSION.sub(f'<dimension ref="A1:{last}"/>', frame[: sample.start()])
    yield head
    for start in range(0, len(part), BLOCK_ROWS):
        yield _rows(part.iloc[start : start + BLOCK_ROWS], encoders, columns, start + 2)
    yield frame[sample.end() :]


def _rows(block: pandas.DataFrame, encoders: list[CellEncoder], columns: list[str], first: int) -> str:
    cells = [
        [f'<c r="{column}{row}"{cell}' if cell else "" for row, cell in enumerate(encode(block.iloc[:, index]), first)]
        for index, (column, encode) in enumerate(zip(columns, encoders, strict=True))
    ]
    return "".join(
        [f'<row r="{row}">{"".join(of_row)}</row>' for row, of_row in enumerate(zip(*cells, strict=True), first)]
    )


def _entry(member: zipfile.ZipInfo) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(member.filename, member.date_time)
    entry.compress_type = zipfile.ZIP_DEFLATED
    # The level of the ZipFile is not that of an entry with a date (https://github.com/python/cpython/issues/113971).
    entry._compresslevel = COMPRESSION_LEVEL  # type: ignore[attr-defined]  # noqa: SLF001 (public since Python 3.13)
    return entry
