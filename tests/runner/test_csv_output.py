"""How a DataFrame becomes the CSV that is mailed."""

import csv
import io
import os
import subprocess
import sys
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightmail_runner.sandbox.child import xlsx_output
from nightmail_runner.sandbox.child.cell_values import format_decimal
from nightmail_runner.sandbox.child.csv_output import prepare_for_csv, write
from nightmail_runner.sandbox.child.report_table import note_dropped_labels, text_columns, to_table
from nightmail_runner.sandbox.task import CsvFormat


def to_csv(frame: "pd.DataFrame | pd.Series[Any]", *, keep_formulas: bool = False, **options: Any) -> str:
    output = io.BytesIO()
    write(prepare_for_csv(frame, keep_formulas=keep_formulas), output, CsvFormat(**options))
    return output.getvalue().decode()


def test_an_index_that_only_counts_rows_is_dropped() -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
    assert to_csv(frame) == "a,b\n1,3\n2,4\n"
    assert to_csv(frame[frame.a > 1]) == "a,b\n2,4\n"
    assert to_csv(frame.sort_values("a", ascending=False)) == "a,b\n2,4\n1,3\n"
    assert to_csv(frame[frame.a > 9]) == "a,b\n"


@pytest.mark.parametrize(
    ("index", "noted"),
    [
        ([2024, 2025], "(2024, 2025)"),
        ([5, 4, 7, 5], "(5, 4, 7, ...)"),
        ([-1, 0], "(-1, 0)"),
        ([4, 0], None),
        ([3, 3, 0], None),
        (range(1, 9), "(1, 2, 3, ...)"),
        ([1, 2, 3], "(1, 2, 3)"),
        ([1, 2, 3, 4], None),
        (range(1, 5), None),
        (range(2, 5), None),
        ([2, 1], None),
        ([], None),
        (pd.Index([2024, 2025], name="year"), None),
        (["a", "b"], None),
        ([2024.5, 1.5], None),
    ],
)
def test_labels_that_number_no_rows_are_dropped_with_a_note(index: Any, noted: str | None) -> None:
    """What `value_counts` of years gives has the years as labels; those of a filter, and of all rows but the first, number
    the rows of the data. Labels from 1 on are a rank.
    """
    frame = pd.DataFrame({"a": range(len(index))}, index=index)
    for result in (frame, frame.a):
        assert [str(noted) in note for note in note_dropped_labels(result, 5)] == ([] if noted is None else [True])


def test_an_index_with_a_name_becomes_columns() -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
    assert to_csv(frame.set_index("a")) == "a,b\n1,3\n2,4\n"
    assert to_csv(frame.groupby(["a", "b"]).size().to_frame("n")) == "a,b,n\n1,3,1\n2,4,1\n"


def test_labels_without_a_name_are_kept() -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": [3, 5]})
    assert to_csv(frame.T) == "index,0,1\na,1,2\nb,3,5\n"
    assert to_csv(frame.corr()) == "index,a,b\na,1.0,1.0\nb,1.0,1.0\n"
    assert to_csv(frame.describe()).startswith("index,a,b\ncount,2.0,2.0\nmean,1.5,4.0\n")
    assert to_csv(frame.quantile([0.5])) == "index,a,b\n0.5,1.5,4.0\n"
    days = frame.set_index(pd.DatetimeIndex(["2026-01-02", "2026-01-03"]))
    assert to_csv(days) == "index,a,b\n2026-01-02,1,3\n2026-01-03,2,5\n"
    levels = frame.set_index(pd.MultiIndex.from_tuples([(1, "x"), (2, "y")]))
    assert to_csv(levels) == "level_0,level_1,a,b\n1,x,1,3\n2,y,2,5\n"


def test_labels_that_look_like_formulas_get_a_quote() -> None:
    assert to_csv(pd.DataFrame({"a": [1]}, index=["=1+1"])) == "index,a\n'=1+1,1\n"


def test_several_levels_of_column_names_become_one_line() -> None:
    sales = pd.DataFrame({"region": ["north", "north"], "amount": [1, 3]})
    assert to_csv(sales.groupby("region").agg({"amount": ["sum", "mean"]})) == (
        "region,amount sum,amount mean\nnorth,4,2.0\n"
    )
    assert to_csv(sales.groupby("region", as_index=False).agg({"amount": ["sum"]})) == "region,amount sum\nnorth,4\n"


