"""What a run is given and what comes of it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from nightmail_runner.sandbox.memory import MemoryFile

FailureKind = Literal[
    "parse",  # the bytes are not what the file type says
    "script",  # the script raised
    "not_a_dataframe",
    "output",  # the DataFrame cannot be written as CSV
    "output_too_large",
    "timeout",
    "out_of_memory",
    "killed",  # the process ended without an answer: by a signal, or by itself
    "sandbox",  # not the script's fault
]


@dataclass(frozen=True)
class Limits:
    """What a run may use.

    `memory_bytes` is on top of what the warm process and the input take. Processor time is bounded by
    `timeout_seconds`, too: so many seconds on each processor.
    """

    timeout_seconds: float = 300.0
    memory_bytes: int = 1024**3
    output_bytes: int = 1024**3


@dataclass(frozen=True)
class Task:
    """A script, how its input is to be read, and whether its CSV is for machines (`keep_formulas`)."""

    script: str
    file_type: Literal["csv", "json"]
    job_name: str
    scheduled_at: datetime
    records_path: str | None = None
    delimiter: str | None = None
    encoding: str | None = None
    keep_formulas: bool = False
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class Durations:
    """Milliseconds; None for what was not reached."""

    parse_ms: float | None = None
    script_ms: float | None = None
    output_ms: float | None = None


@dataclass(frozen=True)
class Succeeded:
    """The CSV of a script's DataFrame, sealed. Who gets this closes `csv`."""

    csv: MemoryFile
    rows: int
    columns: tuple[str, ...]
    log: str
    durations: Durations


@dataclass(frozen=True)
class Failed:
    """Why there is no CSV. `type` and `message` are for the script's owner, `line` counts from 1 in the script's text."""

    kind: FailureKind
    type: str
    message: str
    log: str
    traceback: str | None = None
    line: int | None = None
    durations: Durations = Durations()


Outcome = Succeeded | Failed
