"""Inputs as banks, spreadsheets, programs and failing servers send them: each comes out whole, with a note, or is refused in words."""

import gzip
import io
import zipfile
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import openpyxl
import pandas
import pyarrow
import pyarrow.parquet
import pytest

from support.parsing import columns, parsed, refusal, saved, workbook

PLAIN_MESSAGES = [
    "Service unavailable",
    "503 Service Unavailable\n",
    "502 Bad Gateway\n\nnginx\n",
    "Unauthorized",
    "OK",
    "Too many requests, slow down",
    "Access denied.\n",
    "Invalid api_key",
    "Please log in",
    "The report is not ready yet.",
    "no rows selected",
    "Error: connection reset\nTry again later\n",
    'Traceback (most recent call last):\n  File "x.py", line 1\nValueError: no\n',
    "ERROR 1045 (28000): Access denied for user",
    "upstream connect error or disconnect/reset before headers. reset reason: connection failure",
    "null",
    "404",
]


@pytest.mark.parametrize("message", PLAIN_MESSAGES)
@pytest.mark.parametrize("file_type", ["csv", "tsv"])
def test_a_message_in_place_of_a_table_is_shown_in_the_error(message: str, file_type: str) -> None:
    found = refusal(message, file_type)
    assert f"this seems to be a message, not {file_type}" in found
    assert message.split("\n", maxsplit=1)[0].split()[0] in found


@pytest.mark.parametrize("message", PLAIN_MESSAGES[:2])
def test_a_message_in_place_of_json_is_shown_in_the_error(message: str) -> None:
    assert f"it begins with {message.strip()!r}" in refusal(message, "json")


@pytest.mark.parametrize(
    ("data", "names"),
    [
        ("id\n", ["id"]),
        ("Order date\n", ["Order date"]),
        ("last_error\n", ["last_error"]),
        ("Date of last purchase\n", ["Date of last purchase"]),
        ("123 Main Street\n456 Oak Avenue\n", ["123 Main Street"]),
        ("error_code,message\n", ["error_code", "message"]),
        ("time,error,user\n", ["time", "error", "user"]),
        ("order id;failed items;invalid\n", ["order id", "failed items", "invalid"]),
        ("Exception\nKeyError\nValueError\n", ["Exception"]),
        ("first name,last name,e-mail address\n", ["first name", "last name", "e-mail address"]),
        ("status\nOK\nNot found\n", ["status"]),
        ("message\nService unavailable\n", ["message"]),
        ("What went well this week?\nEverything\n", ["What went well this week?"]),
    ],
)
def test_an_honest_table_of_few_words_is_no_message(data: str, names: list[str]) -> None:
    assert list(columns(data)) == names


def test_a_column_that_is_named_like_a_message_can_be_declared() -> None:
    assert columns("Not found\n", types={"Not found": "text"}) == {"Not found": []}


@pytest.mark.parametrize(
    ("data", "file_type", "text"),
    [
        ('{"error": {"code": 401, "message": "bad key"}}', "csv", "error in JSON (bad key)"),
        ('{"message": "Unauthorized"}', "csv", "error in JSON (Unauthorized)"),
        ('{"Error Message": "Invalid API call."}', "json", "reports an error instead of data: Invalid API call."),
        ('{"Information": "The demo key is for demos."}', "json", "reports an error instead of data: The demo key"),
        ('{"Note": "5 calls per minute"}', "json", "reports an error instead of data: 5 calls"),
        ('{"message": "Unauthorized"}', "json", "reports an error instead of data: Unauthorized"),
        ('{"detail": "Not authenticated"}', "json", "Not authenticated"),
        ('{"status": "error", "reason": "quota"}', "json", "quota"),
        ('[{"message": "Session expired", "errorCode": "INVALID_SESSION_ID"}]', "json", "Session expired"),
    ],
)
def test_an_error_in_json_is_no_record(data: str, file_type: str, text: str) -> None:
    message = refusal(data, file_type)
    assert text in message
    assert "set file_type" not in message


@pytest.mark.parametrize(
    "data",
    [
        '{"message": "hello", "author": "Ann"}',
        '{"title": "The Matrix", "type": "movie"}',
        '{"status": "ok", "users": 3}',
        '[{"code": 1, "message": "hello"}]',
        '[{"error": "late", "count": 3}, {"error": "lost", "count": 1}]',
    ],
)
def test_a_record_that_has_a_message_in_it_is_data(data: str) -> None:
    assert len(parsed(data, "json").frame) in {1, 2}


