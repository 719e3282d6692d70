"""Validates a worker's answer. The script controls the process that sends it, so nothing in it is trusted."""

from dataclasses import replace
from typing import get_args

from pydantic import TypeAdapter, ValidationError

from nightmail_runner.sandbox.result import Failed, ReportedKind, SandboxResult, Skipped, Succeeded

#: What a worker can report. Only the runner decides that a run was killed or took too long.
_REPORTED_KINDS = frozenset(get_args(ReportedKind))

_SUCCEEDED = TypeAdapter(Succeeded)
_FAILED = TypeAdapter(Failed)
_SKIPPED = TypeAdapter(Skipped)


def parse_answer(body: bytes, log: str) -> SandboxResult:
    """Return the result that a worker reports as JSON, with what its script printed."""
    problem = ""
    for form in (_SUCCEEDED, _FAILED, _SKIPPED):
        try:
            result = form.validate_json(body, strict=True)
        except ValidationError as error:
            problem = problem or _describe(error)
            continue
        if isinstance(result, Failed) and result.kind not in _REPORTED_KINDS:
            return invalid_answer(log, f"a script cannot report the failure {result.kind}")
        return replace(result, log=log)
    return invalid_answer(log, problem)


def invalid_answer(log: str, problem: str) -> Failed:
    """Return the result of a run whose process sent something else than an answer."""
    return Failed("killed", "Killed", f"the script's process sent an invalid answer: {problem}", log=log)


def _describe(error: ValidationError) -> str:
    """Return the first problem. It names only fields of an answer: the other names are the script's own text."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    field = first["loc"][0] if first["loc"] else None
    if field in Succeeded.__annotations__:
        return f"{field}: {first['msg']}"
    return (
        first["msg"].removeprefix("Value error, ") if first["type"] == "value_error" else "it is no JSON of an answer"
    )
