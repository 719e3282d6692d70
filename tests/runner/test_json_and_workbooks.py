"""JSON, workbooks and Parquet: their values keep their types, and what has none is said."""

import io
import json
import time
from datetime import date
from typing import Any

import openpyxl
import pandas
import pyarrow
import pyarrow.parquet
import pytest

from support.deadlines import scaled
from support.parsing import columns, parsed, refusal, rewritten, saved, workbook


@pytest.mark.parametrize(
    ("data", "file_type", "options", "expected"),
    [
        ('[{"a": 1, "b": "x"}, {"a": 2}]', "json", {}, {"a": [1, 2], "b": ["x", None]}),
        ('{"data": {"rows": [{"a": 1}]}}', "json", {"records_path": "data.rows"}, {"a": [1]}),
        ('{"r": [{"d": [{"a": 1}]}]}', "json", {"records_path": "r[0].d"}, {"a": [1]}),
        ('{"r": [{"d": [{"a": 1}]}]}', "json", {"records_path": "r.0.d"}, {"a": [1]}),
        ('{"x.y": {"z": [{"a": 1}]}}', "json", {"records_path": "x.y.z"}, {"a": [1]}),
        ('{"x.y": {"z": [{"a": 1}]}}', "json", {"records_path": '["x.y"].z'}, {"a": [1]}),
        ('{"p": {"a": 1}, "q": {"a": 2}}', "json", {"records_path": "*"}, {"key": ["p", "q"], "a": [1, 2]}),
        ('{"columns": ["a", "b"], "index": [0], "data": [[1, 2]]}', "json", {}, {"a": [1], "b": [2]}),
        ('{"a": 1, "b": "x"}\n', "json", {}, {"a": [1], "b": ["x"]}),
        ('{"id": 1, "tags": ["t"]}\n', "jsonl", {}, {"id": [1], "tags": [["t"]]}),
        ('{"id": 1}\n\n{"id": 2}\n', "jsonl", {}, {"id": [1, 2]}),
        ('{"id": 1}\n{"id": 2}\n', "json", {}, {"id": [1, 2]}),
        ("[]", "json", {}, {}),
        ("[]", "json", {"types": {"a": "integer", "d": "date"}}, {"a": [], "d": []}),
        ("", "csv", {"types": {"a": "integer"}}, {"a": []}),
        ('[{"id": 9007199254740993}, {"id": null}, {}]', "json", {}, {"id": [9007199254740993, None, None]}),
        ('[{"x": 18446744073709551616}, {"x": 1}]', "json", {}, {"x": [18446744073709551616, 1]}),
        ('[{"x": 9007199254740993}, {"x": 0.5}]', "json", {}, {"x": [9007199254740993, 0.5]}),
        ('[{"x": 3.14159265358979323846}]', "json", {}, {"x": ["3.14159265358979323846"]}),
        ('[{"x": true}, {"x": null}]', "json", {}, {"x": [True, None]}),
        ('[{"x": "NA"}, {"x": "b"}]', "json", {"na_values": ("NA",)}, {"x": [None, "b"]}),
        ('[{"x": 1.10}, {"x": 1e3}, {"x": 2}]', "json", {"types": {"x": "text"}}, {"x": ["1.10", "1e3", "2"]}),
        ('{"x": 1.10, "y": 1.10}\n', "jsonl", {"types": {"x": "text"}}, {"x": ["1.10"], "y": [1.1]}),
        ('[{"x": -999}, {"x": -999.0}, {"x": 1}]', "json", {"na_values": ("-999",)}, {"x": [None, None, 1]}),
        ('[{"x": 0}, {"x": true}, {"x": 5}]', "json", {"na_values": ("000", "1", "5")}, {"x": [0, True, None]}),
        ('{"x": 1.5}\n{"x": 2}\n', "jsonl", {"na_values": ("1.50",)}, {"x": [None, 2]}),
        ('[{"x": "007"}, {"x": 8}]', "json", {"types": {"x": "text"}}, {"x": ["007", "8"]}),
    ],
)
def test_json_is_read(data: str, file_type: str, options: Any, expected: dict[str, list[Any]]) -> None:
    assert columns(data, file_type, **options) == expected


