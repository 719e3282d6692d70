"""The bytes of a source, as a fetch collects them."""

import hashlib
from collections.abc import Callable

import httpx

from nightmail_common.contract.kept_input import Validators
from nightmail_common.contract.limits import MAX_FETCH_NOTES, MAX_NOTE_CHARS
from nightmail_runner.sandbox.memory import MemoryFile
from nightmail_runner.sources.answer_counts import total_of
from nightmail_runner.sources.errors import CannotFetch
from nightmail_runner.sources.masking import Masker


class ByteBudget:
    """The bytes that all sources of a run may have together. Each takes of it while it is fetched."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.taken_bytes = 0


class Input:
    """The bytes of a source: taken from the budget of its run, hashed, and kept in a memory file."""

    def __init__(self, budget: ByteBudget) -> None:
        self.file = MemoryFile("input")
        self._budget = budget
        self._size = 0
        #: The `charset` that the HTTP answer declares.
        self.charset: str | None = None
        #: The number of records by the headers of the HTTP response.
        self.total_records: int | None = None
        #: The validators of the HTTP response, for conditional requests.
        self.validators: Validators | None = None
        #: What the fetch had to decide.
        self.notes: list[str] = []
        #: Masks the secrets that were sent to the source, which can be in its data.
        self.masker = Masker()
        self.begin()

    @property
    def limit_bytes(self) -> int:
        return self._budget.limit_bytes

    def begin(self) -> Callable[[bytes], None]:
        """Discard the bytes so far; return `write`."""
        self.file.clear()
        self._hash = hashlib.sha256()
        self._budget.taken_bytes -= self._size
        self._size = 0
        return self.write

    def write(self, data: bytes) -> None:
        """Append bytes.

        Raises:
            CannotFetch: the inputs of the run are larger than the limit.
        """
        if self._budget.taken_bytes + len(data) > self.limit_bytes:
            others = self._budget.taken_bytes - self._size
            of = f", of which the other sources take {others}" if others else ""
            raise CannotFetch(f"the data is larger than the {self.limit_bytes} bytes of NIGHTMAIL_MAX_INPUT_BYTES{of}")
        self._budget.taken_bytes += len(data)
        self._size += len(data)
        self._hash.update(data)
        self.file.write(data)

    def add_note(self, text: str) -> None:
        """Keep a decision of the fetch, as far as an event can hold it."""
        text = shorten_note(text)
        if text not in self.notes and len(self.notes) < MAX_FETCH_NOTES:
            self.notes.append(text)

    def add_count(self, headers: httpx.Headers) -> None:
        """Keep the number of records by the headers of a response; the last page counts."""
        if (count := total_of(headers)) is not None:
            self.total_records = count

    def sha256(self) -> str:
        return self._hash.hexdigest()


def shorten_note(text: str) -> str:
    """Return a note of a length that an event can hold."""
    return text if len(text) <= MAX_NOTE_CHARS else f"{text[: MAX_NOTE_CHARS - 3]}..."
