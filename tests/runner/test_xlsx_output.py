"""How a result becomes an xlsx file, read back with openpyxl."""

import io
import zipfile
import zlib
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pyarrow
import pytest
from openpyxl.workbook import Workbook

from nightmail_runner.sandbox.child import xlsx_output
from nightmail_runner.sandbox.child.report_table import to_table
from nightmail_runner.sandbox.child.xlsx_cells import TooLargeForXlsx, note_cut_times


def to_xlsx(frame: "pd.DataFrame | pd.Series[Any]") -> bytes:
    output = io.BytesIO()
    xlsx_output.write(to_table(frame), output)
    return output.getvalue()


def workbook(frame: pd.DataFrame) -> Workbook:
    return openpyxl.load_workbook(io.BytesIO(to_xlsx(frame)))


def column(values: Any) -> list[Any]:
    """Return the cells of a table of one column, as a reader sees them."""
    [sheet] = workbook(pd.DataFrame({"x": values})).worksheets
    header, *cells = (row[0] for row in sheet.iter_rows(max_col=1, values_only=True))
    assert header == "x"
    return cells


def test_numbers_and_truth_values_are_typed_and_exact() -> None:
    floats = [0.1 + 0.2, 1e22, 1e-7, -5.5]
    assert column(floats) == floats
    assert column([1, -2, 10**15 - 1]) == [1, -2, 10**15 - 1]
    assert column([True, False]) == [True, False]
    assert column(pd.Series([1.0, None, 3.0])) == [1, None, 3]
    assert column(pd.array([1, None, 3], dtype="Int64")) == [1, None, 3]
    assert column([Decimal("1.10"), Decimal(2)]) == [1.1, 2]


def test_numbers_of_numpy_among_other_values_are_numbers() -> None:
    """A figure of pandas (`data.price.max()`) is a number of numpy."""
    values = [np.int64(22), np.float64(4.5), np.float32(0.1), np.uint8(8), np.True_, np.longdouble(1), "north"]
    assert column(values) == [22, 4.5, 0.1, 8, True, 1, "north"]
    assert column([np.float64("nan"), np.float32("nan"), Decimal("NaN"), np.float64("inf"), "x"]) == [
        *[None] * 3,
        "inf",
        "x",
    ]
    assert column([np.longdouble("0.1"), "x"]) == [str(np.longdouble("0.1")), "x"]
    assert column([np.int64(10**15), "x"]) == ["1000000000000000", "x"]
    assert column([(1, np.float64(2.5)), {"b", "a"}, "x"]) == ["[1, 2.5]", '["a", "b"]', "x"]


@pytest.mark.parametrize("dtype", ["float16", "float32", "Float32", pd.ArrowDtype(pyarrow.float32())])
def test_narrow_floats_have_their_shortest_text(dtype: Any) -> None:
    assert column(pd.Series([0.1, 2.5], dtype=dtype)) == [0.1, 2.5]
    assert column(pd.Series([0.1, None, 2.5], dtype=dtype)) == [0.1, None, 2.5]


def test_floats_that_are_longer_than_a_cells_are_text() -> None:
    assert column(np.array(["0.1", "2"], dtype=np.longdouble)) == [str(np.longdouble("0.1")), 2]


def test_integers_of_more_than_15_digits_are_text() -> None:
    assert column([10**15, 1]) == ["1000000000000000", "1"]
    assert column([2**70, 1]) == [str(2**70), 1]
    assert column([Decimal("1.2345678901234567")]) == ["1.2345678901234567"]
    assert column([Decimal("1E+400"), Decimal("1E-400"), Decimal("0E+400")]) == ["1E+400", "1E-400", 0]


def test_ids_and_everything_that_looks_like_a_formula_are_text() -> None:
    texts = ["007", "12E4", "=1+1", "+49 170 1234567", "@SUM(A1)", "1/2"]
    assert column(texts) == texts
    [sheet] = workbook(pd.DataFrame({"=x": texts})).worksheets
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "inlineStr"}


@pytest.mark.parametrize("dtype", ["str", "object", "category"])
@pytest.mark.parametrize("text", ["<&>\"'", " a ", "b\r\nc\rd", "tab\t", "日本 😀", "a]]>b"])
def test_text_comes_back_as_it_was(text: str, dtype: Any) -> None:
    assert column(pd.Series([text, "y"], dtype=dtype)) == [text, "y"]


