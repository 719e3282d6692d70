"""How a DataFrame becomes the CSV that is mailed."""

import io
from typing import Any

import pandas as pd
import pyarrow
import pytest

from nightmail_runner.sandbox.child.csv_output import prepare_for_csv, write


def to_csv(frame: pd.DataFrame, *, keep_formulas: bool = False) -> str:
    output = io.BytesIO()
    write(prepare_for_csv(frame, keep_formulas=keep_formulas), output)
    return output.getvalue().decode()


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
