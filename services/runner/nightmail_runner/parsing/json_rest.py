"""What an answer in JSON says beside its records about more of them: the rows are the first page of several."""

import json
from collections.abc import Iterator
from typing import Any

from nightmail_runner.parsing.error_text import shorten

#: The names of the next page, and of an answer that is cut, as large APIs write them, without case, `_` and `-`.
_NEXT = frozenset({"next", "nextpage", "nexturl", "nextlink", "nextcursor", "nexttoken", "nextpagetoken", "nextpageurl"}) | {
    "nextpageuri", "nextrecordsurl", "@odata.nextlink", "continuationtoken", "nextcontinuationtoken", "pagetoken",
}  # fmt: skip
_MORE = frozenset({"hasmore", "hasnext", "hasnextpage", "hasmorepages", "istruncated", "truncated", "morerecords"}) | {
    "recordstruncated", "exceededtransferlimit",
}  # fmt: skip
#: What a page says that is not the last one.
_LAST = frozenset({"islast", "islastpage", "last", "done", "jobcomplete"})
#: Where a link to the next page has it.
_IN_LINK = ("href", "url", "link", "after", "cursor", "token")
#: What a search says that was cut off.
_PARTIAL = frozenset({"timedout", "partial", "ispartial", "partialresults", "incompleteresults"})
_TOTAL = frozenset({"totalcount", "totalresults", "totalrecords", "totalitems", "totalelements", "totalrows", "totalsize"}) | {
    "@odata.count", "numfound", "rowcount", "recordsfiltered", "nbhits", "totalhits", "totalfeatures", "numbermatched",
    "opensearch:totalresults",
}  # fmt: skip
#: Where a mere `total` counts records: in such an object, or beside such a name. Elsewhere it can be a sum of money.
_ABOUT_PAGES = frozenset({"meta", "metadata", "page", "pageinfo", "pages", "paging", "pagination", "hits"})
_PAGE_NAMES = frozenset({"startat", "maxresults", "offset", "limit", "skip", "perpage", "pagesize"})
#: Deeper than any answer has its records.
_DEEPEST = 8


def note_missing_records(document: Any, records: int, notes: list[str]) -> None:
    """Add a note if an answer names a next page, says that it is a part, or counts more records than it has."""
    for path, name, value in _named_values(document):
        if name in _PARTIAL and (value is True or _count(value) > 0):
            notes.append(f"the source says {path!r}: {json.dumps(value)}, so its records may be a part of the data")
            return
        if (
            (name in _NEXT and _is_named(value))
            or (name in _MORE and value is True)
            or (name in _LAST and value is False)
        ):
            notes.append(
                f"the source says by {path!r} that it has more records, which are missing from the rows; pagination can read all"
                " pages"
            )
            return
    for path, name, value in _named_values(document):
        if name in _TOTAL and _count(value) > records:
            notes.append(
                f"the source says {path!r}: {value}, but the run has read {records} of them; the others are missing"
            )
            return


def _named_values(found: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, str, Any]]:
    """Yield paths, names and values of an object and the objects in it; what lists have in them are records.

    A list that has the records in an inner list has what is said of them beside it (World Bank).
    """
    if depth > _DEEPEST:
        return
    if isinstance(found, list) and depth == 0 and any(isinstance(part, list) for part in found):
        for number, part in enumerate(found):
            if isinstance(part, dict):
                yield from _named_values(part, f"[{number}]", 1)
    if not isinstance(found, dict):
        return
    place = _plain(path.rpartition(".")[2])
    for key, value in found.items():
        name = _plain(key)
        is_count = name == "total" and (place in _ABOUT_PAGES or not _PAGE_NAMES.isdisjoint(map(_plain, found)))
        if is_count or (place == "total" and name == "value"):
            name = "totalcount"
        elif place == "shards" and name == "failed":  # of Elasticsearch
            name = "partial"
        elif name == "offset" and isinstance(value, str) and not value.isdecimal():
            name = "nextpagetoken"
        yield shorten(f"{path}.{key}".removeprefix(".")), name, value
        yield from _named_values(value, f"{path}.{key}".removeprefix("."), depth + 1)


def _plain(key: str) -> str:
    return key.casefold().replace("_", "").replace("-", "")


def _is_named(value: Any) -> bool:
    """Say whether a value names a next page: a URL, a token or a number of it, or a link with `href`."""
    if isinstance(value, dict):
        return any(value.get(key) for key in _IN_LINK)
    return isinstance(value, str | int) and not isinstance(value, bool) and bool(value)


def _count(value: Any) -> int:
    """Return a number of records; 0 of what is none."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20:
        return int(value)
    return value if type(value) is int else 0