@pytest.mark.parametrize(
    ("data", "expected", "note"),
    [
        ('{"a": [1, 2]}', {"a": [1, 2]}, "a list of values for each column"),
        ('{"a": [1, 2], "b": ["x", null]}', {"a": [1, 2], "b": ["x", None]}, "a list of values for each column"),
        ('[["NAME", "POP"], ["Ohio", "11"]]', {"NAME": ["Ohio"], "POP": ["11"]}, "names of the columns"),
        ("[[1, 2], [3, 4]]", {"Unnamed: 0": [1, 3], "Unnamed: 1": [2, 4]}, "`data.columns = [...]` in the script"),
        # Elasticsearch's SQL, InfluxDB, Quandl, and pandas with labels.
        ('{"columns": [{"name": "a"}, {"name": "b"}], "rows": [[1, "x"]]}', {"a": [1], "b": ["x"]}, "apart"),
        ('{"name": "cpu", "columns": ["a", "b"], "values": [[1, "x"]]}', {"a": [1], "b": ["x"]}, "apart"),
        ('{"column_names": ["a", "b"], "data": [[1, "x"]]}', {"a": [1], "b": ["x"]}, "apart"),
        (
            '{"columns": ["a"], "index": ["x", "y"], "data": [[1], [2]]}',
            {"index": ["x", "y"], "a": [1, 2]},
            "the index of the data is the column 'index'",
        ),
        ('{"columns": ["a"], "index": [0, 1], "data": [[1], [2]]}', {"a": [1, 2]}, "apart"),
        ('[["x", 2.5]]', {"Unnamed: 0": ["x"], "Unnamed: 1": [2.5]}, "the lists of the data have no names"),
    ],
)
def test_json_by_columns_or_rows_is_read_and_noted(data: str, expected: dict[str, Any], note: str) -> None:
    assert columns(data, "json") == expected
    assert any(note in text for text in parsed(data, "json").notes)


def test_rows_of_a_sheet_that_end_early_have_missing_values_and_a_note() -> None:
    """The API of Google Sheets leaves out empty cells at the end of a row."""
    data = '{"values": [["a", "b"], ["1", "2"], ["3"], []]}'
    assert columns(data, "json", records_path="values") == {"a": ["1", "3", None], "b": ["2", None, None]}
    assert any("2 of the lists had fewer values" in note for note in parsed(data, "json", records_path="values").notes)


def test_records_without_a_field_are_a_note() -> None:
    for data, file_type in (("[{}, {}]", "json"), ("{}\n{}\n", "jsonl")):
        table = parsed(data, file_type, types={"a": "integer"})
        assert list(table.frame) == ["a"]
        assert table.notes == ["the data has 2 records without a field, which are no rows"]


@pytest.mark.parametrize(
    ("data", "part"),
    [
        ('"[{\\"a\\": 1}]"', "the source encodes it twice"),
        ('[["a", "b"], [1, 2, 3]]', "no list may be longer than that"),
        ('{"a": [1, 2], "b": [1]}', "no records (objects) in them, and different numbers of values (a has 2, b has 1)"),
        (
            '{"latitude": 1, "hourly": {"time": ["a"], "temp": [1]}}',
            "set records_path to the list in it, such as 'hourly'",
        ),
        ('{"tags": ["x"], "id": 1}', "no records (objects) in them; if it is one record"),
        ('{"a": {"0": 1, "1": 2}, "b": {"0": "x", "1": "y"}}', "orient='records'"),
        ('{"page": 1, "rows": [{"a": 1}], "tags": ["x"]}', "'rows'"),
        ("[[1, 2], [3]]", "number 1 of the list is a list"),
        ('[["a", "a"], [3, 4]]', "number 1 of the list is a list"),
        ('[[{"a": 1}], [{"a": 2}]]', "number 1 of the list is a list"),
    ],
)
def test_json_of_another_shape_has_the_hint_that_helps(data: str, part: str) -> None:
    message = refusal(data, "json")
    assert part in message
    assert "such as 'tags'" not in message


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("count", [1, 60_000])
def test_a_blank_line_is_a_missing_value_of_a_lone_column(end: str, count: int) -> None:
    values = ["1", "", "3"] * count
    data = end.join(["x", *values, "4", "", ""])
    assert columns(data)["x"] == [1, None, 3] * count + [4]
    assert any(f"{count} missing values, which are blank lines" in note for note in parsed(data).notes)
    message = refusal(end.join(["x", "1", "", "y"]), types={"x": "integer"})
    assert "line 4" in message