def test_a_name_that_occurs_twice_among_many_is_found_at_once() -> None:
    data = "[{" + "".join(f'"{number}":0,' for number in range(50_000)) + '"twice":0,"twice":0}]'
    begun = time.process_time()
    assert "'twice' twice" in refusal(data, "json")
    assert time.process_time() - begun < scaled(5)


@pytest.mark.parametrize(
    ("data", "file_type", "options", "parts"),
    [
        ("3", "json", {}, ["list of records"]),
        ('{"rows": [{"a": 1}]}', "json", {}, ["records_path", "'rows'"]),
        ('{"p": {"a": 1}, "q": {"a": 2}}', "json", {}, ["records_path to '*'"]),
        ('{"rows": []}', "json", {"records_path": "row"}, ["there is no 'row'", "rows"]),
        ("[1, 2]", "json", {}, ["JSON object", "number 1"]),
        ("[[1]]\n", "jsonl", {}, ["line 1", "JSON object"]),
        ('{"a": 1}\n{"a": \n', "jsonl", {}, ["line 2", "not JSON"]),
        ('[{"a": NaN}]', "json", {}, ["NaN"]),
        (
            '[{"page": 1, "pages": 2}, [{"a": 1}]]',
            "json",
            {},
            ["number 2 of the list is a list", "records_path", "'[1]'"],
        ),
        ("[[1, 2], [3]]", "json", {}, ["number 1 of the list is a list"]),
        ('[["a", "a"], [1, 2]]', "json", {}, ["number 1 of the list is a list"]),
        ('[{"a": ' + "9" * 5000 + "}]", "json", {}, ["more than 4300 digits", "text"]),
        ('[{"a": 1}, {"a": 2}]', "jsonl", {}, ["line 1", "a list", "set file_type to json"]),
        ('{\n"a": 1\n}', "jsonl", {}, ["line 1 is not JSON", "set file_type to json"]),
        ("[" * 100_000, "json", {}, ["JSON"]),
    ],
)
def test_json_without_records_says_which_option_helps(
    data: str, file_type: str, options: Any, parts: list[str]
) -> None:
    message = refusal(data, file_type, **options)
    assert all(part in message for part in parts), message


def test_a_workbook_keeps_the_types_of_its_cells() -> None:
    data = workbook(["id", "n", "code", "day"], [1, 1.5, "007", pandas.Timestamp("2026-01-31")], [2, None, "008", None])
    assert columns(data, "xlsx") == {
        "id": [1, 2],
        "n": [1.5, None],
        "code": ["007", "008"],
        "day": [pandas.Timestamp("2026-01-31"), None],
    }


def test_a_workbook_with_several_sheets_notes_which_one_was_read() -> None:
    data = workbook(["a"], [1], sheets=2)
    assert any("2 sheets" in note for note in parsed(data, "xlsx").notes)
    assert columns(data, "xlsx", sheet="Data") == {"a": [1]}
    assert "its sheets are: Data, Sheet 1" in refusal(data, "xlsx", sheet="Other")


def test_rows_above_the_table_of_a_workbook_are_skipped_or_named() -> None:
    data = workbook(["Title"], ["a", "b"], [1, 2])
    assert columns(data, "xlsx", skip_rows=1) == {"a": [1], "b": [2]}
    assert "skip_rows" in refusal(data, "xlsx")


def test_parquet_keeps_integers_with_missing_values() -> None:
    output = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table({"id": [9007199254740993, None], "x": ["a", None]}), output)
    assert columns(output.getvalue(), "parquet") == {"id": [9007199254740993, None], "x": ["a", None]}


