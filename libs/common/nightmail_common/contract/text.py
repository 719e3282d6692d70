"""Text of one line: without control characters, with the joiners that scripts and emoji need; and text of a bounded length."""

import unicodedata

#: ZERO WIDTH NON-JOINER and JOINER: Persian, Indic scripts and emoji sequences are spelled with them (Unicode 23.2).
JOINERS = "\u200c\u200d"
#: Scripts that need no joiner: one between their letters only makes two names look the same.
_WITHOUT_JOINERS = frozenset({"LATIN", "GREEK", "CYRILLIC", "HEBREW", "CJK", "HIRAGANA", "KATAKANA", "HANGUL"})


def is_one_line(text: str) -> bool:
    """Return whether a text has printable characters only, and joiners only where a script needs them."""
    return text.isprintable() or all(_belongs(text, index) for index in range(len(text)))


def to_one_line(text: str) -> str:
    """Return a text with a space for each line break and control character, and one space for several."""
    if not text.isprintable():
        text = "".join(
            char if _belongs(text, index) else "" if char in JOINERS else " " for index, char in enumerate(text)
        )
    return " ".join(text.split())


def shorten(text: str, characters: int) -> str:
    """Return a text of at most so many characters: the last one is an ellipsis where some are missing."""
    return text if len(text) <= characters else text[: max(0, characters - 1)] + "…"


def _belongs(text: str, index: int) -> bool:
    char = text[index]
    if char not in JOINERS:
        return char.isprintable()
    before = text[index - 1] if index else " "
    if unicodedata.category(before)[0] not in "LMS":
        return False
    return unicodedata.name(before, "").split(" ", 1)[0] not in _WITHOUT_JOINERS


def describe_typed(kind: str, message: str) -> str:
    """Return an error of a run as `KeyError: 'amont'`, or its type alone if it has no message."""
    return f"{kind}: {message}" if message else kind
