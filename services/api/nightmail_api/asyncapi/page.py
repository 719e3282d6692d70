"""The event contract as one page of HTML, without scripts."""

import json
from functools import cache
from html import escape
from typing import Any

from nightmail_api.asyncapi.document import ce_type, document
from nightmail_common.contract.events import EVENTS, Event

_STYLE = """
:root { color-scheme: light dark; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; font: 15px/1.5 system-ui, sans-serif; }
h2 { margin: 2.5rem 0 0; font-size: 1.25rem; }
nav { columns: 3 14rem; }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { padding: .3rem 1rem .3rem 0; border-bottom: 1px solid #8884; text-align: left; vertical-align: top; }
code, pre { font: 13px/1.5 ui-monospace, monospace; }
pre { padding: .8rem 1rem; border: 1px solid #8884; border-radius: 6px; overflow-x: auto; }
"""


@cache
def page() -> str:
    """Return the page. It is built once."""
    info = document()["info"]
    paragraphs = "".join(f"<p>{_prose(part)}</p>" for part in info["description"].split("\n\n"))
    links = "<br>".join(f'<a href="#{name}">{name}</a>' for name in EVENTS)
    sections = "".join(_section(event) for event in EVENTS.values())
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Nightmail · Events</title><style>{_STYLE}</style></head><body>"
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1>{paragraphs}"
        f'<p>This page shows the <a href="asyncapi.json">AsyncAPI 3 document</a>.</p>'
        f"<nav>{links}</nav>{sections}</body></html>"
    )


def _section(event: type[Event]) -> str:
    contract = document()
    message = contract["components"]["messages"][event.name]
    schema = contract["components"]["schemas"][event.__name__]
    required = set(schema.get("required", ()))
    rows = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{escape(_kind(field))}</td>"
        f"<td>{'required' if name in required else 'optional'}</td></tr>"
        for name, field in schema["properties"].items()
    )
    example = json.dumps(message["examples"][0]["payload"], indent=2, ensure_ascii=False)
    address = contract["channels"][event.name]["address"]
    return (
        f'<h2 id="{event.name}">{event.name}</h2><p>{_prose(message["description"])}</p>'
        f"<p>Subject <code>{escape(address)}</code>, type <code>{escape(ce_type(event))}</code>.</p>"
        f"<table><tr><th>field</th><th>type</th><th></th></tr>{rows}</table>"
        f"<pre>{escape(example)}</pre>"
    )


def _kind(schema: dict[str, Any]) -> str:
    """Return the type of a value in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " or ".join(_kind(branch) for branch in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return str(schema.get("format", schema.get("type", "any")))


def _prose(text: str) -> str:
    """Return a text whose parts between backticks are code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts))
