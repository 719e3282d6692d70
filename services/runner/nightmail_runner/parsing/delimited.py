"""CSV and TSV (RFC 4180, and what programs write in its place) to a table."""

import csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pandas
import pyarrow

from nightmail_runner.parsing.blocks import Shape, read_blocks
from nightmail_runner.parsing.columns import check_declared, empty_column, to_column
from nightmail_runner.parsing.error_text import shorten
from nightmail_runner.parsing.options import InputNotReadable, ReadOptions
from nightmail_runner.parsing.table import Table

#: Enough to see how the records of a file are delimited.
_HEAD_BYTES = 64 * 1024
_JUDGED_RECORDS = 50
_DELIMITERS = ",;\t|"
#: Excel's own first line: which delimiter the file has.
_SEP_LINE = re.compile(rb'"?sep=(.)"?(\r\n|\n|\r|\Z)', re.IGNORECASE)
_QUOTES_AND_ENDS = re.compile(rb'"|\r\n|\n|\r')
#: Below this the reader of single records is as fast as threads and Arrow.
_SMALL_BYTES = 128 * 1024
#: So many records at once become an Arrow chunk, which bounds the Python objects that exist at a time.
_CHUNK_RECORDS = 50_000
#: A note names so many lines.
_NAMED_LINES = 3


@contextmanager
def _fields_of_any_size() -> Iterator[None]:
    """Lift the csv module's limit of 128 KiB a field, which is global: the script gets it back."""
    limit = csv.field_size_limit(2**31 - 1)
    try:
        yield
    finally:
        csv.field_size_limit(limit)


@dataclass
class _Layout:
    """Where the records begin, and what the header says."""

    delimiter: str
    #: As the header has them.
    fields: list[str]
    #: Of the header in the file, from 1.
    header_line: int
    #: Where the records begin: their first byte and the number of their first line.
    start: int
    start_line: int


@dataclass
class _Ragged:
    """The lines of records that had more or fewer fields than the header."""

    short: list[int] = field(default_factory=list)
    trailing: list[int] = field(default_factory=list)


@_fields_of_any_size()
def read_delimited(text: memoryview, options: ReadOptions, notes: list[str]) -> Table:
    """Return delimited text as a table.

    Args:
        text: UTF-8 without a byte order mark.

    Raises:
        InputNotReadable: a record has more filled fields than the header, a quote does not close, a value is not of its
            declared type.
    """
    layout = _lay_out(text, options)
    if layout is None:
        return Table(pandas.DataFrame({name: empty_column(kind) for name, kind in options.types.items()}), notes)
    texts = _read_regular(text, layout, options, notes)
    if texts is None:
        texts = _read_ragged(text, layout, options, notes)
    fields = _without_empty_end(layout, texts, notes)
    names = name_columns(fields, notes, f"line {layout.header_line}")
    check_declared(names, options)
    columns: dict[int, Any] = {}
    for position, name in enumerate(names):
        columns[position] = to_column(
            name, texts[position], options, notes, lambda row: f"line {_line_of(text, layout, options, row)}"
        )
        texts[position] = None
    frame = pandas.DataFrame(columns, copy=False)
    frame.columns = pandas.Index(names)
    return Table(frame, notes)


def _without_empty_end(layout: _Layout, texts: list[Any], notes: list[str]) -> list[str]:
    """Return the header's fields less those at its end that have neither a name nor a value: a trailing delimiter."""
    width = len(layout.fields)
    while width > 1 and not layout.fields[width - 1].strip() and texts[width - 1].null_count == len(texts[width - 1]):
        width -= 1
    if width < len(layout.fields):
        notes.append(f"the header in line {layout.header_line} ends in a delimiter without a column; it was dropped")
    return layout.fields[:width]


