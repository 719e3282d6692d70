"""The JSON schemas of all events, and what in a change of them breaks readers or the replay of old logs.

`python tests/support/event_schemas.py` records the present schemas, after a field or an event was added; it refuses a change
that breaks. The record is `tests/data/event-schemas-v1.json`.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nightmail_common.contract.events import EVENTS

Schema = dict[str, Any]

RECORD = Path(__file__).parent.parent / "data" / "event-schemas-v1.json"
#: Limits of a value. A limit that is new or tighter would refuse an old event.
_LIMITS = frozenset(
    {"minLength", "maxLength", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
    | {"minItems", "maxItems"}
)
#: A value that another one replaces has another meaning.
_KINDS = ("type", "format")


def event_schemas() -> dict[str, Schema]:
    """Return the schema of each event's body by its CloudEvents type."""
    return {f"nightmail.{event.name}.v{event.type_version}": event.model_json_schema() for event in EVENTS.values()}


def breaking_changes(recorded: dict[str, Schema], current: dict[str, Schema]) -> list[str]:
    """Return what of the recorded events the current ones do not have, or have otherwise; a new field or event is none."""
    found = [f"{name}: the event is gone" for name in recorded.keys() - current.keys()]
    for name in recorded.keys() & current.keys():
        found += _changes(name, (recorded[name], recorded[name]), (current[name], current[name]), frozenset())
    return sorted(found)


def _changes(path: str, old: tuple[Schema, Schema], new: tuple[Schema, Schema], seen: frozenset[str]) -> Iterator[str]:
    """Yield the breaking changes of one value; each side is its schema and the document that `$ref` refers to."""
    reference = old[0].get("$ref")
    if reference in seen:  # a recursive schema
        return
    seen |= {reference} if reference else set()
    old, new = _resolved(old), _resolved(new)
    branches = _branches(old)
    if len(branches) > 1 or len(_branches(new)) > 1:
        for branch in branches:
            tries = [list(_changes(path, branch, other, seen)) for other in _branches(new)]
            if all(tries):
                yield min(tries, key=len)[0] if len(tries) == 1 else f"{path}: no longer {_kind(branch[0])}"
        return
    before, after = old[0], new[0]
    for key in _KINDS:
        if key in after and before.get(key) != after[key]:
            yield f"{path}: {key} was {before.get(key)}, is {after[key]}"
    for key in _LIMITS & after.keys():
        if before.get(key) != after[key]:
            yield f"{path}: {key} was {before.get(key)}, is {after[key]}"
    if (allowed := _values(after)) is not None:
        gone = [value for value in _values(before) or ["any other value"] if value not in allowed]
        if gone:
            yield f"{path}: no longer allows {', '.join(map(str, gone))}"
    yield from (
        f"{path}.{name}: became required" for name in set(after.get("required", ())) - set(before.get("required", ()))
    )
    for name, schema in before.get("properties", {}).items():
        if name not in after.get("properties", {}):
            yield f"{path}.{name}: the field is gone"
        else:
            yield from _changes(f"{path}.{name}", (schema, old[1]), (after["properties"][name], new[1]), seen)
    for key in ("items", "additionalProperties"):
        if isinstance(before.get(key), dict) and isinstance(after.get(key), dict):
            yield from _changes(f"{path}.*", (before[key], old[1]), (after[key], new[1]), seen)


def _resolved(side: tuple[Schema, Schema]) -> tuple[Schema, Schema]:
    schema, document = side
    while "$ref" in schema:
        schema = document["$defs"][schema["$ref"].rpartition("/")[2]]
    return schema, document


def _branches(side: tuple[Schema, Schema]) -> list[tuple[Schema, Schema]]:
    schema, document = side
    branches = schema.get("anyOf") or schema.get("oneOf") or [schema]
    return [_resolved((branch, document)) for branch in branches]


def _values(schema: Schema) -> list[Any] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _kind(schema: Schema) -> str:
    return str(schema.get("title") or schema.get("format") or schema.get("type") or _values(schema))


if __name__ == "__main__":
    current = event_schemas()
    if RECORD.exists() and (broken := breaking_changes(json.loads(RECORD.read_text()), current)):
        sys.exit("\n".join(["not recorded: a changed meaning is a new version of the event", *broken]))
    RECORD.write_text(json.dumps(current, indent=1, sort_keys=True) + "\n")