def test_control_characters_are_escaped_as_the_format_says() -> None:
    assert column(["a\0b", "_x0041_"]) == ["a_x0000_b", "_x005F_x0041_"]


def test_dates_are_dates() -> None:
    [sheet] = workbook(
        pd.DataFrame(
            {
                "day": pd.to_datetime(pd.Series(["2026-01-02", None])),
                "time": pd.to_datetime(pd.Series(["2026-01-02 03:04:05", None])),
                "date": [date(2026, 1, 2), None],
                "zoned": pd.to_datetime(pd.Series(["2026-01-02 03:04:05", None])).dt.tz_localize("Europe/Paris"),
                "old": pd.Series(["1899-12-31", "1900-03-01"], dtype="M8[us]"),
            }
        )
    ).worksheets
    [_, first, second] = sheet.iter_rows()
    assert [cell.value for cell in first] == [
        datetime(2026, 1, 2),  # noqa: DTZ001
        datetime(2026, 1, 2, 3, 4, 5),  # noqa: DTZ001
        datetime(2026, 1, 2),  # noqa: DTZ001
        "2026-01-02T03:04:05+01:00",
        "1899-12-31",
    ]
    assert [cell.number_format for cell in first[:3]] == ["yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss", "yyyy-mm-dd"]
    assert [cell.value for cell in second[:4]] == [None] * 4
    assert second[4].value == datetime(1900, 3, 1)  # noqa: DTZ001


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_of_every_unit_are_typed(unit: str) -> None:
    days = pd.Series(["2026-01-02", None, "1900-03-01"], dtype=f"M8[{unit}]")
    assert column(days) == [datetime(2026, 1, 2), None, datetime(1900, 3, 1)]  # noqa: DTZ001
    assert column(days.head(1)) == [datetime(2026, 1, 2)]  # noqa: DTZ001
    assert column(days + pd.Timedelta(hours=12)) == [
        datetime(2026, 1, 2, 12),  # noqa: DTZ001
        None,
        datetime(1900, 3, 1, 12),  # noqa: DTZ001
    ]
    old = pd.Series(["1899-12-31 01:02:03", None, "2026-01-02"], dtype=f"M8[{unit}]")
    assert column(old) == ["1899-12-31T01:02:03", None, datetime(2026, 1, 2)]  # noqa: DTZ001


def test_times_beyond_the_years_of_a_spreadsheet_are_text() -> None:
    for unit, far in (("s", "400000-01-01"), ("ms", "12000-01-01"), ("us", "10000-01-01")):
        times = pd.Series(np.array([far, "9999-12-31"], dtype=f"M8[{unit}]"))
        assert column(times) == [far, datetime(9999, 12, 31)]  # noqa: DTZ001


def test_milliseconds_are_kept_and_what_is_finer_is_cut() -> None:
    """The last microsecond of a month is not the first day of the next one."""
    milliseconds = ["2026-01-31 23:59:59.999", None, "2026-01-31 12:00:00"]
    for unit in ("ms", "us", "ns"):
        table = pd.DataFrame({"x": pd.Series(milliseconds, dtype=f"M8[{unit}]")})
        [sheet] = workbook(table).worksheets
        assert sheet["A2"].value == datetime(2026, 1, 31, 23, 59, 59, 999000)  # noqa: DTZ001
        assert {sheet["A2"].number_format, sheet["A4"].number_format} == {"yyyy-mm-dd hh:mm:ss.000"}
        assert note_cut_times(table) == []
    ends = pd.Series(pd.period_range("2026-01", periods=2, freq="M")).dt.end_time
    last = [datetime(2026, month, day, 23, 59, 59, 999000) for month, day in ((1, 31), (2, 28))]  # noqa: DTZ001
    for unit in ("us", "ns"):
        assert column(pd.Series(ends.to_numpy().astype(f"M8[{unit}]"))) == last
    old = pd.Series(["1899-12-31 01:02:03.000001", None, "2026-01-31 23:59:59.999999"], dtype="M8[us]")
    assert column(old) == ["1899-12-31T01:02:03.000001", None, last[0]]
    assert note_cut_times(pd.DataFrame({"id": [1, 2], "end": ends})) == [
        "the xlsx file has times in milliseconds, and the CSV all of their digits: 'end'"
    ]


