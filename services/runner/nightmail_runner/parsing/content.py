"""What bytes are, whatever their source says: unpacks compressed data, and refuses content that is not a table."""

import json
import re
import zipfile
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO, cast

import pyarrow

from nightmail_runner.parsing.error_text import shorten
from nightmail_runner.parsing.options import InputNotReadable, ReadOptions

#: The first bytes of formats that are not tables (and of formats that need their own file_type).
_MAGIC = (
    (b"%PDF-", "a PDF document", None),
    (b"\x89PNG", "a PNG image", None),
    (b"\xff\xd8\xff", "a JPEG image", None),
    (b"GIF8", "a GIF image", None),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook (.xls); save it as .xlsx", None),
    (b"SQLite format 3\x00", "an SQLite database", None),
    (b"ARROW1", "an Arrow file", None),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", None),
    (b"Rar!", "a RAR archive", None),
    (b"BZh", "bzip2 data; gzip, zip and zstd are unpacked", None),
    (b"\xfd7zXZ\x00", "xz data; gzip, zip and zstd are unpacked", None),
    (b"PAR1", "a Parquet file", "parquet"),
)
_ZIP, _GZIP, _ZSTD = b"PK\x03\x04", b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_MARKUP = re.compile(rb"\s*<(!doctype\s+html|html|head|body|\?xml|!--|[a-z][\w:-]*[\s>/])", re.IGNORECASE)
_HTML = re.compile(rb"<(!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_TITLE = re.compile(rb"<title[^>]*>\s*(.*?)\s*</title>", re.IGNORECASE | re.DOTALL)
_JSON = re.compile(rb'\s*(\{\s*["}]|\[\s*[\[{"\]]|\[\s*-?\d+\s*[,\]])')
#: Enough to recognise a format and to show a page's title.
_HEAD_BYTES = 4096
_CHUNK_BYTES = 1024 * 1024
#: RFC 1952 and RFC 1950: gzip or zlib, by its head.
_GZIP_WINDOW = 47


def unpack(data: memoryview, options: ReadOptions, notes: list[str]) -> memoryview:
    """Return the plain bytes of gzip, zstd, or a zip archive with one member; other bytes as they are.

    Raises:
        InputNotReadable: the compressed data is damaged, has several members, or is larger than `max_bytes`.
    """
    head = bytes(data[:_HEAD_BYTES])
    if head.startswith(_GZIP):
        unpacked, packing = _inflate(data, options.max_bytes), "gzip"
    elif head.startswith(_ZSTD):
        unpacked, packing = _read_up_to(_zstd(data), options.max_bytes, "zstd data"), "zstd"
    elif head.startswith(_ZIP) and not _is_workbook(data):
        unpacked, packing = _only_member(data, options.max_bytes), "zip"
    else:
        return data
    notes.append(f"the data was unpacked from {packing}")
    return memoryview(unpacked)


def refuse_other_formats(data: memoryview, options: ReadOptions) -> None:
    """Check that bytes can be what `file_type` says.

    Raises:
        InputNotReadable: they seem to be something else; the message says what, and the right `file_type` if one exists.
    """
    head = bytes(data[:_HEAD_BYTES])
    seems, right_type = _recognise(data, head)
    if seems is None or right_type == options.file_type:
        return
    if right_type == "json" and options.file_type == "jsonl":
        return
    hint = f"; set file_type to {right_type}" if right_type else ""
    raise InputNotReadable(f"this seems to be {seems}, not {options.file_type}{hint}")


def error_in(value: Any) -> str | None:
    """Return the text of a JSON object that reports an error instead of data; None for anything else."""
    if not isinstance(value, dict):
        return None
    named = next((value[key] for key in ("error", "errors", "fault", "exception") if value.get(key)), None)
    text = next((value[key] for key in ("message", "detail", "title", "error_description") if value.get(key)), None)
    failed = value.get("success") is False or value.get("ok") is False
    coded = any(key in value for key in ("status", "code", "statusCode", "status_code"))
    if not (named or failed or (text and coded)) or any(isinstance(part, list) and part for part in value.values()):
        errors = value.get("errors")
        if not (isinstance(errors, list) and errors):
            return None
    shown = named if isinstance(named, str) and not text else text or named or value
    return shorten(shown if isinstance(shown, str) else json.dumps(shown, ensure_ascii=False))


def _recognise(data: memoryview, head: bytes) -> tuple[str | None, str | None]:
    for magic, name, right_type in _MAGIC:
        if head.startswith(magic):
            return name, right_type
    if head.startswith(_ZIP):
        return "an Excel workbook", "xlsx"
    text = head.lstrip(b"\xef\xbb\xbf")
    if _MARKUP.match(text):
        if not _HTML.search(text):
            return "XML", None
        title = _TITLE.search(text)
        named = f" with the title {shorten(title[1].decode('utf-8', 'replace'))!r}" if title else ""
        return f"an HTML page{named} (does the source ask to sign in?)", None
    if _JSON.match(text):
        return _describe_json(data), "json"
    return None, None


def _describe_json(data: memoryview) -> str:
    if len(data) <= _CHUNK_BYTES:
        try:
            error = error_in(json.loads(bytes(data)))
        except (ValueError, RecursionError):
            return "JSON"
        if error is not None:
            return f"an error in JSON ({error})"
    return "JSON"


def _is_workbook(data: memoryview) -> bool:
    try:
        with zipfile.ZipFile(_reader(data)) as archive:
            return any(name.startswith("xl/") for name in archive.namelist())
    except zipfile.BadZipFile:
        return False


def _only_member(data: memoryview, limit: int) -> bytes:
    try:
        with zipfile.ZipFile(_reader(data)) as archive:
            members = [
                member
                for member in archive.infolist()
                if not member.is_dir() and not member.filename.startswith("__MACOSX/")
            ]
            if len(members) != 1:
                names = ", ".join(member.filename for member in members[:5])
                raise InputNotReadable(f"the zip archive has {len(members)} members, one is needed: {shorten(names)}")
            with archive.open(members[0]) as member:
                return _read_up_to(member.read, limit, "the zip archive's member")
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, zlib.error, EOFError) as error:
        raise InputNotReadable(f"the zip archive cannot be unpacked: {error}") from None


