"""What an answer in JSON says beside its records about more of them: the rows are the first page of several."""

from collections.abc import Iterator
from typing import Any

#: The names of the next page, and of an answer that is cut, as large APIs write them, without case, `_` and `-`.
_NEXT = frozenset({"next", "nextpage", "nexturl", "nextlink", "nextcursor", "nexttoken", "nextpagetoken", "nextpageurl"}) | {
    "nextpageuri", "nextrecordsurl", "@odata.nextlink", "continuationtoken", "nextcontinuationtoken",
}  # fmt: skip
_MORE = frozenset({"hasmore", "hasnext", "hasnextpage", "hasmorepages", "istruncated", "truncated", "morerecords"})
_TOTAL = frozenset({"totalcount", "totalresults", "totalrecords", "totalitems", "totalelements", "@odata.count"})
#: Objects in which a mere `total` counts records; elsewhere it can be a sum of money.
_ABOUT_PAGES = frozenset({"meta", "metadata", "page", "pageinfo", "pages", "paging", "pagination"})
#: Deeper than any answer has its records.
_DEEPEST = 8


def note_missing_records(document: Any, records: int, notes: list[str]) -> None:
    """Add a note if an answer names a next page, or counts more records than it has."""
    for path, name, value in _named_values(document):
        if (name in _NEXT and _is_named(value)) or (name in _MORE and value is True):
            notes.append(
                f"the source says by {path!r} that it has more records, which are missing from the rows; pagination can read all"
                " pages"
            )
            return
    note_smaller_count(document, records, notes)


def note_smaller_count(document: Any, records: int, notes: list[str]) -> None:
    """Add a note if an answer counts more records than were read."""
    for path, name, value in _named_values(document):
        if name in _TOTAL and type(value) is int and value > records:
            notes.append(f"the source says {path!r}: {value}, but {records} records were read; the others are missing")
            return


def _named_values(found: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, str, Any]]:
    """Yield paths, names and values of an object and the objects in it; what lists have in them are records."""
    if not isinstance(found, dict) or depth > _DEEPEST:
        return
    place = _plain(path.rpartition(".")[2])
    for key, value in found.items():
        name = "totalcount" if (plain := _plain(key)) == "total" and place in _ABOUT_PAGES else plain
        yield f"{path}.{key}".removeprefix("."), name, value
        yield from _named_values(value, f"{path}.{key}".removeprefix("."), depth + 1)


def _plain(key: str) -> str:
    return key.casefold().replace("_", "").replace("-", "")


def _is_named(value: Any) -> bool:
    """Say whether a value names a next page: a URL, a token or a number of it, or a link with `href`."""
    if isinstance(value, dict):
        return bool(value.get("href"))
    return isinstance(value, str | int) and not isinstance(value, bool) and bool(value)
