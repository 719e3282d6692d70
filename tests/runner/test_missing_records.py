"""Answers that have only a part of the data: a note says so, and an error in place of the rest fails the run."""

import json
from typing import Any

import pytest

from nightmail_common.contract.job import DataSource
from nightmail_common.contract.source_definition import DataSourceDefinition
from nightmail_runner.parsing.parse_input import parse_input
from nightmail_runner.sources.errors import CannotFetch
from nightmail_runner.task_options import read_options
from support.http_source import TIMES, Answer, Source, open_fetcher
from support.parsing import parsed, refusal

ROWS: list[Any] = [{"a": 1}]
MORE = "that it has more records, which are missing from the rows"


def api(url: str, **fields: Any) -> DataSource:
    return DataSourceDefinition.model_validate({"source_type": "api", "location": url, "file_type": "json"} | fields)


@pytest.mark.parametrize(
    ("answer", "path", "text"),
    [
        ({"d": ROWS, "next": "https://crm.example/?page=2"}, "d", f"by 'next' {MORE}"),
        ({"d": ROWS, "links": {"next": "/2"}}, "d", f"by 'links.next' {MORE}"),
        ({"d": ROWS, "_links": {"next": {"href": "/2"}}}, "d", f"by '_links.next' {MORE}"),
        ({"d": ROWS, "has_more": True}, "d", f"by 'has_more' {MORE}"),
        ({"d": ROWS, "nextPageToken": "x"}, "d", f"by 'nextPageToken' {MORE}"),
        ({"value": ROWS, "@odata.nextLink": "x"}, "value", f"by '@odata.nextLink' {MORE}"),
        (
            {"d": {"r": {"nodes": ROWS, "pageInfo": {"hasNextPage": True}}}},
            "d.r.nodes",
            "by 'd.r.pageInfo.hasNextPage'",
        ),
        ({"d": ROWS, "meta": {"total": 3}}, "d", "the source says 'meta.total': 3, but the run has read 1"),
        ({"startAt": 0, "total": 3, "d": ROWS}, "d", "the source says 'total': 3, but the run has read 1"),
        ({"hits": {"total": {"value": 3}, "hits": ROWS}}, "hits.hits", "the source says 'hits.total.value': 3"),
        ({"hits": {"total": 3, "hits": ROWS}}, "hits.hits", "the source says 'hits.total': 3"),
        ({"response": {"numFound": 3, "docs": ROWS}}, "response.docs", "the source says 'response.numFound': 3"),
        ({"totalRows": "3", "rows": ROWS}, "rows", "the source says 'totalRows': 3"),
        ({"timed_out": True, "d": ROWS}, "d", "the source says 'timed_out': true, so its records may be a part"),
        ({"d": ROWS, "offset": "itr/rec"}, "d", f"by 'offset' {MORE}"),
        ({"features": ROWS, "exceededTransferLimit": True}, "features", f"by 'exceededTransferLimit' {MORE}"),  # ArcGIS
        ({"result": {"records": ROWS, "records_truncated": True}}, "result.records", MORE),  # CKAN
        ({"results": ROWS, "paging": {"next": {"after": "1"}}}, "results", f"by 'paging.next' {MORE}"),  # HubSpot
        ({"records": ROWS, "done": False}, "records", f"by 'done' {MORE}"),  # Salesforce
        ({"issues": ROWS, "isLast": False}, "issues", f"by 'isLast' {MORE}"),  # Jira
        ({"_shards": {"total": 5, "failed": 2}, "hits": {"hits": ROWS}}, "hits.hits", "'_shards.failed': 2, so its"),
        ({"rows": ROWS, "rowCount": 50}, "rows", "the source says 'rowCount': 50"),  # Google Analytics
        ({"features": ROWS, "numberMatched": 50}, "features", "the source says 'numberMatched': 50"),  # OGC API
        ([{"page": 1, "per_page": "50", "total": 3}, ROWS], "[1]", "the source says '[0].total': 3"),  # World Bank
        ({"status": "success", "data": ROWS, "warnings": ["partial response"]}, "data", "reports warnings beside"),
        ({"d": ROWS, "totalCount": 3}, "d", "the source says 'totalCount': 3, but the run has read 1"),
        ({"d": ROWS, "links": [{"rel": "self"}, {"rel": "next", "href": "/2"}]}, "d", f"by 'links[rel=next]' {MORE}"),
        ({"link": [{"relation": "next", "url": "/2"}], "entry": ROWS}, "entry", f"by 'link[relation=next]' {MORE}"),
        ({"d": ROWS, "page": 1, "total_pages": 3}, "d", "the source says 'total_pages': 3, but the run has read 1"),
        (
            {"d": ROWS, "meta": {"current_page": 1, "last_page": 4}},
            "d",
            "the source says 'meta.last_page': 4",
        ),  # Laravel
        ({"count": 7, "results": ROWS}, "results", "the source says 'count': 7, and the run has read 1 records; if"),
        ({"total": 7, "items": ROWS}, "items", "the source says 'total': 7, and the run has read 1 records; if"),
        ({"d": {"results": ROWS, "__count": "7"}}, "d.results", "the source says 'd.__count': 7"),  # OData 2
        ({"Items": ROWS, "LastEvaluatedKey": {"a": {"N": "1"}}}, "Items", f"by 'LastEvaluatedKey' {MORE}"),  # DynamoDB
        ({"incidents": ROWS, "more": True}, "incidents", f"by 'more' {MORE}"),  # PagerDuty
        ({"value": ROWS, "@Microsoft.Dynamics.CRM.morerecords": True}, "value", MORE),
        (
            {"query": {"p": {"x": {"a": 1}}}, "continue": {"gap": "y"}},
            "query.p.*",
            f"by 'continue' {MORE}",
        ),  # MediaWiki
        ({"r": [{"series": ROWS, "partial": True}]}, "r[0].series", "the source says 'partial': true"),  # InfluxDB
        ({"columns": ["a"], "rows": [[1]], "cursor": "x", "has_more": True}, None, f"by 'has_more' {MORE}"),
        ({"d": {"a": [1], "b": [2]}, "next": "/2"}, "d", f"by 'next' {MORE}"),
        ({"d": ROWS, "total": 2, "limit": 1, "_links": {"next": "/x"}}, "d", f"by '_links.next' {MORE}"),  # CKAN
    ],
)
def test_an_answer_that_names_a_next_page_or_a_larger_count_is_a_note(answer: Any, path: str | None, text: str) -> None:
    notes = [note for note in parsed(json.dumps(answer), "json", records_path=path).notes if "joined" not in note]
    assert len(notes) == 1
    assert text in notes[0]


