"""Detects from the headers of a response that there are more records than in its body."""

import json
import re
from typing import Any

import httpx

#: How many records there are in all: of json-server, GitLab, WordPress and others.
_TOTALS = ("x-total-count", "x-total", "x-wp-total", "x-pagination-total-count", "x-total-records", "total-count")
#: How many pages there are.
_PAGES = ("x-total-pages", "x-wp-totalpages", "x-pagination-page-count", "x-page-count")
#: The number or the token of the next page; empty on the last one.
_NEXT = ("x-next-page", "x-next-cursor", "x-next-token", "next-cursor", "x-continuation-token", "x-ms-continuation")
_MORE = ("x-has-more", "x-has-next-page")
#: The records of a part, and how many there are (RFC 9110, section 14.4); PostgREST names no unit.
_RANGE = re.compile(r"(?!bytes)(?:[a-z]+ )?[0-9]+-[0-9]+/([0-9]{1,18})", re.IGNORECASE)


def total_of(headers: httpx.Headers) -> int | None:
    """Return how many records the headers of an answer count in all; None if they do not."""
    for name in _TOTALS:
        if (count := _number(headers.get(name))) is not None:
            return count
    if (found := _RANGE.fullmatch(headers.get("content-range", "").strip())) is not None:
        return int(found[1])
    count = _about_pages(headers).get("totalcount")
    return count if type(count) is int else None


def next_page_in(headers: httpx.Headers) -> str | None:
    """Return the header that names a next page of the data; None if there is none. `Link` is not among them."""
    for name in _NEXT:
        if headers.get(name, "").strip() not in {"", "null", "0"}:
            return f"{name}: {headers[name]}"
    for name in _MORE:
        if headers.get(name, "").strip().lower() in {"true", "1"}:
            return f"{name}: {headers[name]}"
    for name in _PAGES:
        if (_number(headers.get(name)) or 0) > 1:
            return f"{name}: {headers[name]}"
    about = _about_pages(headers)
    has_next = about.get("hasnext") is True or (type(pages := about.get("totalpages")) is int and pages > 1)
    return f"x-pagination: {headers['x-pagination']}" if has_next else None


def _number(text: str | None) -> int | None:
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


def _about_pages(headers: httpx.Headers) -> dict[str, Any]:
    """Return the JSON of `X-Pagination`, as ASP.NET services send it, with its names in small letters."""
    try:
        found = json.loads(headers.get("x-pagination", ""))
    except (ValueError, RecursionError):
        return {}
    return {name.casefold(): value for name, value in found.items()} if isinstance(found, dict) else {}
