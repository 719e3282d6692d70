"""Texts become numbers only where they are written as numbers are, and no digit is lost."""

import csv
import io
import json
import re
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from support.parsing import columns, parsed, refusal


@pytest.mark.parametrize(
    "texts",
    [
        ["01234", "5"],
        ["12E4", "6"],
        ["+4915", "5"],
        ["00", "1"],
        ["-01", "1"],
        ["0x10", "1"],
        ["1_000", "1"],
        ["5.", "1.5"],
        ["-0", "1"],
        ["9223372036854775808", "1"],
        ["0.1000000000000000055511151231257827", "1.5"],
        ["NA", "None"],
        ["nan", "1.5"],
        ["inf", "1.5"],
        ["N/A", "null"],
        ["True", "False"],
        ["2026-01-31", "2026-02-28"],
        ["1.234.567", "1"],
        ["1,5", "2,5"],
        [" ", "1"],
    ],
)
@pytest.mark.parametrize("quoted", [False, True])
def test_a_number_in_no_canonical_form_is_text(texts: list[str], quoted: bool) -> None:
    output = io.StringIO()
    csv.writer(output, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL).writerows(
        [["x", "n"], *([t, "1"] for t in texts)]
    )
    assert columns(output.getvalue())["x"] == texts


@pytest.mark.parametrize(
    ("data", "values", "dtype"),
    [
        ("x\n0\n-7\n12\n", [0, -7, 12], "int64"),
        ("x,y\n9007199254740993,1\n,2\n", [9007199254740993, None], "Int64"),
        ("x\n1.50\n-0.25\n3\n", [1.5, -0.25, 3.0], "float64"),
        ("x\n1e-07\n1.5e3\n1e+20\n", [1e-07, 1500.0, 1e20], "float64"),
        ("x\n0.30000000000000004\n.5\n", [0.30000000000000004, 0.5], "float64"),
        ("x,y\n0.5,1\n,2\n", [0.5, None], "float64"),
    ],
)
def test_canonical_numbers_keep_their_digits(data: str, values: list[Any], dtype: str) -> None:
    assert columns(data)["x"] == values
    assert str(parsed(data).frame["x"].dtype) == dtype


@settings(max_examples=150)
@given(values=st.lists(st.integers(-(2**63), 2**63 - 1) | st.none(), min_size=1, max_size=20))
def test_integers_keep_every_digit(values: list[int | None]) -> None:
    text = "x,y\n" + "".join(f"{'' if value is None else value},1\n" for value in values)
    assert columns(text)["x"] == values


@settings(max_examples=300)
@given(values=st.lists(st.from_regex(r"-?(0[xX])?[0-9A-F]{1,20}", fullmatch=True), min_size=1, max_size=5))
@example(values=["-9223372036854775808", "9223372036854775807"])
@example(values=["0xFFFFFFFF"])
@example(values=["-0"])
@example(values=["12", "007"])
def test_only_integers_as_python_writes_them_become_numbers(values: list[str]) -> None:
    # Behind so many numbers that the column is not taken for text at its first values.
    found = columns("x,y\n" + "1,1\n" * 20 + "".join(f"{value},1\n" for value in values))["x"][20:]
    written = [value for value in values if re.fullmatch("-?[0-9]+", value) and str(int(value)) == value]
    fitting = [value for value in written if -(2**63) <= int(value) < 2**63]
    assert found == ([int(value) for value in values] if fitting == values else values)


@settings(max_examples=150)
@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_floats_come_out_as_they_were_written(values: list[float]) -> None:
    records = json.dumps([{"x": value} for value in values])
    assert columns(records, "json")["x"] == values
    assert [float(value) for value in columns("x\n" + "".join(f"{value!r}\n" for value in values))["x"]] == values


@pytest.mark.parametrize(
    ("number", "kept"),
    [
        ("1e-400", "1e-400"),
        ("1e-99999999999999999999", "1e-99999999999999999999"),
        ("1e-305", 1e-305),
        ("0e-400", 0.0),
        ("1.5", 1.5),
    ],
)
def test_a_number_that_is_too_small_for_a_float_is_text(number: str, kept: str | float) -> None:
    assert columns(f"a\n{number}\n") == {"a": [kept]}
    assert columns(f'[{{"a": {number}}}]', "json") == {"a": [kept]}


def test_a_number_that_is_too_large_for_a_float_is_text_or_refused() -> None:
    assert columns('[{"a": 1e400}]', "json") == {"a": ["1e400"]}
    assert columns("a\n1e+400\n1.5\n") == {"a": ["1e+400", "1.5"]}
    assert columns("a\n1.5E308\n") == {"a": [1.5e308]}
    for number in ("1e400", "1e-400"):
        assert number in refusal(f"a\n{number}\n", types={"a": "number"})


