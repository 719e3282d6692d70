"""The parameters that several routes take: names, ids, pages, times, ETags."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Header, Path, Query
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, WithJsonSchema

from nightmail_api.http.problems import NotFound
from nightmail_common.contract.job_definition import normalise_job_name

#: A page of this size takes about 10 ms, for which other requests wait.
MAX_PAGE = 500

Limit = Annotated[
    int,
    Query(
        ge=1, le=1000, description=f"The largest number of items. A page has at most {MAX_PAGE}, and fewer large ones."
    ),
    AfterValidator(lambda limit: min(limit, MAX_PAGE)),
]
Cursor = Annotated[str | None, Query(max_length=1024, description="The `next_cursor` of the page before.")]

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}[T ]", re.ASCII)
#: An offset whose `+` a client did not encode: it is a space in the query of a URL.
_SPACE_FOR_PLUS = re.compile(r"(\d{4}-\d{2}-\d{2}[T ]\d{2}:[\d:.,]+) (\d{2}:?\d{2})", re.ASCII)
_HEX = re.compile(r"[0-9a-f]{4,32}")
_ETAG = re.compile(r'(W/)?"[!#-~]*"')
_ETAGS = re.compile(rf"{_ETAG.pattern}(?:[ \t]*,[ \t]*{_ETAG.pattern})*")
_SEQUENCE_ETAG = re.compile(r'"([0-9]{1,18})"')
#: The sequence for an ETag that no job has: the comparison fails, as RFC 9110 (13.1.1) requires.
NO_SEQUENCE = -1


def _check_iso_8601(value: object) -> object:
    # Pydantic would read a number as seconds since 1970, or as milliseconds if it is large.
    if not isinstance(value, str) or not _DATE.match(value):
        raise ValueError("a time is written as in 2026-11-23T09:00:00+01:00")
    return value


def _check_in_utc(moment: datetime) -> datetime:
    try:
        moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("a time is in the years 1 to 9999 of UTC") from None
    return moment


#: A time with its offset from UTC.
Moment = Annotated[AwareDatetime, BeforeValidator(_check_iso_8601), AfterValidator(_check_in_utc)]


def _restore_plus(value: object) -> object:
    match = _SPACE_FOR_PLUS.fullmatch(value) if isinstance(value, str) else None
    return value if match is None else f"{match[1]}+{match[2]}"


#: A time in the query of a URL, where `+01:00` may stand as it is.
QueryMoment = Annotated[Moment, BeforeValidator(_restore_plus)]


def _job_name(name: str) -> str:
    try:
        return normalise_job_name(name)
    except ValueError:
        raise NotFound("there is no job of that name") from None


#: The job's name in the path, normalised; an invalid name is 404.
JobName = Annotated[str, Path(description="The job's name.", examples=["daily sales"]), AfterValidator(_job_name)]


def _run_id(value: object) -> UUID:
    try:
        return UUID(str(value))
    except ValueError:
        raise NotFound(f"there is no run {value!r}") from None


#: The run's id in the path; an invalid id is 404.
RunId = Annotated[
    UUID,
    Path(description="The run's id.", examples=["01a20996-fe4d-720b-8c70-9ca43442f14c"]),
    BeforeValidator(_run_id),
    WithJsonSchema({"type": "string"}),
]


def _run_id_prefix(prefix: str) -> str:
    digits = prefix.replace("-", "").lower()
    if not _HEX.fullmatch(digits):
        raise ValueError("the beginning of a run's id has 4 to 32 hexadecimal digits")
    return digits


#: The first digits of a run's id, without hyphens.
RunIdPrefix = Annotated[
    Annotated[str, AfterValidator(_run_id_prefix)] | None,
    Query(max_length=36, description="Only runs whose id begins with these digits.", examples=["01a20996"]),
]


def _sequences(header: object) -> frozenset[int] | None:
    text = str(header).strip()
    if header is None or text == "*":
        return None
    if _ETAGS.fullmatch(text) is None:
        raise ValueError('not ETags such as "42", with commas between them, nor *')
    matches = (_SEQUENCE_ETAG.fullmatch(etag[0]) for etag in _ETAG.finditer(text))
    return frozenset(NO_SEQUENCE if match is None else int(match[1]) for match in matches)


#: The sequences of which the job's last event must have one; None for any.
IfMatch = Annotated[
    Any,
    Header(description="The job's `ETag`, or several: the change is refused (412) if the job was changed after it."),
    BeforeValidator(_sequences),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": r'^((W/)?"[!#-~]*"(, ?(W/)?"[!#-~]*")*|\*)$'},
                {"type": "null"},
            ]
        }
    ),
]