def test_times_among_other_values_are_kept_to_their_last_digit() -> None:
    end = datetime(2026, 1, 31, 23, 59, 59, 999999)  # noqa: DTZ001
    values = [end, end.replace(microsecond=999000), pd.Timestamp("2026-01-02 00:00:00.000000001"), end.time(), "x"]
    assert column(pd.Series(values, dtype=object)) == [
        "2026-01-31T23:59:59.999999",
        datetime(2026, 1, 31, 23, 59, 59, 999000),  # noqa: DTZ001
        "2026-01-02T00:00:00.000000001",
        "23:59:59.999999",
        "x",
    ]
    spans = [timedelta(microseconds=1), timedelta(days=1, seconds=1)]
    assert column(pd.Series(spans)) == ["0 days 00:00:00.000001", "1 days 00:00:01"]
    assert column(pd.Series([*spans, "x"], dtype=object)) == ["0:00:00.000001", "1 day, 0:00:01", "x"]


def test_the_header_is_bold_and_frozen_with_a_filter_and_columns_are_wide_enough() -> None:
    [sheet] = workbook(pd.DataFrame({"region": ["north" * 5, "south"], "n": [1, 2]})).worksheets
    assert [cell.value for cell in sheet[1]] == ["region", "n"]
    assert all(cell.font.b for cell in sheet[1])
    assert (sheet.freeze_panes, sheet.auto_filter.ref, sheet.dimensions) == ("A2", "A1:B3", "A1:B3")
    assert sheet.column_dimensions["A"].width >= 25
    assert 8 <= sheet.column_dimensions["B"].width < 10


def test_labels_and_two_levels_of_names_are_those_of_the_csv() -> None:
    sales = pd.DataFrame({"region": ["north"], "amount": [4]})
    [sheet] = workbook(sales.groupby("region").agg({"amount": ["sum", "max"]})).worksheets
    assert list(sheet.iter_rows(values_only=True)) == [("region", "amount sum", "amount max"), ("north", 4, 4)]


def test_a_table_without_rows_has_its_header() -> None:
    [sheet] = workbook(pd.DataFrame({"a": [], "b": []})).worksheets
    assert list(sheet.iter_rows(values_only=True)) == [("a", "b")]


def test_rows_that_a_sheet_cannot_hold_continue_on_the_next_sheets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx_output, "MAX_SHEET_ROWS", 4)
    monkeypatch.setattr(xlsx_output, "BLOCK_ROWS", 2)
    book = workbook(pd.DataFrame({"n": range(8), "t": list("abcdefgh")}))
    assert book.sheetnames == ["Report", "Report 2", "Report 3"]
    rows = [list(sheet.iter_rows(values_only=True)) for sheet in book.worksheets]
    assert rows[0] == [("n", "t"), (0, "a"), (1, "b"), (2, "c")]
    assert rows[1] == [("n", "t"), (3, "d"), (4, "e"), (5, "f")]
    assert rows[2] == [("n", "t"), (6, "g"), (7, "h")]
    assert book.worksheets[2].auto_filter.ref == "A1:B3"


def test_what_does_not_fit_is_refused_with_the_way_out() -> None:
    for frame in (pd.DataFrame({"x": ["y" * 32_768]}), pd.DataFrame({"x": [("y" * 32_768), 1]})):
        with pytest.raises(TooLargeForXlsx, match="32768 characters"):
            to_xlsx(frame)
    with pytest.raises(TooLargeForXlsx, match="16385 columns"):
        to_xlsx(pd.DataFrame([range(16_385)]))


def test_the_same_table_gives_the_same_bytes() -> None:
    frame = pd.DataFrame({"a": ["x", "y"], "d": pd.to_datetime(["2026-01-02", "2026-01-03"])})
    assert to_xlsx(frame) == to_xlsx(frame.copy())


def test_the_rows_are_compressed_at_the_declared_level() -> None:
    archive = zipfile.ZipFile(io.BytesIO(to_xlsx(pd.DataFrame({"a": [f"{number * 7919}" for number in range(5000)]}))))
    rows = archive.getinfo("xl/worksheets/sheet1.xml")
    same = zlib.compressobj(xlsx_output.COMPRESSION_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    assert rows.compress_size == len(same.compress(archive.read(rows)) + same.flush())
