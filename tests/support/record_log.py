"""Record a log with every type of event and every field that exist now, for the tests of later versions.

`python tests/support/record_log.py tests/data/log-v2.jsonl` stores the events in a nats-server of its own as the services do, and
writes what the log then holds: one event a line, with sequence, the broker's time, subject, headers and body. It refuses to
record if a field of an event, or of a model in it, has no value anywhere. A file is never recorded again once it is released.
"""

import asyncio
import json
import sys
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import nats

from nightmail_common.broker import streams
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.envelope import StoredEvent
from nightmail_common.contract.events import EVENTS
from support.nats_server import NatsServer
from support.recorded_history import history

#: The services that write events of runs, as `ce-source` says; the others are the runner's.
_SOURCES = {"run-requested": "ticker", "run-cancelled": "api", "mail-requested": "api"}


def main() -> None:
    target = Path(sys.argv[1])
    if target.exists():
        raise SystemExit(f"{target} exists already: what stands in it stands in somebody's log")
    with tempfile.TemporaryDirectory() as folder:
        server = NatsServer(Path(folder))
        server.start()
        try:
            stored = asyncio.run(record(server.url))
        finally:
            server.kill()
    if missing := sorted(fields_without_value([json.loads(event.data) for event in stored], stored)):
        raise SystemExit(f"no event has a value for {', '.join(missing)}: add them to recorded_history.py")
    target.write_text("".join(f"{json.dumps(line(event), ensure_ascii=False)}\n" for event in stored))


async def record(url: str) -> list[StoredEvent]:
    """Publish the history, and return the events as the log holds them."""
    client = await nats.connect(url)
    await streams.ensure_streams(client.jetstream(), timedelta(days=30))
    logs = {name: EventLog(client, name, timedelta(days=90)) for name in ("api", "ticker", "runner", "mailer")}
    for event in history():
        writer = "api" if event.family == "jobs" else "mailer" if event.name.startswith("mail-") else "runner"
        await logs[_SOURCES.get(event.name, writer)].publish(event)
    stored = [event async for batch in logs["api"].replay() for event in batch]
    await client.close()
    return stored


def line(event: StoredEvent) -> dict[str, Any]:
    return {
        "sequence": event.sequence,
        "time": event.time.isoformat(),
        "subject": event.subject,
        "headers": dict(event.headers),
        "data": json.loads(event.data),
    }


def fields_without_value(bodies: list[Any], stored: list[StoredEvent]) -> set[str]:
    """Return the fields of all models of events that no body has a value for, as `Model.field`."""
    expected: set[str] = set()
    found: set[str] = set()
    for model in EVENTS.values():
        schema = model.model_json_schema()
        definitions = {"": schema} | schema.get("$defs", {})
        expected |= {f"{one['title']}.{name}" for one in definitions.values() for name in one.get("properties", {})}
        for body, event in zip(bodies, stored, strict=True):
            if event.name == model.name:
                found |= set(_valued(body, schema, schema.get("$defs", {})))
    return expected - found


def _valued(value: Any, schema: dict[str, Any], definitions: dict[str, Any]) -> Iterator[str]:
    """Yield `Model.field` of each field that has a value."""
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    options = schema.get("anyOf", []) + schema.get("oneOf", [])
    if options:
        for option in options:
            if _fits(value, option, definitions):
                yield from _valued(value, option, definitions)
    elif isinstance(value, list):
        for item in value:
            yield from _valued(item, schema.get("items", {}), definitions)
    elif isinstance(value, dict):
        for name, of_field in schema.get("properties", {}).items():
            if value.get(name) is not None:
                yield f"{schema['title']}.{name}"
                yield from _valued(value[name], of_field, definitions)
        if isinstance(more := schema.get("additionalProperties"), dict):
            for item in value.values():
                yield from _valued(item, more, definitions)


def _fits(value: Any, option: dict[str, Any], definitions: dict[str, Any]) -> bool:
    """Return whether a value can be of an option: of models with a `type`, the one that it names."""
    if "$ref" not in option:
        return True
    kind = definitions[option["$ref"].rpartition("/")[2]].get("properties", {}).get("type", {}).get("const")
    return kind is None or (isinstance(value, dict) and value.get("type") == kind)


if __name__ == "__main__":
    main()
