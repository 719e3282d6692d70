"""What a worker is asked to do: a script, how to parse its input and write its result, and the limits."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Self

from nightmail_common.contract.limits import DEFAULT_MAX_COLUMNS, DEFAULT_MAX_RESULT_BYTES, DEFAULT_MAX_ROWS
from nightmail_runner.parsing.options import ReadOptions

#: The most that a preview's script gets: somebody waits for it.
PREVIEW_TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class Limits:
    """What one run may use.

    `memory_bytes` is on top of the fork server's own memory and the input. `timeout_seconds` is wall-clock time, and also
    bounds processor time: as many seconds on each processor. `output_bytes`, `rows` and `columns` are those of the CSV.
    `max_timeout_seconds` is what a job's `timeout_seconds` may be at most. A control group, where there is one
    (`run_groups`), bounds the memory that these do not count.
    """

    timeout_seconds: float = 300.0
    max_timeout_seconds: float = 300.0
    memory_bytes: int = 1024**3
    output_bytes: int = DEFAULT_MAX_RESULT_BYTES
    rows: int = DEFAULT_MAX_ROWS
    columns: int = DEFAULT_MAX_COLUMNS

    def describe_timeout(self, line: int | None = None) -> str:
        """Return the message of a run that took too long, with the script's line where it was, and what allows more time."""
        where = "" if line is None else f" and was in line {line}"
        text = f"the run took longer than {self.timeout_seconds:g} s{where}"
        if self.timeout_seconds >= self.max_timeout_seconds:
            return f"{text}, the most that the runner's setting NIGHTMAIL_SCRIPT_TIMEOUT allows"
        return (
            f"{text}; the job's timeout_seconds can allow up to {self.max_timeout_seconds:g} s (the runner's setting"
            f" NIGHTMAIL_SCRIPT_TIMEOUT), and a preview has at most {PREVIEW_TIMEOUT_SECONDS} s"
        )

    def describe_memory(self, allocation: str = "") -> str:
        """Return the message of a run that needed too much memory, with what allows more.

        Args:
            allocation: what could not be allocated, if that is known.
        """
        failed = f" ({allocation})" if allocation else ""
        return (
            f"the run needed more memory than its limit of {self.memory_bytes / 1024**2:.0f} MiB{failed}; the runner's"
            " setting NIGHTMAIL_SCRIPT_MEMORY can allow more"
        )


@dataclass(frozen=True)
class CsvFormat:
    """How a CSV is written. `float_format` is printf-style; `bom`: it begins with a byte order mark."""

    delimiter: str = ","
    decimal: str = "."
    bom: bool = False
    float_format: str | None = None


@dataclass(frozen=True)
class Split:
    """The column that splits a result, and the column with the recipients; None if the job names them."""

    by: str
    recipients_column: str | None = None


@dataclass(frozen=True)
class Task:
    """One run of a script.

    `more`: how the further inputs are read, by the names of their sources. `timezone` is the job's: the script gets
    `scheduled_at` in it, and it is the local zone of the worker. `keep_formulas`: the CSV is for machines, so text
    that looks like a formula is not changed. `xlsx`: the result is also written as xlsx, to a second file. `figures`:
    the script draws charts, and they are written to the last file. `seed`: the same seed gives the same random
    numbers. `previous`: how the last delivered result is written, whose CSV is a second input. `reads_previous`: the
    script names `previous`. `compare_by`: the columns of the key by which the result is compared with the last
    delivered one. `split`: the result is also written in slices, to a file after the xlsx.
    """

    script: str
    read: ReadOptions
    job_name: str
    scheduled_at: datetime
    more: dict[str, ReadOptions] = field(default_factory=dict)
    timezone: str = "UTC"
    keep_formulas: bool = False
    csv: CsvFormat = field(default_factory=CsvFormat)
    xlsx: bool = False
    figures: bool = False
    seed: str = ""
    previous: CsvFormat | None = None
    reads_previous: bool = False
    compare_by: tuple[str, ...] = ()
    split: Split | None = None
    limits: Limits = field(default_factory=Limits)

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"scheduled_at": self.scheduled_at.isoformat()}

    @classmethod
    def from_json(cls, message: dict[str, Any]) -> Self:
        parsed = {
            "scheduled_at": datetime.fromisoformat(message["scheduled_at"]),
            "read": ReadOptions(**message["read"]),
            "more": {name: ReadOptions(**read) for name, read in message["more"].items()},
            "csv": CsvFormat(**message["csv"]),
            "previous": None if message["previous"] is None else CsvFormat(**message["previous"]),
            "split": None if message["split"] is None else Split(**message["split"]),
            "compare_by": tuple(message["compare_by"]),
            "limits": Limits(**message["limits"]),
        }
        return cls(**message | parsed)
