"""Detects the type of bytes, without regard to the source's `file_type`: unpacks compressed data, and refuses content
that is not a table.
"""

import json
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable
from typing import BinaryIO, cast

import pyarrow

from nightmail_common.contract.source_types import FileType
from nightmail_runner.parsing.error_text import shorten
from nightmail_runner.parsing.json_errors import error_in
from nightmail_runner.parsing.options import InputNotReadable, ReadOptions

#: The first bytes of formats that are not tables (and of formats that need their own file_type).
_MAGIC: tuple[tuple[bytes, str, FileType | None], ...] = (
    (b"%PDF-", "a PDF document", None),
    (b"\x89PNG", "a PNG image", None),
    (b"\xff\xd8\xff", "a JPEG image", None),
    (b"GIF8", "a GIF image", None),
    (b"SQLite format 3\x00", "an SQLite database", None),
    (b"ARROW1", "an Arrow file", None),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", None),
    (b"Rar!", "a RAR archive", None),
    (b"BZh", "bzip2 data (only gzip, zip and zstd are unpacked)", None),
    (b"\xfd7zXZ\x00", "xz data (only gzip, zip and zstd are unpacked)", None),
    (b"PAR1", "a Parquet file", "parquet"),
    (b"version https://git-lfs", "a pointer of Git LFS in place of the file", None),
    (b"\x04\x22\x4d\x18", "lz4 data (only gzip, zip and zstd are unpacked)", None),
    (b"\x1f\x9d", "data of compress, .Z (only gzip, zip and zstd are unpacked)", None),
    (b"\x78\x9c", "zlib data (only gzip, zip and zstd are unpacked)", None),
    (b"\x78\xda", "zlib data (only gzip, zip and zstd are unpacked)", None),
    (b"\x5d\x00\x00", "lzma data (only gzip, zip and zstd are unpacked)", None),
    (b"\xff\x06\x00\x00sNaPpY", "snappy data (only gzip, zip and zstd are unpacked)", None),
    (b"PK\x05\x06", "a zip archive without a member", None),
    (b"Obj\x01", "an Avro file", None),
    (b"ORC\x08", "an ORC file", None),
    (b"FEA1", "a Feather file", None),
    (b"\x89HDF", "an HDF5 file", None),
    (b"\x93NUMPY", "an array of NumPy", None),
    (b"\x7fELF", "a program", None),
    (b"$FL2", "an SPSS file", None),
    (b"<stata_dta>", "a Stata file", None),
    (b"II*\x00", "a TIFF image", None),
    (b"{\\rtf", "a document in RTF", None),
    (b"ID;PWXL;", "a spreadsheet in SYLK (.slk)", None),
    (b"ID;PSCALC", "a spreadsheet in SYLK (.slk)", None),
    (b"OFXHEADER:", "a bank statement in OFX", None),
    (b"!Type:", "a bank statement in QIF", None),
    (b":20:", "a bank statement in MT940", None),
    (b"{1:F01", "a bank statement in MT940", None),
    (b"UNA:+", "a message in EDIFACT", None),
    (b"UNB+", "a message in EDIFACT", None),
    (b"-----BEGIN ", "a message or key of PGP or PEM", None),
    (b"-- MySQL dump", "a dump of a database (SQL)", None),
    (b"-- MariaDB dump", "a dump of a database (SQL)", None),
    (b"--\n-- PostgreSQL database", "a dump of a database (SQL)", None),
    (b"INSERT INTO ", "statements of SQL", None),
    (b"CREATE TABLE ", "statements of SQL", None),
    (b"data:text/csv;base64,", "a data URL", None),
    (b"BEGIN:VCALENDAR", "a calendar (.ics)", None),
    (b"BEGIN:VCARD", "contacts (.vcf)", None),
)
#: Where the header of a tar archive has the format's name (POSIX ustar).
_TAR = slice(257, 262), b"ustar"
#: How Python shows bytes, which `str()` writes into a file in their place.
_SHOWN_OF_PYTHON = re.compile(rb"""b(["']).*\1\s*""", re.DOTALL)
#: What file managers put into an archive beside its files.
_OF_FILE_MANAGERS = frozenset({".ds_store", "thumbs.db", "desktop.ini"})
_ZIP, _GZIP, _ZSTD = b"PK\x03\x04", b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_OLD_WORKBOOK, _LOCKED_WORKBOOK = "an old Excel workbook (.xls)", "an Excel workbook with a password"
_OPEN_DOCUMENT = "an OpenDocument file (.ods)"
_WAYS_OUT = {
    _OLD_WORKBOOK: "; save it as .xlsx",
    _OPEN_DOCUMENT: "; save it as .xlsx",
    _LOCKED_WORKBOOK: "; save it without one",
}
#: Compound files ([MS-CFB]): workbooks before 2007, and newer ones that a password encrypts ([MS-OFFCRYPTO]).
_COMPOUND, _ENCRYPTED = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "EncryptedPackage".encode("utf-16-le")
#: A file that was compressed, and again on its way.
_MOST_PACKINGS = 3
_MARKUP = re.compile(rb"\s*<(!doctype\s+html|html|head|body|\?xml|!--|[a-z][\w:-]*[\s>/])", re.IGNORECASE)
#: A name in a header in angle brackets, as trading programs write it: `<DATE>,<CLOSE>`.
_BRACKETED = re.compile(rb" *<[^<>!?/][^<>]*> *")
_DELIMITERS = b",;|\t"
_HTML = re.compile(rb"<(!doctype\s+html|html|head|body|title|meta|script|br|div|table|h1|p|b)\b", re.IGNORECASE)
_TITLE = re.compile(rb"<title[^>]*>\s*(.*?)\s*</title>", re.IGNORECASE | re.DOTALL)
_JSON = re.compile(rb'\s*(\{\s*["}]|\[\s*[\[{"\]]|\[\s*-?\d+\s*[,\]])')
#: Enough to recognise a format and to show a page's title.
_HEAD_BYTES = 4096
_CHUNK_BYTES = 1024 * 1024
_SHOWN_BYTES = 200
#: RFC 1952 and RFC 1950: gzip or zlib, by its head.
_GZIP_WINDOW = 47


