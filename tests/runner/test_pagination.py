"""Sources with pages: each form finds the next page, and all pages become one table."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas
import pytest

from nightmail_common.broker.log import EventLog
from nightmail_common.contract.events import ResultReady
from nightmail_common.contract.job import DataSource
from nightmail_common.contract.source_definition import DataSourceDefinition
from nightmail_runner.parsing.json_shapes import count_records
from nightmail_runner.parsing.options import InputNotReadable, ReadOptions
from nightmail_runner.parsing.parse_input import parse_input
from nightmail_runner.sources.errors import CannotFetch
from nightmail_runner.sources.input import ByteBudget, Input
from support.http_source import TIMES, Answer, Source, open_fetcher
from support.runner_process import Request, RunnerProcess, outcome_of

RECORDS = [{"id": number, "code": f"{number:03}", "big": 9007199254740993 + number} for number in range(5)]


def paged(url: str, pagination: dict[str, Any], **fields: Any) -> DataSource:
    """Return a source as a user defines it."""
    source = {"source_type": "api", "location": url, "file_type": "json", "pagination": pagination}
    return DataSourceDefinition.model_validate(source | fields)


async def read(
    source: DataSource, *, allow: tuple[str, ...] = ("127.0.0.0/8",), limit: int = 1_000_000, **secrets: Any
) -> tuple[pandas.DataFrame, list[str]]:
    """Return the table of a source, and the notes of its fetch."""
    async with open_fetcher(Path(), allow=allow, limit=limit, **secrets) as fetcher:
        data = await fetcher.fetch(source, TIMES)
    assert source.file_type is not None
    options = ReadOptions(source.file_type, source.records_path, paged=source.file_type == "json", charset=data.charset)
    with data.file, data.file.view() as view:
        return parse_input(view, options).frame, data.notes


def json_answer(value: Any, **headers: str) -> Answer:
    return 200, headers, json.dumps(value).encode()


def by_page(query: dict[str, str]) -> list[dict[str, Any]]:
    first = 2 * (int(query.get("page", "1")) - 1)
    return RECORDS[first : first + 2]


def linked(url: Callable[[str], str]) -> Callable[[dict[str, str]], Answer]:
    def answer(query: dict[str, str]) -> Answer:
        number = int(query.get("page", "1"))
        link = f'<{url("/a")}?page=1>; rel="first", <?page={number + 1}>; title="a, b"; rel="next"'
        return json_answer(by_page(query), link=link) if number < 3 else json_answer(by_page(query))

    return answer


def named_url(query: dict[str, str]) -> Answer:
    number = int(query.get("page", "1"))
    return json_answer({"rows": by_page(query), "links": {"next": f"/a?page={number + 1}" if number < 3 else None}})


def cursor(query: dict[str, str]) -> Answer:
    first = int(query.get("after", "0"))
    more = {"next": str(first + 2)} if first + 2 < len(RECORDS) else {}
    return json_answer({"rows": RECORDS[first : first + 2], "meta": more})


def offset(query: dict[str, str]) -> Answer:
    first = int(query["skip"])
    return json_answer({"rows": RECORDS[first : first + 2]})


@pytest.mark.parametrize(
    ("pagination", "answer", "records_path", "queries"),
    [
        ({"type": "link"}, None, None, ["key=s3cret", "page=2", "page=3"]),
        ({"type": "next_url", "path": "links.next"}, named_url, "rows", ["key=s3cret", "page=2", "page=3"]),
        (
            {"type": "cursor", "path": "meta.next", "param": "after"},
            cursor,
            "rows",
            ["key=s3cret", "key=s3cret&after=2", "key=s3cret&after=4"],
        ),
        (
            {"type": "page"},
            lambda query: json_answer(by_page(query)),
            None,
            [f"key=s3cret&page={number}" for number in (1, 2, 3, 4)],
        ),
        (
            {"type": "offset", "param": "skip"},
            offset,
            "rows",
            [f"key=s3cret&skip={records}" for records in (0, 2, 4, 5)],
        ),
    ],
)
async def test_each_form_of_pagination_reads_all_records(
    source: Source, pagination: dict[str, Any], answer: Any, records_path: str | None, queries: list[str]
) -> None:
    source.pages["/a"] = answer or linked(source.url)
    fields = {"records_path": records_path, "auth": {"type": "bearer", "token": "{{ secrets.CRM }}"}}
    frame, notes = await read(paged(source.url("/a?key={{ secrets.CRM }}"), pagination, **fields), CRM="s3cret")
    assert frame.to_dict("records") == RECORDS
    assert frame["big"].dtype == "int64"
    assert notes == []
    assert source.queries == queries
    assert {headers["authorization"] for _, headers in source.requests} == {"Bearer s3cret"}


async def test_a_column_of_all_pages_has_one_type(source: Source) -> None:
    pages = [[{"id": 1, "n": 2**60}], [{"id": "x", "n": None}], []]
    source.answers["/a"] = [json_answer(page) for page in pages]
    frame, _ = await read(paged(source.url("/a"), {"type": "page"}))
    assert frame["id"].tolist() == [1, "x"]
    assert str(frame["n"].dtype) == "Int64"
    assert frame["n"][0] == 2**60


async def test_pages_of_csv_are_one_table_with_one_header(source: Source) -> None:
    pages = [b"\xef\xbb\xbfid;code\r\n1;a\r\n2;b", b"id;code\r\n03;c\r\n", b"id;code\r\n"]
    source.answers["/a"] = [(200, {"content-type": "text/csv"}, page) for page in pages]
    frame, _ = await read(paged(source.url("/a"), {"type": "page"}, file_type="csv"))
    assert frame.to_dict("list") == {"id": ["1", "2", "03"], "code": ["a", "b", "c"]}


async def test_pages_whose_lines_end_in_cr_are_one_table(source: Source) -> None:
    pages = [b"id,name\r1,a\r2,b", b"id,name\r3,c\r", b"id,name\r"]
    source.answers["/a"] = [(200, {}, page) for page in pages]
    frame, _ = await read(paged(source.url("/a"), {"type": "page"}, file_type="csv"))
    assert frame.to_dict("list") == {"id": [1, 2, 3], "name": ["a", "b", "c"]}


@pytest.mark.parametrize(
    "link",
    [
        '<{next}>; title="a=b"; rel="next"',
        "<{next};v=1>; rel=next",
        '<{next}&a;b>; title="x; y, \\"z\\""; REL="prev NEXT"',
        '</first>; rel="first",, <{next}>;rel = "next";rel="last"; flag;',
    ],
)
async def test_a_link_header_is_read_as_its_standard_says(source: Source, link: str) -> None:
    def answer(query: dict[str, str]) -> Answer:
        number = int(query.get("page", "1").partition(";")[0])
        headers = {"link": link.replace("{next}", f"?page={number + 1}")} if number < 3 else {}
        return json_answer(by_page({"page": str(number)}), **headers)

    source.pages["/a"] = answer
    frame, notes = await read(paged(source.url("/a"), {"type": "link"}))
    assert frame["id"].tolist() == [0, 1, 2, 3, 4]
    assert notes == []


@pytest.mark.parametrize("link", ["?page=2; rel=next", '<?page=2>; rel="next', "<?page=2> rel=next", "<?page=2"])
async def test_a_link_header_that_is_none_is_an_error(source: Source, link: str) -> None:
    source.answers["/a"] = [json_answer([{"a": 1}], link=link)]
    with pytest.raises(CannotFetch, match="page 1: its Link header is not one"):
        await read(paged(source.url("/a"), {"type": "link"}))


SHAPES: list[Callable[[list[dict[str, Any]]], Any]] = [
    lambda rows: rows,
    lambda rows: [["id", "name"], *([row["id"], row["name"]] for row in rows)],
    lambda rows: {"id": [row["id"] for row in rows], "name": [row["name"] for row in rows]},
    lambda rows: {"columns": ["id", "name"], "data": [[row["id"], row["name"]] for row in rows]},
]


@pytest.mark.parametrize("pagination", [{"type": "offset"}, {"type": "page"}])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("records_path", [None, "found"])
async def test_the_records_of_each_shape_are_counted(
    source: Source, pagination: dict[str, Any], shape: Callable[[Any], Any], records_path: str | None
) -> None:
    rows = [{"id": number, "name": f"n{number}"} for number in range(7)]

    def answer(query: dict[str, str]) -> Answer:
        first = int(query["offset"]) if "offset" in query else 3 * (int(query["page"]) - 1)
        page = shape(rows[first : first + 3])
        return json_answer(page if records_path is None else {"found": page})

    source.pages["/a"] = answer
    frame, _ = await read(paged(source.url("/a"), pagination, records_path=records_path))
    assert frame.to_dict("records") == rows


@pytest.mark.parametrize(
    ("last", "why"),
    [
        ({"errors": [{"message": "quota"}], "items": []}, "page 2: the source reports an error instead of data: quota"),
        ({"items": [], "error": "rate limited"}, "page 2: the source reports an error instead of data: rate limited"),
        ({"items": [], "success": False, "message": "off"}, "page 2: the source reports an error instead of data: off"),
        ({"items": [], "code": 429, "message": "slow"}, "page 2: the source reports an error instead of data: slow"),
    ],
)
async def test_a_last_page_that_reports_an_error_is_no_end(source: Source, last: Any, why: str) -> None:
    source.answers["/a"] = [json_answer({"items": [{"a": 1}]}), json_answer(last)]
    with pytest.raises(CannotFetch, match=why):
        await read(paged(source.url("/a"), {"type": "page"}, records_path="items"))


async def test_the_other_parameters_of_a_url_with_pages_stay_as_they_are_written(source: Source) -> None:
    source.answers["/a"] = [json_answer([{"a": 1}]), json_answer([])]
    await read(paged(source.url("/a?q=M%FCller&flag&d=1;2&s=a%20b&page=9"), {"type": "page"}))
    assert source.queries == [f"q=M%FCller&flag&d=1;2&s=a%20b&page={number}" for number in (1, 2)]


async def test_pages_of_json_lines_are_one_table(source: Source) -> None:
    source.answers["/a"] = [(200, {}, b'{"a": 1}\n{"a": 2}'), (200, {}, b'{"a": 3}\n'), (200, {}, b"")]
    frame, _ = await read(paged(source.url("/a"), {"type": "offset"}, file_type="jsonl"))
    assert frame["a"].tolist() == [1, 2, 3]
    assert source.queries == ["offset=0", "offset=2", "offset=3"]


@pytest.mark.parametrize(
    ("bodies", "fields", "why"),
    [
        ([b'[{"a": 1}]', b'[{"a": 2}]', b'[{"a": 3}]'], {}, "more than 2 pages; pagination.max_pages"),
        ([b'[{"a": 1}]', b'[{"a":1}]'], {}, "page 2 has the same records as an earlier page"),
        ([b'[{"a": 1}]', b"<html>"], {}, "page 2: it is not JSON in UTF-8"),
        ([b"[" + b"[]," * 250_000 + b"[]]"], {}, "page 1: it has more than 250000 lists and objects"),
        ([b'{"rows": [1]}', b"{}"], {"records_path": "rows"}, "page 2: records_path 'rows': there is no 'rows'"),
        ([b"a,b\n1,2\n", b"b,a\n1,2\n"], {"file_type": "csv"}, "page 2: its header is another one than the first"),
        ([b"a,b\n1,2\n", b"<html>"], {"file_type": "csv"}, "page 2: its header is another one than the first"),
        (["a,b\n1,2\n".encode("utf-16")], {"file_type": "csv"}, "page 1: it is UTF-16 or not text"),
        ([b'a,"b\nc"\n1,2\n'], {"file_type": "csv"}, "page 1: its header has a line break in quotes"),
        ([b'[{"a": 1}]', b'[{"a": "%s"}]' % (b"x" * 1_000_000)], {}, "MAX_INPUT_BYTES"),
    ],
)
async def test_pages_that_are_too_many_repeat_or_do_not_fit_are_an_error(
    source: Source, bodies: list[bytes], fields: dict[str, Any], why: str
) -> None:
    source.answers["/a"] = [(200, {}, body) for body in bodies]
    with pytest.raises(CannotFetch, match=why):
        await read(paged(source.url("/a"), {"type": "page", "max_pages": 2}, **fields))


async def test_a_page_that_is_not_records_is_named_by_the_parser(source: Source) -> None:
    source.answers["/a"] = [json_answer([{"a": 1}]), json_answer([1]), json_answer([])]
    with pytest.raises(InputNotReadable, match="page 2: every record is a JSON object"):
        await read(paged(source.url("/a"), {"type": "page"}))


async def test_a_failure_of_a_later_page_fails_the_fetch(source: Source) -> None:
    source.answers["/a"] = [json_answer([{"a": 1}]), (403, {}, b"no such page")]
    with pytest.raises(CannotFetch, match="page 2: the source answered 403 Forbidden: no such page"):
        await read(paged(source.url("/a"), {"type": "page"}))


async def test_a_page_that_a_counted_request_does_not_find_is_the_end_and_a_note(source: Source) -> None:
    def answer(query: dict[str, str]) -> Answer:
        page = by_page(query)
        return json_answer(page) if page else (404, {}, b'{"detail": "Invalid page."}')  # Django REST framework

    source.pages["/a"] = answer
    frame, notes = await read(paged(source.url("/a"), {"type": "page"}))
    assert frame.to_dict("records") == RECORDS
    expected = 'page 4: the source answered 404 Not Found: {"detail": "Invalid page."}, which was taken for the end of the pages'
    assert notes == [expected]
    with pytest.raises(CannotFetch, match="page 1: the source answered 404"):
        await read(paged(source.url("/a"), {"type": "page", "start": 4}))


async def test_a_named_page_that_is_not_found_is_an_error(source: Source) -> None:
    source.answers["/a"] = [json_answer({"rows": [{"a": 1}], "next": "/b"})]
    source.answers["/b"] = [(404, {}, b"")]
    with pytest.raises(CannotFetch, match="page 2: the source answered 404"):
        await read(paged(source.url("/a"), {"type": "next_url", "path": "next"}, records_path="rows"))


@pytest.mark.parametrize(
    ("pages", "note"),
    [
        ([[1, 2], [2, 3], []], "page 2 has 1 record of the page before it, too"),  # a record was added in front
        ([[1, 2, 3], [4, 5, 6], [5, 6], []], "page 3 has 2 records of the page before it"),
        ([[1, 2], [3, 4], []], None),
        ([[1, 1], [1, 2], []], None),  # equal by nature
    ],
)
@pytest.mark.parametrize("file_type", ["json", "jsonl", "csv"])
async def test_records_that_two_pages_have_are_a_note(
    source: Source, pages: list[list[int]], note: str | None, file_type: str
) -> None:
    def body(page: list[int]) -> bytes:
        if file_type == "csv":
            return ("id,name\n" + "".join(f"{number},x\n" for number in page)).encode()
        if file_type == "jsonl":
            return "".join(f'{{"id": {number}}}\n' for number in page).encode()
        return json.dumps([{"id": number} for number in page]).encode()

    source.answers["/a"] = [(200, {}, body(page)) for page in pages]
    frame, notes = await read(paged(source.url("/a"), {"type": "page"}, file_type=file_type))
    assert frame["id"].tolist() == [number for page in pages for number in page]
    assert [note in one for one in notes] == ([True] if note else []) if note else notes == []


@pytest.mark.parametrize(
    ("pagination", "body", "bodies"),
    [
        (
            {"type": "cursor", "path": "meta.next", "param": "variables.after"},
            {"query": "q", "variables": {"after": None}},
            [{"query": "q", "variables": {"after": after}} for after in (None, "2", "4")],
        ),
        (
            {"type": "page", "param": "page"},
            '{"page": "1", "size": 2}',
            [{"page": str(number), "size": 2} for number in (1, 2, 3, 4)],
        ),
        (
            {"type": "offset", "param": "from.record"},
            {"from.record": 0},
            [{"from.record": number} for number in (0, 2, 4, 5)],
        ),
    ],
)
async def test_a_parameter_of_pages_that_the_body_has_is_set_there(
    source: Source, pagination: dict[str, Any], body: Any, bodies: list[Any]
) -> None:
    def answer(_: dict[str, str]) -> Answer:
        sent = json.loads(source.bodies[-1])
        first = int(
            sent.get("variables", {}).get("after") or sent.get("from.record") or 2 * (int(sent.get("page", 1)) - 1)
        )
        more = {"next": str(first + 2)} if first + 2 < len(RECORDS) else {}
        return json_answer({"rows": RECORDS[first : first + 2], "meta": more})

    source.pages["/a"] = answer
    frame, notes = await read(paged(source.url("/a?k=1"), pagination, method="POST", body=body, records_path="rows"))
    assert frame.to_dict("records") == RECORDS
    assert notes == []
    assert list(map(json.loads, source.bodies)) == bodies
    assert set(source.queries) == {"k=1"}


async def test_a_parameter_of_pages_that_the_body_does_not_have_goes_into_the_query(source: Source) -> None:
    source.pages["/a"] = cursor
    pagination = {"type": "cursor", "path": "meta.next", "param": "after"}
    await read(paged(source.url("/a"), pagination, method="POST", body={"size": 2}, records_path="rows"))
    assert source.queries == ["", "after=2", "after=4"]


@pytest.mark.parametrize("pagination", [{"type": "next_url", "path": "next"}, {"type": "link"}])
async def test_a_next_page_that_is_the_same_url_is_an_error(source: Source, pagination: dict[str, Any]) -> None:
    source.answers["/a"] = [json_answer({"rows": [], "next": "/a"}, link='</a>; rel="next"')]
    with pytest.raises(CannotFetch, match="page 2 has the URL of an earlier page"):
        await read(paged(source.url("/a"), pagination, records_path="rows"))


@pytest.mark.parametrize("pagination", [{"type": "cursor", "path": "meta.nxt"}, {"type": "link"}])
async def test_a_first_page_that_names_no_next_one_is_a_note(source: Source, pagination: dict[str, Any]) -> None:
    source.answers["/a"] = [json_answer({"rows": [{"a": 1}], "meta": {"next": "x"}})]
    _, notes = await read(paged(source.url("/a"), pagination, records_path="rows"))
    assert len(notes) == 1
    assert "it is the only page" in notes[0]


async def test_a_next_page_on_another_origin_gets_no_header(source: Source) -> None:
    source.answers["/a"] = [json_answer({"rows": [{"a": 1}], "next": source.url("/b", "localhost")})]
    source.answers["/b"] = [json_answer({"rows": [{"a": 2}], "next": None})]
    auth = {"type": "bearer", "token": "{{ secrets.CRM }}"}
    one = paged(source.url("/a"), {"type": "next_url", "path": "next"}, records_path="rows", auth=auth)
    frame, notes = await read(one, allow=("127.0.0.0/8", "localhost"), CRM="s3cret")
    assert frame["a"].tolist() == [1, 2]
    assert "authorization" not in source.requests[1][1]
    assert "which was not sent the headers Authorization" in notes[0]


async def test_a_next_page_on_an_internal_address_is_refused(source: Source) -> None:
    for url, why in (("http://169.254.169.254/", "FETCH_ALLOW"), ("file:///etc/passwd", "is not an http")):
        source.answers["/a"] = [json_answer({"rows": [{"a": 1}], "next": url})]
        with pytest.raises(CannotFetch, match=why):
            await read(paged(source.url("/a"), {"type": "next_url", "path": "next"}, records_path="rows"))


async def test_a_run_reads_all_pages(
    source: Source, start_runner: Callable[..., RunnerProcess], request_run: Request, event_log: EventLog
) -> None:
    source.pages["/a"] = named_url
    await start_runner(secret_crm="s3cret", secret_crm_hosts="127.0.0.1").ready()
    fields = {"headers": {"X-Key": "{{ secrets.CRM }}"}, "records_path": "rows"}
    one = paged(source.url("/a"), {"type": "next_url", "path": "links.next"}, **fields)
    request = await request_run(
        data_source=one.model_dump(), processing_script="print('s3cret')\nreturn data[['code']]"
    )

    outcome = await outcome_of(event_log, request)

    assert isinstance(outcome, ResultReady)
    assert outcome.csv.data == b"code\n000\n001\n002\n003\n004\n"
    assert outcome.log == "***\n"
    assert {headers["x-key"] for _, headers in source.requests} == {"s3cret"}


async def test_a_page_of_many_megabytes_is_refused(source: Source) -> None:
    source.answers["/a"] = [(200, {}, b" " * (8 * 1024 * 1024 + 1))]
    with pytest.raises(CannotFetch, match="a page is larger than 8388608 bytes"):
        await read(paged(source.url("/a"), {"type": "page"}), limit=100_000_000)


def test_the_notes_of_a_fetch_fit_an_event() -> None:
    data = Input(ByteBudget(1))
    with data.file:
        for number in range(15):
            data.add_note(f"{number} {'a' * 600}")
            data.add_note(f"{number} {'a' * 600}")
    assert len(data.notes) == 10
    assert {len(note) for note in data.notes} == {500}


def test_each_list_without_names_is_a_record() -> None:
    assert count_records([[1, 2], [3, 4]]) == 2
    assert count_records([["a", "b"], [3, 4]]) == 1
    assert count_records([["a", "b"]]) == 0


async def test_the_last_record_can_be_the_cursor_of_the_next_page(source: Source) -> None:
    """Stripe: `starting_after` is the id of the last record."""

    def answer(query: dict[str, str]) -> Answer:
        first = int(query.get("starting_after", "-1")) + 1
        return json_answer({"data": RECORDS[first : first + 2], "has_more": first + 2 < len(RECORDS)})

    source.pages["/a"] = answer
    pagination = {"type": "cursor", "path": "data[-1].id", "param": "starting_after"}
    frame, notes = await read(paged(source.url("/a"), pagination, records_path="data"))
    assert frame["id"].tolist() == [0, 1, 2, 3, 4]
    assert notes == []


async def test_the_next_page_can_be_a_link_of_a_list(source: Source) -> None:
    """FHIR and STAC: the place of the link in the list is not the same on each page."""

    def answer(query: dict[str, str]) -> Answer:
        number = int(query.get("page", "1"))
        links = [{"rel": "self", "href": "/a"}, *([{"rel": "prev", "href": "/a"}] if number > 1 else [])]
        links += [{"rel": "next", "href": f"/a?page={number + 1}"}] if number < 3 else []
        return json_answer({"rows": by_page(query), "links": links})

    source.pages["/a"] = answer
    pagination = {"type": "next_url", "path": "links[rel=next].href"}
    frame, notes = await read(paged(source.url("/a"), pagination, records_path="rows"))
    assert frame["id"].tolist() == [0, 1, 2, 3, 4]
    assert notes == []


@pytest.mark.parametrize("end", [0, "0"])
async def test_a_cursor_0_is_the_end_and_a_note(source: Source, end: Any) -> None:
    source.answers["/a"] = [
        json_answer({"rows": [{"a": 1}], "next": 7}),
        json_answer({"rows": [{"a": 2}], "next": end}),
    ]
    frame, notes = await read(paged(source.url("/a"), {"type": "cursor", "path": "next"}, records_path="rows"))
    assert frame["a"].tolist() == [1, 2]
    assert notes == ["page 2 names the cursor 0, which was taken for the end of the pages"]


async def test_a_path_of_pages_that_is_none_is_an_error(source: Source) -> None:
    source.answers["/a"] = [json_answer({"rows": [{"a": 1}], "meta": {"next": "x"}})]
    with pytest.raises(CannotFetch, match=r"pagination.path 'meta..next' cannot be understood at '.next'"):
        await read(paged(source.url("/a"), {"type": "cursor", "path": "meta..next"}, records_path="rows"))
