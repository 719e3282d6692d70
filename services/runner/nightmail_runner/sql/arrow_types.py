"""The Arrow types of a query's result, made plain: what the sandbox reads without extension types, and nothing by guess."""

from typing import Any, cast
from uuid import UUID

import pyarrow
import pyarrow.compute

from nightmail_runner.parsing.arrow_metadata import DECIMAL
from nightmail_runner.sql.request import QueryFailed

#: ADBC returns these as plain integers, but their number is not the value: money counts cents, an oid can be negative.
_NOT_INTEGERS = {b"money": "numeric", b"oid": "bigint"}
_PLAIN = (
    pyarrow.types.is_boolean,
    pyarrow.types.is_float64,
    pyarrow.types.is_string,
    pyarrow.types.is_date32,
    pyarrow.types.is_timestamp,
    pyarrow.types.is_time,
    pyarrow.types.is_null,
)


def plain_schema(schema: pyarrow.Schema) -> pyarrow.Schema:
    """Return the schema of a result with plain types.

    Raises:
        QueryFailed: a column has a type whose values would not come out as the database shows them.
    """
    return pyarrow.schema([_plain_field(field) for field in schema])


def plain_batch(batch: pyarrow.RecordBatch, schema: pyarrow.Schema) -> pyarrow.RecordBatch:
    """Return a batch with the types of `plain_schema`."""
    columns = [_plain_column(column, field.type) for column, field in zip(batch.columns, schema, strict=True)]
    return pyarrow.RecordBatch.from_arrays(columns, schema=schema)


def _plain_field(field: Any) -> Any:
    kind, metadata = field.type, field.metadata or {}
    database_type = metadata.get(b"POSTGRESQL:type", b"")
    if database_type in _NOT_INTEGERS:
        raise _unreadable(field.name, database_type.decode(), f"cast it, ::{_NOT_INTEGERS[database_type]}")
    if metadata.get(b"nightmail") == b"decimal":
        return field
    if isinstance(kind, pyarrow.OpaqueType):
        if kind.type_name != "numeric":
            raise _unreadable(field.name, kind.type_name, "cast it to text")
        return pyarrow.field(field.name, pyarrow.string(), metadata=DECIMAL)
    if isinstance(kind, pyarrow.JsonType | pyarrow.UuidType) or pyarrow.types.is_null(kind):
        return pyarrow.field(field.name, pyarrow.string())
    if pyarrow.types.is_integer(kind):
        return pyarrow.field(field.name, pyarrow.int64())
    if pyarrow.types.is_float32(kind):
        return pyarrow.field(field.name, pyarrow.float64())
    if pyarrow.types.is_binary(kind):
        hex_text = "encode(..., 'hex')" if database_type else "hex(...)"
        raise _unreadable(field.name, "binary", f"make it text, such as {hex_text}")
    if pyarrow.types.is_nested(kind):
        raise _unreadable(field.name, database_type.decode() or str(kind), "make it text, such as to_json(...)")
    if not any(is_kind(kind) for is_kind in _PLAIN):
        raise _unreadable(field.name, database_type.decode() or str(kind), "cast it to text")
    return pyarrow.field(field.name, kind)


def _plain_column(column: Any, wanted: Any) -> Any:
    kind = column.type
    if isinstance(kind, pyarrow.UuidType):
        texts = [None if value is None else str(UUID(bytes=value)) for value in column.storage.to_pylist()]
        return pyarrow.array(texts, pyarrow.string())
    if isinstance(kind, pyarrow.BaseExtensionType):
        return column.storage.cast(wanted)
    if pyarrow.types.is_float32(kind):  # by its shortest text: 0.1, not 0.10000000149011612
        return cast("Any", pyarrow.compute).cast(column.cast(pyarrow.string()), wanted)
    return column if kind == wanted else column.cast(wanted)


def _unreadable(column: str, database_type: str, hint: str) -> QueryFailed:
    return QueryFailed(f"the column {column[:200]!r} has the type {database_type}, which cannot be read: {hint}")
