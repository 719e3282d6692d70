"""The first rows of a result, as a table that fits a mail."""

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from nightmail_common.contract.comparison import RowMark
from nightmail_common.contract.csv_head import read_head
from nightmail_common.contract.job import CsvOptions
from nightmail_common.contract.limits import MAX_TABLE_BYTES
from nightmail_mailer.compose.cells import format_column, is_number
from nightmail_mailer.compose.formatting import remove_control_characters

SHOWN_ROWS = 20
#: A phone can scroll this many columns, and a text mail can align them.
SHOWN_COLUMNS = 12
CELL_CHARACTERS = 40
#: The longest mark is `changed`.
_MARK_WIDTH = 7
#: Only the first characters of a longer cell are read.
READ_CHARACTERS = 4_000


@dataclass(frozen=True)
class Preview:
    """Cells as text, each shortened. Columns that are `numeric` are aligned to the right.

    `marks` says of each row whether it is new or changed; it is empty if no row is.
    """

    columns: list[str]
    rows: list[list[str]]
    numeric: list[bool]
    total_rows: int
    total_columns: int
    marks: Sequence[RowMark] = ()

    @property
    def caption(self) -> str:
        """`1,234 rows`, or `first 20 of 1,234 rows`; with the number of columns if not all are shown.

        A result without rows or without columns has a sentence.
        """
        if not self.columns:
            return "The result has no columns."
        if self.total_rows == 0:
            return "The result has no rows."
        if self.total_rows > len(self.rows):
            caption = f"first {len(self.rows)} of {self.total_rows:,} rows"
        else:
            caption = "1 row" if len(self.rows) == 1 else f"{len(self.rows)} rows"
        if self.total_columns > len(self.columns):
            caption += f", first {len(self.columns)} of {self.total_columns:,} columns"
        return caption

    @property
    def text(self) -> str:
        """The table in aligned columns, for a text without markup."""
        widths = self._widths()
        lines = [
            "  ".join(
                _padded(cell, width, numeric) for cell, width, numeric in zip(row, widths, self.numeric, strict=True)
            )
            for row in (self.columns, ["-" * width for width in widths], *self.rows)
        ]
        if self.marks:
            marks = ("", "-" * _MARK_WIDTH, *self.marks)
            lines = [f"{mark:<{_MARK_WIDTH}}  {line}" for mark, line in zip(marks, lines, strict=True)]
        return "\n".join(line.rstrip() for line in lines)

    def narrowed(self, width: int) -> "Preview":
        """Return the preview with as many columns as fit a text of at most `width` characters; at least one."""
        widths = self._widths()
        width -= _MARK_WIDTH + 2 if self.marks else 0
        fit = sum(sum(widths[:count]) + 2 * (count - 1) <= width for count in range(1, len(widths) + 1))
        shown = max(fit, 1)
        rows = [row[:shown] for row in self.rows]
        return replace(self, columns=self.columns[:shown], rows=rows, numeric=self.numeric[:shown])

    def _widths(self) -> list[int]:
        table = [self.columns, *self.rows]
        return [max(_width(row[index]) for row in table) for index in range(len(self.columns))]


def preview_csv(
    csv_bytes: bytes,
    total_rows: int,
    options: CsvOptions | None = None,
    marks: Sequence[RowMark] = (),
    text_columns: Collection[int] | None = None,
) -> Preview:
    """Return the first rows of a CSV in UTF-8: those of its first `MAX_TABLE_BYTES`; the rest is not parsed.

    Args:
        options: how the CSV is written. Numbers whose format the job sets stay as they are; others are rounded.
        marks: those of the first rows.
        text_columns: the positions of the columns whose cells are text, even if they look like numbers; None if that is not
            known, so that no number is rounded.
    """
    options = options or CsvOptions()
    header, *found = read_head(csv_bytes[:MAX_TABLE_BYTES], len(csv_bytes), SHOWN_ROWS, options.delimiter) or [[]]
    del found[total_rows:]
    width = min(len(header), SHOWN_COLUMNS)
    rows = [[_cell(cell) for cell in [*row, *[""] * width][:width]] for row in found]
    numeric = [
        bool(rows) and index not in (text_columns or ()) and all(is_number(row[index], options.decimal) for row in rows)
        for index in range(width)
    ]
    columns = [
        format_column(list(column), options, is_text=text_columns is None or index in text_columns)
        for index, column in enumerate(zip(*rows, strict=True))
    ]
    rows = [list(row) for row in zip(*columns, strict=True)]
    marks = marks[: len(rows)] if any(marks[: len(rows)]) else ()
    return Preview([_cell(name) for name in header[:width]], rows, numeric, total_rows, len(header), marks)


def _width(text: str) -> int:
    """Return the number of columns of a text in a monospaced font (Unicode Annex 11)."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) or char == "\u200d" else 1 + (unicodedata.east_asian_width(char) in "WF")
        for char in text
    )


def _padded(cell: str, width: int, right: bool) -> str:
    padding = " " * (width - _width(cell))
    return padding + cell if right else cell + padding


def _cell(text: str) -> str:
    shown = " ".join(str(remove_control_characters(text[:READ_CHARACTERS])).split())
    if len(shown) <= CELL_CHARACTERS and len(text) <= READ_CHARACTERS:
        return shown
    return shown[: CELL_CHARACTERS - 1] + "…"
