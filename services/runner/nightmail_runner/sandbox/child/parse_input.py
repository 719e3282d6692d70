"""The bytes of a source to a DataFrame."""

import io
import json
from typing import Any, BinaryIO

import pandas

#: Enough of a CSV to see its first line.
_HEAD_BYTES = 64 * 1024
_DELIMITERS = ",;\t|"
#: What bytes are that are no UTF-8: Windows' Latin-1, and Latin-1 itself, in which everything has a meaning.
_FALLBACK_ENCODINGS = ("cp1252", "latin-1")
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


class NotRecords(ValueError):
    """The JSON is valid, but no list of records."""


def read_csv(source: BinaryIO, delimiter: str | None, encoding: str | None) -> pandas.DataFrame:
    """Return a CSV as a DataFrame; delimiter and encoding are found out unless given.

    Nothing at all is a DataFrame without columns, a first line alone one without rows.

    Raises:
        ValueError: it is no CSV (pandas' `ParserError` is one).
    """
    head = source.read(_HEAD_BYTES)
    if not head.strip():
        return pandas.DataFrame()
    encodings = (encoding,) if encoding is not None else (_encoding_of(head), *_FALLBACK_ENCODINGS)
    delimiter = delimiter or _delimiter_of(head, encodings[0])
    for tried in encodings:
        source.seek(0)
        try:
            return pandas.read_csv(source, sep=delimiter, encoding=tried)
        except UnicodeDecodeError:
            if tried == encodings[-1]:
                raise
    raise AssertionError


def read_json(source: BinaryIO, records_path: str | None) -> pandas.DataFrame:
    """Return JSON records (a list, a list inside of an object, or one record a line) as a DataFrame.

    Args:
        records_path: the keys to the list, with dots between them.

    Raises:
        ValueError: it is no JSON, or no records.
    """
    records = _records(_parsed(source.read()), records_path)
    strange = next((record for record in records if not isinstance(record, dict)), None)
    if strange is not None:
        raise NotRecords(f"every record is a JSON object, but one is a {type(strange).__name__}")
    return pandas.DataFrame(records)


def _encoding_of(head: bytes) -> str:
    return next((encoding for bom, encoding in _BOMS if head.startswith(bom)), "utf-8")


def _delimiter_of(head: bytes, encoding: str) -> str:
    """Return the delimiter that the first line has most of; quoted ones do not count."""
    text = head.decode(encoding, "replace").lstrip("\r\n")
    quoted = False
    counts = dict.fromkeys(_DELIMITERS, 0)
    for char in text:
        if char == '"':
            quoted = not quoted
        elif char in "\r\n" and not quoted:
            break
        elif char in counts and not quoted:
            counts[char] += 1
    return max(counts, key=lambda char: counts[char])


def _parsed(data: bytes) -> Any:
    if not data.strip():
        return []
    try:
        return json.loads(data)
    except json.JSONDecodeError as error:
        if error.msg != "Extra data":
            raise
    return [json.loads(line) for line in io.BytesIO(data) if line.strip()]  # JSON Lines


def _records(found: Any, records_path: str | None) -> list[Any]:
    for key in records_path.split(".") if records_path else ():
        if not isinstance(found, dict) or key not in found:
            raise NotRecords(f"records_path {records_path!r}: there is no {key!r}")
        found = found[key]
    if isinstance(found, dict) and not any(isinstance(value, list | dict) for value in found.values()):
        return [found]  # JSON Lines with one line
    if not isinstance(found, list):
        hint = "; records_path can name the list in it" if isinstance(found, dict) else ""
        raise NotRecords(f"a list of records is needed, this is a {type(found).__name__}{hint}")
    return found
