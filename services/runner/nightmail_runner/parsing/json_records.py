"""JSON and JSON Lines to a table: a list of records, wherever it stands."""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pandas
import pyarrow

from nightmail_common.contract.source_types import ColumnType
from nightmail_runner.parsing.almost_numbers import note_decimals_in_quotes, note_several_kinds
from nightmail_runner.parsing.columns import TEXT, NumberFormat, check_declared, convert, empty_column, is_kept
from nightmail_runner.parsing.error_text import kind_of, shorten
from nightmail_runner.parsing.json_errors import check_errors_beside, error_in, is_only_message, judge_outcomes
from nightmail_runner.parsing.json_joining import join_shape
from nightmail_runner.parsing.json_path import PathMissing, follow
from nightmail_runner.parsing.json_rest import note_missing_records
from nightmail_runner.parsing.json_shapes import count_records, is_columns, is_split
from nightmail_runner.parsing.missing_values import MissingValues
from nightmail_runner.parsing.options import InputNotReadable, ReadOptions
from nightmail_runner.parsing.table import Table

#: A float keeps every number of 15 significant digits; sign, point and zero come on top.
_SURELY_EXACT_CHARACTERS = 16
#: Between these a float of few digits is exact; outside, some numbers become zero or infinite.
_SURELY_EXACT_FROM, _SURELY_EXACT_TO = 1e-300, 1e300
_INT64 = range(-(2**63), 2**63)
#: An error shows this many bytes of data that is not JSON.
_SHOWN_BYTES = 400
#: Above this a float does not hold every integer.
_EXACT_INTEGERS = 2**53


def read_json(text: memoryview, options: ReadOptions, notes: list[str]) -> Table:
    """Return JSON as a table: a list of records, one record, or columns and rows apart (pandas' `split`).

    JSON Lines in a `json` source are read, too, if there are several.

    Raises:
        InputNotReadable: it is not JSON, has no records, or reports an error.
    """
    data = bytes(text)
    if not data.strip():
        return _nothing(options, notes)
    try:
        found = _loads(data, options)
    except json.JSONDecodeError as error:
        if (error.msg == "Extra data" and data[: error.pos].count(b"\n") >= 1) or data.strip().count(b"\n"):
            return _lines_or(error, data, options, notes)
        raise _not_json(error, data) from None
    if options.paged:
        records = [record for page in _pages(found, options, notes) for record in page]
        if found:
            passed = _way(found[-1], options)[1]
            note_missing_records(found[-1], records, passed, notes, keyed=_is_keyed(options), pages=len(found))
        return _table(records, options, notes)
    return _table(_records(found, options, notes), options, notes)


def _is_keyed(options: ReadOptions) -> bool:
    return (options.records_path or "").endswith("*")


def _way(document: Any, options: ReadOptions) -> tuple[Any, list[Any]]:
    """Return the value with the records, and the objects and lists on the way to them."""
    passed: list[Any] = []
    found = follow(document, options.records_path or "", passed)
    return found, [*passed, found] if is_split(found) else passed


def read_json_lines(text: memoryview, options: ReadOptions, notes: list[str]) -> Table:
    """Return JSON Lines as a table: each line is one record.

    Raises:
        InputNotReadable: a line is not a JSON object; names the line.
    """
    data = bytes(text)
    return _table(_lines(data, options), options, notes) if data.strip() else _nothing(options, notes)


def _nothing(options: ReadOptions, notes: list[str]) -> Table:
    notes.append("the data is empty")
    return _table([], options, notes)


def _lines_or(error: json.JSONDecodeError, data: bytes, options: ReadOptions, notes: list[str]) -> Table:
    first = data.lstrip().split(b"\n", 1)[0]
    try:
        _loads(first, options)
    except json.JSONDecodeError:
        raise _not_json(error, data) from None
    notes.append("the data is JSON Lines: each line is one record; file_type jsonl says so")
    return _table(_lines(data, options), options, notes)


