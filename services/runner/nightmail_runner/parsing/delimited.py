"""CSV and TSV (RFC 4180, and what programs write in its place) to a table."""

import csv
import io
import os
import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pandas
import pyarrow

from nightmail_runner.parsing.almost_numbers import note_almost_numbers, note_points_beside_commas
from nightmail_runner.parsing.blocks import Shape, read_blocks
from nightmail_runner.parsing.byte_search import has_one_of
from nightmail_runner.parsing.column_names import name_columns, note_repeated_header, note_values_as_names
from nightmail_runner.parsing.columns import TEXT, NumberFormat, check_declared, empty_column, to_column
from nightmail_runner.parsing.error_text import shorten
from nightmail_runner.parsing.layout import (
    HEAD_BYTES,
    Layout,
    judge_declared_delimiter,
    judge_underline,
    lay_out,
    note_lone_column,
    note_long_delimiter,
    refuse_other_delimiter,
    start_of,
)
from nightmail_runner.parsing.missing_values import MissingValues
from nightmail_runner.parsing.numbered_records import numbered_records
from nightmail_runner.parsing.options import InputNotReadable, ReadOptions
from nightmail_runner.parsing.plain_text import refuse_message, refuse_report
from nightmail_runner.parsing.suspect_records import (
    TableGaps,
    note_lines_above_numbers,
    note_swallowed_records,
    note_tables_below_gaps,
    note_versions,
)
from nightmail_runner.parsing.table import Table
from nightmail_runner.parsing.total_row import note_empty_end, note_total_row

#: Below this the reader of single records is as fast as threads and Arrow.
_SMALL_BYTES = 128 * 1024
#: Above this, the processors share the conversion of the columns.
_LARGE_BYTES = 32 * 1024**2
_END_OF_FILE = re.compile(rb"\x1a(?:\r\n|\n|\r)?\Z")
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
class _Ragged:
    """The lines of records that had more or fewer fields than the header."""

    short: list[int] = field(default_factory=list)
    #: So many blank lines are records with one empty field.
    blank: int = 0
    #: Lines of spaces, which are blank, too.
    spaces: list[int] = field(default_factory=list)
    #: So many records have one field, and the header has more.
    lone: int = 0
    trailing: list[int] = field(default_factory=list)
    #: Lines that begin with the comment mark, and have as many fields as the header.
    skipped: list[int] = field(default_factory=list)


@_fields_of_any_size()
def read_delimited(text: memoryview, options: ReadOptions, notes: list[str]) -> Table:
    """Return delimited text as a table.

    Args:
        text: UTF-8 without a byte order mark.

    Raises:
        InputNotReadable: a record has more filled fields than the header, a quote does not close, a value is not of its
            declared type.
    """
    if not bytes(text[:HEAD_BYTES]).strip() and not bytes(text).strip():
        text = text[:0]
    if not options.own and (end := _END_OF_FILE.search(bytes(text[-3:]))) is not None:
        text = text[: len(text) - len(end[0])]
        notes.append("the data ends in the character 0x1A, the end of a file in DOS; it was dropped")
    layout = lay_out(text, options, notes)
    if layout is None:
        return Table(pandas.DataFrame({name: empty_column(kind) for name, kind in options.types.items()}), notes)
    if not options.own:
        refuse_message(start_of(text, layout), (*options.types,), options.file_type)
        judge_declared_delimiter(text, layout, options, notes)
        judge_underline(text, layout, options, notes)
        note_lone_column(text, layout, options, notes)
        note_long_delimiter(layout, notes)
    texts = _read_regular(text, layout, options, notes)
    if texts is None:
        texts = _read_ragged(text, layout, options, notes)
    if not options.own:
        _refuse_title(layout, texts)
    fields = _without_empty_end(layout, texts, notes)
    note_empty_end(texts, notes)
    names = name_columns(fields, notes, f"line {layout.header_line}")
    note_values_as_names(names, notes, f"line {layout.header_line}")
    check_declared(names, options)

    def place(row: int) -> str:
        return f"line {_line_of(text, layout, options, row)}"

    columns = _to_columns(names, texts, options, notes, place)
    note_total_row(zip(names, columns, strict=True), notes)
    note_repeated_header(fields, columns, notes, place)
    if not options.own:
        named = dict(zip(names, columns, strict=True))
        note_lines_above_numbers(named, options.types, NumberFormat.of(options), notes, place)
        if decimals := [name for name in names if named[name].dtype == "float64" and name not in options.types]:
            head = text[: layout.start + HEAD_BYTES]
            note_versions(names, _first_records(head, layout, options), decimals, notes)
    if layout.delimiter != options.decimal == ".":
        note_points_beside_commas(dict(zip(names, columns, strict=True)), notes)
    frame = pandas.DataFrame(dict(enumerate(columns)), copy=False)
    frame.columns = pandas.Index(names)
    return Table(frame, notes)


