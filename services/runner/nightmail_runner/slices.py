"""The slices of a result, checked and with their recipients: nothing is mailed unless every slice is right."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Annotated

from annotated_types import Ge, MaxLen
from pydantic import BaseModel, TypeAdapter, ValidationError

from nightmail_common.contract.job import AttachmentFormat, Job
from nightmail_common.contract.job_definition import normalise_email
from nightmail_common.contract.limits import (
    MAX_RECIPIENTS,
    MAX_SLICE_INDEX_BYTES,
    MAX_SLICE_RECIPIENTS,
    MAX_SLICE_VALUE_CHARS,
    MAX_SLICES,
)
from nightmail_common.contract.split import ResultSlice, SliceFile
from nightmail_runner.sandbox.memory import MemoryFile
from nightmail_runner.sandbox.result import Succeeded

#: An error names so many values and addresses.
SHOWN_VALUES = 5


class SlicesNotValid(Exception):
    """A slice cannot be mailed: it has no recipients, or something that is no address; or the script changed the file."""


class _WrittenFile(BaseModel, strict=True):
    format: AttachmentFormat
    size: Annotated[int, Ge(0)]


class _WrittenSlice(BaseModel, strict=True):
    value: Annotated[str, MaxLen(MAX_SLICE_VALUE_CHARS)]
    rows: Annotated[int, Ge(1)]
    addresses: Annotated[list[Annotated[str, MaxLen(MAX_SLICE_VALUE_CHARS)]], MaxLen(MAX_RECIPIENTS)]
    files: Annotated[list[_WrittenFile], MaxLen(2)]


_INDEX = TypeAdapter(Annotated[list[_WrittenSlice], MaxLen(MAX_SLICES)])


def read_slices(file: MemoryFile, result: Succeeded, job: Job) -> tuple[ResultSlice, ...]:
    """Return the slices of a result. The largest one takes a second: call it in a thread.

    Args:
        file: the files of all slices, and their index behind them, as the worker wrote them.

    Raises:
        SlicesNotValid: a value has no recipients, an address is none, or the index does not fit the file or the answer.
    """
    with file.view() as view:
        index_start = len(view) - result.slice_index_bytes
        written = _read_index(bytes(view[max(index_start, 0) :]), index_start, result, job)
        recipients = _recipients(written, job)
        if (count := sum(map(len, recipients))) > MAX_SLICE_RECIPIENTS:
            raise SlicesNotValid(
                f"the slices have {count:,} recipients together; at most {MAX_SLICE_RECIPIENTS:,} are allowed"
            )
        return tuple(_slices(view, written, recipients))


def _read_index(index: bytes, files_bytes: int, result: Succeeded, job: Job) -> list[_WrittenSlice]:
    """Return the index of a file that has `files_bytes` in front of it."""
    if not 0 < len(index) <= MAX_SLICE_INDEX_BYTES:
        raise SlicesNotValid(f"the script changed the file of the slices: its index has {len(index)} bytes")
    try:
        written = _INDEX.validate_json(index)
    except ValidationError as error:
        raise SlicesNotValid(f"the script changed the index of the slices: {error.error_count()} problems") from None
    formats = ["csv", "xlsx"] if "xlsx" in job.attachments else ["csv"]
    problems = {
        f"the slices do not have the {result.rows} rows of the result": sum(one.rows for one in written) != result.rows,
        "their files do not fill the file": sum(each.size for one in written for each in one.files) != files_bytes,
        "two slices have one value": len({one.value for one in written}) != len(written),
        "a slice has other files": any(
            [each.format for each in one.files] not in (formats, ["csv"]) for one in written
        ),
    }
    for problem, is_found in problems.items():
        if is_found:
            raise SlicesNotValid(f"the script changed the index of the slices: {problem}")
    return written


def _recipients(written: list[_WrittenSlice], job: Job) -> list[tuple[str, ...]]:
    given = job.recipients_by
    if isinstance(given, dict):
        if missing := [one.value for one in written if not given.get(one.value)]:
            raise SlicesNotValid(
                f"recipients_by has no recipients for {_listed(missing)} of the column {job.split_by!r}"
            )
        return [given[one.value] for one in written]
    if missing := [one.value for one in written if not one.addresses]:
        raise SlicesNotValid(
            f"the column {given!r} has no address for {_listed(missing)} of the column {job.split_by!r}"
        )
    found, wrong = [], []
    for one in written:
        try:
            found.append(tuple(dict.fromkeys(normalise_email(address) for address in one.addresses)))
        except ValueError as error:
            wrong.append(f"{error} (for {one.value!r})")
    if wrong:
        more = f"; and of {len(wrong) - SHOWN_VALUES} more values" if len(wrong) > SHOWN_VALUES else ""
        raise SlicesNotValid(f"the column {given!r}: {'; '.join(wrong[:SHOWN_VALUES])}{more}")
    return found


def _slices(
    view: memoryview, written: list[_WrittenSlice], recipients: Sequence[tuple[str, ...]]
) -> Iterator[ResultSlice]:
    offset = 0
    for one, addresses in zip(written, recipients, strict=True):
        files = []
        for each in one.files:
            digest = hashlib.sha256(view[offset : offset + each.size]).hexdigest()
            files.append(SliceFile(format=each.format, offset=offset, size=each.size, sha256=digest))
            offset += each.size
        yield ResultSlice(value=one.value, recipients=addresses, rows=one.rows, files=tuple(files))


def _listed(values: list[str]) -> str:
    shown = ", ".join(map(repr, values[:SHOWN_VALUES]))
    return shown if len(values) <= SHOWN_VALUES else f"{shown} and {len(values) - SHOWN_VALUES} more values"
