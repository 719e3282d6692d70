"""Text that a spreadsheet would calculate, and the quote that stops it (OWASP, CSV Injection)."""

import re

import pandas
import pyarrow
import pyarrow.compute

#: Characters that a spreadsheet drops or does not show before a formula: white space, control characters (NUL among
#: them), zero-width characters and byte order marks. One class for both engines below, `re` and RE2.
_IGNORED = "\\x00-\\x20\\x7f-\xa0\xad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff\ufff9-\ufffb"
_SIGNS = "+\\-＋－﹢﹣"
_OPERATORS = f"=@{_SIGNS}＝＠﹦﹫"
#: Most texts are distinguished from formulas by this alone, and quickly. A tab or carriage return is suspicious in itself.
_SUSPICIOUS = f"^(?:[\\t\\r]|[{_IGNORED}]*[{_OPERATORS}])"
_STARTS_SUSPICIOUSLY = re.compile(_SUSPICIOUS)

_SPACE = "[ \xa0\u202f]"
_CURRENCY = "[$€£¥₹₩₽₺₴₪₫¤]"
#: Texts that begin with a sign and are not formulas. A phone number has 7 to 15 digits (E.164).
_HARMLESS = re.compile(
    f"""[{_IGNORED}]*[{_SIGNS}](?:
        (?:{_CURRENCY}{_SPACE}?)?(?:\\d(?:[\\d.,'’]|{_SPACE}(?=\\d))*|[.,]\\d+)(?:[eE][+-]?\\d+)?{_SPACE}?(?:[%‰]|{_CURRENCY})?
        | \\d+(?::\\d\\d){{1,2}}(?:[.,]\\d+)?
        | \\d{{4,6}}-\\d\\d-\\d\\d(?:[T\\ ]\\d\\d:\\d\\d(?::\\d\\d(?:[.,]\\d+)?)?(?:Z|[+-]\\d\\d:?\\d\\d)?)?
        | (?=(?:[^\\d]*\\d){{7,15}}[^\\d]*\\Z)(?<=\\+)[\\d(][\\d\\ \xa0()./-]*\\d
    )\\s*""",
    re.VERBOSE,
)


def neutralise(text: str) -> str:
    """Return text that no spreadsheet calculates: a formula gets a leading quote.

    Numbers, amounts, percentages, times, dates and phone numbers with a sign stay as they are.
    """
    if _STARTS_SUSPICIOUSLY.match(text) and not _HARMLESS.fullmatch(text):
        return f"'{text}"
    return text


def has_suspicious_text(column: pandas.Series) -> bool:
    """Return whether `neutralise` may change a text of a column, whose type is text."""
    suspicious = pyarrow.compute.match_substring_regex(pyarrow.array(column.array), _SUSPICIOUS)
    return bool(pyarrow.compute.any(suspicious).as_py())
