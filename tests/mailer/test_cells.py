"""What the table of a mail makes of a column's cells."""

import pytest

from nightmail_common.contract.job import CsvOptions
from nightmail_mailer.compose.cells import format_column, is_number
from nightmail_mailer.compose.table_preview import preview_csv


@pytest.mark.parametrize(
    ("cells", "shown"),
    [
        (["0.30000000000000004"], ["0.3"]),
        (["0.30000000000000004", "1", ""], ["0.3", "1.0", ""]),
        (["33.333333333333336", "66.66666666666667"], ["33.33", "66.67"]),
        (["1234567.8912345", "0.1"], ["1234567.89", "0.10"]),
        (["-0.123456", "0.5"], ["-0.1235", "0.5000"]),
        (["0.1234567", "1e-07"], ["0.1235", "1e-7"]),
        (["1.23456789e+25", "0.5"], ["1.23e+25", "0.5"]),
        (["100.00000000000001", "200.0"], ["100", "200"]),
        (["nan", "inf", "2.000001"], ["nan", "inf", "2"]),
        (["1.10", "1.9"], ["1.10", "1.9"]),
        (["12345678901234567890", "7"], ["12345678901234567890", "7"]),
        (["0.005", "1234.567", "0.00499"], ["0.005", "1234.57", "0.00499"]),
        (["-0.005", "1234.567", "-0.00501"], ["-0.005", "1234.57", "-0.01"]),
        (["-0.0", "0.123456", "0.0"], ["0.0000", "0.1235", "0.0000"]),
        (["1e+400", "0.123456"], ["1e+400", "0.12"]),
        (["1e999999999", "0.123456"], ["1e999999999", "0.123456"]),
        (["0101.2100", "8471.3000"], ["0101.2100", "8471.3000"]),
        (["8471.3000", "8471.3125"], ["8471.30", "8471.31"]),
        (["12E45", "13E20"], ["12E45", "13E20"]),
        (["0171.1234567", "171.1234567"], ["0171.1234567", "171.1234567"]),
        (["+4915112345678", "0.123456"], ["+4915112345678", "0.123456"]),
        (["1.23456e5", "0.5"], ["1.23456e5", "0.5"]),
        (["0.123456", "a text"], ["0.123456", "a text"]),
        (["2026-11-23 00:00:00", "", "2026-11-24 00:00:00"], ["2026-11-23", "", "2026-11-24"]),
        (["2026-11-23T00:00:00.000+01:00"], ["2026-11-23"]),
        (["2026-11-23 00:00:00", "2026-11-24 09:30:00"], ["2026-11-23 00:00:00", "2026-11-24 09:30:00"]),
        (["", ""], ["", ""]),
        ([], []),
    ],
)
def test_numbers_are_rounded_and_dates_have_no_midnight(cells: list[str], shown: list[str]) -> None:
    assert format_column(cells, CsvOptions(), is_text=False) == shown


def test_a_number_has_the_decimal_mark_of_the_csv() -> None:
    options = CsvOptions(delimiter=";", decimal=",")
    assert format_column(["0,30000000000000004", "12"], options, is_text=False) == ["0,3", "12,0"]
    assert not is_number("1.5", ",")
    assert not is_number("1,5", ".")
    preview = preview_csv(b"share;code\n0,30000000000000004;1.5\n", 1, options, text_columns=())
    assert preview.rows == [["0,3", "1.5"]]
    assert preview.numeric == [True, False]


def test_a_number_whose_format_the_job_sets_stays_as_it_is() -> None:
    options = CsvOptions(float_format="%.6f")
    assert format_column(["0.333333", "0.300000"], options, is_text=False) == ["0.333333", "0.300000"]


@pytest.mark.parametrize("code", ["12E45", "0101.21", "+4915112345678", "007", "1.", "NaN", "Inf", "٣", "1e9999"])
def test_a_code_is_no_number(code: str) -> None:
    assert not is_number(code)


@pytest.mark.parametrize("number", ["0", "-1", "-0", "0.5", ".5", "-0.0", "1e-07", "1.5e3", "1E+2", "nan", "-inf", ""])
def test_a_canonical_number_is_a_number(number: str) -> None:
    assert is_number(number)


def test_a_text_that_looks_like_a_number_is_shown_as_it_is() -> None:
    csv_text = b"id,share,day\n12.34567,0.123456,2026-11-23 00:00:00\n1234567.891,0.5,2026-11-24 00:00:00\n"
    preview = preview_csv(csv_text, 2, text_columns=(0, 2))
    assert preview.rows == [["12.34567", "0.1235", "2026-11-23"], ["1234567.891", "0.5000", "2026-11-24"]]
    assert preview.numeric == [False, True, False]


def test_no_number_is_rounded_where_the_event_does_not_say_which_columns_are_text() -> None:
    preview = preview_csv(b"id,share\n12.34567,0.123456\n", 1)
    assert preview.rows == [["12.34567", "0.123456"]]
    assert preview.numeric == [True, True]