@pytest.mark.parametrize(
    ("values", "line", "way_out"),
    [
        (["10", "n/a", "7"], 3, "na_values can name it as missing"),
        (["10", "-", "7"], 3, "na_values can name it as missing"),
        (["NULL", "", "7"], 2, "na_values can name it as missing"),
        (["900", "1,234.50"], 3, "thousands and decimal can say how numbers are written"),
        (["1", "2", "3,25"], 4, "thousands and decimal can say how numbers are written"),
        (["1,5", "2,25"], 2, "thousands and decimal can say how numbers are written"),
        (["1.234,50", "2,25"], 2, "thousands and decimal can say how numbers are written"),
        (["1'234.50", "20.00"], 2, "thousands and decimal can say how numbers are written"),
        (["1.2", ":", "3.4"], 3, "na_values can name it as missing"),
        (["1.2", "…", "x", "/"], 3, "na_values can name it as missing"),
        (["20", "(1234.50)"], 3, "the script can make it a number"),
        (["20", "5-"], 3, "the script can make it a number"),
        (["20", "−5"], 3, "the script can make it a number"),
        (["20", "12.5%", "$3"], 3, "the script can make it a number"),
        (["1"] * 70_000 + ["n/a"], 70_002, "na_values can name it as missing"),
    ],
)
def test_text_that_a_person_takes_for_numbers_is_a_note(values: list[str], line: int, way_out: str) -> None:
    """A sum joins such texts, and says nothing: 10 and 7 become 107."""
    data = "amount;x\n" + "".join(f"{value};1\n" for value in values)
    [note] = parsed(data).notes
    said = f"the column 'amount' is text, so a sum joins its values: line {line} has {values[line - 2]!r}"
    assert note == f"{said}, which is no number here; {way_out}"
    assert parsed(data, types={"amount": "text"}).notes == []


@pytest.mark.parametrize(
    "values",
    [
        ["007", "12", "n/a"],
        ["12a", "13"],
        ["A1", "2", "-"],
        ["12E4", "13"],
        ["n/a", "-"],
        ["12.5%", "3%"],
        ["31.12.2025", "2"],
        ["10-20", "5"],
        ["1.2.3", "4"],
        ["north", "south"],
        ["12", "Lobby"],
        ["007", "12.3333333333333333"],
        ["+49 151 234", "+49 30 123"],
    ],
)
def test_codes_and_words_are_text_without_a_note(values: list[str]) -> None:
    data = "amount;x\n" + "".join(f"{value};1\n" for value in values)
    assert columns(data)["amount"] == values
    assert parsed(data).notes == []


def test_a_large_number_as_some_programs_write_it_is_a_note_among_decimals() -> None:
    """Polars and DuckDB write `1e16`, which is a code by its form, and makes the column text."""
    assert columns("amount\n0.5\n1e16\n") == {"amount": ["0.5", "1e16"]}
    assert parsed("amount\n0.5\n1e16\n").notes == [
        "the column 'amount' is text, so a sum joins its values: line 3 has '1e16', which may be a code; types can declare number"
    ]
    assert columns("amount\n0.5\n1e16\n", types={"amount": "number"}) == {"amount": [0.5, 1e16]}


@pytest.mark.parametrize(
    "values", [["1,234.50", "2,345.60"], ["$5.00", "$6.00"], ["(5.00)", "n/a"], [*["-"] * 25, "5"]]
)
def test_a_column_in_which_every_number_is_written_otherwise_is_noted(values: list[str]) -> None:
    data = "amount;x\n" + "".join(f"{value};1\n" for value in values)
    [note] = parsed(data).notes
    assert note.startswith(f"the column 'amount' is text, so a sum joins its values: line 2 has {values[0]!r}")


@pytest.mark.parametrize(
    ("data", "file_type"),
    [
        ("region,avg\nnorth,12.3333333333333333\nsouth,4.6666666666666667\n", "csv"),
        ("avg,x\n18446744073709551615,1\n7,2\n", "csv"),
        ('[{"avg": 12.3333333333333333}, {"avg": 4.6666666666666667}]', "json"),
    ],
)
def test_numbers_with_more_digits_than_64_bits_hold_are_noted(data: str, file_type: Any) -> None:
    assert parsed(data.encode(), file_type).notes == [
        "the column 'avg' has numbers with more digits than 64 bits hold; it is text, with every digit, so a sum joins its values"
    ]


@pytest.mark.parametrize(
    ("data", "file_type", "options", "expected"),
    [
        ("x\n1.5\n-999.0\n-999\n", "csv", {}, [1.5, None, None]),
        ("x\n1\n-999\n-9990\n", "csv", {}, [1, None, -9990]),
        ("x\n7\n-999.00\n", "csv", {"types": {"x": "number"}}, [7, None]),
        ("x\n-999.0\n", "csv", {"types": {"x": "text"}}, ["-999.0"]),
        ("x;y\n1,5;2\n-999,0;3\n", "csv", {"decimal": ","}, [1.5, None]),
        ("x;y\n7;2\n-9.999;3\n", "csv", {"thousands": ".", "na_values": ("-9999",)}, [7, None]),
        ("x\na\n-999.0\n", "csv", {}, ["a", "-999.0"]),
        ("x\n9007199254740993\n-999.0\n", "csv", {"na_values": ("9007199254740992",)}, ["9007199254740993", "-999.0"]),
        ("x\n9007199254740993\n5\n", "csv", {"na_values": ("9007199254740992.0", "5.0")}, [9007199254740993, None]),
        ('[{"x": "-999.0"}, {"x": "1.5"}]', "json", {"types": {"x": "number"}}, [None, 1.5]),
        ("x\n" + "1.5\n" * 90_000 + "-999.0\n", "csv", {}, [1.5] * 90_000 + [None]),
    ],
)
def test_a_number_of_na_values_is_missing_however_it_is_written(
    data: str, file_type: Any, options: dict[str, Any], expected: list[Any]
) -> None:
    """-999 is a missing measurement also where another value of the column has decimals."""
    found = columns(data, file_type, **{"na_values": ("-999",), **options})["x"]
    assert found == expected