def _to_columns(
    names: list[str], texts: list[Any], options: ReadOptions, notes: list[str], place: Callable[[int], str]
) -> list[Any]:
    """Return the columns as pandas keeps them. Takes each from `texts`, so that its memory is free when it is converted."""
    notes_of: list[list[str]] = [[] for _ in names]
    missing = MissingValues(options.na_values)

    def convert(position: int) -> Any:
        taken, texts[position] = texts[position], None
        column = missing.drop_from(to_column(names[position], taken, options, notes_of[position], place))
        if isinstance(column.dtype, pandas.StringDtype) and names[position] not in options.types:
            note_almost_numbers(names[position], taken, NumberFormat.of(options), notes_of[position], place)
        return column

    if sum(column.nbytes for column in texts[: len(names)]) < _LARGE_BYTES:
        columns = [convert(position) for position in range(len(names))]
    else:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            columns = list(pool.map(convert, range(len(names))))
    notes += [note for own in notes_of for note in own]
    return columns


def _without_empty_end(layout: Layout, texts: list[Any], notes: list[str]) -> list[str]:
    """Return the header's fields less those at its end that have neither a name nor a value: a trailing delimiter."""
    width = len(layout.fields)
    while width > 1 and not layout.fields[width - 1].strip() and texts[width - 1].null_count == len(texts[width - 1]):
        width -= 1
    if width < len(layout.fields):
        notes.append(f"the header in line {layout.header_line} ends in a delimiter without a column; it was dropped")
    return layout.fields[:width]


def _refuse_title(layout: Layout, texts: list[Any]) -> None:
    """Raise InputNotReadable if a line above the table was taken for the header: Excel fills its other fields up, empty."""
    filled = [len(column) > column.null_count for column in texts]
    if sum(filled) > 2 and layout.fields[0].strip() and not any(name.strip() for name in layout.fields[1:]):
        raise InputNotReadable(
            f"line {layout.header_line} has only one name, {shorten(layout.fields[0])!r}, for {sum(filled)} columns with values; "
            "if it is a title above the table, set skip_rows"
        )


def _read_regular(text: memoryview, layout: Layout, options: ReadOptions, notes: list[str]) -> list[Any] | None:
    """Return the columns of a file whose records all have the same number of fields; None if some have another.

    A trailing delimiter in every record of a large file makes one more, empty column.
    """
    records = text[layout.start :]
    if options.comment is not None or not layout.delimiter.isascii():
        return None
    if len(records) < _SMALL_BYTES:
        small = _read_small(records, layout, options)
        if small is not None and not options.own and has_one_of(records, b'"'):
            note_swallowed_records(small, layout.delimiter, notes)
        return small
    width = _first_width(records, layout)
    if width is None or width < len(layout.fields) or (width > len(layout.fields) == 1):
        return None
    names = name_columns(layout.fields, [], "")
    as_text = frozenset(position for position, name in enumerate(names) if name in options.types)
    blocks = read_blocks(records, Shape(layout.delimiter, width, as_text, layout.quotes_are_text), options)
    if blocks is None or any(column.null_count < len(column) for column in blocks.columns[len(names) :]):
        return None
    if width > len(names):
        notes.append("every line had empty fields beyond the header; they were dropped")
    if not options.own:
        if blocks.quoted:
            note_swallowed_records(blocks.columns, layout.delimiter, notes)
        note_tables_below_gaps(records, blocks.gaps, layout, notes)
    return blocks.columns[: len(names)]