def test_a_column_that_is_named_by_a_tuple_has_its_text_as_name() -> None:
    frame = pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_product([["x"], np.array([0.5, 1.0])]).to_flat_index())
    for keep_formulas in (False, True):
        assert to_csv(frame, keep_formulas=keep_formulas) == "\"('x', 0.5)\",\"('x', 1.0)\"\n1,2\n"


def test_a_pivot_by_dates_or_categories_has_readable_column_names() -> None:
    frame = pd.DataFrame({"who": ["a"], "day": pd.to_datetime(["2026-01-02"]), "kind": pd.Categorical(["k"]), "n": [1]})
    assert to_csv(frame.pivot_table(index="who", columns="day", values="n")) == "who,2026-01-02\na,1.0\n"
    assert to_csv(frame.pivot_table(index="who", columns="kind", values="n", observed=True)) == "who,k\na,1.0\n"


def test_a_series_is_a_table_of_its_labels_and_its_values() -> None:
    frame = pd.DataFrame({"region": ["north", "south"], "amount": [1, 3]})
    assert to_csv(frame.amount) == "amount\n1\n3\n"
    assert to_csv(frame.groupby("region").amount.sum()) == "region,amount\nnorth,1\nsouth,3\n"
    assert to_csv(frame.groupby("region").size()) == "region,value\nnorth,1\nsouth,1\n"
    assert to_csv(frame.mean(numeric_only=True)) == "index,value\namount,2.0\n"


@pytest.mark.parametrize("cell", ["Bob\r=1+cmd", "\r", "a\r\nb", 'say "hi"\rbye', "end\r"])
def test_a_carriage_return_is_quoted_on_every_python(cell: str) -> None:
    text = to_csv(pd.DataFrame({"a\rb": [cell, "x\ny"], "n": [1, 2]}), keep_formulas=True)
    inside = cell.replace('"', '""')
    assert text == f'"a\rb",n\n"{inside}",1\n"x\ny",2\n'


def test_delimiter_decimal_mark_and_float_format_are_options() -> None:
    frame = pd.DataFrame(
        {"t": ["a;b", "c"], "f": [1.25, -0.5], "i": [1, 2], "o": pd.Series([2.5, "x"], dtype="object")}
    )
    assert to_csv(frame, delimiter=";", decimal=",") == 't;f;i;o\n"a;b";1,25;1;2,5\nc;-0,5;2;x\n'
    assert to_csv(frame, float_format="%.1f") == "t,f,i,o\na;b,1.2,1,2.5\nc,-0.5,2,x\n"
    missing = pd.DataFrame({"f": pd.array([1.5, None], dtype="Float64"), "d": [Decimal("1.10"), None]})
    assert to_csv(missing, delimiter=";", decimal=",") == "f;d\n1,5;1,10\n;\n"


@pytest.mark.parametrize(
    ("number", "float_format", "text"),
    [
        ("2.675", "%.2f", "2.68"),
        ("12345678901234567890.12", "%.2f", "12345678901234567890.12"),
        ("12345678901234567890.12", "%.21g", "12345678901234567890.1"),
        ("12345678901234567890.12", "%.20e", "1.23456789012345678901e+19"),
        ("1E-10", "%.3E", "1.000E-10"),
        ("1E+30", "%.0f", "1" + "0" * 30),
        ("2.675", "%.3G", "2.68"),
        ("999.96", "%.4g", "1000"),
        ("9999.96", "%.4g", "1e+04"),
    ],
)
def test_a_decimal_is_formatted_without_a_float(number: str, float_format: str, text: str) -> None:
    frame = pd.DataFrame({"x": [Decimal(number), Decimal(1)]})
    assert to_csv(frame, float_format=float_format).splitlines()[1] == text
    comma = to_csv(frame, float_format=float_format, decimal=",", delimiter=";").splitlines()[1]
    assert comma == text.replace(".", ",")


