"""Inputs of banks, shops, servers and people that can be read, and mean something else: each has a note, or is refused in words."""

import io
import json
import tarfile
import time
import zipfile
from typing import Any

import pytest

from support.deadlines import scaled
from support.parsing import columns, parsed, refusal, workbook

SWALLOWED = "each of which would be a record without the quotes"
OTHER_TABLE = "if it is the header of another table"
VERSIONS = "if they are versions or codes, types can declare text"


def noted(data: bytes | str, part: str, file_type: str = "csv", **options: Any) -> bool:
    return any(part in note for note in parsed(data, file_type, **options).notes)


@pytest.mark.parametrize(
    ("data", "is_noted"),
    [
        ('id,name\n1,"5 disk\n2,6\n3,7"\n4,8\n', True),
        ('id,name,n\n1,"5 disk,1\n2,6,2\n3,7",3\n4,8,4\n', True),
        ('id,name\n1,"5 disk\n2,6"\n4,8\n', True),
        ('id,name\n1,"first line\nsecond, third\nfourth, fifth"\n', False),
        ('id,name,n\n1,"a\nb",3\n', False),
        ('id\n"a\nb"\n', False),
        ('id,name\n1,"5 disk\n2,6\n3,7"\n' + "4,8\n" * 60_000, True),
    ],
)
def test_records_inside_of_a_field_in_quotes_are_a_note(data: str, is_noted: bool) -> None:
    """A quote that is an inch mark, and another one some lines below, make one field of all between them."""
    assert noted(data, SWALLOWED) == is_noted


@pytest.mark.parametrize(
    ("data", "is_noted"),
    [
        ("name,city\nx,y\n\nproduct,color\np,q\n", True),
        ("a,b\n1,2\n3,4\n\nc,d\n5,6\n", True),
        ("a,b,c\n1,2,3\n \nd,e\n4,5\n", True),
        ("a,b\n1,2\n\n3,4\n", False),
        ("a,b\nx,y\n\nz,w\n", False),
        ("a,b\nx,y\n\nx,y\n\nx,y\n\nx,y\n", False),
        ("a,b\n\nx,y\nz,w\n", False),
    ],
)
def test_another_table_below_a_blank_line_is_a_note(data: str, is_noted: bool) -> None:
    assert noted(data, OTHER_TABLE) == is_noted


