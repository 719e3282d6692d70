"""Problem documents (RFC 9457): the errors that the API answers with, each of which names the field where there is one."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from fastapi.responses import Response
from pydantic import BaseModel, Field
from pydantic_core import to_json

from nightmail_common.contract.limits import MAX_PROBLEM_CHARS, MAX_PROBLEM_FIELD_CHARS, MAX_PROBLEM_TEXT_CHARS
from nightmail_common.contract.text import shorten

MEDIA_TYPE = "application/problem+json"


class FieldError(BaseModel):
    """What is wrong with one field. `field` is its path in the body, or the parameter's name.

    `hint` is what to do, `allowed` the values or names that are valid, and `nearest` the one of them that was probably meant.
    """

    field: str = Field(examples=["data_source.locaton"])
    detail: str = Field(examples=["there is no such field; did you mean location?"])
    hint: str | None = Field(default=None, examples=[None])
    allowed: list[str] | None = Field(default=None, examples=[["source_type", "location", "file_type"]])
    nearest: str | None = Field(default=None, examples=["location"])


#: An error of a field; a pair is `field` and `detail`.
AnyFieldError = FieldError | tuple[str, str]


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
        self, detail: str, *, errors: Sequence[AnyFieldError] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = errors
        self.headers = headers


class ValidationProblem(Problem):
    """One or more fields are not valid."""

    status = HTTPStatus.BAD_REQUEST

    def __init__(self, *errors: AnyFieldError) -> None:
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
    status: int, detail: str, errors: Sequence[AnyFieldError] = (), headers: Mapping[str, str] | None = None
) -> Response:
    """Return a problem document as a response, which lists the first ones of the errors."""
    listed: list[dict[str, object]] = []
    size = 0
    for one in errors:
        error = _listed(one if isinstance(one, FieldError) else FieldError(field=one[0], detail=one[1]))
        size += len(to_json(error))
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


def _listed(error: FieldError) -> dict[str, object]:
    """Return an error as it is listed: without empty fields."""
    return {
        **error.model_dump(exclude_none=True),
        "field": shorten(error.field, MAX_PROBLEM_FIELD_CHARS),
        "detail": shorten(error.detail, MAX_PROBLEM_TEXT_CHARS),
    }
