"""The input of a run as it is kept: its bytes are in the bucket `INPUTS`, under their SHA-256."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from nightmail_common.contract.source_types import FileType

#: What the rows of a database are written as: an Arrow IPC stream.
InputType = FileType | Literal["arrow"]

#: By type, as IANA registers them; JSON Lines and Parquet have the names that their specifications give.
_MEDIA_TYPES: dict[InputType, str] = {
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "json": "application/json",
    "jsonl": "application/jsonl",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
}


class Validators(BaseModel, frozen=True):
    """What an HTTP source said of its answer, with which the next run asks whether it has changed (RFC 9110 section 8.8).

    They count for the request of `request_sha256` only. `fetched_at` is the time when the source last sent its body.
    """

    etag: str | None = None
    last_modified: str | None = None
    request_sha256: str
    fetched_at: datetime


class KeptInput(BaseModel, frozen=True):
    """What a run has read from one source.

    `object_name` is None for an input that is too large to be kept. `charset` is the one that the HTTP answer declared.
    `keep_inputs` is the job's: of how many runs, this one and earlier ones, inputs are kept.
    """

    source: str
    size: int
    sha256: str
    object_name: str | None = None
    file_type: InputType
    charset: str | None = None
    keep_inputs: int
    validators: Validators | None = None


def media_types() -> tuple[str, ...]:
    """Return the media types that inputs have."""
    return tuple(_MEDIA_TYPES.values())


def media_type(file_type: InputType, charset: str | None) -> str:
    """Return the media type of an input; only text has a charset."""
    known = _MEDIA_TYPES[file_type]
    return f"{known}; charset={charset}" if charset is not None and known.startswith("text/") else known


def file_ending(file_type: InputType) -> str:
    """Return the ending of an input's file name; Arrow's registration has `arrows` for a stream."""
    return "arrows" if file_type == "arrow" else file_type
