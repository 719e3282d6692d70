"""What goes in comes out: how the bytes of a source become a table, and how the reader refuses what is no table."""

import csv
import gzip
import io
import time
from typing import Any

import pandas
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nightmail_runner.parsing import blocks, delimited
from nightmail_runner.parsing.column_names import name_columns
from nightmail_runner.parsing.options import InputNotReadable
from support.deadlines import scaled
from support.parsing import columns, parsed, refusal, workbook, zipped


@pytest.mark.parametrize(
    ("data", "expected", "note"),
    [
        ("a,b,c\n1,2,3,\n4,5,6,\n", {"a": [1, 4], "b": [2, 5], "c": [3, 6]}, "empty fields beyond the header"),
        ("a,b\n1,2,,\n3,4\n", {"a": [1, 3], "b": [2, 4]}, "line 2 had empty fields beyond the header"),
        ("a,b,\n1,2,\n", {"a": [1], "b": [2]}, "ends in a delimiter without a column"),
        ("a,b,c\n1,2\n", {"a": [1], "b": [2], "c": [None]}, "line 2 had fewer fields"),
        ("a,b\n1,2\nTotal\n", {"a": ["1", "Total"], "b": [2, None]}, "line 3 had fewer fields"),
        ("name ,b\n1,2\n", {"name": [1], "b": [2]}, "'name ' has spaces at its ends"),
        ("b,b\n1,2\n", {"b": [1], "b.1": [2]}, "'b' is there twice"),
        ("a,,c\n1,2,3\n", {"a": [1], "Unnamed: 1": [2], "c": [3]}, "column 2 has no name"),
        ("a,b\n1, 2\n2, 3\n", {"a": [1, 2], "b": [2, 3]}, "spaces around its numbers"),
    ],
)
def test_the_decisions_of_the_reader_are_in_the_notes(data: str, expected: dict[str, list[Any]], note: str) -> None:
    table = parsed(data)
    assert columns(data) == expected
    assert any(note in text for text in table.notes), table.notes


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (
            "Umsatz Januar\nRegion;Betrag\nNord;5\nSued;7\n",
            "line 1, 'Umsatz Januar', is the header and has no delimiter",
        ),
        ("Report\na\tb\n1\t2\n", "as many fields with '\\t'; if it is a title above the table, set skip_rows"),
        ("+----+---+\n| id | n |\n+----+---+\n| 1 | x |\n", "line 1 is the border of a table that is drawn"),
    ],
)
def test_a_title_above_another_delimiter_than_the_comma_is_an_error(data: str, why: str) -> None:
    assert why in refusal(data)


def test_a_lone_column_may_have_the_delimiters_of_others() -> None:
    assert columns("tags\na;b\nc\n") == {"tags": ["a;b", "c"]}
    assert columns("tags\na;b\nc;d\n", delimiter=",") == {"tags": ["a;b", "c;d"]}
    assert columns("tags\na;b\nc;d\n", types={"tags": "text"}) == {"tags": ["a;b", "c;d"]}


def test_fields_that_are_missing_by_na_values_may_stand_beyond_the_header() -> None:
    for count in (10, 50_000):
        data = "a,b\n" + "".join(f"{number},x,-\n" for number in range(count))
        assert columns(data, na_values=["-"])["b"] == ["x"] * count


def test_a_regular_file_has_no_notes() -> None:
    assert parsed('a,b\n1,x\n2,"y, z"\n\n').notes == []


@pytest.mark.parametrize(
    ("data", "parts"),
    [
        ("a,b,c\n1,2,3,9\n", ["line 2 has 4 fields", "line 1 has 3 columns", "1,2,3,9"]),
        ('a,b\n"x\ny",1\nz,2,3\n', ["line 4 has 3 fields"]),
        ("name\nSmith, John\n", ["line 2 has 2 fields", "in quotes"]),
        ("Report of May\n\na,b,c\n1,2,3\n", ["line 3 has 3 fields", "skip_rows"]),
        ("# made by X\na,b\n1,2\n", ["line 2 has 2 fields", "comment"]),
        ('a,b\nx,"y\n1,2\n3,4\n', ["line 2", "does not close"]),
    ],
)
def test_a_record_that_does_not_fit_is_an_error_that_names_its_line(data: str, parts: list[str]) -> None:
    message = refusal(data)
    assert all(part in message for part in parts), message


