"""Every exception of a request as a problem document."""

from http import HTTPStatus

import nats.errors
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from nightmail_api.http.field_errors import field_errors
from nightmail_api.http.patches import allowed_methods
from nightmail_api.http.problems import Problem, ValidationProblem, problem_response
from nightmail_api.read_model.database import DatabaseUnavailable
from nightmail_common.broker.repeated_lines import RepeatedLines
from nightmail_common.contract.errors import describe_error

logger = structlog.get_logger()
#: A client that asks every second makes one line a minute.
_lines = RepeatedLines()


def add_exception_handlers(app: FastAPI) -> None:
    """Register the handlers."""
    app.add_exception_handler(Problem, _handle_problem)
    app.add_exception_handler(RequestValidationError, _handle_validation_error)
    app.add_exception_handler(HTTPException, _handle_http_exception)
    app.add_exception_handler(nats.errors.Error, _handle_broker_error)
    # nats-py raises the socket's own error when the connection breaks during a request.
    app.add_exception_handler(ConnectionError, _handle_broker_error)
    app.add_exception_handler(DatabaseUnavailable, _handle_database_error)
    app.add_exception_handler(ClientDisconnect, _handle_disconnect)


async def _handle_problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return problem_response(error.status, error.detail, error.errors, error.headers)


async def _handle_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    body = request.scope["route"].body_field
    errors = field_errors(error.errors(), None if body is None else body.field_info.annotation, error.body)
    return await _handle_problem(request, ValidationProblem(*errors))


async def _handle_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = ", ".join(allowed_methods(request))
        return problem_response(error.status_code, f"this path allows {allowed}", headers={"Allow": allowed})
    if error.status_code == HTTPStatus.NOT_FOUND:
        return problem_response(error.status_code, "there is no such path")
    return problem_response(error.status_code, str(error.detail), headers=error.headers)


async def _handle_broker_error(_request: Request, error: Exception) -> Response:
    if _lines.is_due(text := describe_error(error)):
        logger.warning("log_not_reachable", error=text)
    return problem_response(HTTPStatus.SERVICE_UNAVAILABLE, "the log does not answer", headers={"Retry-After": "1"})


async def _handle_database_error(_request: Request, error: Exception) -> Response:
    if _lines.is_due(text := str(error)):
        logger.warning("database_not_reachable", error=text)
    detail = "the database does not answer"
    return problem_response(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers={"Retry-After": "1"})


async def _handle_disconnect(_request: Request, _error: Exception) -> Response:
    """Return what nobody reads; 499 is how proxies log such a request."""
    return Response(status_code=499)
