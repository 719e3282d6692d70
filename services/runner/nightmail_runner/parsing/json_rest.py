"""The metadata in a JSON response about further records: the rows are the first page of several."""

import json
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from nightmail_runner.parsing.error_text import shorten

#: The names of the next page, and of an answer that is cut, as large APIs write them, without case, `_` and `-`.
_NEXT = frozenset({"next", "nextpage", "nexturl", "nextlink", "nextcursor", "nexttoken", "nextpagetoken", "nextpageurl"}) | {
    "nextpageuri", "nextrecordsurl", "@odata.nextlink", "continuationtoken", "nextcontinuationtoken", "pagetoken",
    "nextmarker", "nextoffset", "nextstart", "nextpagestart", "nextkey", "nextpagekey", "nextpageid", "nextresults",
    "lastevaluatedkey", "continue",
}  # fmt: skip
_MORE = frozenset({"hasmore", "hasnext", "hasnextpage", "hasmorepages", "istruncated", "truncated", "morerecords"}) | {
    "recordstruncated", "exceededtransferlimit", "more", "hasmoreitems", "hasmoreresults", "moreitemsincollection",
    "@microsoft.dynamics.crm.morerecords",
}  # fmt: skip
#: Fields that are false unless the page is the last one.
_LAST = frozenset({"islast", "islastpage", "last", "done", "jobcomplete"})
#: Where a link to the next page has it.
_IN_LINK = ("href", "url", "link", "after", "cursor", "token")
#: What a list of links calls what each of them is for.
_RELATION = ("rel", "relation")
#: Fields that mark the result of a search as incomplete.
_PARTIAL = frozenset({"timedout", "partial", "ispartial", "partialresults", "incompleteresults"})
_TOTAL = frozenset({"totalcount", "totalresults", "totalrecords", "totalitems", "totalelements", "totalrows", "totalsize"}) | {
    "@odata.count", "numfound", "rowcount", "recordsfiltered", "nbhits", "totalhits", "totalfeatures", "numbermatched",
    "opensearch:totalresults", "nhits", "itemcount",
}  # fmt: skip
#: How many pages there are; the second ones beside the number of this page only, as a book has pages, too.
_PAGES, _PAGES_BESIDE = (
    frozenset({"totalpages", "pagecount", "pagestotal"}),
    frozenset({"pages", "lastpage", "numpages"}),
)
_PAGE_NUMBER = frozenset({"page", "currentpage", "pagenumber", "pageno", "pageindex"})
#: Where a mere `total` counts records: in such an object, or beside such a name. Elsewhere it can be a sum of money.
_ABOUT_PAGES = frozenset({"meta", "metadata", "page", "pageinfo", "pages", "paging", "pagination", "hits"})
_PAGE_NAMES = frozenset({"startat", "maxresults", "offset", "limit", "skip", "perpage", "pagesize"})
#: Beside these a `count` can be how many records a page may have.
_START_NAMES = frozenset({"start", "startindex", "page"})
#: Deeper than any answer has its records.
_DEEPEST = 8
#: A longer list has records.
_MOST_LINKS = 20


def note_missing_records(
    document: Any,
    records: Sequence[Any],
    passed: Sequence[Any],
    notes: list[str],
    *,
    keyed: bool = False,
    pages: int = 1,
) -> None:
    """Add a note if an answer names a next page, says that it is a part, or counts more records or pages than were read.

    Args:
        document: the answer, or the last of several.
        records: those of all answers.
        passed: the values on the way from the document to its records.
        keyed: the last of these is an object, whose values are the records.
        pages: how many answers there are.
    """
    records_at = passed[-1] if keyed else None
    named = [one for place in (document, *_in_lists(passed)) for one in _named_values(place, records_at)]
    named = list(_without_links_of_last_page(named, len(records)))
    for path, name, value in named:
        if name in _PARTIAL and (value is True or _count(value) > 0):
            notes.append(f"the source says {path!r}: {json.dumps(value)}, so its records may be a part of the data")
            return
        if (
            (name in _NEXT and _is_named(name, value))
            or (name in _MORE and value is True)
            or (name in _LAST and value is False)
        ):
            notes.append(
                f"the source says by {path!r} that it has more records, which are missing from the rows; pagination can read all"
                " pages"
            )
            return
    for path, name, value in named:
        if name in _TOTAL and _count(value) > len(records):
            notes.append(
                f"the source says {path!r}: {value}, but the run has read {len(records)} of them; the others are missing"
            )
            return
        if name in _PAGES and _count(value) > pages:
            notes.append(
                f"the source says {path!r}: {value}, but the run has read {pages} of them; the records of the others are missing"
            )
            return
    if passed and isinstance(passed[-1], dict) and not keyed:
        _note_total_beside(passed[-1], records, notes)


