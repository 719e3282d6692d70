"""Where the records of delimited text begin, below which header, and which delimiter they have."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from nightmail_runner.parsing.byte_search import has_one_of
from nightmail_runner.parsing.delimiters import (
    find_columns_in_quotes,
    find_other_columns,
    judge_delimiters,
    refuse_title_above_records,
)
from nightmail_runner.parsing.numbered_records import Quoting
from nightmail_runner.parsing.options import InputNotReadable, ReadOptions

#: Enough to see how the records of a file are delimited.
HEAD_BYTES = 64 * 1024
#: Excel's own first line: which delimiter the file has.
_SEP_LINE = re.compile(rb'"?sep=(.)"?(\r\n|\n|\r|\Z)', re.IGNORECASE)
#: The same with several characters, which is no delimiter of a table here.
_LONG_SEP_LINE = re.compile(rb'"?sep=[^\w\r\n]{2,}(?:\r\n|\n|\r|\Z)', re.IGNORECASE)
#: The first field of the first of two headers in files of DATEV.
_DATEV = frozenset({"EXTF", "DTVF"})
#: A line that programs put above a table.
_MARKED_LINE = re.compile(r"(#|//|--|%|!)")
#: The line between names and records of a drawn table: `---+---` of psql, `|---|:--:|` of Markdown.
_DRAWN_LINE = re.compile(r"(?=.*-{3})(?:\|[-:| ]+|[-=]+(?:\+[-=]+)+)")
#: A field that begins with a quote, which does not close before the field ends.
_OPEN_QUOTE = re.compile(rb'(?:\A|[\t\r\n])"(?:[^"\t\r\n]|"")*[\t\r\n]')
_BESIDE_DELIMITERS = frozenset("~^|#@!*+&%$:;")
_LINE_END = re.compile(rb"\r\n|\n|\r")


@dataclass
class Layout:
    """Where the records begin, and the names in the header."""

    delimiter: str
    #: The names in the header.
    fields: list[str]
    #: The position of the header in the file: its first byte, and its line, counted from 1.
    header_start: int
    header_line: int
    #: Where the records begin: their first byte and the number of their first line.
    start: int
    start_line: int
    #: For `tsv`: quotes are read as text, because every line then has as many fields as the header.
    quotes_are_text: bool = False

    @property
    def quoting(self) -> Quoting:
        return csv.QUOTE_NONE if self.quotes_are_text else csv.QUOTE_MINIMAL


def lay_out(text: memoryview, options: ReadOptions, notes: list[str]) -> Layout | None:
    """Return the layout of a file; None if it has no header, because it is empty, which is a note.

    Raises:
        InputNotReadable: it ends above the header.
    """
    start, line = 0, 1
    for _ in range(options.skip_rows):
        if start >= len(text) > 0:
            raise InputNotReadable(f"skip_rows is {options.skip_rows}, but the data has only {line - 1} lines")
        start, line = _next_line(text, start), line + 1
    start, line = _after_skipped(text, start, line, options.comment)
    head = bytes(text[start : start + HEAD_BYTES])
    delimiter = options.delimiter or ("\t" if options.file_type == "tsv" else None)
    if sep := _SEP_LINE.match(head):
        said = sep[1].decode("utf-8", "replace")
        if delimiter not in {None, said}:
            notes.append(
                f"line {line} names the delimiter {said!r}, but {delimiter!r} was used, which the source declares"
            )
        delimiter = delimiter or said
        start, line = _after_skipped(text, start + sep.end(), line + 1, options.comment)
    if start >= len(text):
        if options.skip_rows and len(text):
            raise InputNotReadable(f"skip_rows is {options.skip_rows}, but no line with a header comes after that")
        notes.append("the data has no line with a header: it is empty")
        return None
    head = bytes(text[start : start + HEAD_BYTES])
    if len(text) > start + HEAD_BYTES:
        head = head[: head.rfind(b"\n") + 1] or head
    delimiter = delimiter or judge_delimiters(head.decode("utf-8", "replace"), options.comment)[0]
    quotes_are_text = options.file_type == "tsv" and _are_quotes_text(text[start:])
    if quotes_are_text:
        notes.append(
            "quotes were read as text: one does not close in its field, and every line has as many tabs as the header"
        )
    try:
        fields, end, lines = _first_record(
            text, start, delimiter, csv.QUOTE_NONE if quotes_are_text else csv.QUOTE_MINIMAL
        )
    except csv.Error as error:
        why = "a quote opens here and does not close" if "unexpected end" in str(error) else str(error)
        raise InputNotReadable(f"line {line}: the header cannot be read: {why}") from None
    if (long := _LONG_SEP_LINE.match(head)) and not options.own:
        raise InputNotReadable(
            f"line {line} names a delimiter of several characters, {long[0].decode().strip()!r}, which no option reads"
        )
    if len(fields) > 2 and fields[0] in _DATEV and fields[1].isdecimal():
        raise InputNotReadable(
            f"line {line} describes a file of DATEV, and the header is below it; set skip_rows to {line}"
        )
    if len(fields) == 1 and delimiter == "," and options.delimiter is None and fields[0].strip() not in options.types:
        refuse_title_above_records(fields[0], line, _head(text, end), options.comment)
    return Layout(delimiter, fields, start, line, end, line + lines, quotes_are_text)


def start_of(text: memoryview, layout: Layout) -> str:
    """Return the text of a file that can be a message: of one column, or a header without records. Empty for any other."""
    rest = text[layout.start :]
    if len(rest) > HEAD_BYTES or (len(layout.fields) > 1 and bytes(rest).strip()):
        return ""
    return bytes(text[layout.header_start :]).decode()


def judge_declared_delimiter(text: memoryview, layout: Layout, options: ReadOptions, notes: list[str]) -> None:
    """Note that a declared delimiter is nowhere, while another one gives equal records.

    Raises:
        InputNotReadable: the same of the tabs of `tsv`.
    """
    if len(layout.fields) > 1 or not len(text[layout.start :]) or layout.fields[0].strip() in options.types:
        return
    records = _head(text, layout.header_start)
    if layout.delimiter in records:
        return
    other, agreeing = judge_delimiters(records, options.comment)
    if other == layout.delimiter or agreeing < 1:
        return
    said = f"there is no {layout.delimiter!r}, but every line has as many fields with {other!r}"
    if options.file_type == "tsv":
        raise InputNotReadable(f"line {layout.header_line}: {said}; set file_type to csv")
    notes.append(f"{said}; delimiter can name that")


def note_lone_column(text: memoryview, layout: Layout, options: ReadOptions, notes: list[str]) -> None:
    """Note a table that was read as one column, and has several with a delimiter that is not looked for."""
    if len(layout.fields) > 1 or options.delimiter is not None or layout.fields[0].strip() in options.types:
        return
    lines = _head(text, layout.header_start).splitlines()
    if (mark := _MARKED_LINE.match(layout.fields[0])) and len(lines) > 2 and lines[1].startswith(mark[1]):
        notes.append(
            f"the first lines begin with {mark[1]!r}, and the first of them was taken for the header; comment: {mark[1]!r} skips them, and"
            " skip_rows a number of lines"
        )
    if (note := find_columns_in_quotes(lines)) is not None or (note := find_other_columns(lines)) is not None:
        notes.append(f"the data was read as one column, but {note}")


def note_long_delimiter(layout: Layout, notes: list[str]) -> None:
    """Add a note if each name of a header ends or begins with the same mark beside its delimiter: `a~|~b`."""
    if len(layout.fields) < 2:
        return
    first, last = layout.fields[0][-1:], layout.fields[-1][:1]
    ends = first in _BESIDE_DELIMITERS and all(name[-1:] == first for name in layout.fields[:-1])
    begins = last in _BESIDE_DELIMITERS and all(name[:1] == last for name in layout.fields[1:])
    if ends and begins and first and last:
        long = f"{first}{layout.delimiter}{last}"
        notes.append(
            f"the delimiter seems to be {long!r}, and {layout.delimiter!r} was used: no option reads several characters"
        )


def refuse_other_delimiter(text: memoryview, layout: Layout, options: ReadOptions) -> None:
    """Check records that have one field each, below a header of several.

    Raises:
        InputNotReadable: all of them have as many fields as the header with another delimiter.
    """
    other, agreeing = judge_delimiters(_head(text, layout.start), options.comment)
    if agreeing < 1 or other in {layout.delimiter, options.decimal}:
        return
    if len(_first_record(text, layout.start, other)[0]) == len(layout.fields):
        raise InputNotReadable(
            f"the header in line {layout.header_line} has the delimiter {layout.delimiter!r}, but no record has it, and every one "
            f"has as many fields with {other!r}; correct the header at its source"
        )


def judge_underline(text: memoryview, layout: Layout, options: ReadOptions, notes: list[str]) -> None:
    """Note a first record that has only dashes, as sqlcmd underlines the names of the columns.

    Raises:
        InputNotReadable: it belongs to a table that is drawn with characters.
    """
    line = bytes(text[layout.start : _next_line(text, layout.start)][:HEAD_BYTES]).decode("utf-8", "replace").strip()
    if options.comment is not None and line.startswith(options.comment):
        return
    if _DRAWN_LINE.fullmatch(line):
        raise InputNotReadable(
            f"line {layout.start_line} is a line of a table that is drawn with characters; write it as CSV (psql --csv, mysql --batch)"
        )
    fields = line.split(layout.delimiter)
    if len(fields) > 1 and all(re.fullmatch("--+", field.strip()) for field in fields):
        notes.append(
            f"line {layout.start_line} has only dashes, as programs underline the names of columns; it is a record here, so all"
            " columns are text; comment: '-' skips the lines that begin with a dash"
        )


def _head(text: memoryview, start: int) -> str:
    """Return the whole lines within `HEAD_BYTES` from a place on, and the rest of the text if it ends there."""
    head = bytes(text[start : start + HEAD_BYTES])
    if len(text) > start + HEAD_BYTES:
        head = head[: head.rfind(b"\n") + 1]
    return head.decode("utf-8", "replace")


def _are_quotes_text(text: memoryview) -> bool:
    """Return whether quotes in tab-separated values are text: one does not close in its field, and all lines have as many tabs.

    The media type text/tab-separated-values has no quotes, but Excel writes fields with tabs and line breaks in them.
    """
    if not has_one_of(text, b'"') or _OPEN_QUOTE.search(text) is None:
        return False
    lines = (line for line in io.BytesIO(text) if line.strip(b" \r\n"))
    tabs = next(lines).count(b"\t")
    return tabs > 0 and all(line.count(b"\t") == tabs for line in lines)


def _first_record(
    text: memoryview, start: int, delimiter: str, quoting: Quoting = csv.QUOTE_MINIMAL
) -> tuple[list[str], int, int]:
    """Return the fields of the record that begins at `start`, the position behind it, and how many lines it has.

    Raises:
        csv.Error: a quote does not close, or stands where none can.
    """
    end, count = start, 0

    def lines() -> Iterator[str]:
        nonlocal end, count
        while end < len(text):
            begin, end, count = end, _next_line(text, end), count + 1
            yield bytes(text[begin:end]).decode()

    return next(csv.reader(lines(), delimiter=delimiter, quoting=quoting, strict=True)), end, count


def _next_line(text: memoryview, start: int) -> int:
    found = _LINE_END.search(text, start)
    return found.end() if found else len(text)


def _after_skipped(text: memoryview, start: int, line: int, comment: str | None) -> tuple[int, int]:
    """Return where the next line begins that is neither blank nor a comment, and its number."""
    while start < len(text) and _is_skipped(bytes(text[start : (after := _next_line(text, start))]), comment):
        start, line = after, line + 1
    return start, line


def _is_skipped(line: bytes, comment: str | None) -> bool:
    return not line.strip(b" \r\n") or (comment is not None and line.startswith(comment.encode()))