def _read_small(records: memoryview, layout: Layout, options: ReadOptions) -> list[Any] | None:
    """Do what `_read_regular` does with the reader of single records, without line numbers."""
    width = len(layout.fields)
    try:
        lines = io.StringIO(str(records, "utf-8"), newline="")
        rows = list(csv.reader(lines, delimiter=layout.delimiter, quoting=layout.quoting, strict=True))
    except csv.Error:
        return None
    while rows and not rows[-1] and width > 1:
        rows.pop()
    if not rows or any(len(row) != width for row in rows):
        return None
    missing = _missing(options)
    return [pyarrow.chunked_array([_to_texts(values, missing)]) for values in zip(*rows, strict=True)]


def _read_ragged(text: memoryview, layout: Layout, options: ReadOptions, notes: list[str]) -> list[Any]:
    """Return the columns of a file record by record: short ones are filled, empty fields beyond the header dropped."""
    width = len(layout.fields)
    missing = _missing(options)
    chunks: list[list[Any]] = [[] for _ in range(width)]
    rows: list[list[str]] = []
    ragged = _Ragged()

    def flush() -> None:
        for position, values in enumerate(zip(*rows, strict=True)):
            chunks[position].append(_to_texts(values, missing))
        rows.clear()

    def on_comment(line: int, comment: str) -> None:
        if _has_fields(comment, layout):
            ragged.skipped.append(line)

    if options.comment is not None:
        above = re.split("\r\n|\n|\r", bytes(text[: layout.header_start]).decode())[options.skip_rows :]
        for line, skipped in enumerate(above, options.skip_rows + 1):
            if skipped.startswith(options.comment):
                on_comment(line, skipped)
    blank = last = 0
    gaps = TableGaps()
    for line, record in _records(text, layout, options, on_comment):
        if _is_blank(record, width):
            blank += 1
            if record:
                ragged.spaces.append(line)
            continue
        if blank and width == 1:  # a lone empty field, which ends a file as a blank line
            ragged.blank += blank
            rows.extend([[""]] * blank)
        if blank and (rows or chunks[0]):
            gaps.add(line, record)
        last, blank = line, 0
        if len(record) > width:
            if not missing.issuperset(record[width:]):
                raise _too_many_fields(layout, line, record)
            ragged.trailing.append(line)
            del record[width:]
        elif len(record) < width:
            if len(record) == 1:
                refuse_report(record[0], line)
                ragged.lone += 1
            ragged.short.append(line)
            record.extend([""] * (width - len(record)))
        rows.append(record)
        if len(rows) >= _CHUNK_RECORDS:
            flush()
    if rows:
        flush()
    columns = [pyarrow.chunked_array(parts, TEXT) for parts in chunks]
    if not options.own:
        note_swallowed_records(columns, layout.delimiter, notes)
        gaps.note(last, layout.fields, notes)
    if ragged.lone and ragged.lone == sum(map(len, chunks[0])):
        refuse_other_delimiter(text, layout, options)
    if ragged.skipped:
        notes.append(
            f"{_named(ragged.skipped)} had as many fields as the header and began with the comment mark {options.comment!r}, so"
            " they were skipped; if they are records, or the header, set another comment or none"
        )
    if ragged.spaces:
        notes.append(f"{_named(ragged.spaces)} had only spaces; blank lines were skipped")
    if ragged.blank:
        notes.append(f"the only column has {ragged.blank} missing values, which are blank lines in the file")
    if ragged.trailing:
        notes.append(f"{_named(ragged.trailing)} had empty fields beyond the header; they were dropped")
    if ragged.short:
        notes.append(f"{_named(ragged.short)} had fewer fields than the header; the others are missing values")
    return columns


