"""The events of the log keep every field that they once had: a changed meaning is a new version."""

import json
from typing import Any

import pytest

from nightmail_common.contract.events import EVENTS
from support.event_schemas import RECORD, Schema, breaking_changes, event_schemas

RECORDED: dict[str, Schema] = json.loads(RECORD.read_text())

BODY: Schema = {
    "type": "object",
    "required": ["run_id"],
    "properties": {
        "run_id": {"type": "string", "format": "uuid"},
        "stage": {"enum": ["fetch", "script"]},
        "rows": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        "files": {"type": "array", "items": {"$ref": "#/$defs/File"}},
    },
    "$defs": {
        "File": {"type": "object", "properties": {"size": {"type": "integer"}, "parts": {"$ref": "#/$defs/File"}}}
    },
}


def test_every_recorded_event_has_its_fields_and_replays() -> None:
    assert breaking_changes(RECORDED, event_schemas()) == []


def test_the_record_is_about_the_catalogue() -> None:
    assert len(RECORDED) >= 20
    assert {name.split(".")[1] for name in RECORDED} <= EVENTS.keys()


def changed(path: str, value: Any) -> dict[str, Schema]:
    """Return the schema of one event with the value at a path replaced; None removes it."""
    body = json.loads(json.dumps(BODY))
    *parents, last = path.split("/")
    place = body
    for parent in parents:
        place = place[parent]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return {"nightmail.run-failed.v1": body}


@pytest.mark.parametrize(
    ("path", "value", "change"),
    [
        ("properties/stage", None, "run-failed.v1.stage: the field is gone"),
        ("properties/run_id/type", "integer", "run-failed.v1.run_id: type was string, is integer"),
        ("properties/run_id/format", "date-time", "run-failed.v1.run_id: format was uuid, is date-time"),
        ("properties/run_id/maxLength", 8, "run-failed.v1.run_id: maxLength was None, is 8"),
        ("properties/stage/enum", ["fetch"], "run-failed.v1.stage: no longer allows script"),
        ("properties/rows", {"type": "integer"}, "run-failed.v1.rows: type was null, is integer"),
        ("required", ["run_id", "rows"], "run-failed.v1.rows: became required"),
        ("$defs/File/properties/size", None, "run-failed.v1.files.*.size: the field is gone"),
        ("$defs/File/properties/size/type", "string", "run-failed.v1.files.*.size: type was integer, is string"),
    ],
)
def test_a_field_that_is_removed_or_changed_is_named(path: str, value: Any, change: str) -> None:
    assert breaking_changes({"nightmail.run-failed.v1": BODY}, changed(path, value)) == [f"nightmail.{change}"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("properties/note", {"type": "string"}),
        ("properties/stage/enum", ["fetch", "script", "parse"]),
        ("required", []),
        ("properties/rows/anyOf", [{"type": "integer"}, {"type": "null"}, {"type": "string"}]),
        ("$defs/File/properties/name", {"type": "string"}),
    ],
)
def test_a_new_field_or_value_breaks_nothing(path: str, value: Any) -> None:
    assert breaking_changes({"nightmail.run-failed.v1": BODY}, changed(path, value)) == []


def test_an_event_that_is_removed_is_named() -> None:
    assert breaking_changes({"nightmail.run-failed.v1": BODY}, {}) == ["nightmail.run-failed.v1: the event is gone"]


def test_each_field_of_each_recorded_event_is_guarded() -> None:
    for name, schema in RECORDED.items():
        for field in schema["properties"]:
            fewer = {key: value for key, value in schema["properties"].items() if key != field}
            assert breaking_changes({name: schema}, {name: schema | {"properties": fewer}}) == [
                f"{name}.{field}: the field is gone"
            ]