def _inflate(data: memoryview, limit: int) -> bytes:
    plain = bytearray()
    stream = zlib.decompressobj(_GZIP_WINDOW)
    rest = bytes(data)
    try:
        while rest:
            plain += stream.decompress(rest, _CHUNK_BYTES)
            if len(plain) > limit:
                raise _too_large("gzip data", limit)
            if stream.eof:  # gzip members can follow one another (RFC 1952 section 2.2)
                rest = stream.unused_data
                rest = rest if rest.startswith(_GZIP) else b""
                stream = zlib.decompressobj(_GZIP_WINDOW) if rest else stream
            else:
                rest = stream.unconsumed_tail
    except zlib.error as error:
        raise InputNotReadable(f"the gzip data is damaged: {error}") from None
    if not stream.eof:
        raise InputNotReadable("the gzip data ends too early")
    return bytes(plain)


def _zstd(data: memoryview) -> Callable[[int], bytes]:
    stream = pyarrow.CompressedInputStream(pyarrow.BufferReader(pyarrow.py_buffer(data)), "zstd")

    def read(size: int) -> bytes:
        try:
            return stream.read(size)
        except OSError as error:
            raise InputNotReadable(f"the zstd data is damaged: {error}") from None

    return read


def _read_up_to(read: Callable[[int], bytes], limit: int, what: str) -> bytes:
    plain = bytearray()
    while chunk := read(_CHUNK_BYTES):
        plain += chunk
        if len(plain) > limit:
            raise _too_large(what, limit)
    return bytes(plain)


def _too_large(what: str, limit: int) -> InputNotReadable:
    return InputNotReadable(f"{what} unpacks to more than the {limit} bytes that an input may have")


def _reader(data: memoryview) -> BinaryIO:
    return cast("BinaryIO", pyarrow.BufferReader(pyarrow.py_buffer(data)))