def _is_blank(record: list[str], width: int) -> bool:
    """Return whether a line is no record: it is empty, or has only spaces where a record has several fields."""
    return not record or (len(record) == 1 < width and record[0].isspace())


def _missing(options: ReadOptions) -> frozenset[str]:
    return frozenset({"", *options.na_values})


def _to_texts(values: Iterable[str], missing: frozenset[str]) -> Any:
    return pyarrow.array([None if value in missing else value for value in values], TEXT)


def _records(
    text: memoryview, layout: Layout, options: ReadOptions, on_comment: Callable[[int, str], None] | None = None
) -> Iterator[tuple[int, list[str]]]:
    records = text[layout.start :]
    return numbered_records(records, layout.start_line, layout.delimiter, options.comment, layout.quoting, on_comment)


def _first_records(head: memoryview, layout: Layout, options: ReadOptions) -> Iterator[list[str]]:
    with suppress(InputNotReadable, UnicodeDecodeError):  # the head ends within a record
        for _, record in _records(head, layout, options):
            if len(record) == len(layout.fields):
                yield record


def _has_fields(line: str, layout: Layout) -> bool:
    """Return whether a line has as many fields as the header of several. In prose a space follows a comma."""
    if layout.delimiter not in line:
        return False
    fields = next(csv.reader([line], delimiter=layout.delimiter, quoting=layout.quoting), [])
    return len(fields) == len(layout.fields) > 1 and not any(field.startswith(" ") for field in fields[1:])


def _too_many_fields(layout: Layout, line: int, record: list[str]) -> InputNotReadable:
    names = len(layout.fields)
    fields = "1 column" if names == 1 else f"{names} columns"
    others = "" if names == 1 else ", or another delimiter set"
    if names > 1 and any(field.startswith(' "') for field in record):
        others += " (a quote counts directly behind the delimiter only)"
    if len(record) == names + 1 > 2 and line == layout.start_line:
        others += "; if the first column has no name, as R writes it, give it one"
    hint = f"text that contains the delimiter must be in quotes{others}; if lines above the table are a title, set skip_rows"
    shown = shorten(layout.delimiter.join(record))
    return InputNotReadable(
        f"line {line} has {len(record)} fields, but the header in line {layout.header_line} has {fields}: {shown!r}; {hint}; "
        "lines that begin with a mark such as # are skipped with comment"
    )


def _line_of(text: memoryview, layout: Layout, options: ReadOptions, row: int) -> int:
    """Return the number of the line in which a record (from 0) begins. Reads the file again: for errors only."""
    number = -1
    lines = []
    for line, record in _records(text, layout, options):
        lines.append(line)
        if len(layout.fields) == 1 or not _is_blank(record, len(layout.fields)):
            number += 1
        if number == row:
            break
    return lines[-1]


def _first_width(records: memoryview, layout: Layout) -> int | None:
    head = bytes(records[:HEAD_BYTES]).decode("utf-8", "replace")
    try:
        reader = csv.reader(io.StringIO(head, newline=""), delimiter=layout.delimiter, quoting=layout.quoting)
        return next((len(record) for record in reader if record), None)
    except csv.Error:
        return None


def _named(lines: list[int]) -> str:
    if len(lines) == 1:
        return f"line {lines[0]}"
    named = ", ".join(map(str, lines[:_NAMED_LINES]))
    return f"{len(lines)} lines ({named}{', ...' if len(lines) > _NAMED_LINES else ''})"
