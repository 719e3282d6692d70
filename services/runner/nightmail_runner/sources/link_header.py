"""The `Link` header of an answer (RFC 8288), of which httpx reads the simple forms only.

`httpx.Response.links` cuts a URL at a semicolon, and ends a link at a second `=` (https://github.com/encode/httpx, `_utils.py`).
"""

import re

import httpx

from nightmail_runner.sources.errors import CannotFetch

_TARGET = re.compile(r"[\s,]*<([^>]*)>")
_PARAMETER = re.compile(
    r"""\s*;\s*(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*)))?)?""", re.DOTALL
)
_REST = re.compile(r"[\s,]*\Z")
_NEXT = re.compile(r"\s*(?:,|\Z)")


def next_link(headers: httpx.Headers) -> str | None:
    """Return the target of the first link whose relation types (section 3.3, several by spaces) have `next`; None if none has.

    Raises:
        CannotFetch: the header is not one, so that a page after this one could be lost.
    """
    header = headers.get("link", "")
    position = 0
    while not _REST.match(header, position):
        target = _TARGET.match(header, position)
        if target is None:
            raise _unreadable()
        position = target.end()
        relations = None
        while parameter := _PARAMETER.match(header, position):
            position = parameter.end()
            if relations is None and (parameter[1] or "").lower() == "rel":  # a second one does not count (3.3)
                relations = re.sub(r"\\(.)", r"\1", parameter[2]) if parameter[2] is not None else parameter[3] or ""
        if (end := _NEXT.match(header, position)) is None:
            raise _unreadable()
        position = end.end()
        if "next" in (relations or "").lower().split():
            return target[1].strip()
    return None


def _unreadable() -> CannotFetch:
    return CannotFetch("its Link header is not one (RFC 8288), so it may name a next page that would be lost")
