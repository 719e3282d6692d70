"""How a mail carries a result: attached, attached compressed, or not at all (the mail has a link)."""

import gzip
from dataclasses import dataclass

#: base64 in lines of 76 characters and CRLF (RFC 2045): 78 bytes carry 57.
_LINE_BYTES, _LINE_PAYLOAD = 78, 57
#: Reserved for the rest of the mail: headers, both texts with their tables.
RESERVED_BYTES = 64 * 1024


@dataclass(frozen=True)
class Attachment:
    """An attached CSV: its bytes, compressed if `gzipped`."""

    data: bytes
    gzipped: bool = False


def choose_attachment(csv: bytes, limit_bytes: int) -> Attachment | None:
    """Return the attachment for a mail of at most `limit_bytes`; None if the CSV is too large even compressed."""
    room = limit_bytes - RESERVED_BYTES
    if encoded_size(len(csv)) <= room:
        return Attachment(csv)
    compressed = gzip.compress(csv, compresslevel=6, mtime=0)
    return Attachment(compressed, gzipped=True) if encoded_size(len(compressed)) <= room else None


def encoded_size(size: int) -> int:
    """Return the size in bytes after base64 encoding."""
    return -(-size // _LINE_PAYLOAD) * _LINE_BYTES
