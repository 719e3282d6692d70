"""The first rows of a result, as a table that fits a mail."""

import csv
import io
import re
from dataclasses import dataclass

SHOWN_ROWS = 20
#: What a phone can still scroll, and a text mail can still align.
SHOWN_COLUMNS = 12
CELL_CHARACTERS = 40

_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?|nan|inf|-inf|", re.IGNORECASE)


@dataclass(frozen=True)
class Preview:
    """Cells as text, each shortened; `numeric` says which columns are aligned to the right."""

    columns: list[str]
    rows: list[list[str]]
    numeric: list[bool]
    total_rows: int
    total_columns: int

    @property
    def caption(self) -> str:
        """`1,234 rows`, or `first 20 of 1,234 rows`; and of how many columns, if not all are shown."""
        if self.total_rows > len(self.rows):
            caption = f"first {len(self.rows)} of {self.total_rows:,} rows"
        else:
            caption = "no rows" if not self.rows else "1 row" if len(self.rows) == 1 else f"{len(self.rows)} rows"
        if self.total_columns > len(self.columns):
            caption += f", first {len(self.columns)} of {self.total_columns:,} columns"
        return caption

    @property
    def text(self) -> str:
        """The table in columns of equal width, for a text without any markup."""
        table = [self.columns, *self.rows]
        widths = [max(len(row[index]) for row in table) for index in range(len(self.columns))]
        lines = [
            "  ".join(
                cell.rjust(width) if numeric else cell.ljust(width)
                for cell, width, numeric in zip(row, widths, self.numeric, strict=True)
            ).rstrip()
            for row in table
        ]
        return "\n".join([*lines[:1], "  ".join("-" * width for width in widths), *lines[1:]])


def preview(csv_bytes: bytes, total_rows: int) -> Preview:
    """Return the first rows of a CSV in UTF-8; reads no further than it must."""
    lines = csv.reader(io.TextIOWrapper(io.BytesIO(csv_bytes), "utf-8", errors="replace", newline=""))
    try:
        header = next(lines, [])
        found = [row for _, row in zip(range(min(SHOWN_ROWS, total_rows)), lines, strict=False)]
    except csv.Error:  # a cell of more than 128 KiB: the attachment has it
        header, found = [], []
    width = min(len(header), SHOWN_COLUMNS)
    rows = [[_cell(cell) for cell in [*row, *[""] * width][:width]] for row in found]
    numeric = [bool(rows) and all(_NUMBER.fullmatch(row[index]) for row in rows) for index in range(width)]
    return Preview([_cell(name) for name in header[:width]], rows, numeric, total_rows, len(header))


def _cell(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= CELL_CHARACTERS else text[: CELL_CHARACTERS - 1] + "…"
