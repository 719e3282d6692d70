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
        ("a,b\n---,---\n1,2\n", {"comment": "-"}, {"a": [1], "b": [2]}),
        ("a,b\n-1,-2\n", {}, {"a": [-1], "b": [-2]}),
        ("a,b\nx,2\nNotice: provisional\n", {}, {"a": ["x", "Notice: provisional"], "b": [2, None]}),
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
    assert any(note.startswith("line 2 has only dashes") and "comment: '-' skips" in note for note in notes), notes


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


#: A column of text with numbers in it, and the value that the note names.
MIXED_COLUMNS = [
    ("-0\n5\n", "line 2 has '-0', which 64 bits do not hold as it is written; types can declare number"),
    ("5\n1e-400\n", "line 3 has '1e-400', which 64 bits do not hold"),
    ("1.5\ninf\n", "line 3 has 'inf', which is no number here; the script"),
    ("1.5\n-Infinity\n", "line 3 has '-Infinity'"),
    ("5.\n1.5\n", "line 2 has '5.'"),
    ('1\n" "\n', "line 3 has ' ', which is no number here; na_values"),
    ("1\n\\N\n", "line 3 has '\\\\N', which is no number here; na_values"),
    ("1\n(null)\n", "line 3 has '(null)'"),
    ("1\n####\n", "line 3 has '####'"),
    ("\u200e1\n2\n", "line 2 has '\\u200e1', which is no number here; the script"),
    ('"1,23,456"\n"12,34,567"\n', "line 2 has '1,23,456', which is no number here; thousands"),
    ("1\u00a0234\n2\u202f500\n", "line 2 has '1\\xa0234', which is no number here; thousands"),
    ("degC\n20\n21\n22\n", "line 2 has 'degC', which is no number here; if it is no value, na_values"),
    ("1\n2\nTotal rows: 2\n", "line 4 has 'Total rows: 2'"),
    ("x\n" + "1\n" * 150 + "y\n", None),
    ("EUR 5,00\nEUR 1.234,00\n", "line 2 has 'EUR 5,00', which is no number here; the script"),
    (" $ 1.00 \n $ -   \n", "line 2 has ' $ 1.00 ', which is no number here; the script"),
    ("5.00 kr\n6.00 kr\n", "line 2 has '5.00 kr'"),
    ("abc 5,00\nabc 6,00\n", None),
    ("1\n" * 250 + "x\ny\n", "line 252 has 'x'"),
    ("A1\n2\n", None),
    ("007\n1\n2\nx\n", None),
    ("101\n102\n103\n", None),
]


@pytest.mark.parametrize(("values", "note"), MIXED_COLUMNS)
def test_a_column_of_numbers_that_is_text_names_the_value_that_is_none(values: str, note: str | None) -> None:
    table = parsed(f"x\n{values}", delimiter=";")
    notes = [text for text in table.notes if text.startswith("the column 'x' is text, so a sum joins its values: ")]
    assert notes == table.notes
    assert (not notes) if note is None else note in notes[0], notes


@pytest.mark.parametrize(
    ("values", "options", "expected"),
    [
        ("1\u00a0234\n2 500\n", {"thousands": " "}, [1234, 2500]),
        ("1\u202f234,5\n2\u00a0500\n", {"thousands": "\u00a0", "decimal": ","}, [1234.5, 2500]),
        ("1\u2019234.50\n2'500.00\n", {"thousands": "'"}, [1234.5, 2500]),
        ("1,23,456\n12,34,567.5\n-1,234\n", {"thousands": ","}, [123456, 1234567.5, -1234]),
        ("1,23\n1\n", {"thousands": ","}, ["1,23", "1"]),
        ("1.23.456\n1\n", {"thousands": ".", "decimal": ","}, ["1.23.456", "1"]),
    ],
)
@pytest.mark.parametrize("types", [{}, {"x": "number"}])
def test_marks_between_digits_are_read_as_they_look(values: str, options: Any, expected: Any, types: Any) -> None:
    if types and isinstance(expected[0], str):
        assert "types declares number" in refusal(f"x\n{values}", delimiter=";", types=types, **options)
    else:
        assert columns(f"x\n{values}", delimiter=";", types=types, **options) == {"x": expected}