def unpack(data: memoryview, options: ReadOptions, notes: list[str]) -> memoryview:
    """Return the plain bytes of gzip, zstd, or a zip archive with one member; other bytes as they are.

    Data that was compressed twice is unpacked twice: some servers compress a `.gz` file.

    Raises:
        InputNotReadable: the compressed data is damaged, has several members, or is larger than `max_bytes`; or it is packed
            more than three times.
    """
    packings: list[str] = []
    while (packing := _packing(data)) is not None:
        if len(packings) == _MOST_PACKINGS:
            raise InputNotReadable(f"the data is packed more than {_MOST_PACKINGS} times: {', '.join(packings)}, ...")
        packings.append(packing)
        if packing == "gzip":
            data = memoryview(_inflate(data, options.max_bytes))
        elif packing == "zstd":
            data = memoryview(_read_up_to(_zstd(data), options.max_bytes, "zstd data"))
        else:
            data = memoryview(_only_member(data, options.max_bytes))
    if packings:
        notes.append(f"the data was unpacked from {', then '.join(packings)}")
    return data


def _packing(data: memoryview) -> str | None:
    head = bytes(data[:4])
    if head.startswith(_GZIP):
        return "gzip"
    if head.startswith(_ZSTD):
        return "zstd"
    return "zip" if head.startswith(_ZIP) and _format_of_zip(data) is None else None


def refuse_other_formats(data: memoryview, options: ReadOptions) -> None:
    """Check that bytes can be what `file_type` says.

    Raises:
        InputNotReadable: they seem to be something else; the message says what, and the right `file_type` if one exists.
    """
    head = bytes(data[:_HEAD_BYTES])
    seems, right_type = _recognise(data, head, options)
    if seems is None or right_type == options.file_type:
        return
    if right_type == "json" and options.file_type == "jsonl":
        return
    if right_type == "json" and (error := _error_in_json(data)) is not None:
        raise InputNotReadable(f"this seems to be an error in JSON ({error}), not {options.file_type}")
    hint = f"; set file_type to {right_type}" if right_type else _WAYS_OUT.get(seems, "")
    raise InputNotReadable(f"this seems to be {seems}, not {options.file_type}{hint}")


def say_of_text(data: memoryview) -> str:
    """Return what text or nothing in place of a binary file begins with; empty for other data."""
    if not len(data):
        return "it is empty"
    try:
        text = bytes(data[:_SHOWN_BYTES]).decode("utf-8", "ignore" if len(data) > _SHOWN_BYTES else "strict")
    except UnicodeDecodeError:
        return ""
    if any(not letter.isprintable() and not letter.isspace() for letter in text):
        return ""
    return f"it seems to be text, which begins with {shorten(text)!r}"