def test_a_comment_mark_inside_of_quotes_is_text() -> None:
    data = '# made by X\na,b\n1,"x\n# y"\n# end\n2,z\n'
    assert columns(data, comment="#") == {"a": [1, 2], "b": ["x\n# y", "z"]}


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        ("Name,Total\n#1001,3\n#1002,4\n", "2 lines (2, 3)"),
        ("id;v\n1;x\n#2;y\n# made by X\n", "line 3"),
        ("#id,v\nx,y\n", "line 1"),
        ("sep=;\na;b\n1;2\n", None),
        ("# by X, Y\na,b\n1,2\n# 5, 6\n#\n# total: 5\n", None),
        ('a,b\n1,"x\n#2,y"\n', None),
        ("a\n1\n#2\n", None),
    ],
)
def test_a_record_that_begins_with_the_comment_mark_is_a_note(data: str, lines: str | None) -> None:
    """Orders of a shop are called `#1001`."""
    notes = [note for note in parsed(data, comment="#").notes if "comment mark" in note]
    assert [note.partition(" had ")[0] for note in notes] == ([] if lines is None else [lines])


@pytest.mark.parametrize(
    ("data", "file_type", "options", "part"),
    [
        ("a\n1\n", "csv", {"skip_rows": 10}, "skip_rows is 10, but the data has only 2 lines"),
        ("a\n1\n\n", "csv", {"skip_rows": 2}, "no line with a header comes after that"),
        (workbook(["a"], [1]), "xlsx", {"skip_rows": 5}, "skip_rows is 5, but the sheet 'Data' has only 2 rows"),
        ("a,b\n1,2\n", "tsv", {}, "set file_type to csv"),
        ("Report,,\nid,name,x\n1,a,2\n", "csv", {}, "has only one name, 'Report', for 3 columns"),
        ("Report,May\nid,name,amount\n1,a,2\n", "csv", {}, "set skip_rows"),
        ('a, b\n1, "x, y"\n', "csv", {}, "a quote counts directly behind the delimiter only"),
    ],
)
def test_options_that_do_not_fit_the_data_are_named(data: Any, file_type: str, options: Any, part: str) -> None:
    assert part in refusal(data, file_type, **options)


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_the_end_of_a_file_in_dos_is_no_record(end: str) -> None:
    assert columns(f"a,b\r\n1,2\r\n\x1a{end}") == {"a": [1], "b": [2]}
    assert any("0x1A" in note for note in parsed(f"a,b\r\n1,2\r\n\x1a{end}").notes)


@pytest.mark.parametrize("above", ["\n", "# by X\n", "# by X\n\n"])
def test_a_line_that_names_the_delimiter_counts_below_lines_that_are_skipped(above: str) -> None:
    assert columns(f"{above}sep=|\n# c\na|b\n1|x;y\n", comment="#") == {"a": [1], "b": ["x;y"]}


def test_a_declared_delimiter_that_is_nowhere_is_noted() -> None:
    assert columns("a;b\n1;2\n", delimiter=",") == {"a;b": ["1;2"]}
    assert any("as many fields with ';'" in note for note in parsed("a;b\n1;2\n", delimiter=",").notes)
    assert parsed("a\n1;2\n", delimiter=",").notes == []


def test_a_declared_delimiter_counts_where_the_file_names_another() -> None:
    assert columns("sep=,\na;b\n1;2\n", delimiter=";") == {"a": [1], "b": [2]}
    assert any("names the delimiter ','" in note for note in parsed("sep=,\na;b\n1;2\n", delimiter=";").notes)


@pytest.mark.parametrize("file_type", ["csv", "tsv", "json", "jsonl"])
@pytest.mark.parametrize("data", ["", "  \n \n"])
def test_an_empty_answer_is_a_note(data: str, file_type: str) -> None:
    table = parsed(data, file_type)
    assert len(table.frame) == 0
    assert any("empty" in note for note in table.notes)


