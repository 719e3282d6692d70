"""Large regular CSV: blocks of whole records, read and converted on all processors, each block's text given up at once."""

import os
import re
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial, reduce
from itertools import islice
from typing import NamedTuple

import numpy
import pyarrow
import pyarrow.compute
import pyarrow.csv

from nightmail_runner.parsing.byte_search import PART_BYTES, has_one_of, parts_of
from nightmail_runner.parsing.columns import TEXT, Arrow, NumberFormat, begins_with_numbers, to_numbers
from nightmail_runner.parsing.options import ReadOptions

#: A record must fit into a block.
_BLOCK_BYTES = 4 * 1024**2
#: More blank lines of a block are those of a file that has them everywhere.
_MOST_GAPS = 3
#: A float holds every integer up to this.
_EXACT_INTEGERS = 2**53


@dataclass(frozen=True)
class _Span:
    """A block of whole records: where it begins and ends, and whether a quote is in it."""

    start: int
    end: int
    quoted: bool


@dataclass(frozen=True)
class Shape:
    """The form of the records of a regular file: all have `width` fields. Those in `as_text` are not converted."""

    delimiter: str
    width: int
    as_text: Collection[int]
    quotes_are_text: bool = False


class Blocks(NamedTuple):
    """The columns of all blocks, whether a quote is in one of them, and where records begin that follow a blank line."""

    columns: list[Arrow]
    quoted: bool
    gaps: list[int]


def read_blocks(records: memoryview, shape: Shape, options: ReadOptions) -> Blocks | None:
    """Return the columns: numbers where every value of the column is one, else strings; null where missing.

    None if a record has another number of fields, or a quote does not close or stands inside of a field: the file is not
    regular.
    """
    gaps: list[int] = []
    read = partial(_read_block, records, shape, options, gaps=gaps)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        in_order: Callable[..., Iterator[list[Arrow]]] = (
            map if len(records) <= _BLOCK_BYTES else pool.map
        )  # a pool starts its threads only when it is used
        spans: list[_Span] = []
        try:
            blocks = list(in_order(read, _noted(_split(records, quotes_are_text=shape.quotes_are_text), spans)))
        except pyarrow.ArrowInvalid:
            pool.shutdown(cancel_futures=True)
            return None
        columns = []
        gaps.sort()
        for position in range(shape.width):
            reread = partial(in_order, partial(_read_block, records, shape, options, only=position), spans)
            columns.append(_join([block[position] for block in blocks], reread))
            for block in blocks:
                block[position] = None
    return Blocks(columns, any(span.quoted for span in spans), gaps)


def _noted(spans: Iterator[_Span], noted: list[_Span]) -> Iterator[_Span]:
    """Yield spans, and add each to a list: reading begins before all of them are found."""
    for span in spans:
        noted.append(span)
        yield span


def _split(records: memoryview, *, quotes_are_text: bool) -> Iterator[_Span]:
    """Yield the blocks. Each ends behind its last line end that is not inside of quotes.

    Raises:
        pyarrow.ArrowInvalid: a record is larger than a block, or a quote does not close.
    """
    start = 0
    while start < len(records):
        block = records[start : start + _BLOCK_BYTES]
        has_quotes = not quotes_are_text and has_one_of(block, b'"')
        quotes = sum(part.count(b'"') for part in parts_of(block)) if has_quotes else 0
        if start + len(block) < len(records):
            end = _last_end_outside_quotes(bytes(block), quotes) if quotes else _last_end(block)
        else:
            end = 0 if quotes % 2 else len(block)
        if not end:
            raise pyarrow.ArrowInvalid("a record is larger than a block, or a quote does not close")
        yield _Span(start, start + end, quotes > 0)
        start += end


def _last_end(block: memoryview) -> int:
    """Return the position behind the last line end of a block without quotes; 0 if there is none."""
    for near in range(len(block), 0, -PART_BYTES):
        start = max(near - PART_BYTES, 0)
        if end := bytes(block[start:near]).rfind(b"\n") + 1:
            return start + end
    return 0


def _last_end_outside_quotes(block: bytes, quotes: int) -> int:
    """Return the position behind the last line end of a block that is not inside of quotes; 0 if there is none."""
    end = block.rfind(b"\n") + 1
    before = quotes - block.count(b'"', end)
    while end and before % 2:
        end, behind = block.rfind(b"\n", 0, end - 1) + 1, end
        before -= block.count(b'"', end, behind)
    return end


def _check_quotes(block: memoryview, delimiter: str) -> None:
    """Check that quotes begin and end fields only: Arrow reads `"a" b` as `a b`, and other text in quotes as it comes.

    Raises:
        pyarrow.ArrowInvalid: a quote stands inside of a field. Two of them in a field in quotes are one of its text.
    """
    data = numpy.frombuffer(b"\n".join((b"", block, b"")), numpy.uint8)
    quotes = numpy.flatnonzero(data == ord('"'))
    borders = f'{delimiter}\r\n"'.encode()
    for beside in (data.take(quotes[::2] - 1), data.take(quotes[1::2] + 1)):
        if not reduce(numpy.logical_or, [beside == border for border in borders]).all():
            raise pyarrow.ArrowInvalid("a quote stands inside of a field")


