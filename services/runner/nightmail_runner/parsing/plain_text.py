"""Messages that come in place of data: `Service unavailable` is a CSV file of one column and no rows by its form alone."""

import re
from http import HTTPStatus

from nightmail_runner.parsing.error_text import shorten
from nightmail_runner.parsing.options import InputNotReadable

#: A table of one column that is no longer than this can be a message of some lines.
_MOST_LINES = 20
#: The fewest words that make a sentence of a lone line.
_SENTENCE_WORDS = 5
_PHRASES = frozenset(status.phrase.casefold() for status in HTTPStatus)
#: Words of refusals and failures that no column is named after.
_FAILURE = re.compile(
    r"\b(error|exception|unavailable|unauthori[sz]ed|forbidden|denied|not found|bad gateway|timed? ?out|too many|invalid"
    r"|failed|failure|expired|unknown host|log ?in|sign ?in|not authori[sz]ed|refused|maintenance|no such|not allowed"
    r"|exceeded|try again|not available|does not exist|no (data|records?|results?|rows) (found|available|returned|selected)|suspended)\b",
    re.IGNORECASE,
)
#: How programs begin a message about their own failure.
_REPORT = re.compile(
    r"(traceback \(most recent|(uncaught |unhandled )?exception( in\b|:)|fatal( error)?:|panic:|(php )?(warning|notice|fatal error):"
    r"|(internal server )?error( \d+)?( \(\w+\))?\s*:|HTTP/\d|(ORA|TNS|PLS|SP2)-\d{4}|SQLSTATE\[|curl: \(\d"
    r"|(window\.)?location(\.href)?\s*=\s*['\"]|\w+(\.\w+)+(Exception|Error)\b|access denied|permission denied)",
    re.IGNORECASE,
)
#: A header of several columns (in prose a space follows a comma), or one word as programs name a column.
_NAMES = re.compile(r",(?! )|[;\t|]|^\w*_\w*$")
#: How people begin a line below a table, too.
_FOOTNOTE = re.compile(r"(warning|notice)\b", re.IGNORECASE)
_PAGE = re.compile(r"\s*<(!doctype\s|/?html\b|/?body\b|head\b|br\b)", re.IGNORECASE)
_SCALAR = re.compile(r"(null|true|false|none|undefined|-?\d+(\.\d+)?)", re.IGNORECASE)


def refuse_message(text: str, names: tuple[str, ...], file_type: str) -> None:
    """Check that a text that has no delimiter, or no records, is not a message.

    Args:
        text: from the header on, as far as it is needed.
        names: of the columns that `types` declares, which are columns whatever they look like.

    Raises:
        InputNotReadable: it seems to be one; the message shows it.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines or lines[0].strip('"') in names or len(lines) > _MOST_LINES:
        return
    if _is_message(lines):
        raise InputNotReadable(
            f"this seems to be a message, not {file_type}: {shorten(' '.join(lines))!r}; if it is a column's name, declare it in types"
        )


def refuse_report(text: str, line: int) -> None:
    """Check the only field of a record that should have several: an export that breaks off ends in the error.

    Raises:
        InputNotReadable: a program's report of a failure, or a page, begins with it.
    """
    if (_REPORT.match(text) and not _FOOTNOTE.match(text)) or _PAGE.match(text):
        raise InputNotReadable(
            f"line {line} seems to be a message in place of a record: {shorten(text)!r}; the data behind it may be missing; "
            "correct it at its source"
        )


def _is_message(lines: list[str]) -> bool:
    first = lines[0]
    if _REPORT.match(first):
        return True
    phrase = re.sub(r"^\d{3}\b[\s:-]*", "", first)
    is_status = phrase.strip(" .!").casefold() in _PHRASES
    if len(lines) > 1:
        return is_status and phrase != first
    if is_status or _SCALAR.fullmatch(first):
        return True
    words = len(first.split())
    if _NAMES.search(first):
        return False
    return bool(_FAILURE.search(first)) or (words >= _SENTENCE_WORDS and "," not in first)
