"""Joins the pages of a source to one input, so that a column of all pages is read as one."""

import hashlib
import json
import marshal
import re
from dataclasses import dataclass
from typing import Any, Protocol

from nightmail_common.contract.limits import MAX_PAGE_CONTAINERS
from nightmail_common.contract.source_types import FileType
from nightmail_runner.parsing.json_errors import check_errors_beside, error_in
from nightmail_runner.parsing.json_path import follow
from nightmail_runner.parsing.json_shapes import count_records
from nightmail_runner.parsing.options import InputNotReadable
from nightmail_runner.sources.errors import CannotFetch
from nightmail_runner.sources.input import Input
from nightmail_runner.sources.repeated_records import digests_of

#: The last version whose bytes depend on the values alone, and not on which objects are the same.
_MARSHAL_VERSION = 2
_LINE_END = re.compile(rb"(\r\n|\n|\r)")
_BOM = b"\xef\xbb\xbf"
#: Enough to see whether text is UTF-16 or compressed.
_HEAD_BYTES = 4096


@dataclass(frozen=True)
class SourcePage:
    """What decides about the next page. `records`: how many, of text any number but 0; `digest`: of the records.

    `document`: the parsed JSON, None for text. `record_digests`: one for each record, as far as they are a list.
    """

    records: int
    digest: bytes
    record_digests: list[int]
    document: Any = None


class PageJoiner(Protocol):
    """Takes one page after the other."""

    def add(self, body: bytes) -> SourcePage:
        """Append a page.

        Raises:
            CannotFetch: it does not have the file type, or does not fit the pages before it.
        """

    def end(self) -> None:
        """Complete the input."""


def page_joiner(file_type: FileType, records_path: str | None, data: Input) -> PageJoiner:
    """Return what joins pages of a file type."""
    if file_type == "json":
        return _JsonPages(records_path, data)
    return _JsonLinesPages(data) if file_type == "jsonl" else _TablePages(data)


class _JsonPages:
    """Writes a JSON list of pages, each as the source sent it, so that no number loses a digit."""

    def __init__(self, records_path: str | None, data: Input) -> None:
        self._records_path = records_path
        self._data = data
        self._separator = b"["

    def add(self, body: bytes) -> SourcePage:
        body = body.removeprefix(_BOM)
        if body.count(b"[") + body.count(b"{") > MAX_PAGE_CONTAINERS:
            raise CannotFetch(
                f"it has more than {MAX_PAGE_CONTAINERS} lists and objects; ask for fewer records at a time"
            )
        try:
            document = json.loads(body.decode())
        except (ValueError, RecursionError) as error:
            raise CannotFetch(f"it is not JSON in UTF-8: {error}") from None
        try:
            found = document if self._records_path is None else follow(document, self._records_path)
            records = count_records(found)
            if self._records_path is not None:
                # The reader adds notes about errors beside records.
                check_errors_beside(document, self._records_path, records, [])
        except InputNotReadable as error:
            raise CannotFetch(_error_or(str(error), document)) from None
        if self._records_path is None and (reported := error_in(document)) is not None:
            raise CannotFetch(f"the source reports an error instead of data: {reported}")
        if records or self._separator == b"[":
            self._data.write(self._separator + body)
            self._separator = b","
        listed = [marshal.dumps(record, _MARSHAL_VERSION) for record in found] if isinstance(found, list) else []
        return SourcePage(records, _digest(marshal.dumps(found, _MARSHAL_VERSION)), digests_of(listed), document)

    def end(self) -> None:
        self._data.write(b"]")


class _JsonLinesPages:
    """Writes the lines of all pages."""

    def __init__(self, data: Input) -> None:
        self._data = data

    def add(self, body: bytes) -> SourcePage:
        lines = [line for line in _text(body).split(b"\n") if line.strip()]
        for line in lines:
            self._data.write(line + b"\n")
        return SourcePage(len(lines), _digest(b"\n".join(lines)), digests_of(map(bytes.strip, lines)))

    def end(self) -> None:
        pass


class _TablePages:
    """Writes the header of the first page, and the records of all pages."""

    def __init__(self, data: Input) -> None:
        self._data = data
        self._header: bytes | None = None

    def add(self, body: bytes) -> SourcePage:
        header, end, records = _first_line(_text(body).lstrip(b"\r\n"))
        if header[:4].lower() == b"sep=":
            line, end, records = _first_line(records)
            header += b"\n" + line
        if header.count(b'"') % 2:
            raise CannotFetch("its header has a line break in quotes; such pages cannot be joined")
        if self._header is None and header:
            self._header = header
            self._data.write(header + (end or b"\n"))
        elif header not in {b"", self._header}:
            raise CannotFetch("its header is another one than the first page's")
        if records.strip():
            self._data.write(records if records.endswith((b"\n", b"\r")) else records + (end or b"\n"))
        lines = [line for line in records.splitlines() if line.strip()]
        return SourcePage(1 if lines else 0, _digest(records), digests_of(lines))

    def end(self) -> None:
        pass


def _error_or(message: str, document: Any) -> str:
    """Return the error that a page without records reports, else what is wrong with the page."""
    reported = error_in(document)
    if reported is None or reported in message:
        return message
    return f"the source reports an error instead of data: {reported} ({message})"


def _first_line(text: bytes) -> tuple[bytes, bytes, bytes]:
    """Return the first line, its end (CR LF, LF or CR) and what comes after it."""
    line, *rest = _LINE_END.split(text, 1)
    return (line, rest[0], rest[1]) if rest else (line, b"", b"")


def _text(body: bytes) -> bytes:
    if b"\0" in body[:_HEAD_BYTES]:
        raise CannotFetch("it is UTF-16 or not text; pages of text are joined in UTF-8 and in encodings of one byte")
    return body.removeprefix(_BOM)


def _digest(records: bytes) -> bytes:
    return hashlib.sha256(records).digest()
