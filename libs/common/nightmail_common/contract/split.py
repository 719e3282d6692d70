"""A result that is split by a column: a slice for each value, with its own rows, recipients, files and mails."""

import hashlib

from pydantic import BaseModel, TypeAdapter

from nightmail_common.contract.blob import Blob


class SliceFile(BaseModel, frozen=True):
    """A file of a slice: where its bytes are among those of all slices. `format` is the ending of its name."""

    format: str
    offset: int
    size: int
    sha256: str


class ResultSlice(BaseModel, frozen=True):
    """The rows of a result that have one value in the column `split_by`, and who gets them. The first file is the CSV."""

    value: str
    recipients: tuple[str, ...]
    rows: int
    files: tuple[SliceFile, ...]


#: The index of a result's slices, as JSON.
SLICES = TypeAdapter(tuple[ResultSlice, ...])


class SplitResult(BaseModel, frozen=True):
    """The slices of a result: `index` is a `SLICES`, `files` the bytes of all their files, one after another."""

    count: int
    index: Blob
    files: Blob


def slice_id(value: str) -> str:
    """Return a short name of a slice for keys, links and Message-IDs, because its value may have any characters."""
    return hashlib.sha256(value.encode()).hexdigest()[:16]
