"""How a run in the sandbox ended: the one form of it, from the worker that reports it to the event that records it.

A worker builds `Succeeded`, `Failed` or `Skipped` and sends its fields as JSON; the runner validates them against the types here
(`answer`) and adds the `log`. They are dataclasses because the fork server imports this module: pydantic and the event
models would cost it 150 ms at start and 10 MB.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from annotated_types import Ge, Lt, MaxLen

#: All column names of a result together, one extra for each: they are part of the event `result-ready`.
MAX_COLUMN_NAMES_CHARS = 32 * 1024
#: Notes of one run, and the length of each: they are part of the same event.
MAX_NOTES, MAX_NOTE_CHARS = 50, 500
#: The reason of `skip`, which people read in a list.
MAX_REASON_CHARS = 1000

ReportedKind = Literal[
    "parse",  # the bytes are not what the file type says
    "script",  # the script raised
    "not_a_dataframe",
    "output",  # the DataFrame cannot be written as CSV
    "output_too_large",
    "out_of_memory",
]
FailureKind = Literal[
    ReportedKind,
    "timeout",
    "killed",  # the process ended without a valid answer
    "sandbox",  # not the script's fault
]

WorkerStage = Literal["parse", "script", "output"]
#: Milliseconds; a stage that was not reached is missing.
StageTimings = Mapping[WorkerStage, Annotated[float, Ge(0), Lt(math.inf)]]

#: Decisions of the parser that the job's owner should know.
Notes = Annotated[tuple[Annotated[str, MaxLen(MAX_NOTE_CHARS)], ...], MaxLen(MAX_NOTES)]


@dataclass(frozen=True)
class Succeeded:
    """The script's DataFrame is written as CSV. `columns` has the first names, as many as fit.

    Raises:
        ValueError: the names of the columns are too long for an event.
    """

    rows: Annotated[int, Ge(0), Lt(2**63)]
    columns: tuple[str, ...]
    timings: StageTimings = field(default_factory=dict)
    notes: Notes = ()
    log: str = ""

    def __post_init__(self) -> None:
        if sum(len(name) + 1 for name in self.columns) > MAX_COLUMN_NAMES_CHARS:
            raise ValueError("the column names are too long")


@dataclass(frozen=True)
class Failed:
    """Why there is no CSV. `type` and `message` are for the job's owner, `line` counts from 1 in the script's text."""

    kind: FailureKind
    type: Annotated[str, MaxLen(1024)]
    message: Annotated[str, MaxLen(65_536)]
    traceback: Annotated[str, MaxLen(65_536)] | None = None
    line: Annotated[int, Ge(1), Lt(2**63)] | None = None
    timings: StageTimings = field(default_factory=dict)
    notes: Notes = ()
    log: str = ""


@dataclass(frozen=True)
class Skipped:
    """The script called `skip`: no result, no failure, and why."""

    reason: Annotated[str, MaxLen(MAX_REASON_CHARS)]
    timings: StageTimings = field(default_factory=dict)
    notes: Notes = ()
    log: str = ""


SandboxResult = Succeeded | Failed | Skipped
