"""Problem documents (RFC 9457): the errors that the API answers with, each of which names the field where there is one."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from fastapi.responses import Response
from pydantic import BaseModel, Field
from pydantic_core import to_json

from nightmail_common.contract.limits import MAX_PROBLEM_CHARS, MAX_PROBLEM_FIELD_CHARS, MAX_PROBLEM_TEXT_CHARS

MEDIA_TYPE = "application/problem+json"


class FieldError(BaseModel):
    """What is wrong with one field. `field` is its path in the body, or the parameter's name."""

    field: str
    detail: str


class ProblemDocument(BaseModel):
    """An error. `type` identifies the kind of problem, `detail` says what to do about this one."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError] = Field(default_factory=list)


class Problem(Exception):
    """An error that is answered as a problem document. Each subclass has one status."""

    status: HTTPStatus

    def __init__(
        self, detail: str, *, errors: Sequence[tuple[str, str]] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = errors
        self.headers = headers


class ValidationProblem(Problem):
    """One or more fields are not valid. Each error is the name of a field and what is wrong with it."""

    status = HTTPStatus.BAD_REQUEST

    def __init__(self, *errors: tuple[str, str]) -> None:
        count = "1 field is" if len(errors) == 1 else f"{len(errors)} fields are"
        super().__init__(f"{count} not valid", errors=errors)


class Forbidden(Problem):
    """The caller is known, but may not do this: its role is too low, or another site may have sent the request."""

    status = HTTPStatus.FORBIDDEN


class NotFound(Problem):
    """There is no such job, run or result."""

    status = HTTPStatus.NOT_FOUND


class Gone(Problem):
    """The result was kept for its time, and no longer."""

    status = HTTPStatus.GONE


class TooLarge(Problem):
    """The answer would take more time or memory than one request may use."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class Conflict(Problem):
    """The name is taken; choose another one, or change the existing job with PUT."""

    status = HTTPStatus.CONFLICT


class PreconditionFailed(Problem):
    """The job was changed after the caller read it; read it again before changing it."""

    status = HTTPStatus.PRECONDITION_FAILED


class NotReady(Problem):
    """The service cannot answer yet, or not at the moment; a retry is safe."""

    status = HTTPStatus.SERVICE_UNAVAILABLE

    def __init__(self, detail: str, *, retry_after_seconds: int = 1) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after_seconds)})


def problem_response(
    status: int, detail: str, errors: Sequence[tuple[str, str]] = (), headers: Mapping[str, str] | None = None
) -> Response:
    """Return a problem document as a response; `errors` are pairs of field and detail, of which the first ones are listed."""
    listed: list[dict[str, str]] = []
    size = 0
    for field, text in errors:
        error = {"field": shorten(field, MAX_PROBLEM_FIELD_CHARS), "detail": shorten(text, MAX_PROBLEM_TEXT_CHARS)}
        size += sum(map(len, error.values()))
        if listed and size > MAX_PROBLEM_CHARS:
            detail = f"{detail}; the first {len(listed)} are listed"
            break
        listed.append(error)
    document = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": shorten(detail, MAX_PROBLEM_TEXT_CHARS),
        "errors": listed,
    }
    return Response(to_json(document), status_code=status, headers=headers, media_type=MEDIA_TYPE)


def shorten(text: str, characters: int) -> str:
    return text if len(text) <= characters else text[: characters - 1] + "…"