@pytest.mark.parametrize(
    ("value", "kind", "options", "way_out"),
    [
        ("n/a", "number", {}, "na_values can name it as missing"),
        (
            " ",
            "integer",
            {},
            "the column 'x' has ' ', but types declares integer: an integer is expected; na_values can",
        ),
        ("1.5", "integer", {}, "types can declare number"),
        ("5%", "number", {}, "declare text, and convert it in the script"),
        ("(5.00)", "number", {}, "declare text, and convert it in the script"),
        ("1.5", "number", {"decimal": ","}, "numbers are written with decimal ',' and thousands None here"),
        ("1,5", "number", {}, "declare text, and convert it in the script, or set decimal and thousands"),
        ("ja", "boolean", {}, "declare text, and convert it in the script"),
    ],
)
def test_a_value_of_another_type_is_shown_as_it_is_with_a_way_out(
    value: str, kind: Any, options: Any, way_out: str
) -> None:
    assert way_out in refusal(f"x;y\n{value};1\n", types={"x": kind}, **options)


@pytest.mark.parametrize("file_type", ["csv", "json"])
def test_a_declared_integer_may_end_in_point_zero(file_type: str) -> None:
    """pandas writes integers so beside a missing value."""
    data = "x,y\n1.0,a\n,b\n-30.00,c\n" if file_type == "csv" else '[{"x": 1.0}, {"x": null}, {"x": -30.00}]'
    assert columns(data, file_type, types={"x": "integer"})["x"] == [1, None, -30]


@pytest.mark.parametrize(
    ("data", "expected", "are_text"),
    [
        ('a\tb\n5" x 3"\tq\n"x\ty\n', {"a": ['5" x 3"', '"x'], "b": ["q", "y"]}, True),
        ('a\tb\n"s\tq\nx"\ty\nz\tw\n', {"a": ['"s', 'x"', "z"], "b": ["q", "y", "w"]}, True),
        ('"a\tb\ns\tq\n', {'"a': ["s"], "b": ["q"]}, True),
        ('a\tb\n"s\tq\n' + "1\t2\n" * 50_000, {"a": ['"s'] + ["1"] * 50_000, "b": ["q"] + ["2"] * 50_000}, True),
        ('a\tb\n"s\nt"\tq\n"x\tz"\ty\n', {"a": ["s\nt", "x\tz"], "b": ["q", "y"]}, False),
        ('a\tb\n"s"\tq\n"x ""z"""\ty\n', {"a": ["s", 'x "z"'], "b": ["q", "y"]}, False),
        ('a\n"s\nt"\n', {"a": ["s\nt"]}, False),
    ],
)
def test_quotes_of_tab_separated_values_are_text_where_every_line_is_a_record(
    data: str, expected: dict[str, Any], are_text: bool
) -> None:
    assert columns(data, "tsv") == expected
    assert any(note.startswith("quotes were read as text") for note in parsed(data, "tsv").notes) == are_text


def test_an_open_quote_of_lines_that_are_no_records_is_an_error() -> None:
    assert "line 2: a quote opens here and does not close" in refusal('a\tb\n"s\tq\nx\n', "tsv")
    assert "line 3: the column 'b' has 'q'" in refusal('a\tb\n5\t6\n"s\tq\n', "tsv", types={"b": "integer"})


@pytest.mark.parametrize(
    ("data", "part"),
    [
        ("a^b\n1^2\n3^4\n", "every line has as many fields with '^'; delimiter can name that"),
        ("a~b\n1~2\n", "with '~'"),
        ("a:b\n1:2\n3:4\n", "with ':'"),
        ("a\x01b\n1\x012\n", "with '\\x01'"),
        ("a b\n1 2\n3 4\n", "with ' '"),
        ("id   name\n1    Ann\n2    Bob\n", "its columns seem to be aligned with spaces"),
        ("first name\nAnn Lee\nBo Li\n", None),
        ("time\n09:30\n10:15\n", None),
        ("url\nhttps://x\nhttps://y\n", None),
        ("a:b\n1:2\n1\n", None),
    ],
)
def test_a_table_that_was_read_as_one_column_is_a_note(data: str, part: str | None) -> None:
    notes = parsed(data).notes
    assert (notes == []) if part is None else any(part in note for note in notes), notes
    assert parsed(data, types={data.split("\n")[0]: "text"}).notes == []


