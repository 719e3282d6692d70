"""How a source of type `api` names its next page. The log stores these models as they are."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import BaseModel, Field

from nightmail_common.contract.http_source import Body, Parameter
from nightmail_common.contract.limits import DEFAULT_MAX_PAGES, MAX_PAGES
from nightmail_common.contract.source_templates import check_templates
from nightmail_common.contract.source_types import FileType

_Name = Annotated[str, Field(min_length=1, max_length=256)]


class _Pagination(BaseModel, frozen=True):
    """A source with more pages than `max_pages` is an error, never cut."""

    max_pages: Annotated[int, Field(ge=1, le=MAX_PAGES)] = DEFAULT_MAX_PAGES


class LinkPagination(_Pagination):
    """The answer's `Link` header has the next page's URL, with `rel="next"` (RFC 8288)."""

    type: Literal["link"]


class NextUrlPagination(_Pagination):
    """The page has the next page's URL at `path`; the last page has null, nothing, or an empty text there."""

    type: Literal["next_url"]
    path: _Name


class CursorPagination(_Pagination):
    """The page has a cursor at `path`, which the next request sends as the parameter `param`; the last page has none."""

    type: Literal["cursor"]
    path: _Name
    param: _Name = "cursor"


class PagePagination(_Pagination):
    """The parameter `param` counts pages from `start`, until a page has no records."""

    type: Literal["page"]
    param: _Name = "page"
    start: Annotated[int, Field(ge=0, le=1_000_000)] = 1


class OffsetPagination(_Pagination):
    """The parameter `param` is the number of records so far, from `start`, until a page has no records."""

    type: Literal["offset"]
    param: _Name = "offset"
    start: Annotated[int, Field(ge=0, le=1_000_000)] = 0


Pagination = Annotated[
    LinkPagination | NextUrlPagination | CursorPagination | PagePagination | OffsetPagination,
    Field(discriminator="type"),
]

#: The forms that a file type allows: only JSON has paths, and the records of CSV are not counted.
_FORMS_OF: dict[FileType, tuple[str, ...]] = {
    "json": ("link", "next_url", "cursor", "page", "offset"),
    "jsonl": ("link", "page", "offset"),
    "csv": ("link", "page"),
    "tsv": ("link", "page"),
}


def check_pagination(pagination: Pagination, file_type: FileType) -> None:
    """Check that pages of a file type can be found and joined.

    Raises:
        ValueError: they cannot; the message names the forms that go with the file type.
    """
    forms = _FORMS_OF.get(file_type, ())
    if pagination.type not in forms:
        allowed = f"goes with {', '.join(map(repr, forms))} only" if forms else "has no pages"
        raise ValueError(f"file_type {file_type!r} {allowed}")


def check_first_page(pagination: Pagination, location: str, params: Mapping[str, Parameter], body: Body | None) -> None:
    """Check that nothing else than `pagination` says where its pages begin, and that its texts have no templates.

    Raises:
        ValueError: a parameter of the source has another value than `start`, which would be sent in its place.
    """
    for text in (getattr(pagination, "path", ""), getattr(pagination, "param", "")):
        check_templates(text)
    if not isinstance(pagination, PagePagination | OffsetPagination):
        return
    name, start = pagination.param, pagination.start
    said: list[Any] = [value for key, value in parse_qsl(urlsplit(location).query) if key == name]
    said += [params[name]] if name in params else []
    said += [body[name]] if isinstance(body, dict) and body.get(name) is not None else []
    for value in said:
        if str(value) != str(start):
            raise ValueError(
                f"the source sets {name!r} to {value!r:.80}, but its pages begin at start {start}; remove it, or set pagination.start"
            )
