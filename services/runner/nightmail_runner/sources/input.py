"""The bytes of a source, as a fetch collects them."""

import hashlib
from collections.abc import Callable

from nightmail_common.contract.kept_input import Validators
from nightmail_common.contract.limits import MAX_FETCH_NOTES, MAX_NOTE_CHARS
from nightmail_runner.sandbox.memory import MemoryFile
from nightmail_runner.sources.errors import CannotFetch
from nightmail_runner.sources.masking import Masker


class Input:
    """The bytes of a source: counted against the limit, hashed, and kept in a memory file.

    Args:
        limit_bytes: of all sources of a run together, of which the others take `taken_bytes`.
    """

    def __init__(self, limit_bytes: int, taken_bytes: int = 0) -> None:
        self.file = MemoryFile("input")
        self.limit_bytes = limit_bytes
        self._taken_bytes = taken_bytes
        #: The `charset` that the HTTP answer declares.
        self.charset: str | None = None
        #: What the HTTP answer says of a later change.
        self.validators: Validators | None = None
        #: What the fetch had to decide.
        self.notes: list[str] = []
        #: Masks the secrets that were sent to the source, which can be in its data.
        self.masker = Masker()
        self.begin()

    def begin(self) -> Callable[[bytes], None]:
        """Discard the bytes so far; return `write`."""
        self.file.clear()
        self._hash = hashlib.sha256()
        self._free_bytes = self.limit_bytes - self._taken_bytes
        return self.write

    def write(self, data: bytes) -> None:
        """Append bytes.

        Raises:
            CannotFetch: the input is larger than the limit.
        """
        self._free_bytes -= len(data)
        if self._free_bytes < 0:
            of = f", of which the sources before it take {self._taken_bytes}" if self._taken_bytes else ""
            raise CannotFetch(f"the data is larger than the {self.limit_bytes} bytes of NIGHTMAIL_MAX_INPUT_BYTES{of}")
        self._hash.update(data)
        self.file.write(data)

    def add_note(self, text: str) -> None:
        """Keep a decision of the fetch, as far as an event can hold it."""
        text = shorten_note(text)
        if text not in self.notes and len(self.notes) < MAX_FETCH_NOTES:
            self.notes.append(text)

    def sha256(self) -> str:
        return self._hash.hexdigest()


def shorten_note(text: str) -> str:
    """Return a note of a length that an event can hold."""
    return text if len(text) <= MAX_NOTE_CHARS else f"{text[: MAX_NOTE_CHARS - 3]}..."
