"""Errors as problem documents (RFC 9457), each naming the field where there is one."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import nats.errors
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, Field
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import Scope

from nightmail_api.read_model.database import DatabaseAway

MEDIA_TYPE = "application/problem+json"

logger = structlog.get_logger()


class FieldError(BaseModel):
    """What is wrong with one field. `field` is its path in the body, or the parameter's name."""

    field: str
    detail: str


class ProblemDocument(BaseModel):
    """An error. `type` stands for the kind of problem, `detail` says what to do about this one."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError] = Field(default_factory=list)


class Problem(Exception):
    """What the caller is told instead of an answer. Subclasses say which status it has."""

    status: HTTPStatus

    def __init__(
        self, detail: str, *, errors: Sequence[tuple[str, str]] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = errors
        self.headers = headers


class NotValid(Problem):
    """A field cannot be as it was given; the field is named."""

    status = HTTPStatus.BAD_REQUEST


class NotFound(Problem):
    """There is no such job, run or result."""

    status = HTTPStatus.NOT_FOUND


class NameTaken(Problem):
    """A job of that name exists; choose another, or change that one with PUT."""

    status = HTTPStatus.CONFLICT


class ChangedMeanwhile(Problem):
    """Somebody else changed the job since the caller read it; read again and decide anew."""

    status = HTTPStatus.PRECONDITION_FAILED


class NotReady(Problem):
    """The service cannot answer yet or right now; trying again later is safe."""

    status = HTTPStatus.SERVICE_UNAVAILABLE

    def __init__(self, detail: str, *, retry_after_seconds: int = 1) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after_seconds)})


def problem_response(
    status: int, detail: str, errors: Sequence[tuple[str, str]] = (), headers: Mapping[str, str] | None = None
) -> Response:
    document = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "errors": [{"field": field, "detail": text} for field, text in errors],
    }
    return Response(to_json(document), status_code=status, headers=headers, media_type=MEDIA_TYPE)


def add_problem_handlers(app: FastAPI) -> None:
    """Make every error of the application a problem document."""
    app.add_exception_handler(Problem, _answer_problem)
    app.add_exception_handler(RequestValidationError, _answer_not_valid)
    app.add_exception_handler(HTTPException, _answer_http_exception)
    app.add_exception_handler(nats.errors.Error, _answer_no_log)
    # nats-py lets the socket's own error through when the connection breaks under a request.
    app.add_exception_handler(ConnectionError, _answer_no_log)
    app.add_exception_handler(DatabaseAway, _answer_no_database)


async def _answer_no_log(_request: Request, error: Exception) -> Response:
    logger.warning("log_not_reachable", error=str(error) or type(error).__name__)
    return problem_response(HTTPStatus.SERVICE_UNAVAILABLE, "the log does not answer", headers={"Retry-After": "1"})


async def _answer_no_database(_request: Request, error: Exception) -> Response:
    logger.warning("database_not_reachable", error=str(error))
    detail = "the database does not answer"
    return problem_response(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers={"Retry-After": "1"})


async def _answer_problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return problem_response(error.status, error.detail, error.errors, error.headers)


async def _answer_not_valid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [field_error(problem) for problem in error.errors()]
    count = f"{len(errors)} field is" if len(errors) == 1 else f"{len(errors)} fields are"
    return problem_response(HTTPStatus.BAD_REQUEST, f"{count} not valid", errors)


def field_error(problem: Mapping[str, Any]) -> tuple[str, str]:
    """Return the field's path and what is wrong with it, of one of pydantic's errors."""
    if problem["type"] == "json_invalid":
        return "body", f"not JSON: {problem['ctx']['error']}"
    where = [str(part) for part in problem["loc"]]
    path = where[1:] if len(where) > 1 and where[0] in {"body", "query", "path", "header", "cookie"} else where
    return ".".join(path), problem["msg"].removeprefix("Value error, ")


async def _answer_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = ", ".join(_methods(request))
        return problem_response(error.status_code, f"this path takes {allowed}", headers={"Allow": allowed})
    if error.status_code == HTTPStatus.NOT_FOUND:
        return problem_response(error.status_code, "there is no such path")
    return problem_response(error.status_code, str(error.detail), headers=error.headers)


def _methods(request: Request) -> list[str]:
    """Return every method of the path as documented: each route has one, and does not know the others."""
    path = next(route.path for route in request.app.routes if route.matches(request.scope)[0] is not Match.NONE)
    methods = {method for route in request.app.routes if route.path == path for method in route.methods}
    return sorted(methods | {"HEAD"} if "GET" in methods else methods)


def bug_response(scope: Scope, error: Exception) -> Response:
    """Log a fault of ours, and return what the caller is told of it."""
    logger.error("request_failed", method=scope["method"], route=route_path(scope), exc_info=error)
    return problem_response(HTTPStatus.INTERNAL_SERVER_ERROR, "a fault of the service; it is in its log")


def route_path(scope: Scope) -> str | None:
    """Return the path of a request's route as documented; None if there is no such route."""
    return getattr(scope.get("route"), "path", None)