def test_an_empty_sheet_is_a_note() -> None:
    assert parsed(workbook(), "xlsx").notes == ["the sheet 'Data' is empty"]


@pytest.mark.parametrize(
    ("value", "kind"),
    [("9007199254740993", "number"), ("0.1234567890123456789", "number"), ("92233720368547758070", "integer")],
)
@pytest.mark.parametrize("file_type", ["csv", "json"])
def test_a_declared_number_loses_no_digit(value: str, kind: str, file_type: str) -> None:
    data = f"x\n0.5\n{value}\n" if kind == "number" else f"x\n5\n{value}\n"
    if file_type == "json":
        data = f'[{{"x": 5}}, {{"x": 0.5}}, {{"x": {value}}}]' if kind == "number" else f'[{{"x": {value}}}]'
    message = refusal(data, file_type, types={"x": kind})
    assert all(part in message for part in (value, "keep all of its digits", "declare text")), message


def test_long_integers_that_are_declared_numbers_keep_their_digits() -> None:
    assert columns("x\n9007199254740993\n7\n", types={"x": "number"}) == {"x": [9007199254740993, 7]}


def parquet(table: Any) -> bytes:
    output = io.BytesIO()
    pyarrow.parquet.write_table(table, output)
    return output.getvalue()


def test_nested_values_of_parquet_keep_their_digits() -> None:
    long = 9007199254740993
    table = pyarrow.table({"s": [{"id": long}, {"id": None}, None], "l": [[long, None], [], None]})
    frame = parsed(parquet(table), "parquet").frame
    assert frame["s"].tolist() == [{"id": long}, {"id": None}, None]
    assert frame["l"].tolist() == [[long, None], [], None]


def test_every_column_of_a_parquet_file_is_a_column() -> None:
    output = io.BytesIO()
    pandas.DataFrame({"a": [1, 2]}, index=pandas.Index(["x", "y"], name="k")).to_parquet(output)
    assert columns(output.getvalue(), "parquet") == {"a": [1, 2], "k": ["x", "y"]}
    twice = pyarrow.Table.from_arrays([pyarrow.array([1]), pyarrow.array([Decimal("1.10")])], ["a", "a"])
    assert columns(parquet(twice), "parquet") == {"a": [1], "a.1": [Decimal("1.10")]}


@pytest.mark.parametrize(
    "times",
    [
        [datetime.fromisoformat("9999-12-31T02:00:00"), datetime.fromisoformat("2021-06-09T03:02:37"), None],
        [datetime.fromisoformat("1000-01-01")],
        [datetime.fromisoformat("2021-06-09T03:02:37.000005")],
        [None],
    ],
)
def test_times_of_spark_are_those_that_it_wrote(times: list[Any]) -> None:
    output = io.BytesIO()
    table = pyarrow.Table.from_arrays([pyarrow.array(times, pyarrow.timestamp("us"))] * 2, ["t", "t"])
    pyarrow.parquet.write_table(table, output, use_deprecated_int96_timestamps=True)
    assert columns(output.getvalue(), "parquet") == {"t": times, "t.1": times}


def test_times_of_spark_keep_their_nanoseconds() -> None:
    output = io.BytesIO()
    times = pyarrow.array([1700000000123456789], pyarrow.timestamp("ns"))
    pyarrow.parquet.write_table(pyarrow.table({"t": times}), output, use_deprecated_int96_timestamps=True)
    assert parsed(output.getvalue(), "parquet").frame["t"].astype("int64").tolist() == [1700000000123456789]