@given(
    st.floats(allow_nan=True, allow_infinity=True),
    st.integers(0, 20),
    st.sampled_from("eEfFgG"),
)
def test_the_format_of_a_decimal_is_that_of_a_float(number: float, precision: int, letter: str) -> None:
    """A Decimal holds every float exactly, so both have the same digits."""
    float_format = f"%.{precision}{letter}"
    assert format_decimal(Decimal(number), float_format) == float_format % number


@pytest.mark.parametrize("cell", ["x", "Bob\r=1"])
def test_a_byte_order_mark_comes_first_and_once(cell: str) -> None:
    shown = f'"{cell}"' if "\r" in cell else cell
    assert to_csv(pd.DataFrame({"a": [cell]}), bom=True) == f"\ufeffa\n{shown}\n"


def test_integers_keep_every_digit() -> None:
    large = pd.DataFrame(
        {
            "int64": pd.array([2**63 - 1, None], dtype="Int64"),
            "uint64": pd.array([2**64 - 1, None], dtype="UInt64"),
            "python": [2**70, None],
        }
    )
    assert to_csv(large) == f"int64,uint64,python\n{2**63 - 1},{2**64 - 1},{2**70}\n,,\n"


@pytest.mark.parametrize("beside", [None, float("nan"), pd.NA, 0.5, Decimal(1)])
@pytest.mark.parametrize("options", [{}, {"decimal": ",", "delimiter": ";"}, {"float_format": "%.1f"}])
def test_an_integer_among_other_objects_keeps_every_digit(beside: Any, options: dict[str, Any]) -> None:
    frame = pd.DataFrame({"x": pd.Series([2**53 + 1, beside, 1], dtype=object), "y": 1})
    lines = to_csv(frame, **options).replace(";", ",").splitlines()
    assert (lines[1], lines[3]) == (f"{2**53 + 1},1", "1,1")


def test_an_integer_among_categories_keeps_every_digit() -> None:
    frame = pd.DataFrame({"x": pd.Categorical([2**53 + 1, None]), "y": 1})
    assert to_csv(frame) == f"x,y\n{2**53 + 1},1\n,1\n"


def test_floats_are_exact() -> None:
    frame = pd.DataFrame({"x": [0.1 + 0.2, 1e22, 1e-7, 123456789.12345679]})
    assert [float(line) for line in to_csv(frame).split()[1:]] == frame.x.tolist()


def test_lists_and_dicts_are_json() -> None:
    frame = pd.DataFrame({"x": [[1, "é"], {"a": None, "d": date(2026, 1, 2)}, np.arange(3), {(1, 2): 3}]})
    rows = [row[0] for row in csv.reader(io.StringIO(to_csv(frame)))]
    assert rows == ["x", '[1, "é"]', '{"a": null, "d": "2026-01-02"}', "[0, 1, 2]", "{(1, 2): 3}"]


