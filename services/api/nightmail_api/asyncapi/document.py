"""The AsyncAPI 3.0 document: what Nightmail publishes on NATS, from the models of the events.

`python -m nightmail_api.asyncapi.document > docs/asyncapi.json` writes the copy in the repository.

Source: https://www.asyncapi.com/docs/reference/specification/v3.0.0
"""

import json
import sys
from functools import cache
from importlib.metadata import version
from typing import Any

from nightmail_api.asyncapi.examples import example_of
from nightmail_common.broker.streams import STREAM
from nightmail_common.contract.envelope import event_body
from nightmail_common.contract.events import EVENTS, Event
from nightmail_common.contract.subjects import subject_of

DESCRIPTION = f"""
Nightmail's event log is the JetStream stream `{STREAM}`. Each event is a fact in the past, as CloudEvents 1.0 in binary mode:
the attributes are headers, the event is the body as JSON.

An event is read with a consumer of the stream; the log is written by Nightmail's services alone. A reader ignores fields that it does not
know. A field is never renamed or given another meaning: a changed meaning is a new version of the event.
"""

#: What every event has in its headers (CloudEvents 1.0.2, NATS protocol binding).
_HEADERS: dict[str, Any] = {
    "type": "object",
    "required": ["ce-specversion", "ce-id", "ce-type", "ce-source", "ce-time", "content-type"],
    "properties": {
        "ce-specversion": {"type": "string", "const": "1.0"},
        "ce-id": {"type": "string", "format": "uuid", "description": "A UUIDv7."},
        "ce-type": {"type": "string", "description": "The event and its version."},
        "ce-source": {"type": "string", "description": "The service that published it."},
        "ce-time": {"type": "string", "format": "date-time"},
        "content-type": {"type": "string", "const": "application/json"},
        "traceparent": {"type": "string", "description": "W3C Trace Context; only while traces are recorded."},
    },
}
_FAMILIES = {
    "jobs": "Kept for ever.",
    "runs": "Kept for `NIGHTMAIL_RUN_RETENTION`.",
}


def ce_type(event: type[Event]) -> str:
    return f"nightmail.{event.name}.v{event.type_version}"


def summary_of(event: type[Event]) -> str:
    """Return the first sentence about an event."""
    return (event.__doc__ or "").strip().partition("\n")[0]


@cache
def document() -> dict[str, Any]:
    """Return the document. It is built once; nobody changes it."""
    schemas: dict[str, Any] = {}
    messages = {event.name: _message(event, schemas) for event in EVENTS.values()}
    return {
        "asyncapi": "3.0.0",
        "id": "urn:nightmail:events",
        "info": {
            "title": "Nightmail events",
            "version": version("nightmail-api"),
            "description": DESCRIPTION.strip(),
            "license": {"name": "Apache 2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
            "tags": [{"name": family, "description": text} for family, text in _FAMILIES.items()],
        },
        "defaultContentType": "application/json",
        "servers": {
            "nats": {
                "host": "127.0.0.1:4222",
                "protocol": "nats",
                "description": "The broker: the one of `nightmail up`, or `NIGHTMAIL_NATS_URL`.",
            }
        },
        "channels": {event.name: _channel(event) for event in EVENTS.values()},
        "operations": {f"publish-{event.name}": _operation(event) for event in EVENTS.values()},
        "components": {"messages": messages, "schemas": dict(sorted(schemas.items()))},
    }


def _channel(event: type[Event]) -> dict[str, Any]:
    return {
        "address": f"{event.family}.{{job}}.{event.name}",
        "title": event.name,
        "summary": summary_of(event),
        "messages": {event.name: {"$ref": f"#/components/messages/{event.name}"}},
        "parameters": {
            "job": {
                "description": "The name of the job as one subject token: percent-encoded where NATS forbids a character.",
                "examples": [subject_of(example_of(event)).split(".")[1]],
            }
        },
        "servers": [{"$ref": "#/servers/nats"}],
        "tags": [{"name": event.family}],
    }


def _operation(event: type[Event]) -> dict[str, Any]:
    return {
        "action": "send",
        "summary": summary_of(event),
        "channel": {"$ref": f"#/channels/{event.name}"},
        "messages": [{"$ref": f"#/channels/{event.name}/messages/{event.name}"}],
    }


def _message(event: type[Event], schemas: dict[str, Any]) -> dict[str, Any]:
    """Return the message of an event, and add the schemas that it refers to."""
    payload = _as_asyncapi(event.model_json_schema(ref_template="#/components/schemas/{model}"))
    for name, schema in payload.pop("$defs", {}).items():
        assert schemas.setdefault(name, schema) == schema, f"two schemas are named {name}"
    schemas[event.__name__] = payload
    return {
        "name": ce_type(event),
        "title": event.name,
        "summary": summary_of(event),
        "description": " ".join((event.__doc__ or "").split()),
        "contentType": "application/json",
        "headers": _HEADERS,
        "payload": {"$ref": f"#/components/schemas/{event.__name__}"},
        "examples": [{"name": event.name, "payload": json.loads(event_body(example_of(event)))}],
        "tags": [{"name": event.family}],
    }


def _as_asyncapi(schema: Any) -> Any:
    """Return a JSON schema as AsyncAPI's Schema Object: its `discriminator` is the name of a property, not an object."""
    if isinstance(schema, list):
        return [_as_asyncapi(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    converted = {name: _as_asyncapi(value) for name, value in schema.items()}
    if isinstance(discriminator := schema.get("discriminator"), dict) and "propertyName" in discriminator:
        converted["discriminator"] = discriminator["propertyName"]
    return converted


def encoded() -> str:
    """Return the document as the repository has it."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(encoded())
