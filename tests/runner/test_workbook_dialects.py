"""Workbooks whose XML differs from that of openpyxl: the cells that need care are found in each of them."""

import io
import re
import zipfile
from collections.abc import Callable

import openpyxl
import pytest

from nightmail_runner.parsing import workbook as workbook_reader
from nightmail_runner.parsing.workbook_cells import SheetCells, read_cells
from support.parsing import columns, parsed, refusal, saved

TRANSITIONAL = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STRICT = b"http://purl.oclc.org/ooxml/spreadsheetml/main"
RELATIONS = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships"
STRICT_RELATIONS = b"http://purl.oclc.org/ooxml/officeDocument/relationships"


def _prefixed(xml: bytes) -> bytes:
    if TRANSITIONAL not in xml:
        return xml
    xml = xml.replace(b'xmlns="' + TRANSITIONAL, b'xmlns:x="' + TRANSITIONAL)
    return re.sub(rb"<(/?)(?=[a-zA-Z]+[\s/>])", rb"<\1x:", xml)


def _single_quoted(xml: bytes) -> bytes:
    return re.sub(rb'="([^"\']*)"', rb"='\1'", xml)


def _without_places(xml: bytes) -> bytes:
    return re.sub(rb'(<(?:row|c)) r="[A-Z]*[0-9]+"', rb"\1", xml)


def _strict(xml: bytes) -> bytes:
    return xml.replace(TRANSITIONAL, STRICT).replace(RELATIONS, STRICT_RELATIONS)


def _same(xml: bytes) -> bytes:
    return xml


def _rewritten(
    book: openpyxl.Workbook, change: Callable[[bytes], bytes], renamed: dict[str, str] | None = None
) -> bytes:
    output = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(saved(book))) as before, zipfile.ZipFile(output, "w") as after:
        for name in before.namelist():
            after.writestr((renamed or {}).get(name, name), change(before.read(name)))
    return output.getvalue()


def _book(*rows: list[object]) -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    return book


DIALECTS = [_same, _prefixed, _single_quoted, _without_places, _strict]


@pytest.mark.parametrize("change", DIALECTS)
def test_an_error_of_a_sheet_is_text_in_each_dialect(change: Callable[[bytes], bytes]) -> None:
    data = _rewritten(_book(["id", "value"], [1, "#N/A"], [2, 5], ["#REF!", 6]), change)
    assert columns(data, "xlsx") == {"id": [1, 2, "#REF!"], "value": ["#N/A", 5, 6]}
    assert "2 cells have an error" in parsed(data, "xlsx").notes[0]


@pytest.mark.parametrize("change", DIALECTS)
def test_a_formula_without_a_value_is_refused_in_each_dialect(change: Callable[[bytes], bytes]) -> None:
    assert "the formula in B3" in refusal(_rewritten(_book(["id", "value"], [1, 2], [2, "=A2+1"]), change), "xlsx")


@pytest.mark.parametrize("change", DIALECTS)
def test_leading_zeros_are_shown_in_each_dialect(change: Callable[[bytes], bytes]) -> None:
    book = _book(["code", "n"], [1234, 1], [99, 2])
    assert book.active is not None
    for row in (2, 3):
        book.active.cell(row, 1).number_format = "00000"
    assert columns(_rewritten(book, change), "xlsx") == {"code": ["01234", "00099"], "n": [1, 2]}


@pytest.mark.parametrize("change", DIALECTS)
def test_merged_cells_are_a_note_in_each_dialect(change: Callable[[bytes], bytes]) -> None:
    book = _book(["id", "value"], [1, 2], [3, 4])
    assert book.active is not None
    book.active.merge_cells("B2:B3")
    assert "1 range of merged cells (B2:B3)" in parsed(_rewritten(book, change), "xlsx").notes[0]


def test_cells_without_a_place_follow_the_cell_and_the_row_before_them() -> None:
    book = _book(["a", "b", "c"], [1, None, "#N/A"], [], [None, "#REF!", 2])
    data = _rewritten(book, lambda xml: re.sub(rb'(<c) r="(?:A1|B1|C1|C4)"', rb"\1", xml))
    assert columns(data, "xlsx") == {"a": [1, None], "b": [None, "#REF!"], "c": ["#N/A", 2]}


@pytest.mark.parametrize(
    "renamed",
    [
        {"xl/worksheets/sheet1.xml": "xl/worksheets/Sheet1.xml"},
        {"xl/workbook.xml": "xl/Workbook.xml"},
        {"xl/styles.xml": "xl/Styles.xml"},
        {"xl/worksheets/sheet1.xml": "xl\\worksheets\\sheet1.xml"},
    ],
)
def test_the_case_and_the_slashes_of_a_part_s_name_do_not_matter(renamed: dict[str, str]) -> None:
    book = _book(["id", "value"], [1, "#N/A"])
    assert book.active is not None
    book.active.cell(2, 1).number_format = "000"
    assert columns(_rewritten(book, _same, renamed), "xlsx") == {"id": ["001"], "value": ["#N/A"]}


def test_a_sheet_whose_xml_is_not_found_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    data = saved(_book(["id", "value"], [1, "#N/A"]))
    assert not read_cells(memoryview(data), "Other", 1).found
    monkeypatch.setattr(workbook_reader, "read_cells", lambda *_args, **_options: SheetCells(found=False))
    assert "could not be checked" in parsed(data, "xlsx").notes[0]
