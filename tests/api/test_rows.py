"""`GET /runs/{run_id}/rows`: pages of a result's rows with the types of its columns."""

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.conftest import Replica
from api.test_diffs import run_with_result
from api.test_runs_over_rest import requested
from nightmail_api.read_model import result_rows
from nightmail_api.read_model.rows_process import read_rows
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.job import CsvOptions

SALES = (
    "region,amount,share,day,big,code,ok\n"
    "north,10,0.5,2026-11-25,9007199254740993,007,True\n"
    "south,,1.25,2026-11-24,1,12,False\n"
    '"a, b",-3,1e-07,2026-11-26,2,1,True\n'
)
PAGE = {
    "delimiter": ",",
    "decimal": ".",
    "offset": 0,
    "limit": 100,
    "sort": None,
    "as_texts": False,
    "text_columns": [],
}


def column(csv_text: str, **request: Any) -> tuple[str, list[Any]]:
    """Return the type and the cells of a CSV's one column."""
    page = read_rows(PAGE | request, csv_text.encode())
    return page["columns"][0]["type"], [row[0] for row in page["rows"]]


async def test_rows_have_the_types_of_their_columns(api: Replica, event_log: EventLog) -> None:
    _, job = await requested(api, event_log)
    run_id = await run_with_result(api, event_log, job, SALES)
    answer = await api.http.get(f"/runs/{run_id}/rows")
    assert answer.json() == {
        "columns": [
            {"name": "region", "type": "text"},
            {"name": "amount", "type": "integer"},
            {"name": "share", "type": "number"},
            {"name": "day", "type": "date"},
            {"name": "big", "type": "integer"},
            {"name": "code", "type": "text"},
            {"name": "ok", "type": "boolean"},
        ],
        "rows": [
            ["north", 10, 0.5, "2026-11-25", "9007199254740993", "007", True],
            ["south", None, 1.25, "2026-11-24", "1", "12", False],
            ["a, b", -3, 1e-07, "2026-11-26", "2", "1", True],
        ],
        "total": 3,
    }
    texts = (await api.http.get(f"/runs/{run_id}/rows", params={"cells": "texts", "sort": "share"})).json()
    assert (texts["columns"], texts["total"]) == (answer.json()["columns"], 3)
    assert texts["rows"] == [
        ["a, b", "-3", "1e-07", "2026-11-26", "2", "1", "True"],
        ["north", "10", "0.5", "2026-11-25", "9007199254740993", "007", "True"],
        ["south", None, "1.25", "2026-11-24", "1", "12", "False"],
    ]


@pytest.mark.parametrize("in_process", [False, True])
async def test_rows_are_sorted_by_value_and_paged(
    api: Replica, event_log: EventLog, monkeypatch: pytest.MonkeyPatch, in_process: bool
) -> None:
    if in_process:
        monkeypatch.setattr(result_rows, "THREAD_BYTES", 0)
    _, job = await requested(api, event_log)
    run_id = await run_with_result(api, event_log, job, "n,t\n9,a\n10,b\n,c\n-1,d\n")

    async def rows(**query: str) -> list[Any]:
        answer = await api.http.get(f"/runs/{run_id}/rows", params=query)
        assert answer.status_code == 200, answer.text
        return [row[0] for row in answer.json()["rows"]]

    assert await rows() == [9, 10, None, -1]
    assert await rows(sort="n") == [-1, 9, 10, None]
    assert await rows(sort="-n") == [10, 9, -1, None]
    assert await rows(sort="n", offset="1", limit="2") == [9, 10]
    refused = await api.http.get(f"/runs/{run_id}/rows", params={"sort": "m"})
    assert refused.status_code == 400
    assert refused.json()["errors"] == [
        {"field": "sort", "detail": "the result has no column 'm'; its columns are n, t", "allowed": ["n", "t"]}
    ]


async def test_a_csv_of_another_format_is_read_as_its_job_wrote_it(api: Replica, event_log: EventLog) -> None:
    _, job = await requested(api, event_log)
    excel = job.model_copy(update={"csv": CsvOptions(delimiter=";", decimal=",", bom=True)})
    run_id = await run_with_result(api, event_log, excel, "\ufeffa;b\n1,5;x,y\n")
    assert (await api.http.get(f"/runs/{run_id}/rows")).json()["rows"] == [[1.5, "x,y"]]


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ("1\n2", "integer"),
        ("1\n2.5", "number"),
        ("1\nTrue", "text"),
        ("True\n1", "text"),
        ("01\n2", "text"),
        ("+1", "text"),
        ("12E45\n13E20", "text"),
        ("0101.2100\n8471.3000", "text"),
        ("-0\n1", "number"),
        ("٣", "text"),
        ("1e9999", "text"),
        (".5\n-.5\n1.5e3\n1e-07\n1E+2", "number"),
        ("2026-11-25\n2026-11-25 09:00", "text"),
        ("2026-11-25 09:00:00+01:00", "datetime"),
        ('""', "text"),
        ("nan", "text"),
    ],
)
def test_a_type_is_that_of_every_cell(cells: str, kind: str) -> None:
    assert column(f"a\n{cells}\n")[0] == kind


@given(st.lists(st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False)), min_size=1))
def test_no_digit_of_a_number_is_lost(numbers: list[float]) -> None:
    texts = [repr(number) for number in numbers]
    kind, cells = column("a\n" + "".join(f"{text}\n" for text in texts))
    assert kind in {"integer", "number"}
    if isinstance(cells[0], str):
        assert cells == texts
    else:
        assert cells == numbers
        assert all(abs(cell) <= 2**53 for cell in cells if isinstance(cell, int))


@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=2, max_size=2)))
def test_texts_come_out_as_they_were_written(rows: list[list[str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([["a", "b"], ["not a number", "nor this"], *rows])
    page = read_rows(PAGE | {"limit": 1000}, text.getvalue().encode())
    assert page["rows"][1:] == [[cell or None for cell in row] for row in rows]


def test_a_number_as_text_is_what_the_file_has() -> None:
    for cells, decimal in ((["10.50", "183.0", "1e+20"], "."), (["10,50", "183,0"], ",")):
        csv_text = "a\n" + "".join(f"{cell}\n" for cell in cells)
        assert column(csv_text, delimiter=";", decimal=decimal, as_texts=True) == ("number", cells)


def test_a_number_that_no_double_holds_is_text_with_its_digits() -> None:
    assert column("a\n1e+400\n1.5\n") == ("number", ["1e+400", "1.5"])
    assert column("a\n1e-400\n1.5\n", sort="a") == ("number", ["1e-400", "1.5"])


def test_a_column_of_text_that_looks_like_numbers_is_text() -> None:
    assert column("id\n12.50\n7\n", text_columns=[0]) == ("text", ["12.50", "7"])
    assert column("id\n12.50\n7\n", text_columns=[1]) == ("number", [12.5, 7.0])
    assert column("day\n2026-11-24\n", text_columns=[0])[0] == "date"
