"""What several routes take and answer: names, pages, ETags, documented problems."""

import json
import re
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Header, Path, Query
from fastapi.responses import Response
from pydantic import AfterValidator, AwareDatetime, BeforeValidator
from pydantic_core import to_json

from nightmail_api.access.authentication import admin, editor, viewer
from nightmail_api.access.tokens import Principal
from nightmail_api.http.problems import MEDIA_TYPE, NotFound, NotValid, ProblemDocument
from nightmail_api.read_model.queries import Page
from nightmail_common.contract.job_definition import normalise_job_name

Viewer = Annotated[Principal, Depends(viewer)]
Editor = Annotated[Principal, Depends(editor)]
Admin = Annotated[Principal, Depends(admin)]

#: A page of so many is answered in about 10 ms; others wait for as long.
MAX_PAGE = 500

Limit = Annotated[
    int,
    Query(ge=1, le=1000, description=f"How many items at most. A page has no more than {MAX_PAGE}."),
    AfterValidator(lambda limit: min(limit, MAX_PAGE)),
]
Cursor = Annotated[str | None, Query(max_length=1024, description="The `next_cursor` of the page before.")]


def _iso_8601(value: object) -> object:
    # A number would be read as seconds since 1970, or milliseconds if it is large.
    if not isinstance(value, str) or not _DATE.match(value):
        raise ValueError("a time is written as in 2026-11-23T09:00:00+01:00")
    return value


#: A time with its offset from UTC.
Moment = Annotated[AwareDatetime, BeforeValidator(_iso_8601)]

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}[T ]", re.ASCII)
_ETAG = re.compile(r'"(\d{1,19})"')


# Dependencies are coroutines though they wait for nothing: FastAPI runs a plain function in a thread, for 100 µs.
async def _existing_name(
    job_name: Annotated[str, Path(description="The job's name.", examples=["daily sales"])],
) -> str:
    try:
        return normalise_job_name(job_name)
    except ValueError:
        raise NotFound("there is no job of that name") from None


#: The job's name in the path, in its one spelling; what cannot be a name is not found.
JobName = Annotated[str, Depends(_existing_name)]


async def _existing_run(
    run_id: Annotated[str, Path(description="The run's id.", examples=["01a20996-fe4d-720b-8c70-9ca43442f14c"])],
) -> UUID:
    try:
        return UUID(run_id)
    except ValueError:
        raise NotFound(f"there is no run {run_id!r}") from None


#: The run's id in the path; what cannot be an id is not found.
RunId = Annotated[UUID, Depends(_existing_run)]


async def _if_match(
    if_match: Annotated[
        str | None,
        Header(
            description="The job's `ETag`: the change is refused (412) if somebody else changed it meanwhile.",
            json_schema_extra={"pattern": r'^("[0-9]{1,19}"|\*)$'},
        ),
    ] = None,
) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    match = _ETAG.fullmatch(if_match.strip())
    if match is None:
        raise NotValid("1 field is not valid", errors=[("if-match", 'not one ETag such as "42", nor *')])
    return int(match[1])


#: The sequence that the job's last event must have; None if any will do.
IfMatch = Annotated[int | None, Depends(_if_match)]


def json_response(content: Any, status: int = 200, **headers: str) -> Response:
    return prepared_response(to_json(content), status, **headers)


def page_response(page: Page) -> Response:
    """Answer with a page whose items are JSON already."""
    return prepared_response(f'{{"items":[{",".join(page.items)}],"next_cursor":{json.dumps(page.next_cursor)}}}')


def prepared_response(content: str | bytes, status: int = 200, **headers: str) -> Response:
    return Response(content, status_code=status, headers=headers, media_type="application/json")


def problems(*statuses: int, has_body: bool = False) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI documentation of the problems that a route may answer; `openapi` adds the examples."""
    body = {413, 415} if has_body else set()
    return {
        status: {"description": _DESCRIPTIONS[status], "content": {MEDIA_TYPE: {"schema": PROBLEM_SCHEMA}}}
        for status in sorted({400, 401, 403, 429, 503} | body | set(statuses))
    }


def open_problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the same for a route that needs no token."""
    return {status: one for status, one in problems(*statuses).items() if status in {503, *statuses}}


PROBLEM_SCHEMA = {"$ref": f"#/components/schemas/{ProblemDocument.__name__}"}
_DESCRIPTIONS = {
    400: "A field or parameter is not valid; `errors` names it",
    401: "The bearer token is missing or not known",
    403: "The token's role may not do this",
    404: "There is no such thing",
    409: "The name is taken",
    412: "Somebody else changed the job meanwhile",
    413: "The body is too large",
    415: "The body is not JSON",
    429: "The caller's address sent too many wrong tokens",
    503: "The service cannot answer right now; trying again is safe",
}
