"""Names that look like others: what Unicode's security mechanisms (UTS 39) call invisible and mixed-script."""

import re
import unicodedata

from nightmail_common.contract.visible_text import STEERING

#: Letters of Greek and Cyrillic that look like Latin ones in most fonts (UTS 39, confusables.txt).
_LOOKALIKES = frozenset(
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03bf\u03bd\u03c1\u03c5\u03b9"
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0455\u0456\u0458\u0475\u04bb\u0501\u051b\u051d\u04cf"
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u0405\u0406\u0408\u04c0\u050c\u051a\u051c"
)
_WORD = re.compile(r"[^\W\d_]+")
#: The joiners are a part of words of some scripts and of emoji, and invisible between these letters.
_INVISIBLE_IN = ("LATIN", "CYRILLIC", "GREEK", "DIGIT", "SPACE", "")


def find_lookalike(name: str) -> str | None:
    """Return why a name can be taken for another one; None if it cannot.

    A name that is written with letters of one other script throughout is not found: it may be a word.
    """
    if (found := STEERING.search(name)) is not None or (found := re.search("\u00ad", name)) is not None:
        return f"a name has no invisible characters such as {_name(found[0])}"
    for before, char in zip(f" {name}", name, strict=False):
        if char in "\u200c\u200d" and _script(before) in _INVISIBLE_IN:
            return f"a name has no invisible characters such as {_name(char)}"
    for word in _WORD.findall(name):
        scripts = {_script(char) for char in word}
        mixed = [char for char in word if char in _LOOKALIKES]
        if "LATIN" in scripts and mixed:
            return f"the word {word!r} mixes Latin letters with {_name(mixed[0])}, which looks like one"
    return None


def _script(char: str) -> str:
    return unicodedata.name(char, "").partition(" ")[0]


def _name(char: str) -> str:
    return f"{unicodedata.name(char, 'a character')} (U+{ord(char):04X})"