def _recognise(data: memoryview, head: bytes, options: ReadOptions) -> tuple[str | None, FileType | None]:
    for magic, name, right_type in _MAGIC:
        if head.startswith(magic):
            return name, right_type
    if head.startswith(_ZIP) and (kind := _format_of_zip(data)) is not None:
        return kind
    if head.startswith(_COMPOUND):
        return (_LOCKED_WORKBOOK if _ENCRYPTED in bytes(data) else _OLD_WORKBOOK), None
    if head[_TAR[0]] == _TAR[1]:
        return "a tar archive", None
    if len(data) <= len(head) and b"\\n" in head and _SHOWN_OF_PYTHON.fullmatch(head):
        return "text as Python shows bytes (b'...'): it must be decoded where it is written", None
    text = head.lstrip(b"\xef\xbb\xbf")
    if _MARKUP.match(text) and not _is_bracketed_header(text, options):
        if not _HTML.search(text):
            return "XML", None
        title = _TITLE.search(text)
        named = f" with the title {shorten(title[1].decode('utf-8', 'replace'))!r}" if title else ""
        return f"an HTML page{named} (does the source ask to sign in?)", None
    if not _JSON.match(text):
        return None, None
    return ("JSON Lines", "jsonl") if options.file_type in {"csv", "tsv"} and _are_lines(text) else ("JSON", "json")


def _are_lines(text: bytes) -> bool:
    """Return whether the first of several lines is a complete JSON object."""
    first, _, rest = text.strip().partition(b"\n")
    if not rest.lstrip().startswith(b"{"):
        return False
    try:
        return isinstance(json.loads(first), dict)
    except (ValueError, RecursionError):
        return False


def _is_bracketed_header(text: bytes, options: ReadOptions) -> bool:
    """Return whether the first line is the header of a delimited file, although it begins as markup does.

    Its first field is a name in brackets. If HTML has an element of that name, all fields are; a lone one has no end tag.
    """
    if options.file_type not in {"csv", "tsv"}:
        return False
    delimiters = _DELIMITERS if options.delimiter is None else options.delimiter.encode()
    line = re.split(rb"[\r\n]", text.lstrip(), maxsplit=1)[0]
    fields = re.split(rb"[" + re.escape(delimiters) + rb"]", line)
    bracketed = [_BRACKETED.fullmatch(name) is not None for name in fields]
    if len(fields) == 1:
        return bracketed[0] and b"</" not in text and not _HTML.match(text)
    return all(bracketed) or (bracketed[0] and not _HTML.match(text))


def _error_in_json(data: memoryview) -> str | None:
    if len(data) > _CHUNK_BYTES:
        return None
    try:
        return error_in(json.loads(bytes(data)))
    except (ValueError, RecursionError):
        return None


def _format_of_zip(data: memoryview) -> tuple[str, FileType | None] | None:
    """Return which document a zip archive is; None if it is an archive of files."""
    try:
        with zipfile.ZipFile(_reader(data)) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile:
        return None
    if any(name.startswith("xl/") for name in names):
        return "an Excel workbook", "xlsx"
    if "word/document.xml" in names:
        return "a Word document", None
    if "content.xml" in names and "mimetype" in names:
        return _OPEN_DOCUMENT, None
    return None


def _only_member(data: memoryview, limit: int) -> bytes:
    try:
        with zipfile.ZipFile(_reader(data)) as archive:
            members = [
                member
                for member in archive.infolist()
                if not member.is_dir()
                and not member.filename.startswith("__MACOSX/")
                and member.filename.rpartition("/")[2].lower() not in _OF_FILE_MANAGERS
            ]
            if len(members) != 1:
                names = ", ".join(member.filename for member in members[:5])
                raise InputNotReadable(f"the zip archive has {len(members)} members, one is needed: {shorten(names)}")
            with archive.open(members[0]) as member:
                return _read_up_to(member.read, limit, "the zip archive's member")
    except (
        zipfile.BadZipFile,
        RuntimeError,
        NotImplementedError,
        zlib.error,
        lzma.LZMAError,
        OSError,
        EOFError,
    ) as error:
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
            if stream.eof:  # gzip members can follow one another (RFC 1952 section 2.2), and tapes pad them with zeros
                rest = stream.unused_data.lstrip(b"\0")
                if rest and not _GZIP.startswith(rest[:2]):
                    raise InputNotReadable(
                        f"{len(rest)} bytes behind the end of the gzip data are not gzip; correct the file at its source"
                    )
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