def test_numbers_of_numpy_among_other_values_are_numbers() -> None:
    """A figure of pandas (`data.price.max()`) is a number of numpy."""
    values = [np.float64(2.5), np.float32(0.1), np.float16(0.1), np.int64(7), np.uint8(8), np.True_, np.longdouble(1)]
    rows = [row[0] for row in csv.reader(io.StringIO(to_csv(pd.DataFrame({"x": [*values, "text"]}))))]
    assert rows == ["x", "2.5", "0.1", "0.1", "7", "8", "True", "1.0", "text"]
    floats = pd.DataFrame({"x": pd.Series([np.float32(0.5), np.float16(0.1), 0.25, "text"], dtype=object)})
    assert to_csv(floats, delimiter=";", decimal=",") == "x\n0,5\n0,1\n0,25\ntext\n"
    assert to_csv(floats, float_format="%.1f") == "x\n0.5\n0.1\n0.2\ntext\n"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ((1, np.float64(2.5), "a", np.str_("b")), '[1, 2.5, "a", "b"]'),
        ([np.float32(0.1), (np.int64(1),)], "[0.1, [1]]"),
        (np.array([0.1, 0.5], dtype="float32"), "[0.1, 0.5]"),
        (np.array([[0.1], [0.5]], dtype="float16"), "[[0.1], [0.5]]"),
        (np.array(0.1, dtype="float32"), "0.1"),
        (np.array(["2026-01-02", "NaT"], dtype="M8[ns]"), '["2026-01-02T00:00:00.000000000", null]'),
        (pd.array([f"{number}" for number in range(20)]), "[" + ", ".join(f'"{number}"' for number in range(20)) + "]"),
        (pd.array([1, None], dtype="Int64"), "[1, null]"),
        (pd.DatetimeIndex(["2026-01-02 03:04", None]), '["2026-01-02T03:04:00", null]'),
        ([pd.NA, pd.NaT, None], "[null, null, null]"),
        ({np.int64(1): np.float64(2.5)}, '{"1": 2.5}'),
        ({"a": {np.int64(1): [np.float32(0.1)]}}, '{"a": {"1": [0.1]}}'),
        ({(np.int64(1), 2): np.float64(0.5)}, "{(1, 2): 0.5}"),
        ({"b", "a", "é"}, '["a", "b", "é"]'),
        (frozenset({10, 9, np.int64(1), 0.5, Decimal("9.5")}), '[0.5, 1, 9, "9.5", 10]'),
        ({"b", 2, None, (1, 10), (1, 9), date(2026, 1, 2)}, '[2, "b", [1, 9], [1, 10], "2026-01-02", null]'),
        ({frozenset({2, 1}), frozenset({3})}, "[[1, 2], [3]]"),
        ([{"b", "a"}, {"x": {2, 1}}, ({"d", "c"},)], '[["a", "b"], {"x": [1, 2]}, [["c", "d"]]]'),
        ({(1, 2): {"b", "a"}, frozenset({"d", "c"}): 1}, "{(1, 2): ['a', 'b'], ('c', 'd'): 1}"),
        (np.array([{"b", "a"}, None], dtype=object), '[["a", "b"], null]'),
        (set(), "[]"),
    ],
)
def test_no_structure_names_the_types_of_numpy_and_none_is_shortened(value: Any, text: str) -> None:
    cells = pd.DataFrame({"x": pd.Series([None, "text"], dtype=object)})
    cells.at[0, "x"] = value
    assert next(csv.reader(io.StringIO(to_csv(cells).removeprefix("x\n")))) == [text]


def test_a_structure_that_contains_itself_is_written() -> None:
    own: list[Any] = [np.int64(1)]
    own.append(own)
    assert "[...]" in to_csv(pd.DataFrame({"x": [own, None]}))


@pytest.mark.parametrize("dtype", ["float32", "Float32", pd.ArrowDtype(pyarrow.float32())])
def test_narrow_floats_have_their_shortest_text(dtype: Any) -> None:
    assert to_csv(pd.DataFrame({"x": pd.Series([0.1, 2.5], dtype=dtype)})) == "x\n0.1\n2.5\n"


def test_sets_are_the_same_text_in_every_process() -> None:
    """The order of a set of texts depends on the seed of their hashes; two processes have different ones."""
    program = (
        "import pandas; from nightmail_runner.sandbox.child import csv_output\n"
        "words = {'north', 'south', 'east', 'west', 'up', 'down'}\n"
        "cells = [words, [words], {'a': words}, {(1, 2): words}, {frozenset(words): 1}, frozenset([frozenset(words)])]\n"
        "table = csv_output.prepare_for_csv(pandas.DataFrame({'x': cells}), keep_formulas=True)\n"
        "print(table.x.tolist(), csv_output.to_table(pandas.DataFrame([[1]], columns=[frozenset(words)])).columns)"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", program], env=os.environ | {"PYTHONHASHSEED": seed}, check=True, capture_output=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1
    assert b"down" in found.pop()


def test_integers_with_holes_stay_integers_and_floats_stay_floats() -> None:
    frame = pd.DataFrame({"i": [1, None, 3], "f": [1.5, None, 3.0], "whole": [1.0, 2.0, 3.0]})
    assert to_csv(frame) == "i,f,whole\n1,1.5,1.0\n,,2.0\n3,3.0,3.0\n"


def test_the_format_of_floats_applies_to_whole_floats_beside_missing_ones() -> None:
    frame = pd.DataFrame({"a": [1.0, None], "b": [2.0, 3.0], "c": pd.array([4, None], dtype="Int64")})
    output = io.BytesIO()
    options = CsvFormat(float_format="%.2f")
    write(prepare_for_csv(frame, keep_formulas=False, options=options), output, options)
    assert output.getvalue().decode() == "a,b,c\n1.00,2.00,4\n,3.00,\n"


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "longdouble"])
def test_floats_of_each_size_are_written_without_a_warning(dtype: str) -> None:
    frame = pd.DataFrame({"x": np.array([1, np.nan, 3], dtype), "y": np.array([0.5, np.inf, np.nan], dtype)})
    assert to_csv(frame) == "x,y\n1,0.5\n,inf\n3,\n"


