"""How a mail carries a result: attached, attached compressed, or not at all (the mail has a link)."""

import gzip
import io
import zipfile
from dataclasses import dataclass
from typing import Literal

Compression = Literal["gzip", "zip"]

#: base64 in lines of 76 characters and CRLF (RFC 2045): 78 bytes carry 57.
_LINE_BYTES, _LINE_PAYLOAD = 78, 57
#: Reserved for the rest of the mail: headers, both texts with their tables.
RESERVED_BYTES = 64 * 1024


@dataclass(frozen=True)
class Attachment:
    """An attached CSV: its bytes, compressed if `compression` is set."""

    data: bytes
    compression: Compression | None = None


def choose_attachment(csv: bytes, limit_bytes: int) -> Attachment | None:
    """Return the attachment for a mail of at most `limit_bytes`; None if the CSV is too large even compressed."""
    room = limit_bytes - RESERVED_BYTES
    if encoded_size(len(csv)) <= room:
        return Attachment(csv)
    compressed = gzip.compress(csv, compresslevel=6, mtime=0)
    return Attachment(compressed, "gzip") if encoded_size(len(compressed)) <= room else None


def zip_attachment(csv: bytes, file_name: str) -> Attachment:
    """Return a zip archive of the CSV, which every desktop opens. The same CSV gives the same bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(file_name), csv, zipfile.ZIP_DEFLATED)
    return Attachment(packed.getvalue(), "zip")


def encoded_size(size: int) -> int:
    """Return the size in bytes after base64 encoding."""
    return -(-size // _LINE_PAYLOAD) * _LINE_BYTES