@pytest.mark.parametrize(
    ("values", "kind", "expected", "text"),
    [
        ([b"north", "Zürich".encode(), None], pyarrow.binary(), ["north", "Zürich", None], "read as text in UTF-8"),
        ([b"a\tb\n", b""], pyarrow.large_binary(), ["a\tb\n", ""], "read as text in UTF-8"),
        ([b"north", b"\xff"], pyarrow.binary(), [b"north", b"\xff"], "has binary data"),
        ([b"\x01\x00"], pyarrow.binary(), [b"\x01\x00"], "has binary data"),
        ([b"abcd"], pyarrow.binary(4), [b"abcd"], "has binary data"),
    ],
)
def test_binary_data_of_parquet_is_text_if_all_of_it_is(
    values: list[Any], kind: Any, expected: list[Any], text: str
) -> None:
    data = parquet(pyarrow.table({"a": pyarrow.array(values, kind)}))
    assert columns(data, "parquet") == {"a": expected}
    (note,) = parsed(data, "parquet").notes
    assert "'a'" in note
    assert text in note


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        (pandas.RangeIndex(1, 3, name="rank"), {"a": [7, 8], "rank": [1, 2]}),
        (pandas.RangeIndex(4, 0, -2, name="rank"), {"a": [7, 8], "rank": [4, 2]}),
        (pandas.RangeIndex(2), {"a": [7, 8]}),
    ],
)
def test_an_index_of_parquet_with_a_name_is_a_column_also_if_it_counts_rows(
    index: Any, expected: dict[str, list[Any]]
) -> None:
    output = io.BytesIO()
    pandas.DataFrame({"a": [7, 8]}, index=index).to_parquet(output)
    assert columns(output.getvalue(), "parquet") == expected


def test_merged_cells_of_a_workbook_are_noted() -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in (["Title", None], ["region", "x"], ["north", 1], [None, 2]):
        sheet.append(row)
    sheet.merge_cells("A1:B1")
    sheet.merge_cells("A3:A4")
    assert columns(saved(book), "xlsx", skip_rows=1) == {"region": ["north", None], "x": [1, 2]}
    [note] = parsed(saved(book), "xlsx", skip_rows=1).notes
    assert "1 range of merged cells (A3:A4)" in note


def test_a_formula_in_a_skipped_row_does_not_refuse_a_workbook() -> None:
    data = workbook(["Report of", "=TODAY()"], ["a", "b"], [1, 2])
    assert columns(data, "xlsx", skip_rows=1) == {"a": [1], "b": [2]}


def test_an_empty_row_is_a_missing_value_of_a_lone_column_of_a_sheet() -> None:
    data = workbook(["n"], [1], [None], [3])
    assert columns(data, "xlsx") == {"n": [1, None, 3]}
    assert any("1 missing values, which are empty rows" in note for note in parsed(data, "xlsx").notes)
    assert "row 4" in refusal(workbook(["n"], [1], [None], ["x"]), "xlsx", types={"n": "integer"})
    assert columns(workbook(["a", "b"], [1, 2], [None, None], [3, 4]), "xlsx") == {"a": [1, 3], "b": [2, 4]}


@pytest.mark.parametrize("number_format", ["h:mm", "hh:mm:ss", "yyyy-mm-dd"])
@pytest.mark.parametrize("number", [-0.25, -5, -1.5])
def test_a_negative_time_of_a_workbook_is_refused(number: float, number_format: str) -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook(["balance", "x"], [0.25, -7], [number, None])))
    for place in ("A2", "A3"):
        book.worksheets[0][place].number_format = number_format
    message = refusal(saved(book), "xlsx")
    assert message.startswith(f"the cell A3 has the number {number}")
    assert "[h]:mm" in message
    book.worksheets[0]["A3"].number_format = "[h]:mm"
    assert columns(saved(book), "xlsx")["balance"][1] == timedelta(days=number)


def test_a_duration_of_a_workbook_that_no_program_shows_is_refused() -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook(["x"], [1e12])))
    book.worksheets[0]["A2"].number_format = "[h]:mm"
    assert "a duration that no program can show; format its cell as a number" in refusal(saved(book), "xlsx")


def test_hidden_rows_and_columns_of_a_workbook_are_read_with_a_note() -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook(["a", "b", "c"], [1, 2, 3], [4, 5, 6], [7, 8, 9])))
    sheet = book.worksheets[0]
    sheet.row_dimensions[3].hidden = sheet.row_dimensions[9].hidden = True
    sheet.column_dimensions["B"].hidden = sheet.column_dimensions["F"].hidden = True
    assert columns(saved(book), "xlsx") == {"a": [1, 4, 7], "b": [2, 5, 8], "c": [3, 6, 9]}
    assert parsed(saved(book), "xlsx").notes == [
        "1 row is hidden in the sheet, and was read: 3",
        "1 column is hidden in the sheet, and was read: b",
    ]