@pytest.mark.parametrize(
    ("data", "options", "expected"),
    [
        ("x,y\nNA,1\n2,-\n", {"na_values": ("NA", "-")}, {"x": [None, 2], "y": [1, None]}),
        ("x;y\n1.234,5;a\n2,5;b\n", {"decimal": ",", "thousands": "."}, {"x": [1234.5, 2.5], "y": ["a", "b"]}),
        ("x;y\n1.234;a\n2,5;b\n", {"decimal": ","}, {"x": ["1.234", "2,5"], "y": ["a", "b"]}),
        ('x\n"1,234,567"\n5\n', {"thousands": ","}, {"x": [1234567, 5]}),
        ('x\n"12,34"\n', {"thousands": ","}, {"x": ["12,34"]}),
        ("Title\n\na,b\n1,2\n", {"skip_rows": 2}, {"a": [1], "b": [2]}),
        ("# by X\na,b\n1,2\n# end\n", {"comment": "#"}, {"a": [1], "b": [2]}),
        ("a,b:c\n1:2\n", {"delimiter": ":"}, {"a,b": [1], "c": [2]}),
        ("x,y\n007,1\n,2\n", {"types": {"x": "text"}}, {"x": ["007", None], "y": [1, 2]}),
        ("x,y\n007,1\n,2\n", {"types": {"x": "integer"}}, {"x": [7, None], "y": [1, 2]}),
        ("x\n1\n2.5\n", {"types": {"x": "number"}}, {"x": [1.0, 2.5]}),
        ("x,y\nyes,1\nNo,2\n,3\n", {"types": {"x": "boolean"}}, {"x": [True, False, None], "y": [1, 2, 3]}),
        ("x\n2026-01-31\n", {"types": {"x": "date"}}, {"x": [pandas.Timestamp("2026-01-31")]}),
        ("x\n2026-01-31T09:30:00\n", {"types": {"x": "datetime"}}, {"x": [pandas.Timestamp("2026-01-31 09:30")]}),
        ("José;1\n", {"encoding": "utf-8"}, {"José": [], "1": []}),
    ],
)
def test_an_option_has_its_documented_effect(
    data: str, options: dict[str, Any], expected: dict[str, list[Any]]
) -> None:
    assert columns(data, **options) == expected


@pytest.mark.parametrize(
    ("kind", "bad", "good"),
    [
        ("integer", "1.5", "2"),
        ("number", "abc", "2.5"),
        ("boolean", "maybe", "true"),
        ("date", "31.01.2026", "2026-01-31"),
        ("datetime", "tomorrow", "2026-01-31T09:30:00"),
    ],
)
def test_a_value_that_is_not_of_its_declared_type_names_line_and_column(kind: str, bad: str, good: str) -> None:
    message = refusal(f"x,y\n{good},1\n{bad},2\n", types={"x": kind})
    assert all(part in message for part in ("line 3", "'x'", repr(bad), kind)), message


def test_types_of_a_column_that_does_not_exist_name_the_columns() -> None:
    assert "the columns are: a, b" in refusal("a,b\n1,2\n", types={"c": "text"})


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("Umsatz, netto;Region, Name;x\n1,5;Nord;2\n2,5;Süd;3\n", ["Umsatz, netto", "Region, Name", "x"]),
        ("sep=;\na;b\n1;2\n", ["a", "b"]),
        ("a\tb\n1,5\t2\n", ["a", "b"]),
        ("a|b\n1|2\n", ["a", "b"]),
        ('"a,b,c,d";e\n1;2\n', ["a,b,c,d", "e"]),
        ("Datum;Betrag, EUR\n01.01.2026;1,50\n02.01.2026;2,75\n", ["Datum", "Betrag, EUR"]),
        ("Name;Preis, EUR;Menge\nA;1,5;3\nB;2,5\nC;3,5;1\n", ["Name", "Preis, EUR", "Menge"]),
        ("name\nAnn\nBo\n", ["name"]),
    ],
)
def test_the_delimiter_is_the_one_that_gives_equal_records(data: str, expected: list[str]) -> None:
    assert list(parsed(data).frame.columns) == expected


@pytest.mark.parametrize(
    ("data", "options", "value", "note"),
    [
        ("x,n\nJosé,1\n".encode("utf-8-sig"), {}, "José", None),
        ("x,n\nJosé,1\n".encode("utf-16"), {}, "José", None),
        ("x,n\nJosé,1\n".encode("utf-16-le"), {}, "José", "UTF-16-LE"),
        ("x,n\nJosé,1\n".encode("latin-1"), {}, "José", "cp1252"),
        ("x,n\nJosé,1\n".encode("latin-1"), {"charset": "ISO-8859-1"}, "José", None),
        ("x,n\nJosé,1\n".encode("cp437"), {"encoding": "cp437"}, "José", None),
        ("x,n\nJosé,1\n".encode(), {"charset": "no-such"}, "José", "no-such"),
        (
            "x,n\nИван Петров продал товары в Москве,1\n".encode("cp1251"),
            {},
            "Иван Петров продал товары в Москве",
            "cp1251",
        ),
    ],
)
def test_the_encoding_is_found(data: bytes, options: dict[str, Any], value: str, note: str | None) -> None:
    table = parsed(data, **options)
    assert table.frame["x"].tolist() == [value]
    assert (note is None and not table.notes) or any(str(note) in text for text in table.notes), table.notes