def _without_links_of_last_page(named: Sequence[tuple[str, str, Any]], records: int) -> Iterator[tuple[str, str, Any]]:
    """Leave out the link to a next page of an answer that counts no more records than were read: CKAN always has it."""
    totals = {f".{path}".removesuffix(".total"): value for path, name, value in named if name == "totalcount"}
    for path, name, value in named:
        total = totals.get(f".{path}".removesuffix("._links.next"))
        if not (f".{path}".endswith("._links.next") and type(total) is int and total <= records):
            yield path, name, value


def _in_lists(passed: Sequence[Any]) -> Iterator[Any]:
    """Yield the objects on the way to the records that stand in lists."""
    for outer, inner in pairwise(passed):
        if isinstance(outer, list):
            yield inner


def _note_total_beside(beside: dict[str, Any], records: Sequence[Any], notes: list[str]) -> None:
    """Add a note if a `total` or `count` beside the list of records is larger than that, and no sum of a column."""
    if (_PAGE_NAMES | _START_NAMES).intersection(map(_plain, beside)):
        return
    for key, value in beside.items():
        if _plain(key) in {"total", "count"} and _count(value) > len(records) and not _is_sum(_count(value), records):
            notes.append(
                f"the source says {shorten(key)!r}: {value}, and the run has read {len(records)} records; if it counts them, the"
                " others are missing"
            )
            return


def _is_sum(total: int, records: Sequence[Any]) -> bool:
    """Return whether a number is the sum of a column."""
    rows = [record for record in records if isinstance(record, dict)]
    names = {name for row in rows for name in row}
    values = ([row.get(name) for row in rows] for name in names)
    return any(
        sum(value for value in column if isinstance(value, int | float)) == total for column in values if any(column)
    )


def _named_values(found: Any, records_at: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, str, Any]]:
    """Yield paths, names and values of an object and the objects in it; what lists have in them are records.

    If the records are in an inner list, their metadata is in the outer one (World Bank).

    Args:
        records_at: an object whose values are records, too.
    """
    if depth > _DEEPEST or (records_at is not None and found is records_at):
        return
    if isinstance(found, list) and depth == 0 and any(isinstance(part, list) for part in found):
        for number, part in enumerate(found):
            if isinstance(part, dict):
                yield from _named_values(part, records_at, f"[{number}]", 1)
    if not isinstance(found, dict):
        return
    place = _plain(path.rpartition(".")[2])
    for key, value in found.items():
        name = _plain(key)
        is_count = name == "total" and (place in _ABOUT_PAGES or not _PAGE_NAMES.isdisjoint(map(_plain, found)))
        if is_count or (place == "total" and name == "value") or key == "__count":  # the last of OData 2
            name = "totalcount"
        elif name in _PAGES_BESIDE and not _PAGE_NUMBER.isdisjoint(map(_plain, found)):
            name = "totalpages"
        elif place == "shards" and name == "failed":  # of Elasticsearch
            name = "partial"
        elif name == "offset" and isinstance(value, str) and not value.isdecimal():
            name = "nextpagetoken"
        yield shorten(f"{path}.{key}".removeprefix(".")), name, value
        if isinstance(value, list) and (link := _next_of(value)) is not None:
            yield shorten(f"{path}.{key}[{link[0]}=next]".removeprefix(".")), "next", link[1]
        yield from _named_values(value, records_at, f"{path}.{key}".removeprefix("."), depth + 1)


def _next_of(links: list[Any]) -> tuple[str, Any] | None:
    """Return the link to the next page of a list of links, and the key of its relation; None if there is none."""
    for link in links[:_MOST_LINKS]:
        if isinstance(link, dict):
            for key in _RELATION:
                if link.get(key) in ("next", ["next"]):
                    return key, link
    return None


def _plain(key: str) -> str:
    return key.casefold().replace("_", "").replace("-", "")


def _is_named(name: str, value: Any) -> bool:
    """Return whether a value names a next page: a URL, a token or a number of it, or a link with `href`."""
    # Several parameters, of DynamoDB and of MediaWiki.
    if isinstance(value, dict) and name in {"lastevaluatedkey", "continue"}:
        return bool(value)
    if isinstance(value, dict):
        return any(value.get(key) for key in _IN_LINK)
    return isinstance(value, str | int) and not isinstance(value, bool) and bool(value)


def _count(value: Any) -> int:
    """Return a number of records; 0 of what is none."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20:
        return int(value)
    return value if type(value) is int else 0