def test_a_sheet_with_a_chart_is_refused_and_a_space_in_a_name_is_shown() -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook(["a"], [1])))
    book.create_chartsheet("Chart")
    book.worksheets[0].title = "Data "
    assert "the sheet 'Chart' of the workbook has a chart" in refusal(saved(book), "xlsx", sheet="Chart")
    assert "no sheet 'Data'; its sheets are: 'Data ', Chart" in refusal(saved(book), "xlsx", sheet="Data")


def test_a_hidden_sheet_is_read_only_by_its_name() -> None:
    book = openpyxl.Workbook()
    hidden = book.create_sheet("Lists", 0)
    hidden.sheet_state = "hidden"
    for number, sheet in enumerate(book.worksheets):
        sheet.append(["a"])
        sheet.append([number])
    assert columns(saved(book), "xlsx") == {"a": [1]}
    assert columns(saved(book), "xlsx", sheet="Lists") == {"a": [0]}


@pytest.mark.parametrize(
    ("data", "file_type", "options", "text"),
    [
        (
            '{"message": "expired token", "code": 401}',
            "json",
            {"records_path": "data"},
            "instead of data: expired token",
        ),
        ('{"rows": []}', "json", {"records_path": "data"}, "there is no 'data'; there is: rows"),
        ('{"id": 1, "tags": ["t"]}', "json", {}, "set file_type to jsonl"),
        ("a,b\n1,2\n", "jsonl", {}, "it begins with 'a,b'"),
        ("Service unavailable", "xlsx", {}, "it seems to be text, which begins with 'Service unavailable'"),
        ("Service unavailable", "parquet", {}, "it seems to be text, which begins with 'Service unavailable'"),
        ("", "xlsx", {}, "it is empty"),
        ("", "parquet", {}, "it is empty"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "csv", {}, "a pointer of Git LFS"),
        ("BEGIN:VCALENDAR\nEND:VCALENDAR\n", "csv", {}, "a calendar (.ics)"),
    ],
)
def test_what_came_in_place_of_the_data_is_said(data: str, file_type: str, options: Any, text: str) -> None:
    assert text in refusal(data, file_type, **options)


def zip_of(name: str, content: bytes) -> bytes:
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w") as archive:
        archive.writestr(name, content)
    return output.getvalue()


GZIP = gzip.compress(b"a,b\n1,2\n", mtime=0)


@pytest.mark.parametrize("data", [gzip.compress(GZIP, mtime=0), zip_of("x.csv.gz", GZIP)])
def test_what_was_packed_twice_is_unpacked_twice(data: bytes) -> None:
    assert columns(data) == {"a": [1], "b": [2]}
    assert any("then gzip" in note for note in parsed(data).notes)


def test_what_was_packed_without_end_is_refused() -> None:
    data = GZIP
    for _ in range(3):
        data = gzip.compress(data, mtime=0)
    assert "packed more than 3 times" in refusal(data)


COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)


@pytest.mark.parametrize(
    ("data", "file_type", "text"),
    [
        (COMPOUND, "csv", "an old Excel workbook (.xls), not csv; save it as .xlsx"),
        (COMPOUND, "xlsx", "an old Excel workbook (.xls), not xlsx; save it as .xlsx"),
        (COMPOUND + "EncryptedPackage".encode("utf-16-le"), "xlsx", "with a password, not xlsx; save it without one"),
        (zip_of("word/document.xml", b"<w/>"), "csv", "a Word document, not csv"),
        (b"<br />\n<b>Warning</b>: mysqli_connect()", "csv", "an HTML page"),
        (b"BZh91AY", "csv", "bzip2 data (only gzip, zip and zstd are unpacked), not csv"),
    ],
)
def test_a_file_of_an_office_or_a_server_is_named(data: bytes, file_type: str, text: str) -> None:
    assert text in refusal(data, file_type)


@pytest.mark.parametrize(
    ("header", "shown"),
    [
        (["north", "1200"], "1200"),
        (["1", "2"], "1"),
        (["north", "10.5", "7"], "10.5"),
        (["5"], "5"),
        (["region", "2024", "2025"], None),
        (["region", "30", "60", "90"], None),
        (["2024", "2025"], None),
        (["region", "amount"], None),
        (["q1", "1a"], None),
    ],
)
def test_a_header_that_seems_to_be_a_record_is_a_note(header: list[str], shown: str | None) -> None:
    """Of a file without a header the first record is missing from every sum."""
    record = [f"{number}" for number in range(len(header))]
    noted = parsed(f"{';'.join(header)}\n{';'.join(record)}\n".encode(), delimiter=";").notes
    in_sheet = parsed(workbook([int(name) if name.isdigit() else name for name in header], record), "xlsx").notes
    for notes, place in ((noted, "line 1"), (in_sheet, "row 1")):
        expected = f"{place} was taken for the header, and has the number {shown!r}; if it is a record, it is missing"
        assert [note for note in notes if note.startswith(expected)] == notes
        assert len(notes) == (shown is not None)