@pytest.mark.parametrize(
    ("data", "options", "parts"),
    [
        ("a,b\né,1\n".encode() + b"\xe9,2\n", {}, ["line 3", "0xe9", "mixes encodings"]),
        (b"a,b\n\xe9,1\n", {"charset": "utf-8"}, ["line 2", "charset"]),
        (b"a,b\n\xe9,1\n", {"encoding": "ascii"}, ["line 2", "ASCII"]),
        (b"a,b\n1,\x00\n", {}, ["line 2", "NUL"]),
    ],
)
def test_bytes_that_are_not_the_text_they_should_be_name_the_line(data: bytes, options: Any, parts: list[str]) -> None:
    message = refusal(data, **options)
    assert all(part in message for part in parts), message


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(b"a,b\n1,2\n", mtime=0),
        gzip.compress(b"a,b\n", mtime=0) + gzip.compress(b"1,2\n", mtime=0),
        zipped(x="a,b\n1,2\n"),
        pyarrow.compress(b"a,b\n1,2\n", "zstd", asbytes=True),
    ],
)
def test_compressed_data_is_unpacked_and_noted(data: bytes) -> None:
    assert columns(data) == {"a": [1], "b": [2]}
    assert any("unpacked" in note for note in parsed(data).notes)


@pytest.mark.parametrize(
    ("data", "file_type", "parts"),
    [
        ("<!DOCTYPE html><html><title>Sign in</title></html>", "csv", ["HTML page", "'Sign in'", "not csv"]),
        ("<html><body>503</body></html>", "json", ["HTML page", "not json"]),
        ('<?xml version="1.0"?><rows/>', "csv", ["XML"]),
        ('{"error": "rate limit"}', "csv", ["error in JSON", "rate limit"]),
        ('[{"a": 1}]', "csv", ["JSON", "file_type to json"]),
        ('{"error": {"message": "bad key"}}', "json", ["reports an error", "bad key"]),
        ('{"message": "Not found", "status": 404}', "json", ["reports an error", "Not found"]),
        ('{"errors": [{"detail": "no"}]}', "json", ["reports an error"]),
        ("%PDF-1.7", "csv", ["PDF"]),
        (workbook(["a"], [1]), "csv", ["Excel workbook", "file_type to xlsx"]),
        (zipped(x="a\n1\n", y="b\n2\n"), "csv", ["2 members", "x, y"]),
        (b"PAR1" + bytes(8), "csv", ["Parquet", "file_type to parquet"]),
        (gzip.compress(b"a,b\n1,2\n", mtime=0)[:-6], "csv", ["gzip", "too early"]),
        ("a,b\n1,2\n", "json", ["not JSON", "line 1"]),
        ("a,b\n1,2\n", "xlsx", ["not an Excel workbook"]),
        ("a,b\n1,2\n", "parquet", ["not a Parquet file"]),
    ],
)
def test_content_of_another_kind_is_an_error_that_names_the_kind(data: Any, file_type: str, parts: list[str]) -> None:
    message = refusal(data, file_type)
    assert all(part in message for part in parts), message


def test_compressed_data_larger_than_the_ceiling_is_refused() -> None:
    assert "1000 bytes" in refusal(gzip.compress(b"a\n" + b"1\n" * 10_000, mtime=0), max_bytes=1000)


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff"), max_size=12)


@settings(max_examples=150)
@given(
    rows=st.integers(1, 4).flatmap(
        lambda width: st.lists(st.lists(TEXT, min_size=width, max_size=width), min_size=1, max_size=6)
    ),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    # With "\n" alone, Python's writer would leave a lone "\r" unquoted (gh-67044).
    style=st.sampled_from([(csv.QUOTE_ALL, "\n"), (csv.QUOTE_ALL, "\r\n"), (csv.QUOTE_MINIMAL, "\r\n")]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
)
def test_any_table_of_texts_comes_out_with_the_same_texts(
    rows: list[list[str]], delimiter: str, style: tuple[Any, str], encoding: str
) -> None:
    names = [f"c{number}" for number in range(len(rows[0]))]
    output = io.StringIO()
    writer = csv.writer(output, delimiter=delimiter, quoting=style[0], lineterminator=style[1])
    writer.writerows([names, *rows])
    found = columns(
        output.getvalue().encode(encoding), delimiter=delimiter, encoding=encoding, types=dict.fromkeys(names, "text")
    )
    assert found == {name: [row[i] or None for row in rows] for i, name in enumerate(names)}


@given(
    rows=st.lists(st.lists(st.text('a,"\né', max_size=6), min_size=2, max_size=2), min_size=1, max_size=20),
    style=st.sampled_from([(csv.QUOTE_ALL, "\n"), (csv.QUOTE_MINIMAL, "\r\n")]),
    block_bytes=st.integers(60, 200),
)
def test_any_table_is_the_same_in_blocks_of_any_size(
    rows: list[list[str]], style: tuple[Any, str], block_bytes: int
) -> None:
    output = io.StringIO()
    csv.writer(output, quoting=style[0], lineterminator=style[1]).writerows([["a", "b"], *rows])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "_BLOCK_BYTES", block_bytes)
        patch.setattr(blocks, "PART_BYTES", 16)
        patch.setattr(delimited, "_SMALL_BYTES", 0)
        patch.setattr(delimited, "_read_ragged", None)  # a record fits into a block
        found = columns(output.getvalue(), types={"a": "text", "b": "text"})
    assert found == {name: [row[number] or None for row in rows] for number, name in enumerate("ab")}


