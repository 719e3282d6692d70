"""How a run in the sandbox ended: the one form of it, from the worker that reports it to the event that records it.

A worker builds `Succeeded`, `Failed` or `Skipped` and sends its fields as JSON; the runner validates them against the types here
(`answer`) and adds the `log`. They are dataclasses because the fork server imports this module: pydantic and the event
models would cost it 150 ms at start and 10 MB.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from annotated_types import Ge, Le, Lt, MaxLen

from nightmail_common.contract.comparison import RowMark
from nightmail_common.contract.limits import (
    MAX_COLUMN_NAMES_JSON_BYTES,
    MAX_ERROR_TEXT_CHARS,
    MAX_ERROR_TYPE_CHARS,
    MAX_FIGURE_ALT_CHARS,
    MAX_FIGURE_BYTES,
    MAX_FIGURE_SIDE_PIXELS,
    MAX_FIGURES,
    MAX_MARKED_ROWS,
    MAX_NOTE_CHARS,
    MAX_NOTES,
    MAX_NOTES_JSON_BYTES,
    MAX_REASON_CHARS,
    MAX_SCRIPT_LINES,
    MAX_SLICE_INDEX_BYTES,
    MAX_STAGE_MILLISECONDS,
    MAX_TEXT_COLUMNS,
)

ReportedKind = Literal[
    "parse",  # the bytes do not have the file type
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
StageTimings = Mapping[WorkerStage, Annotated[float, Ge(0), Le(MAX_STAGE_MILLISECONDS)]]

#: Decisions of the parser that the job's owner should know.
Notes = Annotated[tuple[Annotated[str, MaxLen(MAX_NOTE_CHARS)], ...], MaxLen(MAX_NOTES)]


@dataclass(frozen=True)
class DrawnFigure:
    """A figure of the script: the size of its PNG in bytes, its width and height in pixels, its alternative text.

    Raises:
        ValueError: the text is more than one line, or has control characters.
    """

    size: Annotated[int, Ge(1), Le(MAX_FIGURE_BYTES)]
    width: Annotated[int, Ge(1), Le(MAX_FIGURE_SIDE_PIXELS)]
    height: Annotated[int, Ge(1), Le(MAX_FIGURE_SIDE_PIXELS)]
    alt: Annotated[str, MaxLen(MAX_FIGURE_ALT_CHARS)]

    def __post_init__(self) -> None:
        if not self.alt.isprintable():
            raise ValueError("the alternative text of a figure is one line of printable characters")


@dataclass(frozen=True)
class ChangeCounts:
    """What changed since the last delivered result, and the marks of the first rows."""

    added: Annotated[int, Ge(0), Lt(2**63)]
    removed: Annotated[int, Ge(0), Lt(2**63)]
    changed: Annotated[int, Ge(0), Lt(2**63)]
    unchanged: Annotated[int, Ge(0), Lt(2**63)]
    columns_differ: bool
    marks: Annotated[tuple[RowMark, ...], MaxLen(MAX_MARKED_ROWS)] = ()

    @property
    def is_none(self) -> bool:
        return not (self.added or self.removed or self.changed or self.columns_differ)


@dataclass(frozen=True)
class Succeeded:
    """The script's DataFrame is written as CSV. `columns` has the first names, as many as fit; `text_columns` the
    positions of text columns, even if their text looks like numbers.

    `notes` are the parser's, `output_notes` those about what was written and compared. `figures` are in the order of their
    drawing; their PNGs follow each other in one file. `slice_index_bytes`: of the file of the slices, the end that has
    their index.

    Raises:
        ValueError: the names of the columns, or the notes, are too long for an event.
    """

    rows: Annotated[int, Ge(0), Lt(2**63)]
    columns: tuple[str, ...]
    text_columns: Annotated[tuple[Annotated[int, Ge(0), Lt(2**31)], ...], MaxLen(MAX_TEXT_COLUMNS)] = ()
    timings: StageTimings = field(default_factory=dict)
    notes: Notes = ()
    output_notes: Notes = ()
    figures: Annotated[tuple[DrawnFigure, ...], MaxLen(MAX_FIGURES)] = ()
    changes: ChangeCounts | None = None
    slice_index_bytes: Annotated[int, Ge(0), Le(MAX_SLICE_INDEX_BYTES)] = 0
    log: str = ""

    def __post_init__(self) -> None:
        _check_size("column names", self.columns, MAX_COLUMN_NAMES_JSON_BYTES)
        _check_size("notes", (*self.notes, *self.output_notes), MAX_NOTES_JSON_BYTES)


@dataclass(frozen=True)
class Failed:
    """Why there is no CSV. `type` and `message` are for the job's owner, `line` counts from 1 in the script's text.

    Raises:
        ValueError: the notes are too long for an event.
    """

    kind: FailureKind
    type: Annotated[str, MaxLen(MAX_ERROR_TYPE_CHARS)]
    message: Annotated[str, MaxLen(MAX_ERROR_TEXT_CHARS)]
    traceback: Annotated[str, MaxLen(MAX_ERROR_TEXT_CHARS)] | None = None
    line: Annotated[int, Ge(1), Le(MAX_SCRIPT_LINES)] | None = None
    timings: StageTimings = field(default_factory=dict)
    notes: Notes = ()
    log: str = ""

    def __post_init__(self) -> None:
        _check_size("notes", self.notes, MAX_NOTES_JSON_BYTES)


@dataclass(frozen=True)
class Skipped:
    """The script called `skip`: no result, no failure, and why."""

    reason: Annotated[str, MaxLen(MAX_REASON_CHARS)]
    timings: StageTimings = field(default_factory=dict)
    notes: Notes = ()
    log: str = ""

    def __post_init__(self) -> None:
        _check_size("notes", self.notes, MAX_NOTES_JSON_BYTES)


SandboxResult = Succeeded | Failed | Skipped


def fitting(texts: Iterable[str], max_json_bytes: int) -> tuple[str, ...]:
    """Return the first texts, as many as fit into this size as a JSON array."""
    kept: list[str] = []
    for text in texts:
        max_json_bytes -= _json_bytes(text)
        if max_json_bytes < 0:
            break
        kept.append(text)
    return tuple(kept)


def _check_size(what: str, texts: tuple[str, ...], max_json_bytes: int) -> None:
    size = sum(map(_json_bytes, texts))
    if size > max_json_bytes:
        raise ValueError(f"the {what} take {size} bytes as JSON; at most {max_json_bytes} are allowed")


def _json_bytes(text: str) -> int:
    """Return the size of a text in a JSON array: with its quotes, its escapes and a comma."""
    return len(json.dumps(text, ensure_ascii=False).encode("utf-8", "surrogatepass")) + 1