@pytest.mark.parametrize(
    ("data", "is_noted"),
    [
        ("Umsatz;Menge\n1.234,50;1.234\n2,00;2.500\n", True),
        ("Umsatz;Menge\n1.234,50;-1.234\n2,00;\n5,00;500\n", True),
        ("Umsatz;Menge\n1.234,50;1.25\n2,00;2.5\n", False),
        ("Umsatz;Menge\n1.234,50;1234.125\n2,00;2.5\n", False),
        ("Umsatz;Menge\nviel;1.234\nwenig;2.500\n", False),
    ],
)
def test_points_that_may_separate_thousands_are_a_note(data: str, is_noted: bool) -> None:
    note = "the points in the column 'Menge' were read as decimal points, but the column 'Umsatz' has decimal commas"
    assert any(text.startswith(note) for text in parsed(data).notes) == is_noted


@pytest.mark.parametrize(
    ("data", "line"),
    [
        ("a,b\nx,y\na,b\nz,w\n", 3),
        (",b\nx,y\n\n,b\nz,w\n", 4),
        ("a, b\n" + "x,y\n" * 50_000 + "a, b\nz,w\n", 50_002),
        ("a,b\na,y\nx,b\n", None),
        ("a\nx\na\n", None),
    ],
)
def test_a_header_that_is_repeated_is_a_note(data: str, line: int | None) -> None:
    notes = [note for note in parsed(data).notes if "repeats the header" in note]
    assert [note.split(" repeats")[0] for note in notes] == ([f"line {line}"] if line else [])


@pytest.mark.parametrize(
    ("header", "shown"),
    [
        ("2026-01-01;abc", "the date '2026-01-01'"),
        ("2026-01-01T09:30:00Z;abc;x", "the date '2026-01-01T09:30:00Z'"),
        ("31.01.2026;31.12.2026", "the date '31.01.2026'"),
        ("1,5;Ann", "the number '1,5'"),
        ("Ann;1.234,50;x", "the number '1.234,50'"),
        ("region;2026-01-01;2026-02-01", None),
        ("Konto;01.01.2026;01.02.2026", None),
        ("a;b", None),
    ],
)
def test_a_header_of_dates_or_amounts_seems_to_be_a_record(header: str, shown: str | None) -> None:
    names = header.split(";")
    notes = [
        note for note in parsed(f"{header}\n{';'.join('x' * len(names))}\n").notes if "taken for the header" in note
    ]
    assert (not notes) if shown is None else f"line 1 was taken for the header, and has {shown}; if" in notes[0], notes


def test_text_in_formulas_is_kept_with_a_note() -> None:
    """Programs write ="00123" so that Excel keeps the zeros."""
    data = 'id,n\n="00123",1\n="0045",2\n'
    assert columns(data) == {"id": ['="00123"', '="0045"'], "n": [1, 2]}
    [note] = parsed(data).notes
    assert """the column 'id' has its values in formulas such as '="00123"'""" in note
    assert parsed('id,n\n="00123",1\nx,2\n').notes == []


@pytest.mark.parametrize(("end", "many"), [(",\n", "the last record has"), (",\n,\n\n,", "the last 3 records have")])
@pytest.mark.parametrize("count", [1, 50_000])
def test_empty_records_below_the_table_are_a_note(end: str, many: str, count: int) -> None:
    data = "a,b\n" + "1,x\n" * count + end
    assert columns(data)["a"] == [1] * count + [None] * end.count(",")
    assert [note.split(" only empty")[0] for note in parsed(data).notes] == [many]
    assert parsed("a,b\n,\n1,2\n").notes == []
    assert parsed("a\n1\n\n").notes == []