@pytest.mark.parametrize(
    ("answer", "path"),
    [
        ({"d": ROWS, "next": None, "has_more": False, "meta": {"total": 1}}, "d"),
        ({"d": ROWS, "next": "", "links": {"next": {"href": None}}}, "d"),
        ({"d": ROWS, "offset": "0", "limit": 100, "total": 1, "timed_out": False}, "d"),
        ({"d": ROWS, "total": 1, "limit": 100, "_links": {"next": "/x?offset=100"}}, "d"),  # CKAN
        ({"d": ROWS, "last": True, "done": True, "_shards": {"failed": 0}, "warnings": [], "rowCount": 1}, "d"),
        ([{"page": 1, "per_page": "50", "total": 1}, ROWS], "[1]"),
        ({"d": [{"a": 1000}, {"a": 200}], "total": 1200}, "d"),  # a sum of money
        ({"d": ROWS, "total": 1200.5, "count": 1}, "d"),
        ({"start": 0, "count": 50, "d": ROWS}, "d"),  # how many records a page may have
        ({"d": ROWS, "page": 1, "pages": 1, "totalPages": 1}, "d"),
        ({"pages": 300, "d": ROWS}, "d"),  # of a book
        ({"d": ROWS, "links": [{"rel": "self", "href": "/"}, {"rel": "next", "href": None}]}, "d"),
        ({"d": [{"a": 1, "next": "x", "has_more": True, "totalCount": 9}]}, "d"),  # fields of a record
        ({"d": {"x": {"a": 1, "next": "x"}}}, "d.*"),
        ({"d": {"a": 1, "next": "x"}}, "d"),
    ],
)
def test_an_answer_with_all_records_has_no_note(answer: Any, path: str) -> None:
    assert parsed(json.dumps(answer), "json", records_path=path).notes == []