@pytest.mark.parametrize(
    ("last", "is_noted"),
    [("Total", True), ("TOTAL:", True), ("Gesamt", True), ("Итого", True), ("south", False), ("", False)],
)
def test_a_total_below_the_rows_is_a_note(last: str, is_noted: bool) -> None:
    """It is a record like the others, and doubles every sum."""
    rows = [["north", 3], ["total", 4], [last, 7]]
    csv = "region,amount\n" + "".join(f"{region},{amount}\n" for region, amount in rows)
    note = f"the last record has {last!r} in the column 'region'; if it is the total of the others, a sum of all counts them twice"
    for table in (parsed(csv), parsed(workbook(["region", "amount"], *rows), "xlsx")):
        assert table.frame["amount"].tolist() == [3, 4, 7]
        assert table.notes == ([note] if is_noted else [])


@pytest.mark.parametrize(
    ("data", "options", "names"),
    [
        ("<DATE>,<CLOSE>\n20260102,1.1\n", {}, ["<DATE>", "<CLOSE>"]),
        ("<TICKER>;<PER>;<OPEN>\r\nABC;D;1.5\r\n", {}, ["<TICKER>", "<PER>", "<OPEN>"]),
        ("<DATE>\t<CLOSE>\n2026.01.02\t1.1\n", {"file_type": "tsv"}, ["<DATE>", "<CLOSE>"]),
        ("<DATE>\t<CLOSE>\n2026.01.02\t1.1\n", {}, ["<DATE>", "<CLOSE>"]),
        ("<Open price>|<title>\n1|2\n", {}, ["<Open price>", "<title>"]),
        ("<title>,<p>\n1,2\n", {}, ["<title>", "<p>"]),
        ("<none>,1\n2,3\n", {}, ["<none>", "1"]),
        ("<DATE>:<CLOSE>\n1:2\n", {"delimiter": ":"}, ["<DATE>", "<CLOSE>"]),
        ("<CLOSE>\n1.5\n2.5\n", {}, ["<CLOSE>"]),
    ],
)
def test_a_header_in_angle_brackets_is_no_markup(data: str, options: dict[str, Any], names: list[str]) -> None:
    assert list(columns(data, **options)) == names


@pytest.mark.parametrize(
    "page",
    [
        "<html><body>Error <b>503</b>, retry</body></html>",
        "<b>,</b>",
        "<p>\nService unavailable\n",
        "<rows>\n<row>1,2</row>\n</rows>\n",
        "<rows><a>1</a>,<b>2</b></rows>",
        "<Error><Code>AccessDenied</Code><Message>a, b</Message></Error>",
        "<?xml version='1.0'?>,",
        "<!-- a -->,<b>",
    ],
)
def test_a_page_with_delimiters_is_markup(page: str) -> None:
    assert "this seems to be" in refusal(page)


def test_gzip_members_are_all_read_with_zeros_between_and_behind_them() -> None:
    first, second = gzip.compress(b"a,b\n1,2\n"), gzip.compress(b"3,4\n")
    assert columns(first + bytes(512) + second + bytes(100)) == {"a": [1, 3], "b": [2, 4]}


@pytest.mark.parametrize("rest", [b"3,4\n", b"\0\0x", b"\x1f\x00"])
def test_bytes_behind_gzip_data_that_are_no_gzip_are_an_error(rest: bytes) -> None:
    assert "are not gzip" in refusal(gzip.compress(b"a,b\n1,2\n") + rest)


@pytest.mark.parametrize("kept", [1, 2, 5, 15, 22])
def test_a_second_gzip_member_that_is_cut_is_an_error(kept: int) -> None:
    data = gzip.compress(b"a,b\n1,2\n") + gzip.compress(b"3,4\n")[:kept]
    assert "the gzip data ends too early" in refusal(data)