def test_an_error_in_a_cell_of_a_workbook_is_text_unless_na_values_names_it() -> None:
    data = rewritten(
        workbook(["id", "amount"], ["a", 1], ["b", 2]), b'<c r="B3" t="n"><v>2<', b'<c r="B3" t="e"><v>#N/A<'
    )
    assert columns(data, "xlsx") == {"id": ["a", "b"], "amount": [1, "#N/A"]}
    assert any("1 cell has an error (#N/A)" in note for note in parsed(data, "xlsx").notes)
    assert columns(data, "xlsx", na_values=("#N/A",)) == {"id": ["a", "b"], "amount": [1, None]}


def test_a_formula_of_a_workbook_without_a_value_is_refused() -> None:
    assert "the formula in B2 has no value" in refusal(workbook(["a", "b"], [1, "=A2*2"]), "xlsx")


def test_a_number_of_a_workbook_that_no_float_keeps_is_refused() -> None:
    data = rewritten(workbook(["a"], [9007199254740992]), b"9007199254740992", b"9007199254740993")
    assert "the number 9007199254740993 in A2 has more digits" in refusal(data, "xlsx")


@pytest.mark.parametrize("file_type", ["json", "jsonl", "xlsx"])
@pytest.mark.parametrize(
    ("values", "is_noted"),
    [(["10.00", "7.50", None], True), (["10", "7.50"], False), (["1001", "1002"], False), (["1.10", "n/a"], False)],
)
def test_decimals_in_quotes_are_text_and_a_note(file_type: str, values: list[str | None], is_noted: bool) -> None:
    """Interfaces of banks and shops write exact amounts so; a sum joins them."""
    records = [{"amount": value, "x": 1} for value in values]
    data = {
        "json": json.dumps(records).encode(),
        "jsonl": "\n".join(map(json.dumps, records)).encode(),
        "xlsx": workbook(["amount", "x"], *([value, 1] for value in values)),
    }[file_type]
    assert columns(data, file_type)["amount"] == values
    note = (
        f"the column 'amount' is text, so a sum joins its values: all are text in the data, such as {values[0]!r};"
        " types can declare number"
    )
    assert parsed(data, file_type).notes == ([note] if is_noted else [])
    if is_noted:
        declared = parsed(data, file_type, types={"amount": "number"})
        assert declared.notes == []
        assert declared.frame["amount"].sum() == 17.5


@pytest.mark.parametrize(
    ("number_format", "number", "value"),
    [
        ("00000", 1234, "01234"),
        ("00000", 90210, "90210"),
        ("[$-407]00000", 1067, "01067"),
        ("000\\-00\\-0000", 12345678, "012-34-5678"),
        ("00000-0000", 21390001, "02139-0001"),
        ("(000) 000", 11222333, "(11222) 333"),
        ('"K-"0000" x"', 7, "K-0007 x"),
        ("00:00", 930, "09:30"),
        ("0000_)", 7, "0007"),
        ("* 0000", 7, "0007"),
        ("#0000", 7, "0007"),
        ("[Red]0000", 7, "0007"),
        ("[Color 12][$-407]00000", 1067, "01067"),
        ("00\\_00", 123, "01_23"),
        ("[<=99999]00000;00000\\-0000", 2139, "02139"),
        ("[<=99999]00000;00000\\-0000", 21390001, "02139-0001"),
        ("[<=99999][$-409]00000;[$-409]00000-0000", 2139, "02139"),
        ("[<1000]000;0", 7, "007"),
        ("[<1000]000;0", 1234, "1234"),
        ('[=0]"none; 0";[>9]00;0000', 7, "0007"),
        ('[=0]"none; 0";[>9]000;0000', 12, "012"),
        ("[<=9999999]###\\-####;\\(###\\)\\ ###\\-####", 5551234, 5551234),
        ("[<=9999999]000-0000;###\\-###\\-####", 2125551234, 2125551234),
        ("0-", 7, 7),
        ("00;-00", 7, 7),
        ("00", 7.5, 7.5),
        ("00", -7, -7),
        ("0.00", 7, 7),
        ("0", 7, 7),
    ],
)
def test_a_number_that_a_workbook_shows_with_leading_zeros_is_text(number_format: str, number: Any, value: Any) -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook(["a", "zip"], ["x", number])))
    assert book.active is not None
    book.active["B2"].number_format = number_format
    data = saved(book)
    assert columns(data, "xlsx")["zip"] == [value]
    assert columns(data, "xlsx", types={"zip": "number"})["zip"] == [number]
    assert parsed(data, "xlsx", types={"zip": "number"}).notes == []
    note = "1 number is shown with leading zeros in the sheet, and text here; types can declare integer"
    assert parsed(data, "xlsx").notes == ([note] if isinstance(value, str) else [])


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ('{"success": false, "message": "quota", "data": {"rows": []}}', "reports an error instead of data: quota"),
        ('{"status": 503, "message": "busy", "data": {"rows": []}}', "reports an error instead of data: busy"),
        (
            '{"errors": [{"message": "no c"}], "data": {"rows": [{"a": 1}]}}',
            "reports errors, so its records may be a part",
        ),
    ],
)
def test_an_error_beside_a_path_is_an_error(document: str, why: str) -> None:
    assert why in refusal(document, "json", records_path="data.rows")