@pytest.mark.parametrize(
    ("below", "is_noted"),
    [
        ("\nproduct,color\nchair,red\n", True),
        ('\n\n\n"product",color\nchair,red\n', True),
        ("\nYves,Rome\n", False),
        ("\nYves,Rome\n" * 5, False),
        ('"a\n\nb",c\nd,e\n', False),
        ("\n\n", False),
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_another_table_of_text_in_a_large_file_is_a_note(below: str, is_noted: bool, line_end: str) -> None:
    data = ("name,city\n" + "Xavier,Paris\n" * 20_000 + below).replace("\n", line_end)
    assert noted(data, OTHER_TABLE) == is_noted


def test_texts_with_blank_lines_between_paragraphs_are_read_at_once() -> None:
    data = "text,n\n" + '"The first paragraph.\n\nThe second one, below a blank line.",1\n' * 40_000
    began = time.process_time()
    table = parsed(data)
    assert time.process_time() - began < scaled(3)
    assert (len(table.frame), table.notes) == (40_000, [])


@pytest.mark.parametrize(
    ("rows", "is_noted"),
    [
        ([["a", "b"], ["x", 1], [], ["product", "color"], ["p", "q"]], True),
        ([["a", "b"], ["x", "y"], [], [], ["product", "color"], ["p", "q"]], True),
        ([["a", "b"], ["x", "y"], [], ["z", 1], ["p", 2]], False),
        ([["a", "b"], ["x", "y"], [], ["note", None]], False),
        ([["a"], ["x"], [], ["y"], ["z"]], False),
    ],
)
def test_another_table_below_an_empty_row_of_a_sheet_is_a_note(rows: list[list[Any]], is_noted: bool) -> None:
    notes = [note for note in parsed(workbook(*rows), "xlsx").notes if OTHER_TABLE in note]
    assert len(notes) == is_noted
    assert all(f"row {rows.index(['product', 'color']) + 1} follows a blank row" in note for note in notes)


@pytest.mark.parametrize(("word", "is_noted"), [("Total", True), ("north", False)])
def test_a_total_among_records_of_json_is_a_note(word: str, is_noted: bool) -> None:
    records = [{"region": "a", "n": 10}, {"region": "b", "n": 20}, {"region": word, "n": 30}]
    for data, file_type in ((json.dumps(records), "json"), ("\n".join(map(json.dumps, records)), "jsonl")):
        notes = [note for note in parsed(data, file_type).notes if "counts them twice" in note]
        assert len(notes) == is_noted


@pytest.mark.parametrize(
    ("data", "record"),
    [
        (
            "region,n\na,10\nb,20\nSubtotal,30\nc,5\nd,6\nSubtotal,11\ne,1\n",
            "record 3 has 'Subtotal' in the column 'region'",
        ),
        ("region,n\na,1.1\nb,2.2\na Total,3.3\nc,5\n", "record 3 has 'a Total'"),
        ("region,n\na,10\nb,20\nTotal,31\nc,5\n", None),  # a name
        ("region,n\na,10\nTotal,10\nc,5\n", None),
        ("region,n\na,10\nb,\nb,20\nTotal,30\nc,5\n", "record 4 has 'Total'"),
        (
            "Service,EC2($),S3($)\nService total,10.5,2\n2026-01-01,5.25,1\n2026-01-02,5.25,1\n",
            "the first record has 'Service total'",
        ),
        ("brand,n\nTotal,10\nShell,7\nBP,4\n", None),
        ("brand,n\nShell,0\nBP,0\nTotal,0\nEsso,5\n", None),
    ],
)
def test_a_total_between_other_records_is_a_note(data: str, record: str | None) -> None:
    notes = [note for note in parsed(data).notes if "a sum of all counts them twice" in note]
    assert len(notes) == (record is not None)
    assert record is None or record in notes[0]
    assert parsed(data).notes == notes


@pytest.mark.parametrize(
    ("data", "line"),
    [
        ("Report,2026\nCreated,2026-01-31\nid,amount\n1,5\n2,6\n", "line 4 of the columns 'Report', '2026'"),
        ("Report:,Sales,,\nDate:,x,,\n,,,\nid,name,qty,amt\n1,a,2,3\n2,b,4,5\n", "line 5 of the columns"),
        ("t,v\ntime,volts\ns,V\n1,2.5\n2,3.5\n", "line 4 of the columns 't', 'v'"),
        ("t,v\nn/a,x\n-,y\n1,z\n2,w\n", None),
        ("t,v\na,x\nb,y\n1,z\nc,w\n", None),
    ],
)
def test_words_in_some_lines_above_numbers_are_a_note(data: str, line: str | None) -> None:
    assert [note for note in parsed(data).notes if f"numbers begin in {line}" in note] != [] if line else True
    assert noted(data, "numbers begin in") == (line is not None)


@pytest.mark.parametrize(
    ("values", "is_noted"),
    [
        (["1.10", "1.9", "1.2"], True),
        (["3.9", "3.10", "3.11"], True),
        (["1.10", "1.20"], False),
        (["1.5", "1.25"], False),
        (["1.5", "-1.10"], False),
        (["100.10", "1.5"], False),
    ],
)
def test_numbers_that_are_written_as_versions_are_a_note(values: list[str], is_noted: bool) -> None:
    data = "v,n\n" + "".join(f"{value},1\n" for value in values)
    assert columns(data)["v"] == [float(value) for value in values]
    assert noted(data, VERSIONS) == is_noted
    assert not parsed(data, types={"v": "text"}).notes


@pytest.mark.parametrize(
    ("values", "part"),
    [
        (["\uff11\uff12", "\uff13"], "which is no number here"),
        (["\u0661\u0662", "\u0663"], "which is no number here"),
        (["\u22121", "\u22125"], "the script can make it a number"),
        (["1", "\u20115"], "the script can make it a number"),
        (["\u20131,5", "2,5"], "which is no number here"),
        (["1,5E+03", "2,5E-02"], "the script can make it a number"),
        (["1", "1_000"], "which is no number here"),
        (["'00123", "'00456"], "has an apostrophe in its values"),
        (["'north'", "'south'"], "has single quotes in its values"),
        ([' "x"', ' "y"'], "has a space and quotes in its values"),
    ],
)
def test_numbers_and_texts_in_other_characters_are_kept_with_a_note(values: list[str], part: str) -> None:
    data = "v;n\n" + "".join(f"{value};1\n" for value in values)
    assert columns(data)["v"] == values
    assert noted(data, part)


@pytest.mark.parametrize(
    "values", [["12E4", "13E5"], ["'n'", "x"], ["O'Neil", "D'Arcy"], ["2026-01", "2026-02"], ["a_1", "b_2"]]
)
def test_codes_and_names_have_no_note(values: list[str]) -> None:
    assert parsed("v;n\n" + "".join(f"{value};1\n" for value in values)).notes == []


@pytest.mark.parametrize(
    ("header", "names", "part"),
    [
        ("a\u200b,b", ["a", "b"], "has characters that are not shown at its ends"),
        ("a,\ufeffb", ["a", "b"], "has characters that are not shown at its ends"),
        ("\u00ef\u00bb\u00bfa,b", ["a", "b"], "a byte order mark that was read in another encoding"),
        ("a\u00a0b,c", ["a\u00a0b", "c"], "looks like a space or is not shown; it is kept"),
    ],
)
def test_characters_of_names_that_nobody_sees_are_a_note(header: str, names: list[str], part: str) -> None:
    assert list(columns(f"{header}\n1,2\n")) == names
    assert noted(f"{header}\n1,2\n", part)


@pytest.mark.parametrize(
    ("last", "is_noted"),
    [
        ("Gesamtergebnis", True),
        ("Total north", True),
        ("north Ergebnis", True),
        ("Summe EUR:", True),
        ("Lump sum", False),
        ("the total of all that we have", False),
    ],
)
def test_a_total_of_several_words_is_a_note(last: str, is_noted: bool) -> None:
    assert noted(f"region,n\na,1\nb,2\n{last},3\n", "a sum of all counts them twice") == is_noted


@pytest.mark.parametrize(
    ("data", "part"),
    [
        ("#Software: X\n#Version: 1\n#Fields: date time\n2026-01-31 00:00:01\n", "comment: '#' skips them"),
        ('"a,b"\n"1,2"\n"3,4"\n', "every line is in quotes as a whole"),
        ("a~|~b\n1~|~2\n", "the delimiter seems to be '~|~'"),
        ("\u00fea\u00fe\x14\u00feb\u00fe\n\u00fe1\u00fe\x14\u00fe2\u00fe\n", "delimiter can name that"),
    ],
)
def test_a_table_in_another_dialect_is_a_note(data: str, part: str) -> None:
    assert noted(data, part)


@pytest.mark.parametrize(
    "data", ['"Name, first"\n"M, A"\n', "#id\nx\n", "ID;Preis\n1;2\n", "a|b\n1|2\n", '"a,b"\n"1"\n']
)
def test_a_table_in_a_usual_dialect_has_no_note(data: str) -> None:
    assert parsed(data).notes == []


@pytest.mark.parametrize(
    ("data", "part"),
    [
        ("sep=||\na||b\n1||2\n", "line 1 names a delimiter of several characters, 'sep=||'"),
        (
            '"EXTF";700;21;"Buchungsstapel"\nUmsatz;Konto;Text;x\n1,0;1200;"a";\n',
            "a file of DATEV, and the header is below it; set skip_rows to 1",
        ),
        ('{"a": 1}\n{"a": 2}\n', "JSON Lines, not csv; set file_type to jsonl"),
        ("b'a,b\\n1,2\\n'", "text as Python shows bytes"),
        ("INSERT INTO x VALUES (1,'a');\n", "statements of SQL"),
        ("-- MySQL dump 10.13\nCREATE TABLE x (a int);\n", "a dump of a database (SQL)"),
        (":20:STARTUMS\r\n:25:10020030/1\r\n", "a bank statement in MT940"),
        ("ID;PWXL;N;E\nC;Y1;X1;K1\n", "a spreadsheet in SYLK"),
        ("{\\rtf1\\ansi a,b}", "a document in RTF"),
        ("-----BEGIN PGP MESSAGE-----\n\nhQEMA\n", "PGP or PEM"),
        ("window.location.href = '/login';\n", "this seems to be a message"),
        (b"\x04\x22\x4d\x18\x64", "lz4 data"),
        (b"\x78\x9c\x4b\xd4", "zlib data"),
        (b"PK\x05\x06" + bytes(18), "a zip archive without a member"),
        (b"Obj\x01\x04", "an Avro file"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        (b"\x8b\x03\x80a,b\n1,2\n\x03", "its encoding cannot be recognised"),
    ],
)
def test_what_is_no_table_is_named(data: bytes | str, part: str) -> None:
    assert part in refusal(data)


def test_a_tar_archive_is_named() -> None:
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.csv"))
    assert "a tar archive" in refusal(output.getvalue())


@pytest.mark.parametrize("other", [".DS_Store", "x/Thumbs.db", "desktop.ini", "__MACOSX/._a.csv"])
def test_files_of_file_managers_are_no_members_of_an_archive(other: str) -> None:
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w") as archive:
        archive.writestr("x/a.csv", "a,b\n1,2\n")
        archive.writestr(other, "z")
    assert columns(output.getvalue()) == {"a": [1], "b": [2]}


@pytest.mark.parametrize("encoding", ["iso8859-2", "cp1250"])
@pytest.mark.parametrize(
    "words",
    [
        "Łódź Kraków Gdańsk Poznań Częstochowa Zapłacone Wójcik Wiśniewski Żółć",
        "Praha Plzeň Ústí Žižkov Černý Dvořák Čeká Králové Jiří Řehoř",
    ],
)
def test_words_of_central_europe_are_read_in_either_encoding(words: str, encoding: str) -> None:
    lines = "".join(f"{number};{word}\n" for number, word in enumerate(words.split(), 1))
    assert columns(f"id;name\n{lines}".encode(encoding))["name"] == words.split()