def _read_block(
    records: memoryview,
    shape: Shape,
    options: ReadOptions,
    span: _Span,
    only: int | None = None,
    gaps: list[int] | None = None,
) -> list[Arrow]:
    """Return the columns of a block, converted where they can be; or the one column that is asked for, as text.

    Raises:
        pyarrow.ArrowInvalid: a record has another number of fields, or a quote stands inside of a field.
    """
    names = [str(position) for position in range(shape.width)]
    block = records[span.start : span.end]
    if shape.width == 1 and _has_blank_line(bytes(block)):
        raise pyarrow.ArrowInvalid("a blank line is a record with one empty field")
    if span.quoted:
        _check_quotes(block, shape.delimiter)
    table = pyarrow.csv.read_csv(
        pyarrow.BufferReader(pyarrow.py_buffer(block)),  # type: ignore[arg-type]
        pyarrow.csv.ReadOptions(column_names=names, block_size=2 * _BLOCK_BYTES, use_threads=False),
        pyarrow.csv.ParseOptions(
            delimiter=shape.delimiter, quote_char='"' if span.quoted else False, newlines_in_values=span.quoted
        ),
        pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(names, TEXT),
            include_columns=None if only is None else [names[only]],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
            null_values=["", *options.na_values],
            check_utf8=False,
        ),
    )
    texts = [column.chunk(0) if column.num_chunks == 1 else column.combine_chunks() for column in table.columns]
    if only is not None:
        return texts
    if gaps is not None and not _is_dense(block, texts):
        gaps += [span.start + end for end in _ends_of_blank_lines(block, quoted=span.quoted)]
    numbers = NumberFormat.of(options)
    return [text if position in shape.as_text else _convert(text, numbers) for position, text in enumerate(texts)]


def _is_dense(block: memoryview, texts: list[Arrow]) -> bool:
    """Return whether a block surely has no blank lines: its fields, delimiters and line ends are as many bytes as it has."""
    rows = len(texts[0])
    if not rows:
        return False
    line_end = 2 if b"\r\n" in bytes(block[:PART_BYTES]) else 1
    size = rows * (len(texts) - 1 + line_end)
    for text in texts:
        offsets = numpy.frombuffer(text.buffers()[1], numpy.int64)
        size += int(offsets[text.offset + rows] - offsets[text.offset])
    return size in {len(block), len(block) + line_end}


def _ends_of_blank_lines(block: memoryview, *, quoted: bool) -> list[int]:
    """Return where the records of a block begin that follow blank lines: the first ones, outside of quotes."""
    pair = b"\n\r" if b"\r\n" in bytes(block[:PART_BYTES]) else b"\n\n"
    code = numpy.frombuffer(pair, numpy.uint16)[0]
    pairs = [block[first : first + (len(block) - first) // 2 * 2] for first in (0, 1)]
    if not any(bool((numpy.frombuffer(half, numpy.uint16) == code).any()) for half in pairs):
        return []
    data = bytes(block)
    return [end for end in islice(_gap_ends(data, quoted=quoted), _MOST_GAPS) if end < len(data)]


def _gap_ends(data: bytes, *, quoted: bool) -> Iterator[int]:
    """Yield where blank lines outside of quotes end. Each quote is counted once: a text can have a blank line per paragraph."""
    quotes = counted = 0
    for gap in re.compile(rb"\n(?:\r?\n)+").finditer(data):
        if quoted:
            quotes += data.count(b'"', counted, gap.start())
            counted = gap.start()
        if quotes % 2 == 0:
            yield gap.end()


def _has_blank_line(block: bytes) -> bool:
    return block.startswith((b"\n", b"\r")) or any(end in block for end in (b"\n\n", b"\n\r", b"\r\r"))


def _convert(texts: Arrow, numbers: NumberFormat) -> Arrow:
    if texts.null_count == len(texts) or not begins_with_numbers(texts, numbers):
        return texts
    values = to_numbers(texts, numbers)
    return texts if values is None else values


def _join(parts: list[Arrow], reread: Callable[[], Iterator[list[Arrow]]]) -> Arrow:
    """Return the blocks of a column as one: of one type, for which text that was given up is read again if need be."""
    kinds = {part.type for part in parts if part.null_count < len(part)}
    if len(kinds) == 2 and TEXT not in kinds and all(_is_exact_float(part) for part in parts):
        kinds = {pyarrow.float64()}
    if len(kinds) > 1:
        return pyarrow.chunked_array([part for [part] in reread()], TEXT)
    kind = next(iter(kinds), TEXT)
    typed = [part.cast(kind) if part.null_count < len(part) else pyarrow.nulls(len(part), kind) for part in parts]
    return pyarrow.chunked_array(typed, kind)


def _is_exact_float(part: Arrow) -> bool:
    if part.null_count == len(part) or not pyarrow.types.is_integer(part.type):
        return True
    limits = pyarrow.compute.min_max(part)
    return bool(max(-limits["min"].as_py(), limits["max"].as_py()) <= _EXACT_INTEGERS)