def test_an_error_where_a_path_ends_is_shown() -> None:
    document = '{"results": [{"statement_id": 0, "error": "database not found"}]}'  # of InfluxDB
    found = refusal(document, "json", records_path="results[0].series[0]")
    assert "the source reports an error instead of data: database not found (records_path" in found


@pytest.mark.parametrize("path", ["a[-1].rows", "a[kind=x].rows", 'a[number=2]["rows"]'])
def test_a_path_counts_from_the_end_or_chooses_by_a_value(path: str) -> None:
    document = '{"a": [{"rows": [{"b": 1}]}, {"kind": "x", "number": 2, "rows": [{"b": 2}]}]}'
    assert columns(document, "json", records_path=path) == {"b": [2]}
    assert "there is no 'kind=y'" in refusal(document, "json", records_path="a[kind=y].rows")


@pytest.mark.parametrize(
    ("document", "path", "notes"),
    [
        ('{"code": 0, "message": "success", "data": {"rows": []}}', "data.rows", []),
        ('{"error": {"code": 0, "message": ""}, "data": {"rows": []}}', "data.rows", []),
        ('{"errors": [], "success": true, "data": {"rows": [{"a": 1}]}}', "data.rows", []),
        ('{"errors": [{"line": 7}]}', "errors", []),
        (
            '{"error": "one shop is closed", "data": {"rows": [{"a": 1}]}}',
            "data.rows",
            ["the source reports an error beside its records: one shop is closed"],
        ),
    ],
)
def test_what_is_beside_a_path_and_no_error_is_no_error(document: str, path: str, notes: list[str]) -> None:
    assert parsed(document.encode(), "json", records_path=path).notes == notes


@pytest.mark.parametrize(
    "record",
    [
        '{"id": 7, "title": "Fix", "status": "open"}',
        '{"job": "x", "error": "late"}',
        '{"message": "hi", "status": 200, "host": "a"}',
    ],
)
def test_a_lone_record_of_json_lines_may_have_the_names_of_an_error(record: str) -> None:
    assert columns(record, "jsonl") == {name: [value] for name, value in json.loads(record).items()}


def test_an_envelope_that_reports_success_names_the_path_of_its_list() -> None:
    for head in ('"code": 0, "msg": "success"', '"status": 200, "message": "OK"'):
        assert "such as 'data.list'" in refusal(f'{{{head}, "data": {{"list": [{{"a": 1}}]}}}}', "json")
    assert "reports an error instead of data: bad" in refusal(
        '{"code": "ERR_4", "message": "bad", "data": null}', "json"
    )


def test_no_value_of_json_is_lost_to_an_equal_name() -> None:
    assert "has the name 'a' twice" in refusal('[{"a": 1, "a": 2}]', "json")
    assert "has the name 'a' twice" in refusal('{"a": 1, "a": 2}\n{"a": 3}\n', "jsonl")
    assert columns('{"columns": ["a", "a"], "data": [[1, 2]]}', "json") == {"a": [1], "a.1": [2]}


