"""Text that a program has read in a wrong encoding and written in UTF-8: it comes as it is, and a note says so."""

import re
from collections.abc import Iterable
from itertools import islice

#: UTF-8 that was read as cp1252 or ISO 8859-1 and written as UTF-8 once more, as `Ã¼` for `ü`, `Â°` for `°`, `â€™` for an apostrophe and
#: `Ð¿Ñ€` for Cyrillic; or the same in escapes of JSON. `Ã»` and `Ã”` can be a capital before a quote that closes, as Portuguese has it.
_TWICE_ENCODED = re.compile(
    rb"\xc3(?:\x83(?:\xc2[\x80-\xaa\xac-\xba\xbc-\xbf]|\xc5[\x93\xb8]|\xe2(?:\x80[\x9e\xb0]|\x82\xac))|\x82\xc2[\xa0-\xaa\xac-\xba\xbc-\xbf]"
    rb"|\xa2(?:\xe2(?:\x82\xac|\x80\x9a\xc2\xac)|\xc2[\x80-\x9f])"
    rb"|\x90(?:\xc2[\x80-\xbf]|[\xc5\xc6\xcb].|\xe2..)\xc3[\x90\x91](?:\xc2[\x80-\xbf]|[\xc5\xc6\xcb].|\xe2..))"
    rb"|\\u00[cC]3\\u00[89abAB]|\\u00[eE]2\\u(?:20[aA][cC]|201[aA]\\u00[aA][cC]|0080)"
)
#: One of these is in such text, and they are found at once.
_BEGINS = (
    b"\xc3\x83", b"\xc3\x82", b"\xc3\xa2\xe2", b"\xc3\xa2\xc2", b"\xc3\x90", b"\\u00c3\\", b"\\u00C3\\", b"\\u00e2\\", b"\\u00E2\\",
)  # fmt: skip
#: A program encodes all of its text twice: the first part of a large file shows it.
_HEAD_BYTES, _SHOWN_BYTES = 4 * 1024**2, 20
#: So many first values of a column are judged.
JUDGED_TEXTS = 1000
_LINE_END = b"\n"


def note_twice_encoded(text: memoryview, notes: list[str]) -> None:
    """Add a note if a file of text has such a word.

    Args:
        text: in UTF-8.
    """
    head = bytes(text[:_HEAD_BYTES])
    if (found := _find(head)) is not None:
        start, word = found
        notes.append(_describe(f"line {head[:start].count(_LINE_END) + 1}", word))


def note_twice_encoded_values(name: str, values: Iterable[object], notes: list[str]) -> None:
    """Add a note if a column has such a word among its texts."""
    texts = (value for value in values if isinstance(value, str))
    if (found := _find("\n".join(islice(texts, JUDGED_TEXTS)).encode(errors="replace"))) is not None:
        notes.append(_describe(f"the column {name!r}", found[1]))


def _find(data: bytes) -> tuple[int, str] | None:
    """Return where such characters begin, and the word that they stand in."""
    if data.isascii() and b"\\" not in data:  # neither such characters nor JSON's escapes
        return None
    if not any(part in data for part in _BEGINS) or (found := _TWICE_ENCODED.search(data)) is None:
        return None
    before = data[max(found.start() - _SHOWN_BYTES, 0) : found.start()]
    word = re.split(rb"[\s,;\"]", before)[-1] + data[found.start() : found.end() + _SHOWN_BYTES]
    return found.start(), re.split(r"[\s,;\"]", word.decode("utf-8", "ignore"))[0]


def _describe(place: str, word: str) -> str:
    return (
        f"{place} has {word!r}, which is how UTF-8 looks that another program has read in a wrong encoding; it is kept as it is;"
        " correct it at its source"
    )