def test_pages_that_have_fewer_records_than_the_source_counts_are_a_note() -> None:
    pages: list[dict[str, Any]] = [
        {"d": ROWS, "meta": {"total": 3}, "next": "x"},
        {"d": [{"a": 2}], "meta": {"total": 3}, "next": None},
    ]
    (note,) = parsed(json.dumps(pages), "json", records_path="d", paged=True).notes
    assert "'meta.total': 3, but the run has read 2" in note
    pages[1]["next"] = "y"  # a pagination whose path is another one
    (note,) = parsed(json.dumps(pages), "json", records_path="d", paged=True).notes
    assert f"by 'next' {MORE}" in note
    pages[1] |= {"meta": {"total": 2}, "next": None}
    assert parsed(json.dumps(pages), "json", records_path="d", paged=True).notes == []


@pytest.mark.parametrize(
    ("link", "notes"),
    [
        ('<?page=2>; rel="next"', 1),
        ('<?page=1>; rel="prev", <?page=1>; rel="first"', 0),
        ("<?page=2", 0),
    ],
)
async def test_a_link_header_with_a_next_page_is_a_note_of_a_source_without_pages(
    source: Source, link: str, notes: int
) -> None:
    source.answers["/a"] = [(200, {"link": link}, b"a,b\n1,2\n")]
    async with open_fetcher() as fetcher:
        data = await fetcher.fetch(api(source.url("/a"), file_type="csv"), TIMES)
    data.file.close()
    assert len(data.notes) == notes
    assert all('rel="next"' in note and "pagination" in note for note in data.notes)


@pytest.mark.parametrize("error", ['{"error": "stream aborted"}', '{"exception": "stream aborted"}'])
def test_json_lines_that_end_with_an_error_are_refused(error: str) -> None:
    assert "an error after its records, so they may be a part of the data: stream aborted" in refusal(
        f'{{"a": 1}}\n{{"a": 2}}\n{error}\n', "jsonl"
    )


@pytest.mark.parametrize(
    "lines", ['{"a": 1, "error": null}\n{"error": "late"}\n', '{"a": 1}\n{"b": "x"}\n', '{"a": 1}\n{}\n']
)
def test_json_lines_with_other_fields_in_the_last_record_are_read(lines: str) -> None:
    assert len(parsed(lines, "jsonl").frame) == 2


@pytest.mark.parametrize(
    ("fields", "wrapped"), [({"records_path": "d"}, {"d": ROWS}), ({}, ROWS)], ids=["below a path", "alone"]
)
async def test_a_page_that_is_an_error_is_shown(source: Source, fields: dict[str, Any], wrapped: Any) -> None:
    def answer(query: dict[str, str]) -> Answer:
        return 200, {}, json.dumps(wrapped if query["page"] == "1" else {"error": "too many requests"}).encode()

    source.pages["/a"] = answer
    async with open_fetcher() as fetcher:
        with pytest.raises(CannotFetch, match="page 2: the source reports an error instead of data: too many requests"):
            await fetcher.fetch(api(source.url("/a"), pagination={"type": "page", "param": "page"}, **fields), TIMES)