@given(
    lines=st.lists(st.text('a,"" \t', min_size=1, max_size=8), min_size=1, max_size=12),
    delimiter=st.sampled_from(",\t"),
    block_bytes=st.integers(20, 60),
)
@example(["20,Best,3", '20,"Best,3', '30,"Low,4'], ",", 60)
@example(['a,"5 disk" ,3'], ",", 60)
def test_any_text_is_the_same_in_blocks_and_record_by_record(
    lines: list[str], delimiter: str, block_bytes: int
) -> None:
    data = f"x{delimiter}y\n" + "".join(f"{line}\n" for line in lines)

    def read() -> Any:
        try:
            return columns(data, delimiter=delimiter, types={"x": "text", "y": "text"})
        except InputNotReadable as error:
            return str(error)

    expected = read()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "_BLOCK_BYTES", block_bytes)
        patch.setattr(delimited, "_SMALL_BYTES", 0)
        assert read() == expected


def test_one_inch_mark_in_a_large_file_costs_no_minutes() -> None:
    lines = ["1,text,1.5\n"] * 600_000
    lines[300_000] = '10,5" disk,3\n'
    since = time.monotonic()
    frame = parsed(large(lines)).frame
    assert time.monotonic() - since < scaled(60)
    assert (len(frame), frame["b"][300_000]) == (600_000, '5" disk')


def test_a_field_may_be_larger_than_the_csv_modules_limit_which_stays_as_it_was() -> None:
    before = csv.field_size_limit(128 * 1024)  # of the process: comparisons of results raise it
    try:
        assert columns(f"a,b\n{'x' * 200_000},1\n")["b"] == [1]
        assert csv.field_size_limit() == 128 * 1024
    finally:
        csv.field_size_limit(before)


def large(lines: list[str]) -> str:
    """Return a file of several blocks whose records all have three fields."""
    return "a,b,c\n" + "".join(lines)


@pytest.mark.parametrize(
    ("special", "expected"),
    [
        ("7,x,0.5\n", [7, "x", 0.5]),
        ("007,x,1.5\n", ["007", "x", 1.5]),
        ("7,x,code\n", [7, "x", "code"]),
        (",x,\n", [None, "x", None]),
        ('7,"x\ny, z",2.5\n', [7, "x\ny, z", 2.5]),
        ("9007199254740993,x,3\n", [9007199254740993, "x", 3.0]),
        ("7,x,9007199254740993\n", [7, "x", "9007199254740993"]),
        ("0.25,x,1\n", [0.25, "x", 1.0]),
    ],
)
def test_a_large_file_is_read_like_a_small_one_wherever_its_exception_stands(special: str, expected: list[Any]) -> None:
    regular = ["1,text,1.5\n"] * 600_000
    for position in (0, 300_000, len(regular)):
        frame = parsed(large([*regular[:position], special, *regular[position:]])).frame
        row = [None if pandas.isna(value) else value for value in frame.iloc[position].tolist()]
        assert (len(frame), row) == (len(regular) + 1, expected)


def test_a_large_file_with_a_record_that_does_not_fit_names_its_line() -> None:
    lines = ["1,text,1.5\n"] * 600_000
    assert "line 500002 has 4 fields" in refusal(large([*lines[:500_000], "1,2,3,4\n", *lines[500_000:]]))
    assert "line 500002: a quote opens here" in refusal(large([*lines[:500_000], '1,"2,3\n', *lines[500_000:]]))


def test_a_header_with_one_name_as_often_as_a_sheet_has_columns_is_read_at_once() -> None:
    began = time.process_time()
    names = name_columns(["a"] * 16_384, [], "line 1")
    assert (names[:3], names[-1], len(set(names))) == (["a", "a.1", "a.2"], "a.16383", 16_384)
    assert time.process_time() - began < scaled(1)
