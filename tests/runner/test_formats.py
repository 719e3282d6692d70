"""How CSV and JSON in all their forms are parsed, and how the mailed CSV is written."""

import io
from typing import Any

import pandas as pd
import pyarrow
import pytest

from nightmail_runner.sandbox.child.csv_output import prepare_for_csv, write
from nightmail_runner.sandbox.child.parse_input import NotRecords, read_csv, read_json


def parse_csv(data: bytes, delimiter: str | None = None, encoding: str | None = None) -> dict[str, list[Any]]:
    frame = read_csv(io.BytesIO(data), delimiter, encoding)
    return {str(name): values for name, values in frame.to_dict("list").items()}


def parse_json(data: bytes, records_path: str | None = None) -> list[dict[Any, Any]]:
    return read_json(io.BytesIO(data), records_path).to_dict("records")


def to_csv(frame: pd.DataFrame, *, keep_formulas: bool = False) -> str:
    output = io.BytesIO()
    write(prepare_for_csv(frame, keep_formulas=keep_formulas), output)
    return output.getvalue().decode()


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        ("name,n\nJosé,1\n".encode(), None),
        ("name,n\nJosé,1\n".encode("utf-8-sig"), None),
        ("name,n\nJosé,1\n".encode("latin-1"), None),
        ("name,n\nJosé,1\n".encode("utf-16"), None),
        ("name,n\nJosé,1\n".encode("cp437"), "cp437"),
        ("name;n\r\nJosé;1\r\n".encode(), None),
        ("name\tn\nJosé\t1\n".encode(), None),
        ("name|n\nJosé|1\n".encode(), None),
        ('"name";"n"\n"José";1\n'.encode("latin-1"), None),
    ],
)
def test_delimiter_and_encoding_are_detected(data: bytes, encoding: str | None) -> None:
    assert parse_csv(data, encoding=encoding) == {"name": ["José"], "n": [1]}


def test_a_latin_1_character_far_behind_the_head_is_read() -> None:
    assert parse_csv(b"a\n" + b"x\n" * 100_000 + "é\n".encode("latin-1"))["a"][-1] == "é"


def test_a_quoted_delimiter_is_ignored() -> None:
    assert parse_csv(b'"a,b,c,d";e\n1;2\n') == {"a,b,c,d": [1], "e": [2]}


def test_a_given_delimiter_is_used() -> None:
    assert parse_csv(b"a,b:c\n1:2\n", delimiter=":") == {"a,b": [1], "c": [2]}


@pytest.mark.parametrize(("data", "columns"), [(b"", []), (b"\n\n", []), (b"a,b\n", ["a", "b"]), (b"a,b", ["a", "b"])])
def test_empty_data_is_an_empty_dataframe_with_its_columns(data: bytes, columns: list[str]) -> None:
    frame = read_csv(io.BytesIO(data), None, None)
    assert (list(frame.columns), len(frame)) == (columns, 0)


def test_json_records_objects_and_lines_are_read() -> None:
    records = [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]
    assert parse_json(b'[{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]') == records
    assert parse_json(b'{"data": {"rows": [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]}}', "data.rows") == records
    assert parse_json(b'{"a": 1, "b": "x"}\n{"a": 2, "b": "y"}\n\n') == records
    assert parse_json(b'{"a": 1, "b": "x"}\n') == records[:1]
    assert parse_json(b"[]") == parse_json(b"") == []


@pytest.mark.parametrize(
    ("data", "path", "says"),
    [
        (b"3", None, "list of records"),
        (b'{"data": [{"a": 1}]}', None, "records_path"),
        (b'{"data": []}', "rows", "there is no 'rows'"),
        (b"[1, 2]", None, "JSON object"),
    ],
)
def test_json_without_records_is_an_error_that_says_why(data: bytes, path: str | None, says: str) -> None:
    with pytest.raises(NotRecords, match=says):
        parse_json(data, path)


def test_the_index_is_written_only_if_it_has_a_name() -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
    assert to_csv(frame) == "a,b\n1,3\n2,4\n"
    assert to_csv(frame.set_index("a")) == "a,b\n1,3\n2,4\n"
    assert to_csv(frame.groupby(["a", "b"]).size().to_frame("n")) == "a,b,n\n1,3,1\n2,4,1\n"


def test_integers_with_holes_stay_integers_and_floats_stay_floats() -> None:
    frame = pd.DataFrame({"i": [1, None, 3], "f": [1.5, None, 3.0], "whole": [1.0, 2.0, 3.0]})
    assert to_csv(frame) == "i,f,whole\n1,1.5,1.0\n,,2.0\n3,3.0,3.0\n"


def test_times_are_iso_8601() -> None:
    frame = pd.DataFrame(
        {
            "day": pd.to_datetime(pd.Series(["2026-01-02", None])),
            "time": pd.to_datetime(pd.Series(["2026-01-02 03:04:05", None])),
            "zoned": pd.to_datetime(pd.Series(["2026-01-02 03:04:05", None])).dt.tz_localize("Europe/Paris"),
        }
    )
    assert to_csv(frame) == "day,time,zoned\n2026-01-02,2026-01-02T03:04:05,2026-01-02T03:04:05+01:00\n,,\n"


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
    ],
)
def test_text_that_a_spreadsheet_takes_for_a_formula_gets_a_quote(cell: str, shown: str, dtype: Any) -> None:
    frame = pd.DataFrame({"x": pd.Series([cell, "y"], dtype=dtype)})
    assert to_csv(frame) == f"x\n{shown}\ny\n"
    assert to_csv(frame, keep_formulas=True) == f"x\n{cell}\ny\n"


def test_column_names_that_look_like_formulas_get_a_quote() -> None:
    assert to_csv(pd.DataFrame({"=1+1": [1], 2: [3]})) == "'=1+1,2\n1,3\n"
    two_levels = pd.MultiIndex.from_tuples([("=1+1", "x"), ("y", 2)])
    assert to_csv(pd.DataFrame([[1, 3]], columns=two_levels)) == "'=1+1,y\nx,2\n1,3\n"


def test_a_formula_in_a_cell_of_several_lines_is_found() -> None:
    assert to_csv(pd.DataFrame({"x": ["=1\n2"]})) == 'x\n"\'=1\n2"\n'
