"""Compares a CSV with the answer that describes it: a script can write both itself."""

import codecs
import mmap

from nightmail_runner.sandbox.memory import MemoryFile
from nightmail_runner.sandbox.result import Succeeded
from nightmail_runner.sandbox.task import Limits

#: The bytes of one step: about a millisecond, after which the event loop can run.
STEP_BYTES = 1024**2
_ALL_BUT_NEWLINES_AND_QUOTES = bytes(byte for byte in range(256) if byte not in b'\n"')


def find_mismatch(csv: MemoryFile, result: Succeeded, limits: Limits) -> str | None:
    """Return why this CSV is not the one of the answer, or None if it can be.

    The CSV is UTF-8, has one record for the header and one for each row, and nothing behind the last record. A scan of
    256 MiB takes 0.3 s.
    """
    if result.rows > limits.rows:
        return f"the answer says {result.rows} rows; at most {limits.rows} are allowed (NIGHTMAIL_MAX_ROWS)"
    if len(result.columns) > limits.columns:
        return f"the answer names {len(result.columns)} columns; at most {limits.columns} are allowed (NIGHTMAIL_MAX_COLUMNS)"
    try:
        records = count_records(csv)
    except UnicodeDecodeError:
        return "the CSV is not UTF-8"
    if records is None:
        return "the CSV ends within a record"
    if records != result.rows + 1:
        return f"the CSV has {records} records, which does not fit a header and the {result.rows} rows of the answer"
    return None


def count_records(csv: MemoryFile) -> int | None:
    """Return the number of records (RFC 4180, with LF), or None if the last one does not end.

    A newline ends a record unless an odd number of quotes stands before it: inside a field each quote is doubled.

    Raises:
        UnicodeDecodeError: the bytes are not UTF-8.
    """
    if not csv.size:
        return 0
    decoder = codecs.getincrementaldecoder("utf-8")()
    records = 0
    quoted = False
    with mmap.mmap(csv.descriptor, 0, access=mmap.ACCESS_READ) as mapped:
        for start in range(0, len(mapped), STEP_BYTES):
            step = mapped[start : start + STEP_BYTES]
            decoder.decode(step)
            # Two quotes without a newline between them change nothing.
            marks = step.translate(None, _ALL_BUT_NEWLINES_AND_QUOTES).replace(b'""', b"")
            parts = marks.split(b'"')
            records += sum(map(len, parts[int(quoted) :: 2]))
            quoted ^= len(parts) % 2 == 0
        decoder.decode(b"", final=True)
        return None if quoted or mapped[-1:] != b"\n" else records