@pytest.mark.parametrize("kind", [pyarrow.float32(), pyarrow.float64()])
def test_what_is_no_number_is_empty_in_the_csv_and_in_the_workbook(kind: Any) -> None:
    values = pyarrow.array([0.1, float("nan"), None], kind)
    frame = pd.DataFrame({"x": pd.Series(pd.arrays.ArrowExtensionArray(values)), "n": 1})
    assert to_csv(frame) == "x,n\n0.1,1\n,1\n,1\n"
    assert _sheet(frame) == [("x", "n"), (0.1, 1), (None, 1), (None, 1)]


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA, pd.NaT])
def test_a_missing_name_of_a_column_is_empty_in_the_csv_and_in_the_workbook(missing: Any) -> None:
    for columns in (pd.Index(["a", missing], dtype=object), pd.MultiIndex.from_tuples([("a", missing), ("", missing)])):
        frame = pd.DataFrame([[1, 2]], columns=columns)
        assert to_csv(frame) == "a,\n1,2\n"
        assert _sheet(frame)[0] in {("a", ""), ("a", None)}


def _sheet(frame: "pd.DataFrame") -> list[tuple[Any, ...]]:
    output = io.BytesIO()
    xlsx_output.write(to_table(frame), output)
    return list(openpyxl.load_workbook(output).worksheets[0].iter_rows(values_only=True))


def test_times_keep_their_nanoseconds() -> None:
    assert to_csv(pd.DataFrame({"t": pd.to_datetime(["2026-01-02 03:04:05.123456789"])})) == (
        "t\n2026-01-02T03:04:05.123456789\n"
    )


def test_times_are_iso_8601() -> None:
    frame = pd.DataFrame(
        {
            "day": pd.to_datetime(pd.Series(["2026-01-02", None])),
            "time": pd.to_datetime(pd.Series(["2026-01-02 03:04:05", None])),
            "zoned": pd.to_datetime(pd.Series(["2026-01-02 03:04:05", None])).dt.tz_localize("Europe/Paris"),
        }
    )
    assert to_csv(frame) == "day,time,zoned\n2026-01-02,2026-01-02T03:04:05,2026-01-02T03:04:05+01:00\n,,\n"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (pyarrow.timestamp("us"), "2026-01-02T03:04:05"),
        (pyarrow.timestamp("us", "Europe/Paris"), "2026-01-02T03:04:05+01:00"),
        (pyarrow.date32(), "2026-01-02"),
    ],
)
def test_times_of_arrow_are_iso_8601(kind: Any, text: str) -> None:
    times = pd.Series(["2026-01-02 03:04:05", None], dtype="M8[us]")
    if kind == pyarrow.timestamp("us", "Europe/Paris"):
        times = times.dt.tz_localize("Europe/Paris")
    assert to_csv(pd.DataFrame({"t": times.astype(pd.ArrowDtype(kind)), "n": 1})) == f"t,n\n{text},1\n,1\n"


