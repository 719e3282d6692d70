"""Delimited text as programs and people write it: no row is lost, and what was read in another way than it looks is said."""

from typing import Any

import pytest

from support.parsing import columns, parsed, refusal


@pytest.mark.parametrize(
    ("header", "names"),
    [
        ('width",price', ['width"', "price"]),
        ('a, "b', ["a", '"b']),
        ('size (5"),5" disk', ['size (5")', '5" disk']),
        ('"a ""x""\nb",c', ['a "x"\nb', "c"]),
    ],
)
@pytest.mark.parametrize("count", [1, 50_000])
def test_a_quote_inside_of_a_name_takes_no_record_into_the_header(header: str, names: list[str], count: int) -> None:
    data = f"{header}\n" + "1,2\n" * count
    assert columns(data) == {names[0]: [1] * count, names[1]: [2] * count}
    assert refusal(f"{header}\n1,2\n1,x\n", types={names[1]: "integer"}).startswith(
        f"line {header.count(chr(10)) + 3}:"
    )


def test_a_header_with_an_open_quote_is_an_error() -> None:
    assert "line 1: the header cannot be read: a quote opens here and does not close" in refusal('"a,b\n1,2\n')


@pytest.mark.parametrize(
    ("data", "options", "why"),
    [
        (
            "a,b\n1;2\n3;4\n",
            {},
            "has the delimiter ',', but no record has it, and every one has as many fields with ';'",
        ),
        ("a;b\n1\t2\n3\t4\n", {}, "has the delimiter ';', but no record has it"),
        (" a | b \n---+---\n 1 | 2\n", {}, "line 2 is a line of a table that is drawn with characters"),
        ("| a | b |\n|---|--:|\n| 1 | 2 |\n", {}, "line 2 is a line of a table that is drawn with characters"),
        ('"a","b"\n"1",5,6\n"2",7,8\n', {}, "if the first column has no name, as R writes it, give it one"),
        (
            "a,b\n1,2\nERROR: connection lost\n",
            {},
            "line 3 seems to be a message in place of a record: 'ERROR: connection",
        ),
        ("a,b\n1,2\n<html><body>504</body></html>\n", {}, "line 3 seems to be a message in place of a record: '<html>"),
        ("a;b\n1;2\nPHP Warning:  Undefined index\n", {}, "line 3 seems to be a message"),
        ("a,b\n1,2\nORA-01555: snapshot too old\n", {}, "line 3 seems to be a message"),
        ("a,b\n1,2\n   \n3,x\n", {"types": {"b": "integer"}}, "line 4: the column 'b' has 'x'"),
    ],
)
def test_records_that_do_not_belong_to_their_header_are_refused(data: str, options: Any, why: str) -> None:
    assert why in refusal(data, **options)


@pytest.mark.parametrize(
    ("data", "options", "expected"),
    [
        ("a;b\n1,5\n2,5\n", {"decimal": ","}, {"a": [1.5, 2.5], "b": [None, None]}),
        ("a,b,c\n1;2\n3;4\n", {}, {"a": ["1;2", "3;4"], "b": [None, None], "c": [None, None]}),
        ("a,b\nwarning\nerror,5\n", {}, {"a": ["warning", "error"], "b": [None, 5]}),
        ("a,b\n-,---\n1,2\n", {"na_values": ("-", "---")}, {"a": [None, 1], "b": [None, 2]}),
        ("a,b\n---,---\n1,2\n", {"comment": "--"}, {"a": [1], "b": [2]}),
        ("a,b\n-1,-2\n", {}, {"a": [-1], "b": [-2]}),
    ],
)
def test_odd_records_that_belong_to_their_header_are_read(data: str, options: Any, expected: dict[str, Any]) -> None:
    assert columns(data, **options) == expected


@pytest.mark.parametrize("count", [1, 50_000])
def test_lines_of_spaces_are_blank(count: int) -> None:
    data = "  \na,b\n" + "1,2\n" * count + "   \n3,4\n  "
    assert columns(data) == {"a": [1] * count + [3], "b": [2] * count + [4]}
    assert parsed(data).notes == [f"2 lines ({count + 3}, {count + 5}) had only spaces; blank lines were skipped"]
    assert columns("a\nx\n  \ny\n") == {"a": ["x", "  ", "y"]}


def test_an_underline_below_the_names_is_a_note() -> None:
    notes = parsed("a,b\n--,-----\n1,2\n").notes
    assert any(note.startswith("line 2 has only dashes") and "comment: '--' skips it" in note for note in notes), notes


@pytest.mark.parametrize(
    "message",
    [
        "Rate limit exceeded, try again in 30 seconds",
        "java.lang.NullPointerException\n\tat com.x.Y(Y.java:1)\n",
        "requests.exceptions.ConnectionError: reset by peer\n",
        "No records found.\n",
        "No data available",
        "Table does not exist",
    ],
)
def test_more_messages_in_place_of_a_table_are_refused(message: str) -> None:
    assert "this seems to be a message, not csv" in refusal(message)
