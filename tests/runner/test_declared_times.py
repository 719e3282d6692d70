"""Columns that `types` declares as dates or times."""

from typing import Any

import pandas
import pytest

from nightmail_runner.parsing import declared_times
from support.parsing import columns, refusal


@pytest.mark.parametrize(
    "text",
    [
        "now",
        "today",
        "nan",
        "NaT",
        "None",
        "2026",
        "2026-01",
        "2026/01/31",
        "1769851800",
        "2026-01-31T09:30:00.1234567891",
    ],
)
def test_only_a_date_in_iso_8601_begins_a_declared_time(text: str) -> None:
    message = refusal(f"a,d\n1,2026-01-31T09:30:00\n2,{text}\n", types={"d": "datetime"})
    assert all(part in message for part in ("line 3", "'d'", repr(text), "ISO 8601")), message


@pytest.mark.parametrize("text", ["", "now"])
def test_only_null_is_missing_in_a_declared_time_of_json(text: str) -> None:
    assert "record 2" in refusal(f'[{{"d": null}}, {{"d": "{text}"}}]', "json", types={"d": "datetime"})


def test_a_number_of_json_is_no_time() -> None:
    assert "record 1: the column 'd' has '2026'" in refusal('[{"d": 2026}]', "json", types={"d": "datetime"})


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31 09:30",
        "20260131T093000",
        " 2026-01-31T09:30:00 ",
        "2026-01-31T09:30:00.0000000000",
        "2026-01-31T9:30",
    ],
)
def test_a_time_may_be_written_in_each_form_of_iso_8601(text: str) -> None:
    assert columns(f"a,d\n1,{text}\n2,\n", types={"d": "datetime"})["d"] == [pandas.Timestamp("2026-01-31 09:30"), None]


def test_offsets_that_differ_give_one_column_in_utc() -> None:
    data = "a,d\n1,2026-01-31T09:30:00+02:00\n2,2026-01-31T09:30Z\n3,2026-01-31 09 -0130\n"
    hours = [time.isoformat() for time in columns(data, types={"d": "datetime"})["d"]]
    assert hours == ["2026-01-31T07:30:00+00:00", "2026-01-31T09:30:00+00:00", "2026-01-31T10:30:00+00:00"]


@pytest.mark.parametrize(
    ("first", "other", "why"),
    [
        ("2026-01-31T09:00:00", "2026-01-31T09:00:00+02:00", "it has an offset"),
        ("2026-01-31", "2026-01-31T09:00:00Z", "it has an offset"),
        ("2026-01-31T09:00:00+02:00", "2026-01-31T09:00:00", "it has no offset"),
        ("2026-01-31T09:00:00-02:00", "2026-01-31", "it has no offset"),
    ],
)
def test_times_with_and_without_an_offset_do_not_share_a_column(first: str, other: str, why: str) -> None:
    message = refusal(f"a,d\n0,\n1,{first}\n2,{first}\n3,{other}\n4,{first}\n", types={"d": "datetime"})
    assert all(part in message for part in ("line 5", "'d'", repr(other), why)), message


@pytest.mark.parametrize("kind", ["date", "datetime"])
def test_there_is_no_year_0(kind: str) -> None:
    assert "line 3" in refusal("a,d\n1,0001-01-01\n2,0000-01-01\n", types={"d": kind})


def test_a_year_that_nanoseconds_do_not_reach_is_named() -> None:
    message = refusal("a,d\n1,2026-01-31T09:30:00.123456789\n2,0001-01-01\n", types={"d": "datetime"})
    assert "line 3" in message
    assert "nanoseconds" in message


@pytest.mark.parametrize("kind", ["date", "datetime"])
@pytest.mark.parametrize("row", [0, 1, 2, 499, 500, 996, 999])
def test_the_first_value_that_is_no_date_is_named(kind: str, row: int) -> None:
    values = ["2026-01-31", ""] * 500
    values[row] = "2026-02-30"
    values[-1] = "2026-02-31" if row < 999 else values[-1]
    message = refusal("a,d\n" + "".join(f"1,{value}\n" for value in values), types={"d": kind})
    assert f"line {row + 2}: the column 'd' has '2026-02-30'" in message


@pytest.mark.parametrize("parse", ["_parse_dates", "_parse_datetimes"])
def test_a_bad_value_of_a_large_column_is_found_in_few_steps(parse: str, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    original = getattr(declared_times, parse)

    def counted(texts: Any, **options: Any) -> Any:
        calls.append(len(texts))
        return original(texts, **options)

    monkeypatch.setattr(declared_times, parse, counted)
    kind = parse.removeprefix("_parse_").removesuffix("s")
    refusal("a,d\n" + "1,2026-01-31\n" * 5000 + "1,2026-02-30\n", types={"d": kind})
    assert len(calls) < 20
    assert sum(calls) < 4 * 5001


@pytest.mark.parametrize(
    "text",
    ["2026-01-31", " 2026-01-31 ", "20260131", "2026-01-31 00:00", "2026-01-31T00:00:00", "2026-01-31 00:00:00.000"],
)
def test_a_declared_date_may_have_spaces_and_midnight(text: str) -> None:
    assert columns(f"a,d\n1,{text}\n2,\n", types={"d": "date"})["d"] == [pandas.Timestamp("2026-01-31"), None]


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31 00:00:01",
        "2026-01-31T00:00:00Z",
        "31.01.2026",
        "01/31/2026",
        "2026-02-30",
        "2026-0131",
        "202601",
        "26-01-31",
    ],
)
def test_another_date_is_refused_as_it_is_written_with_the_way_out(text: str) -> None:
    message = refusal(f"a,d\n1,2026-01-31\n2,{text}\n", types={"d": "date"})
    assert f"line 3: the column 'd' has {text!r}" in message
    assert "a date like 2026-01-31 is expected; declare text, and convert it in the script (pd.to_datetime" in message
