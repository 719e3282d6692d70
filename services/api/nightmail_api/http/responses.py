"""Responses, and the OpenAPI documentation of the problems that routes answer."""

import json
from http import HTTPStatus
from typing import Any

from fastapi.responses import Response
from pydantic_core import to_json

from nightmail_api.http.problems import MEDIA_TYPE, ProblemDocument
from nightmail_api.read_model.pages import Page

#: The documentation of a response with a run's result.
CSV: dict[str, Any] = {
    "description": "The CSV",
    "content": {"text/csv": {"schema": {"type": "string"}, "example": "region,amount\nnorth,1200\nsouth,950\n"}},
}

#: The documentation of a response with a figure of a run.
PNG: dict[str, Any] = {
    "description": "The PNG",
    "content": {"image/png": {"schema": {"type": "string", "format": "binary"}, "example": "89 50 4e 47 0d 0a 1a 0a"}},
}


def json_response(content: Any, status: int = 200) -> Response:
    """Return a response whose content is encoded here, without validation against the documented schema."""
    return encoded_response(to_json(content), status)


def encoded_response(content: str | bytes, status: int = 200, **headers: str) -> Response:
    """Return a response whose content is JSON already."""
    return Response(content, status_code=status, headers=headers, media_type="application/json")


def page_response(page: Page) -> Response:
    """Return a page, whose items are JSON already."""
    return encoded_response(f'{{"items":[{",".join(page.items)}],"next_cursor":{json.dumps(page.next_cursor)}}}')


def problems(*statuses: int, has_body: bool = False) -> dict[int | str, dict[str, Any]]:
    """Return the documentation of the problems of a route that has a permission: the usual ones and `statuses`."""
    body = {408, 413, 415} if has_body else set()
    return {status: _problem(status) for status in sorted({400, 401, 403, 429, 503} | body | set(statuses))}


def open_problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the same for a route that needs no token."""
    return {status: _problem(status) for status in sorted({503, *statuses})}


def _problem(status: int) -> dict[str, Any]:
    description, detail = _PROBLEMS[status]
    example: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "errors": [{"field": field, "detail": text} for field, text in _FIELD_ERRORS.get(status, ())],
    }
    schema = {"$ref": f"#/components/schemas/{ProblemDocument.__name__}"}
    problem: dict[str, Any] = {
        "description": description,
        "content": {MEDIA_TYPE: {"schema": schema, "example": example}},
    }
    if status in _HEADERS:
        name, text, value = _HEADERS[status]
        problem["headers"] = {name: {"description": text, "schema": {"type": "string"}, "example": value}}
    return problem


#: Status -> description, and the `detail` of the example.
_PROBLEMS = {
    400: ("A field or parameter is not valid; `errors` names it", "1 field is not valid"),
    401: ("The bearer token is missing or not known", "the token is not known"),
    403: ("The token's role may not do this", "this needs the role editor; the token's is viewer"),
    404: ("There is no such thing", "there is no job named 'daily sales'"),
    408: ("The body does not arrive in time", "the body did not arrive within 30 seconds"),
    409: ("The name is taken", "there is a job named 'daily sales' already"),
    410: (
        "What is asked for is kept no longer",
        "the result of the run 3f1d3c0e-6a52-5d7e-9b8e-0f6c1c7a9d21 is kept no longer",
    ),
    412: ("The job was changed after the caller read it", "the job 'daily sales' was changed: its ETag is now \"57\""),
    413: ("The body, or what is asked for, is too large", "a body has at most 1048576 bytes"),
    415: ("The body is not JSON", "send JSON, with the header 'Content-Type: application/json'"),
    429: ("Too many wrong tokens of this address, or too much at a time of this token", "too many wrong tokens"),
    503: (
        "The service cannot answer at the moment; a retry is safe",
        "catching up: 41200 of 100000 events are applied",
    ),
}
_FIELD_ERRORS = {
    400: [("data_source.location", "source_type 'api' needs an http:// or https:// URL")],
    409: [("job_name", "the name is taken")],
}
_HEADERS = {
    401: ("WWW-Authenticate", "The authentication scheme", "Bearer"),
    429: ("Retry-After", "Seconds to wait", "1"),
    503: ("Retry-After", "Seconds to wait", "1"),
}
