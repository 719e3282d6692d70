"""How a mail carries a result: its files attached, attached in one zip archive, or not at all (the mail has a link)."""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

#: base64 in lines of 76 characters and CRLF (RFC 2045): 78 bytes carry 57.
_LINE_BYTES, _LINE_PAYLOAD = 78, 57
#: Reserved for the rest of the mail: headers, both texts with their tables.
RESERVED_BYTES = 64 * 1024
_MIME_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "zip": "application/zip",
}


@dataclass(frozen=True)
class Attachment:
    """An attached file. `format` is the ending of its name: `csv`, `xlsx`, or `zip` for an archive of the result's files."""

    data: bytes
    format: str = "csv"

    @property
    def mime_type(self) -> str:
        """The type with its parameters; of an unknown format, the one of any bytes (RFC 2046 section 4.5.1)."""
        return _MIME_TYPES.get(self.format, "application/octet-stream")


def choose_attachments(files: Sequence[Attachment], limit_bytes: int, name: str) -> tuple[Attachment, ...]:
    """Return the attachments of a mail of at most `limit_bytes`: the files, one archive of them, or none.

    Args:
        name: of the files in the archive, without an ending.
    """
    room = limit_bytes - RESERVED_BYTES
    if sum(encoded_size(len(file.data)) for file in files) <= room:
        return tuple(files)
    archive = zip_files(files, name)
    return (archive,) if encoded_size(len(archive.data)) <= room else ()


def zip_files(files: Sequence[Attachment], name: str) -> Attachment:
    """Return a zip archive, which every desktop opens. The same files give the same bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.writestr(zipfile.ZipInfo(f"{name}.{file.format}"), file.data, zipfile.ZIP_DEFLATED)
    return Attachment(packed.getvalue(), "zip")


def encoded_size(size: int) -> int:
    """Return the size in bytes after base64 encoding."""
    return -(-size // _LINE_PAYLOAD) * _LINE_BYTES