def _lay_out(text: memoryview, options: ReadOptions) -> _Layout | None:
    """Return the layout of a file; None if it has no header, because it is empty."""
    start, line = 0, 1
    for _ in range(options.skip_rows):
        start, line = _next_line(text, start), line + 1
    head = bytes(text[start : start + _HEAD_BYTES])
    delimiter = options.delimiter or ("\t" if options.file_type == "tsv" else None)
    if (sep := _SEP_LINE.match(head)) and delimiter in {None, sep[1].decode("utf-8", "replace")}:
        delimiter = sep[1].decode("utf-8", "replace")
        start, line = start + sep.end(), line + 1
    while start < len(text) and _is_skipped(bytes(text[start : (after := _next_line(text, start))]), options.comment):
        start, line = after, line + 1
    if start >= len(text):
        return None
    head = bytes(text[start : start + _HEAD_BYTES])
    if len(text) > start + _HEAD_BYTES:
        head = head[: head.rfind(b"\n") + 1] or head
    delimiter = delimiter or _find_delimiter(head.decode("utf-8", "replace"), options.comment)
    end = _record_end(text, start)
    header = bytes(text[start:end]).decode()
    try:
        fields = next(csv.reader(io.StringIO(header, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise InputNotReadable(f"line {line}: the header cannot be read: {error}") from None
    return _Layout(delimiter, fields, line, end, line + header.replace("\r\n", "\n").replace("\r", "\n").count("\n"))


def _find_delimiter(head: str, comment: str | None) -> str:
    """Return the delimiter with which most records have as many fields as the header: of several, the most fields."""
    lines = [line for line in head.splitlines(keepends=True) if not (comment and line.startswith(comment))]
    best, best_score = ",", (0.0, 0)
    for delimiter in _DELIMITERS:
        try:
            records = csv.reader(io.StringIO("".join(lines), newline=""), delimiter=delimiter)
            counts = [len(record) for record, _ in zip(records, range(_JUDGED_RECORDS), strict=False) if record]
        except csv.Error:
            continue
        if not counts or counts[0] < 2:
            continue
        agreeing = sum(count == counts[0] for count in counts) / len(counts)
        if (agreeing, counts[0]) > best_score:
            best, best_score = delimiter, (agreeing, counts[0])
    return best


def name_columns(fields: list[str], notes: list[str], place: str) -> list[str]:
    """Return unique names for the columns, as pandas makes them unique; what was changed is a note.

    Args:
        place: where the header stands in the user's file: `line 1`.
    """
    names: list[str] = []
    taken: set[str] = set()
    for position, name in enumerate(fields):
        own = name.strip()
        if not own:
            own = f"Unnamed: {position}"
            notes.append(f"{place}: column {position + 1} has no name; it is {own!r} here")
        elif own != name:
            notes.append(f"{place}: the column name {name!r} has spaces at its ends; it is {own!r} here")
        unique, number = own, 0
        while unique in taken:
            number += 1
            unique = f"{own}.{number}"
        if unique != own:
            notes.append(f"{place}: the column name {own!r} is there twice; column {position + 1} is {unique!r} here")
        names.append(unique)
        taken.add(unique)
    return names


def _read_regular(text: memoryview, layout: _Layout, options: ReadOptions, notes: list[str]) -> list[Any] | None:
    """Return the columns of a large file whose records all have the same number of fields; None if some have another.

    A trailing delimiter in every record makes one more, empty column.
    """
    records = text[layout.start :]
    if options.comment is not None or len(records) < _SMALL_BYTES:
        return None
    width = _first_width(records, layout.delimiter)
    if width is None or width < len(layout.fields):
        return None
    names = name_columns(layout.fields, [], "")
    as_text = frozenset(position for position, name in enumerate(names) if name in options.types)
    columns = read_blocks(records, Shape(layout.delimiter, width, as_text), options)
    if columns is None or any(column.null_count < len(column) for column in columns[len(names) :]):
        return None
    if width > len(names):
        notes.append("every line had empty fields beyond the header; they were dropped")
    return columns[: len(names)]


def _read_ragged(text: memoryview, layout: _Layout, options: ReadOptions, notes: list[str]) -> list[Any]:
    """Return the columns of a file record by record: short ones are filled, empty fields beyond the header dropped."""
    width = len(layout.fields)
    missing = frozenset({"", *options.na_values})
    chunks: list[list[Any]] = [[] for _ in range(width)]
    rows: list[list[str]] = []
    ragged = _Ragged()

    def flush() -> None:
        for position, values in enumerate(zip(*rows, strict=True)):
            found = [None if value in missing else value for value in values]
            chunks[position].append(pyarrow.array(found, pyarrow.string()))
        rows.clear()

    for line, record in _records(text, layout, options):
        if len(record) > width:
            if any(record[width:]):
                raise _too_many_fields(layout, line, record)
            ragged.trailing.append(line)
            del record[width:]
        elif len(record) < width:
            ragged.short.append(line)
            record.extend([""] * (width - len(record)))
        rows.append(record)
        if len(rows) == _CHUNK_RECORDS:
            flush()
    if rows:
        flush()
    if ragged.trailing:
        notes.append(f"{_named(ragged.trailing)} had empty fields beyond the header; they were dropped")
    if ragged.short:
        notes.append(f"{_named(ragged.short)} had fewer fields than the header; the others are missing values")
    return [pyarrow.chunked_array(parts, pyarrow.string()) for parts in chunks]


def _records(text: memoryview, layout: _Layout, options: ReadOptions) -> Iterator[tuple[int, list[str]]]:
    """Yield each record with the number of its first line."""
    file = io.TextIOWrapper(io.BufferedReader(_Bytes(text[layout.start :])), "utf-8", newline="")
    lines = _Lines(file, options.comment)
    reader = csv.reader(lines, delimiter=layout.delimiter, strict=True)
    while True:
        first = lines.count + 1
        try:
            record = next(reader, None)
        except csv.Error as error:
            line = layout.start_line + first - 1
            why = "a quote opens here and does not close" if "unexpected end" in str(error) else str(error)
            raise InputNotReadable(f"line {line}: {why}; quotes inside of a quoted field are doubled") from None
        if record is None:
            return
        if record:
            yield layout.start_line + first - 1, record


class _Lines:
    """Lines of a file for csv.reader: counted, comments empty."""

    def __init__(self, file: io.TextIOWrapper, comment: str | None) -> None:
        self._file = file
        self._comment = comment
        self.count = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = next(self._file)
        self.count += 1
        return "\n" if self._comment is not None and line.startswith(self._comment) else line


class _Bytes(io.RawIOBase):
    """A buffer as a file, without a copy."""

    def __init__(self, data: memoryview) -> None:
        self._data = data
        self._position = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        part = self._data[self._position : self._position + len(buffer)]
        buffer[: len(part)] = part
        self._position += len(part)
        return len(part)


def _too_many_fields(layout: _Layout, line: int, record: list[str]) -> InputNotReadable:
    names = len(layout.fields)
    fields = "1 column" if names == 1 else f"{names} columns"
    if names == 1:
        hint = "text that contains the delimiter must be in quotes; if lines above the table are a title, set skip_rows"
    else:
        hint = "text that contains the delimiter must be in quotes, or another delimiter set"
    shown = shorten(layout.delimiter.join(record))
    return InputNotReadable(
        f"line {line} has {len(record)} fields, but the header in line {layout.header_line} has {fields}: {shown!r}; {hint}; "
        "lines that begin with a mark such as # are skipped with comment"
    )


def _line_of(text: memoryview, layout: _Layout, options: ReadOptions, row: int) -> int:
    """Return the number of the line in which a record (from 0) begins. Reads the file again: for errors only."""
    return next(line for number, (line, _) in enumerate(_records(text, layout, options)) if number == row)


def _first_width(records: memoryview, delimiter: str) -> int | None:
    head = bytes(records[:_HEAD_BYTES]).decode("utf-8", "replace")
    try:
        return next(
            (len(record) for record in csv.reader(io.StringIO(head, newline=""), delimiter=delimiter) if record), None
        )
    except csv.Error:
        return None


def _record_end(text: memoryview, start: int) -> int:
    """Return the position behind the record that begins at `start`."""
    quoted = False
    for found in _QUOTES_AND_ENDS.finditer(text, start):
        if found[0] == b'"':
            quoted = not quoted
        elif not quoted:
            return found.end()
    return len(text)


def _next_line(text: memoryview, start: int) -> int:
    found = re.compile(rb"\r\n|\n|\r").search(text, start)
    return found.end() if found else len(text)


def _is_skipped(line: bytes, comment: str | None) -> bool:
    return not line.strip(b"\r\n") or (comment is not None and line.startswith(comment.encode()))


def _named(lines: list[int]) -> str:
    if len(lines) == 1:
        return f"line {lines[0]}"
    named = ", ".join(map(str, lines[:_NAMED_LINES]))
    return f"{len(lines)} lines ({named}{', ...' if len(lines) > _NAMED_LINES else ''})"
