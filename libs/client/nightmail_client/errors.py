"""The errors of the client: problem documents (RFC 9457), and connections that fail."""

from dataclasses import dataclass
from typing import Any

import httpx

#: The part of an answer that is no problem document to show.
_MAX_EXCERPT_CHARS = 200


@dataclass(frozen=True)
class FieldProblem:
    """What is wrong with one field. `hint` is the way out, `nearest` what was probably meant; both may be missing."""

    field: str
    detail: str
    hint: str | None = None
    nearest: str | None = None

    def __str__(self) -> str:
        meant = "" if self.nearest is None or self.nearest in self.detail else f"; did you mean {self.nearest}?"
        way_out = "" if self.hint is None else f"; {self.hint}"
        return f"{self.field}: {self.detail}{meant}{way_out}"


class NightmailError(Exception):
    """The API refuses a call, or cannot be reached. The text says what to do.

    Attributes:
        status: the HTTP status; None without an answer.
        fields: what is wrong with which field.
    """

    def __init__(self, text: str, status: int | None = None, fields: tuple[FieldProblem, ...] = ()) -> None:
        super().__init__(text)
        self.status = status
        self.fields = fields


class CannotReach(NightmailError):
    """No API answers at the URL."""


class NotAllowed(NightmailError):
    """The token is missing or unknown (401), or its role does not permit the call (403)."""


class NotThere(NightmailError):
    """There is no such job, run, file or result (404), or it is not kept any more (410)."""


class NameTaken(NightmailError):
    """The state does not permit the call (409): a job of this name exists, or the run has ended."""


class JobChanged(NightmailError):
    """Somebody changed the object since its `etag` was read (412): read it again."""


class RunTimeout(NightmailError):
    """The run has not ended in time; it goes on."""


_BY_STATUS: dict[int, type[NightmailError]] = {
    401: NotAllowed,
    403: NotAllowed,
    404: NotThere,
    409: NameTaken,
    410: NotThere,
    412: JobChanged,
}


def error_of(answer: httpx.Response) -> NightmailError:
    """Return the error of an error response, whose body has been read."""
    kind = _BY_STATUS.get(answer.status_code, NightmailError)
    try:
        document = answer.json()
        fields = tuple(_field(one) for one in document.get("errors", ()))
        text = "; ".join(map(str, fields)) or str(document.get("detail") or document["title"])
    except (ValueError, LookupError, TypeError, AttributeError):
        fields = ()
        text = f"the API answered {answer.status_code}: {answer.text[:_MAX_EXCERPT_CHARS]}"
    return kind(text, answer.status_code, fields)


def _field(problem: dict[str, Any]) -> FieldProblem:
    return FieldProblem(problem["field"], problem["detail"], problem.get("hint"), problem.get("nearest"))
