"""What a run has of the job's earlier runs: the last delivered result, if the job needs it, and notes about it."""

from typing import Self

from nightmail_common.contract.events import Note
from nightmail_common.contract.job import Job
from nightmail_runner.last_delivered import LastDelivered, Previous
from nightmail_runner.sandbox.memory import MemoryFile
from nightmail_runner.sandbox.task import CsvFormat


class Earlier:
    """The last delivered result of a job that asks for it; its end closes the file."""

    def __init__(self) -> None:
        self.previous: Previous | None = None
        self.notes: tuple[Note, ...] = ()

    @classmethod
    def of_preview(cls, *, reads_previous: bool) -> Self:
        """Return that of an unsaved job, which has no runs."""
        earlier = cls()
        if reads_previous:
            earlier._note("a preview has no earlier result: previous is None")
        return earlier

    async def read(self, last_delivered: LastDelivered, job: Job, *, reads_previous: bool) -> None:
        """Read the last delivered result, if the script, `compare_by` or `when_unchanged` needs it.

        Raises:
            nats.errors.Error: as `LastDelivered.read`.
        """
        with_csv = bool(job.compare_by) or reads_previous
        if with_csv or job.when_unchanged == "skip":
            self.previous, note = await last_delivered.read(job, with_csv=with_csv)
            if note is not None:
                self._note(note)

    @property
    def csv(self) -> MemoryFile | None:
        return None if self.previous is None else self.previous.csv

    @property
    def csv_format(self) -> CsvFormat | None:
        """How `csv` is written; None without it."""
        if self.previous is None or self.previous.csv is None:
            return None
        return CsvFormat(**self.previous.event.job.csv.model_dump())

    def _note(self, text: str) -> None:
        self.notes = (*self.notes, Note(stage="output", text=text))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self.csv is not None:
            self.csv.close()
