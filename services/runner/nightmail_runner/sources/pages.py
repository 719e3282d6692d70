"""Requests one page of a source after the other, until the source has no more."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from urllib.parse import unquote_plus, urlencode, urlsplit, urlunsplit

import httpx
import structlog

from nightmail_common.contract.job import DataSource
from nightmail_common.contract.limits import MAX_PAGE_BYTES
from nightmail_common.contract.pagination import (
    CursorPagination,
    LinkPagination,
    NextUrlPagination,
    OffsetPagination,
    PagePagination,
    Pagination,
)
from nightmail_runner.parsing.json_path import PathMissing, follow
from nightmail_runner.parsing.options import InputNotReadable
from nightmail_runner.sources.download import Answer, SmallBody, Write
from nightmail_runner.sources.errors import CannotFetch, SourceRefused
from nightmail_runner.sources.input import Input
from nightmail_runner.sources.link_header import next_link
from nightmail_runner.sources.page_joining import SourcePage, page_joiner
from nightmail_runner.sources.redirects import SourceRequest
from nightmail_runner.sources.repeated_records import RepeatedRecords

Send = Callable[[SourceRequest, Callable[[], Write]], Awaitable[Answer]]

logger = structlog.get_logger()


class _NoSuchPage(CannotFetch):
    """The source answered 404, as many servers do behind the last page."""


async def read_pages(
    source: DataSource, pagination: Pagination, request: SourceRequest, send: Send, data: Input
) -> None:
    """Write all pages of a source to `data`, joined.

    Raises:
        CannotFetch: a page cannot be fetched or joined, repeats an earlier one, or there are more than `max_pages`.
    """
    assert source.file_type is not None  # pages are those of an API
    joiner = page_joiner(source.file_type, source.records_path, data)
    digests: set[bytes] = set()
    asked: set[tuple[str, bytes | None]] = set()
    repeated = RepeatedRecords()
    current: SourceRequest | None = _first(pagination, request)
    number = records = 0
    while current is not None:
        if number == pagination.max_pages:
            raise CannotFetch(f"the source has more than {number} pages; pagination.max_pages can allow more")
        number += 1
        if (current.url, current.body) in asked:
            raise CannotFetch(f"page {number} has the URL of an earlier page")
        asked.add((current.url, current.body))
        try:
            answer, page = await _read_page(current, number, send, joiner.add)
        except _NoSuchPage as error:
            if number == 1 or not isinstance(pagination, PagePagination | OffsetPagination):
                raise
            data.add_note(f"{error}, which was taken for the end of the pages")
            break
        if page.records and page.digest in digests:
            raise CannotFetch(f"page {number} has the same records as an earlier page")
        digests.add(page.digest)
        repeated.add(page.record_digests)
        records += page.records
        _keep_notes(answer, number, data)
        current = _next(pagination, current, answer, page, number, records, data.add_note)
    joiner.end()
    repeated.note(data.add_note)
    logger.info("pages_read", pages=number)


async def _read_page(
    request: SourceRequest, number: int, send: Send, add: Callable[[bytes], SourcePage]
) -> tuple[Answer, SourcePage]:
    body = SmallBody(MAX_PAGE_BYTES, f"a page is larger than {MAX_PAGE_BYTES} bytes; ask for fewer records at a time")
    try:
        answer = await send(request, body.begin)
        return answer, add(bytes(body.data))
    except CannotFetch as error:
        is_missing = isinstance(error, SourceRefused) and error.status == httpx.codes.NOT_FOUND
        raise (_NoSuchPage if is_missing else CannotFetch)(f"page {number}: {error}") from None


def _keep_notes(answer: Answer, number: int, data: Input) -> None:
    if number > 1 and answer.charset != data.charset:
        raise CannotFetch(f"page {number} has the charset {answer.charset}, the first page has {data.charset}")
    data.charset = answer.charset
    data.add_count(answer.headers)
    for note in answer.notes:
        data.add_note(note)


def _first(pagination: Pagination, request: SourceRequest) -> SourceRequest:
    if isinstance(pagination, PagePagination | OffsetPagination):
        return _with_parameter(request, pagination.param, pagination.start)
    return request


def _next(
    pagination: Pagination,
    request: SourceRequest,
    answer: Answer,
    page: SourcePage,
    number: int,
    records: int,
    add_note: Callable[[str], None],
) -> SourceRequest | None:
    """Return the request of the next page, or None after the last one.

    Args:
        records: of all pages so far.
    """
    match pagination:
        case LinkPagination():
            url = _next_link(answer, number)
            if url is None and number == 1:
                add_note('the first page has no Link header with rel="next": it is the only page')
            return None if url is None else _with_url(request, answer, url)
        case NextUrlPagination():
            found = _at(pagination.path, page, number, add_note)
            return None if found is None else _with_url(request, answer, str(found))
        case CursorPagination():
            found = _at(pagination.path, page, number, add_note)
            if found in {0, "0"}:  # the cursor of the first page
                add_note(f"page {number} names the cursor 0, which was taken for the end of the pages")
                return None
            return None if found is None else _with_parameter(request, pagination.param, found)
        case PagePagination():
            counted = pagination.start + number
        case OffsetPagination():
            counted = pagination.start + records
    return _with_parameter(request, pagination.param, counted) if page.records else None


def _at(path: str, page: SourcePage, number: int, add_note: Callable[[str], None]) -> str | int | None:
    """Return the text or number at a path of a page; None if there is none, which is a note about the first page."""
    try:
        found = follow(page.document, path)
    except PathMissing:
        if number == 1:
            add_note(f"the first page has no {path!r}: it is the only page")
        return None
    except InputNotReadable as error:
        raise CannotFetch(str(error).replace("records_path", "pagination.path", 1)) from None
    if found is None or found is False or found == "":
        return None
    if isinstance(found, bool) or not isinstance(found, str | int):
        raise CannotFetch(f"page {number}: {path!r} is not a text or a number")
    return found


def _next_link(answer: Answer, number: int) -> str | None:
    try:
        return next_link(answer.headers)
    except CannotFetch as error:
        raise CannotFetch(f"page {number}: {error}") from None


def _with_parameter(request: SourceRequest, name: str, value: str | int) -> SourceRequest:
    """Return the request with one parameter set: in its body if that has it, else in its query.

    The other parameters of the query stay as they are written: a URL can be signed.
    """
    if (body := _with_value(request.body, name, value)) is not None:
        return replace(request, body=body)
    url = urlsplit(request.url)
    others = [part for part in url.query.split("&") if part and unquote_plus(part.partition("=")[0]) != name]
    query = "&".join([*others, urlencode({name: value})])
    return replace(request, url=urlunsplit(url._replace(query=query)))


def _with_value(body: bytes | None, path: str, value: str | int) -> bytes | None:
    """Return the JSON of a body with another value at a path; None if the body does not have it."""
    try:
        document = json.loads(body or b"")
    except (ValueError, RecursionError):
        return None
    found = document
    *outer, last = [path] if isinstance(document, dict) and path in document else path.split(".")
    for name in outer:
        found = found.get(name) if isinstance(found, dict) else None
    if not isinstance(found, dict) or last not in found:
        return None
    found[last] = str(value) if isinstance(found[last], str) else value
    return json.dumps(document).encode()


def _with_url(request: SourceRequest, answer: Answer, url: str) -> SourceRequest:
    """Return the request of a URL that a page names; the headers stay with the origin of the first request."""
    try:
        joined = answer.url.join(url)
    except httpx.InvalidURL:
        raise CannotFetch("the URL of the next page is not valid") from None
    if joined.scheme not in {"http", "https"} or not joined.host or joined.userinfo:
        raise CannotFetch("the URL of the next page is not an http:// or https:// URL without a user")
    return replace(request, url=str(joined), origin=request.origin or request.url)
