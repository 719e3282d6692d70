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
        (["1e999999999", "0.123456"], ["1e+999999999", "0.12"]),
        (["0.123456", "a text"], ["0.123456", "a text"]),
        (["2026-11-23 00:00:00", "", "2026-11-24 00:00:00"], ["2026-11-23", "", "2026-11-24"]),
        (["2026-11-23T00:00:00.000+01:00"], ["2026-11-23"]),
        (["2026-11-23 00:00:00", "2026-11-24 09:30:00"], ["2026-11-23 00:00:00", "2026-11-24 09:30:00"]),
        (["", ""], ["", ""]),
        ([], []),
    ],
)
def test_numbers_are_rounded_and_dates_have_no_midnight(cells: list[str], shown: list[str]) -> None:
    assert format_column(cells, CsvOptions()) == shown


def test_a_number_has_the_decimal_mark_of_the_csv() -> None:
    options = CsvOptions(delimiter=";", decimal=",")
    assert format_column(["0,30000000000000004", "12"], options) == ["0,3", "12,0"]
    assert not is_number("1.5", ",")
    assert not is_number("1,5", ".")
    preview = preview_csv(b"share;code\n0,30000000000000004;1.5\n", 1, options)
    assert preview.rows == [["0,3", "1.5"]]
    assert preview.numeric == [True, False]


def test_a_number_whose_format_the_job_sets_stays_as_it_is() -> None:
    options = CsvOptions(float_format="%.6f")
    assert format_column(["0.333333", "0.300000"], options) == ["0.333333", "0.300000"]