def test_half_a_character_in_json_is_an_error_in_words() -> None:
    for text in ('[{"a": "\\ud83d"}]', '[{"\\ud83d": 1}]'):
        assert "half a character, \\ud83d" in refusal(text, "json")


@pytest.mark.parametrize("own", ['"x"', "null", "2", "true"])
def test_the_name_of_a_record_is_not_lost_to_a_field_key(own: str) -> None:
    message = refusal('{"d": {"A": {"v": 1}, "1": {"key": ' + own + ', "v": 1}}}', "json", records_path="d.*")
    assert all(part in message for part in ("'d.*'", "the record '1'", "'key'")), message


@pytest.mark.parametrize("own", ['"1"', "1"])
def test_a_field_key_that_repeats_the_name_of_its_record_is_kept(own: str) -> None:
    assert columns('{"1": {"key": ' + own + ', "v": 5}}', "json", records_path="*")["v"] == [5]


def test_a_nested_number_is_itself_beside_a_column_that_is_text() -> None:
    frame = parsed('[{"x": 1.10, "y": {"z": 1.10}}]', "json", types={"x": "text"}).frame
    assert json.dumps(frame["y"].tolist()) == '[{"z": 1.1}]'


def test_a_number_of_na_values_is_missing_in_a_workbook() -> None:
    data = workbook(["a", "b"], [-999, "x"], [1.5, "-999"])
    assert columns(data, "xlsx", na_values=("-999",)) == {"a": [None, 1.5], "b": ["x", None]}


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([1, "n/a", 2.5], "a number (1), a text ('n/a')"),
        ([True, None, 1], "a truth value (True), a number (1)"),
        ([1.5, None, 2], None),
        (["a", None, "1"], None),
    ],
)
@pytest.mark.parametrize("file_type", ["json", "xlsx"])
def test_values_of_several_types_in_a_column_are_noted(values: list[Any], text: str | None, file_type: str) -> None:
    if file_type == "json":
        data = json.dumps([{"a": value, "b": 1} for value in values]).encode()
    else:
        data = workbook(["a", "b"], *([value, 1] for value in values))
    found = [note for note in parsed(data, file_type).notes if "several types" in note]
    assert len(found) == (text is not None)
    assert all(
        text is not None and text in note and "'a'" in note and "types can declare one" in note for note in found
    )


def test_a_date_beside_a_number_in_a_workbook_is_noted() -> None:
    (note,) = parsed(workbook(["due"], [date(2026, 1, 31)], [46054]), "xlsx").notes
    assert "a date (2026-01-31), a number (46054)" in note


def test_a_date_that_may_be_the_leap_day_which_only_spreadsheets_have_is_a_note() -> None:
    def notes(serial: bytes) -> list[str]:
        data = rewritten(workbook(["day"], [date(1900, 3, 1)]), b"<v>61</v>", b"<v>" + serial + b"</v>")
        return [note for note in parsed(data, "xlsx").notes if "29 February 1900" in note]

    assert "1 cell has the date 1900-02-28 (the first is A2)" in notes(b"60")[0]
    assert notes(b"59.5")
    assert not notes(b"58")
    assert not notes(b"61")


@pytest.mark.parametrize(
    ("number", "is_noted"), [("1e400", True), ("-1e-400", True), ("1.5e999", True), ("1E5", False), ('"12E4"', False)]
)
def test_a_number_of_json_beyond_64_bits_is_text_with_a_note(number: str, is_noted: bool) -> None:
    table = parsed(f'[{{"a": {number}}}]', "json")
    note = f"the column 'a' is text, so a sum joins its values: {number!r} is beyond the numbers that 64 bits hold"
    assert table.notes == ([note] if is_noted else [])
    assert table.frame["a"].tolist() == ([100000.0] if number == "1E5" else [number.strip('"')])
