"""How a result travels: attached as it is, attached compressed, or as a link."""

import gzip
from dataclasses import dataclass

#: base64 in lines of 76 characters and CRLF (RFC 2045): 78 bytes carry 57.
_LINE_BYTES, _LINE_CARRIES = 78, 57
#: Left for the rest of the mail: headers, both texts with their tables.
REST_BYTES = 64 * 1024


@dataclass(frozen=True)
class Attachment:
    """A CSV as a mail carries it."""

    data: bytes
    gzipped: bool = False


def carried(csv: bytes, limit_bytes: int) -> Attachment | None:
    """Return how a CSV is attached to a mail of at most so many bytes; None if it does not fit, even compressed."""
    room = limit_bytes - REST_BYTES
    if encoded_size(len(csv)) <= room:
        return Attachment(csv)
    compressed = gzip.compress(csv, compresslevel=6, mtime=0)
    return Attachment(compressed, gzipped=True) if encoded_size(len(compressed)) <= room else None


def encoded_size(size: int) -> int:
    """Return the bytes that base64 makes of so many."""
    return -(-size // _LINE_CARRIES) * _LINE_BYTES
