"""Which delimiter a file has: the one that gives equal records."""

import csv
import io
import re

from nightmail_runner.parsing.error_text import shorten
from nightmail_runner.parsing.options import InputNotReadable

_JUDGED_RECORDS = 50
#: If two fit equally well, the first in this order is taken: commas also occur in numbers and texts.
_DELIMITERS = ";\t|,"
#: Delimiters of some programs that are too frequent in texts to be detected.
_OTHER_DELIMITERS = "\x01\x14\x1f^~\u00a6\u00a7: "
_ALIGNED = re.compile(" {2,}")
_HAS_NUMBER = re.compile(r"(^|\s)-?[\d.,]+($|\s)")
_DRAWN_BORDER = re.compile(r"\+[-=]+(\+[-=]+)*\+")


def judge_delimiters(head: str, comment: str | None) -> tuple[str, float]:
    """Return the delimiter with which most records have as many fields as the header, of several the one with the most
    fields, and the share of these records. A comma gives way to one with which the header has more fields, and most records as many.
    """
    found = {}
    for delimiter in _DELIMITERS:
        if delimiter not in head:
            continue
        lines = (line for line in io.StringIO(head, newline="") if not (comment and line.startswith(comment)))
        records = csv.reader(lines, delimiter=delimiter)
        try:
            counts = [len(record) for record, _ in zip(records, range(_JUDGED_RECORDS), strict=False) if record]
        except csv.Error:
            continue
        if counts and counts[0] > 1:
            found[delimiter] = sum(count == counts[0] for count in counts) / len(counts), counts[0]
    if not found:
        return ",", 0.0
    best = max(found, key=lambda delimiter: found[delimiter])
    others = {one: score for one, score in found.items() if score[0] > 1 / 2 and score[1] > found[best][1]}
    if best == "," and others:
        best = max(others, key=lambda delimiter: others[delimiter])
    return best, found[best][0]


def find_other_columns(lines: list[str]) -> str | None:
    """Return what speaks for several columns in the lines of a table of one; None if nothing does."""
    lines = [line.strip() for line in lines if line.strip()]
    if len(lines) < 2:
        return None
    if len({len(_ALIGNED.split(line)) for line in lines}) == 1 and _ALIGNED.search(lines[0]):
        return "its columns seem to be aligned with spaces, which no option reads; write them with a delimiter"
    for other in _OTHER_DELIMITERS:
        counts = {line.count(other) for line in lines}
        if len(counts) == 1 and counts != {0} and (other != " " or all(map(_HAS_NUMBER.search, lines[1:]))):
            return f"every line has as many fields with {other!r}; delimiter can name that"
    return None


def find_columns_in_quotes(lines: list[str]) -> str | None:
    """Return that each line of a table is in quotes as a whole, and has as many fields within; None if that is not so."""
    records = [record[0] for record in csv.reader(lines) if len(record) == 1]
    if len(records) < 2 or not all(line.strip().startswith('"') for line in lines if line.strip()):
        return None
    for delimiter in _DELIMITERS:
        counts = {record.count(delimiter) for record in records}
        if len(counts) == 1 and counts != {0} and not any(f"{delimiter} " in record for record in records):
            return f"every line is in quotes as a whole, and has as many fields with {delimiter!r} in them; correct it at its source"
    return None


def refuse_title_above_records(name: str, line: int, records: str, comment: str | None) -> None:
    """Check the only name of a header, in which no delimiter stands.

    Raises:
        InputNotReadable: all records below it have as many fields with one of the delimiters.
    """
    if _DRAWN_BORDER.fullmatch(name.strip()):
        raise InputNotReadable(
            f"line {line} is the border of a table that is drawn with characters; write it as CSV (psql --csv, mysql --batch)"
        )
    delimiter, agreeing = judge_delimiters(records, comment)
    if delimiter != "," and agreeing == 1 and len(records.splitlines()) > 1:
        raise InputNotReadable(
            f"line {line}, {shorten(name)!r}, is the header and has no delimiter, but every line below it has as many fields with "
            f"{delimiter!r}; if it is a title above the table, set skip_rows; if it is the only column, set delimiter to ','"
        )
