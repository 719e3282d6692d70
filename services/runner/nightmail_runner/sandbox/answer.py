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
    for form in (_SUCCEEDED, _FAILED, _SKIPPED):
        try:
            result = form.validate_json(body, strict=True)
        except ValidationError:
            continue
        if isinstance(result, Failed) and result.kind not in _REPORTED_KINDS:
            break
        return replace(result, log=log)
    return invalid_answer(log)


def invalid_answer(log: str) -> Failed:
    """Return the result of a run whose process sent something else than an answer."""
    return Failed("killed", "Killed", "the script's process sent an invalid answer", log=log)
