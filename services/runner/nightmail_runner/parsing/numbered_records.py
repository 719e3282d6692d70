"""The records of delimited text one by one, each with the number of its line."""

import csv
import io
from collections.abc import Callable, Iterator
from typing import Any, Literal, TypeAlias

from nightmail_runner.parsing.options import InputNotReadable

#: csv.QUOTE_MINIMAL or csv.QUOTE_NONE.
Quoting: TypeAlias = Literal[0, 3]


def numbered_records(
    text: memoryview,
    first_line: int,
    delimiter: str,
    comment: str | None,
    quoting: Quoting,
    on_comment: Callable[[int, str], None] | None = None,
) -> Iterator[tuple[int, list[str]]]:
    """Yield each record with the number of its first line; a blank line is a record without fields.

    Args:
        text: UTF-8 that begins with line `first_line` of the file.
        comment: a line that begins with it is no record.
        on_comment: called with the number and the text of each such line.

    Raises:
        InputNotReadable: a quote does not close, or stands where none can.
    """
    file = io.TextIOWrapper(io.BufferedReader(_Bytes(text)), "utf-8", newline="")
    lines = _Lines(file, comment)
    reader = csv.reader(lines, delimiter=delimiter, quoting=quoting, strict=True)
    while True:
        first = lines.count + 1
        lines.in_record = lines.was_comment = False
        try:
            record = next(reader, None)
        except csv.Error as error:
            line = first_line + first - 1
            why = "a quote opens here and does not close" if "unexpected end" in str(error) else str(error)
            raise InputNotReadable(f"line {line}: {why}; quotes inside of a quoted field are doubled") from None
        if record is None:
            return
        if not lines.was_comment:
            yield first_line + first - 1, record
        elif on_comment is not None:
            on_comment(first_line + first - 1, lines.last)


class _Lines:
    """Lines of a file for csv.reader: counted, comments empty. A line inside of a quoted field is no comment."""

    def __init__(self, file: io.TextIOWrapper, comment: str | None) -> None:
        self._file = file
        self._comment = comment
        self.count = 0
        self.last = ""
        #: The next line goes on with a record.
        self.in_record = False
        self.was_comment = False

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        self.last = line = next(self._file)
        self.count += 1
        self.was_comment = self._comment is not None and not self.in_record and line.startswith(self._comment)
        self.in_record = True
        return "\n" if self.was_comment else line


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