@pytest.mark.parametrize("dtype", ["str", "object", "category", "string[python]", pd.ArrowDtype(pyarrow.string())])
@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\tx", "'\tx"),
        ("+1+cmd|' /C calc'!A0", "'+1+cmd|' /C calc'!A0"),
        ("-2+3", "'-2+3"),
        ("-", "'-"),
        ("-1", "-1"),
        ("+49.5e3", "+49.5e3"),
        ("-1.000.50", "-1.000.50"),
        ("+3%", "+3%"),
        ("a=b", "a=b"),
        ("-12:30", "-12:30"),
        ("+02:00", "+02:00"),
        ("+49 170 1234567", "+49 170 1234567"),
        ("+1 (555) 010-0100", "+1 (555) 010-0100"),
        ("-12.5 %", "-12.5 %"),
        ("-1 234,50 €", "-1 234,50 €"),
        ("-$5.00", "-$5.00"),
        ("-0044-03-15", "-0044-03-15"),
        (" -5", " -5"),
        ("  text", "  text"),
        ("＝1+1", "'＝1+1"),
        ("＋A1", "'＋A1"),
        ("－A1", "'－A1"),
        ("＠SUM(A1)", "'＠SUM(A1)"),
        ("  =1+1", "'  =1+1"),
        (" \t=1+1", "' \t=1+1"),
        ("\0=1+1", "'\0=1+1"),
        ("\u200b=1+1", "'\u200b=1+1"),
        ("\ufeff=1+1", "'\ufeff=1+1"),
        ("\xa0@SUM(A1)", "'\xa0@SUM(A1)"),
        ("-12:30+A1", "'-12:30+A1"),
        ("-5 +cmd|' /C calc'!A0", "'-5 +cmd|' /C calc'!A0"),
    ],
)
def test_text_that_a_spreadsheet_takes_for_a_formula_gets_a_quote(cell: str, shown: str, dtype: Any) -> None:
    frame = pd.DataFrame({"x": pd.Series([cell, "y"], dtype=dtype)})
    assert to_csv(frame) == f"x\n{_field(shown)}\ny\n"
    assert to_csv(frame, keep_formulas=True) == f"x\n{_field(cell)}\ny\n"


def _field(text: str) -> str:
    return f'"{text}"' if "," in text else text


def test_column_names_that_look_like_formulas_get_a_quote() -> None:
    assert to_csv(pd.DataFrame({"=1+1": [1], 2: [3]})) == "'=1+1,2\n1,3\n"
    two_levels = pd.MultiIndex.from_tuples([("=1+1", "x"), ("y", 2)])
    assert to_csv(pd.DataFrame([[1, 3]], columns=two_levels)) == "'=1+1 x,y 2\n1,3\n"


@pytest.mark.parametrize("cell", ["\n=1", "\r\n=1", "\r=1", "\n\t @A1"])
def test_a_formula_behind_a_line_break_gets_a_quote(cell: str) -> None:
    assert to_csv(pd.DataFrame({"x": [cell]})) == f'x\n"\'{cell}"\n'


def test_a_formula_in_a_cell_of_several_lines_is_found() -> None:
    assert to_csv(pd.DataFrame({"x": ["=1\n2"]})) == 'x\n"\'=1\n2"\n'


@pytest.mark.parametrize(
    ("values", "is_text"),
    [
        (pd.Series(["12.34567", None]), True),
        (pd.Series(["1", 2], dtype=object), True),
        (pd.Series(["1", "2"], dtype="category"), True),
        (pd.Series(["1", "2"], dtype=pd.ArrowDtype(pyarrow.string())), True),
        (pd.Series(["1", "2"], dtype=pd.ArrowDtype(pyarrow.dictionary(pyarrow.int32(), pyarrow.string()))), True),
        (pd.Series([1.5, 2.5]), False),
        (pd.Series([1, None], dtype="Int64"), False),
        (pd.Series([1.5, Decimal("2.50")], dtype=object), False),
        (pd.Series([1.5, 2.5], dtype="category"), False),
        (pd.Series([Decimal("1.10"), None], dtype=pd.ArrowDtype(pyarrow.decimal128(9, 2))), False),
        (pd.Series([None, None], dtype=object), False),
        (pd.Series([True, False]), False),
        (pd.to_datetime(pd.Series(["2026-11-23"])), False),
    ],
)
def test_a_column_with_a_text_is_a_column_of_text(values: "pd.Series[Any]", is_text: bool) -> None:
    table = pd.DataFrame({"amount": range(len(values)), "value": values})
    assert text_columns(table) == ((1,) if is_text else ())


def test_an_event_lists_the_first_columns_of_text() -> None:
    table = pd.DataFrame([["1"] * 2_001])
    assert text_columns(table) == tuple(range(2_000))