async def test_a_page_whose_records_are_null_is_the_last_one(source: Source) -> None:
    def answer(query: dict[str, str]) -> Answer:
        return 200, {}, json.dumps({"d": ROWS if query["page"] == "1" else None}).encode()

    source.pages["/a"] = answer
    pages = api(source.url("/a"), pagination={"type": "page", "param": "page"}, records_path="d")
    async with open_fetcher() as fetcher:
        data = await fetcher.fetch(pages, TIMES)
    with data.file:
        assert json.loads(data.file.read()) == [{"d": ROWS}]
    assert source.queries == ["page=1", "page=2"]


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        ({"x-next-page": "2"}, "the header 'x-next-page: 2': the data has more pages"),  # GitLab
        ({"x-ms-continuation": "t0k"}, "the header 'x-ms-continuation: t0k'"),
        ({"x-wp-totalpages": "3"}, "the header 'x-wp-totalpages: 3'"),
        ({"x-has-more": "true"}, "the header 'x-has-more: true'"),
        ({"x-pagination": '{"TotalCount": 1, "HasNext": true}'}, "the header 'x-pagination:"),
        ({"x-next-page": "", "x-total-pages": "1", "x-has-more": "false", "x-pagination": "{"}, None),
        ({"x-total-count": "319"}, "the headers of the answer count 319 records, but the run has read 1"),
        ({"content-range": "items 0-0/319"}, "count 319 records"),
        ({"content-range": "0-0/319"}, "count 319 records"),  # PostgREST
        ({"x-pagination": '{"totalCount": 319}'}, "count 319 records"),
        ({"x-total-count": "1", "content-range": "bytes 0-7/319"}, None),
        ({"content-range": "bytes 0-7/319"}, None),
        ({"x-total-count": "many", "content-range": "items 0-0/*"}, None),
    ],
)
async def test_headers_that_name_more_records_are_a_note(
    source: Source, headers: dict[str, str], text: str | None
) -> None:
    source.answers["/a"] = [(200, headers, b"a,b\n1,2\n")]
    one = api(source.url("/a"), file_type="csv")
    async with open_fetcher() as fetcher:
        data = await fetcher.fetch(one, TIMES)
    with data.file, data.file.view() as view:
        notes = data.notes + parse_input(view, read_options(one, data)).notes
    assert len(notes) == (text is not None)
    assert text is None or text in notes[0]


async def test_the_headers_of_pages_count_the_records_of_all(source: Source) -> None:
    def answer(query: dict[str, str]) -> Answer:
        rows = [] if query["page"] == "3" else [{"a": query["page"]}]
        return 200, {"x-total-count": "2", "x-next-page": "9"}, json.dumps(rows).encode()

    source.pages["/a"] = answer
    pages = api(source.url("/a"), pagination={"type": "page"})
    async with open_fetcher() as fetcher:
        data = await fetcher.fetch(pages, TIMES)
    with data.file, data.file.view() as view:
        table = parse_input(view, read_options(pages, data))
    assert len(table.frame) == data.total_records == 2
    assert data.notes + table.notes == []


OUTCOME = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "error", "code": "x", "diagnostics": "no such code"}],
}


@pytest.mark.parametrize("path", [None, "entry"])
def test_an_outcome_of_fhir_in_place_of_records_is_shown(path: str | None) -> None:
    assert "an error instead of data: no such code" in refusal(json.dumps(OUTCOME), "json", records_path=path)


def test_an_outcome_of_fhir_among_records_is_an_error_or_a_note() -> None:
    def bundle(severity: str) -> str:
        issue = {"severity": severity, "details": {"text": "code was ignored"}}
        entries = [{"resource": {"id": "1"}}, {"resource": OUTCOME | {"issue": [issue]}}]
        return json.dumps({"resourceType": "Bundle", "entry": entries})

    assert "reports an error in record 2: code was ignored" in refusal(bundle("error"), "json", records_path="entry")
    notes = parsed(bundle("warning"), "json", records_path="entry").notes
    assert "record 2 is a message of the source, and no data: code was ignored" in notes