def _lines(data: bytes, options: ReadOptions) -> list[dict[str, Any]]:
    records = []
    for number, line in enumerate(data.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            record = _loads(line, options)
        except json.JSONDecodeError as error:
            shown = shorten(line[:_SHOWN_BYTES].decode("utf-8", "replace"))
            raise InputNotReadable(
                f"line {number} is not JSON: {error.msg} at character {error.colno}; it begins with {shown!r}{_hint_of_json(data, options)}"
            ) from None
        if not isinstance(record, dict):
            raise InputNotReadable(
                f"line {number}: every line is one JSON object, this one is {kind_of(record)}{_hint_of_json(data, options)}"
            )
        records.append(record)
    _refuse_error_at_end(records)
    if len(records) == 1 and is_only_message(records[0]) and (error_text := error_in(records[0])) is not None:
        raise InputNotReadable(f"the source reports an error instead of data: {error_text}")
    return records


def _hint_of_json(data: bytes, options: ReadOptions) -> str:
    """Return what to do if data that is no JSON Lines is one JSON document."""
    try:
        _loads(data, options)
    except (json.JSONDecodeError, InputNotReadable):
        return ""
    return "; the data is one JSON document: set file_type to json"


def _refuse_error_at_end(records: list[dict[str, Any]]) -> None:
    """Refuse a stream that its server ended with an error: the records before it are a part of the data.

    Raises:
        InputNotReadable: the last of several records is an error, and has none of the names of the first one.
    """
    if len(records) < 2 or not records[-1] or not records[0].keys().isdisjoint(records[-1]):
        return
    if is_only_message(records[-1]) and (error := error_in(records[-1])) is not None:
        raise InputNotReadable(
            f"the source reports an error after its records, so they may be a part of the data: {error}"
        )


class _WrittenFloat(float):
    """A float with the text that the data has, `1.10`, for a column that is declared as text."""

    text: str


def _written_float(text: str) -> _WrittenFloat | str:
    value = _exact_float(text)
    if isinstance(value, str):
        return value
    written = _WrittenFloat(value)
    written.text = text
    return written


def _loads(data: bytes, options: ReadOptions) -> Any:
    parse_float = _written_float if "text" in options.types.values() else _exact_float
    try:
        return json.loads(
            data, parse_float=parse_float, parse_constant=_refuse_constant, object_pairs_hook=_with_unique_names
        )
    except RecursionError:
        raise InputNotReadable("the JSON is nested too deeply") from None
    except (json.JSONDecodeError, InputNotReadable):
        raise
    except ValueError:  # of int(), whose time grows with the square of the digits
        raise InputNotReadable(
            f"an integer of the JSON has more than {sys.get_int_max_str_digits()} digits; write it as text"
        ) from None


def _exact_float(text: str) -> float | str:
    """Return a float, or the text of a number whose digits a float does not keep, or that is too large or too small for one."""
    value = float(text)
    if len(text) <= _SURELY_EXACT_CHARACTERS and _SURELY_EXACT_FROM < abs(value) < _SURELY_EXACT_TO:
        return value
    return value if is_kept(text, value) else text


def _with_unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; of two equal names one value would be lost (RFC 8259, section 4)."""
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = next(name for name, count in counts.items() if count > 1)
        raise InputNotReadable(
            f"an object of the JSON has the name {shorten(twice)!r} twice: one of its values would be lost"
        )
    return found


def _refuse_constant(text: str) -> Any:
    raise InputNotReadable(f"{text} is not JSON (RFC 8259); missing values are null")


def _records(found: Any, options: ReadOptions, notes: list[str]) -> list[dict[str, Any]]:
    error = error_in(found)
    document = found
    try:
        found, passed = _way(document, options)
    except PathMissing as missing:
        error = error or error_in(missing.last)
        if error is None:
            raise
        raise InputNotReadable(f"the source reports an error instead of data: {error} ({missing})") from None
    if options.records_path is not None:
        check_errors_beside(document, options.records_path, count_records(found), notes)
    elif error is not None:
        raise InputNotReadable(f"the source reports an error instead of data: {error}")
    joined = join_shape(found, notes)
    records = _only_records(found) if joined is None else joined
    if (joined is not None or isinstance(found, list)) and not options.paged:
        note_missing_records(document, records, passed, notes, keyed=_is_keyed(options))
    judge_outcomes(records, notes)
    return records


def _only_records(found: Any) -> list[dict[str, Any]]:
    """Return a list of records as it is, and one record as a list.

    Raises:
        InputNotReadable: it is neither; the message says what helps.
    """
    if isinstance(found, dict):
        if not any(isinstance(value, list | dict) for value in found.values()) and found:
            return [found]
        raise InputNotReadable(f"a list of records is needed, this is an object with {_hint(found)}")
    if not isinstance(found, list):
        twice = isinstance(found, str) and found.lstrip().startswith(("[", "{"))
        hint = ", which is JSON itself: the source encodes it twice; correct it at its source" if twice else ""
        raise InputNotReadable(f"a list of records is needed, this is {kind_of(found)}{hint}")
    for number, record in enumerate(found):
        if not isinstance(record, dict):
            raise InputNotReadable(
                f"every record is a JSON object, but number {number + 1} of the list is {kind_of(record)}{_hint_of_inner(found)}"
            )
    return found


def _hint_of_inner(found: list[Any]) -> str:
    """Return the records_path of a list of records in a list, as APIs have it that put the page's own data before it."""
    inner = [
        place for place, one in enumerate(found) if isinstance(one, list) and any(isinstance(row, dict) for row in one)
    ]
    if len(inner) == 1:
        return f"; set records_path to the list in it, '[{inner[0]}]'"
    if not all(isinstance(one, list) for one in found):
        return ""
    return (
        "; a list of lists needs the different names of its columns in the first, and no list may be longer than that"
    )


def _pages(pages: list[Any], options: ReadOptions, notes: list[str]) -> Iterator[list[dict[str, Any]]]:
    for number, page in enumerate(pages, 1):
        said: list[str] = []
        try:
            yield _records(page, options, said)
        except InputNotReadable as error:
            raise InputNotReadable(f"page {number}: {error}") from None
        notes.extend(note for note in said if note not in notes)


def _hint(found: dict[str, Any]) -> str:
    names = shorten(", ".join(found)) or "nothing in it"
    lists = [
        name for name, value in found.items() if isinstance(value, list) and all(isinstance(v, dict) for v in value)
    ]
    if _is_columns_by_row(found):
        return f"{names}, each with its values by the number of the row (pandas' to_json()); write it with orient='records'"
    inner = [
        f"{name}.{key}"
        for name, value in found.items()
        if isinstance(value, dict)
        for key, rows in value.items()
        if isinstance(rows, list) and rows and all(isinstance(row, dict) for row in rows)
    ]
    inner += [name for name, value in found.items() if is_columns(value) or is_split(value)]
    if lists or inner:
        return f"{names}; set records_path to the list in it, such as {(lists or inner)[0]!r}"
    if found and all(isinstance(value, dict) for value in found.values()):
        return f"{names}; if each of these is a record, set records_path to '*'"
    if any(isinstance(value, list) for value in found.values()):
        lengths = {f"{name} has {len(value)}": len(value) for name, value in found.items() if isinstance(value, list)}
        differ = len(lengths) == len(found) and len(set(lengths.values())) > 1
        columns = f", and different numbers of values ({shorten(', '.join(lengths))})" if differ else ""
        return f"{names}; its lists have no records (objects) in them{columns}; if it is one record, set file_type to jsonl"
    return f"{names}; records_path can name the list in it (key.key, key[0], [\"a.key\"]); '*' takes all values of an object"


def _is_columns_by_row(found: dict[str, Any]) -> bool:
    first = next(iter(found.values()), None)
    return (
        isinstance(first, dict)
        and list(first) == [str(number) for number in range(len(first))]
        and all(isinstance(values, dict) and list(values) == list(first) for values in found.values())
    )


def _table(records: list[dict[str, Any]], options: ReadOptions, notes: list[str]) -> Table:
    if not records:
        return Table(pandas.DataFrame({name: empty_column(kind) for name, kind in options.types.items()}), notes)
    names = list(dict.fromkeys(name for record in records for name in record))
    if not names:
        notes.append(f"the data has {len(records)} records without a field, which are no rows")
        return _table([], options, notes)
    check_declared(names, options)
    missing = MissingValues(options.na_values)
    columns = {}
    for name in names:
        values = [record.get(name) for record in records]
        if options.types and options.types.get(name) != "text":
            values = [float(value) if type(value) is _WrittenFloat else value for value in values]
        if options.na_values:
            values = [None if value in missing else value for value in values]
        try:
            columns[name] = missing.drop_from(to_values(name, values, options, lambda row: f"record {row + 1}"))
        except UnicodeEncodeError as error:
            raise _half_character(error) from None
        if name not in options.types:
            note_decimals_in_quotes(name, values, notes)
            note_several_kinds(name, values, notes)
    try:
        return Table(pandas.DataFrame(columns, copy=False), notes)
    except UnicodeEncodeError as error:  # in a name
        raise _half_character(error) from None


def to_values(name: str, values: list[Any], options: ReadOptions, place: Any) -> Any:
    """Return typed values (None where missing) as pandas keeps them without losing a digit; or by their declared type."""
    declared: ColumnType | None = options.types.get(name)
    if declared is not None:
        texts = pyarrow.chunked_array([pyarrow.array([_as_text(value) for value in values], TEXT)])
        return convert(name, texts, declared, NumberFormat(), place)
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int} and all(value is None or value in _INT64 for value in values):
        return pandas.array(values, dtype="Int64") if None in values else pandas.array(values, dtype="int64")
    if kinds == {bool}:
        return pandas.array(values, dtype="boolean") if None in values else pandas.array(values, dtype="bool")
    if kinds and kinds <= {int, float} and all(_is_exact(value) for value in values):
        return pandas.array([float("nan") if value is None else float(value) for value in values], dtype="float64")
    if kinds <= {str}:
        return pandas.array(values, dtype="str")
    return pandas.Series(values, dtype=object).array


def _is_exact(value: int | float | None) -> bool:
    return not isinstance(value, int) or abs(value) <= _EXACT_INTEGERS


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, _WrittenFloat):
        return value.text
    return json.dumps(value, ensure_ascii=False)


def _half_character(error: UnicodeEncodeError) -> InputNotReadable:
    code = ord(error.object[error.start])
    return InputNotReadable(
        f"a text of the JSON has half a character, \\u{code:04x} (an unpaired surrogate, RFC 8259, section 8.2)"
    )


def _not_json(error: json.JSONDecodeError, data: bytes) -> InputNotReadable:
    start = shorten(data[:_SHOWN_BYTES].decode("utf-8", "replace"))
    shown = f"; it begins with {start!r}" if error.lineno == 1 or not data[: error.pos].strip() else ""
    return InputNotReadable(f"this is not JSON: {error.msg} in line {error.lineno}, character {error.colno}{shown}")
