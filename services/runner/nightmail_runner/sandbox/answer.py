"""What a run says of itself. Its script had the same process to itself, so every word of it is checked."""

from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nightmail_runner.sandbox.memory import MemoryFile
from nightmail_runner.sandbox.task import Durations, Failed, FailureKind, Outcome, Succeeded

#: What a script's process can say of itself. That it was killed or took too long is for the runner to say.
_OWN_KINDS = frozenset(get_args(FailureKind)) - {"timeout", "killed", "sandbox"}


class _Durations(BaseModel):
    parse_ms: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    script_ms: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    output_ms: float | None = Field(default=None, ge=0, allow_inf_nan=False)

    def plain(self) -> Durations:
        return Durations(self.parse_ms, self.script_ms, self.output_ms)


class _Answer(BaseModel):
    model_config = ConfigDict(strict=True)

    durations: _Durations


class _Result(_Answer):
    rows: int = Field(ge=0)
    columns: list[str]


class _Failure(_Answer):
    kind: FailureKind
    type: str = Field(max_length=1024)
    message: str = Field(max_length=65_536)
    traceback: str | None = Field(default=None, max_length=65_536)
    line: int | None = Field(default=None, ge=1)


def succeeded(answer: dict[str, Any], log: str, csv: MemoryFile) -> Outcome:
    """Return the outcome of a run that says that its CSV is written."""
    try:
        result = _Result.model_validate(answer)
    except ValidationError:
        return forged(log)
    return Succeeded(csv, result.rows, tuple(result.columns), log, result.durations.plain())


def failed(answer: dict[str, Any], log: str) -> Failed:
    """Return the outcome of a run that says that it failed."""
    try:
        failure = _Failure.model_validate(answer)
    except ValidationError:
        return forged(log)
    if failure.kind not in _OWN_KINDS:
        return forged(log)
    return Failed(
        failure.kind,
        failure.type,
        failure.message,
        log,
        failure.traceback,
        failure.line,
        failure.durations.plain(),
    )


def forged(log: str) -> Failed:
    """Return the outcome of a run that says what no honest one says."""
    return Failed("killed", "Killed", "the script's process answered with something that is no answer", log)
