"""How a source's bytes are to be read."""

from dataclasses import dataclass, field
from typing import Literal

from nightmail_common.contract.source_types import ColumnType, FileType


class InputNotReadable(ValueError):
    """The bytes do not have the source's file type or options. The message speaks of the user's file: line, column, expected, option."""


@dataclass(frozen=True)
class ReadOptions:
    """A source's options, as `DataSource` documents them.

    Args:
        file_type: `arrow` is the Arrow IPC stream of a query's result.
        charset: the `charset` parameter of the HTTP answer's Content-Type.
        total_records: how many records the headers of the HTTP answer count.
        paged: the bytes are a JSON list of pages, each as the source sent it.
        max_bytes: the ceiling for the unpacked bytes of compressed data.
        own: the bytes are a CSV that Nightmail wrote: the output of a script is never taken for an error message.
    """

    file_type: FileType | Literal["arrow"]
    records_path: str | None = None
    delimiter: str | None = None
    encoding: str | None = None
    decimal: str = "."
    thousands: str | None = None
    skip_rows: int = 0
    comment: str | None = None
    sheet: str | None = None
    na_values: tuple[str, ...] = ()
    types: dict[str, ColumnType] = field(default_factory=dict)
    charset: str | None = None
    total_records: int | None = None
    paged: bool = False
    own: bool = False
    max_bytes: int = 256 * 1024**2
