"""`nightmail runs watch`: follow the events of runs over the API's event stream."""

import json
import time
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from nightmail_cli.client import Client, problem
from nightmail_cli.commands.run_view import SHORT_ID_CHARS
from nightmail_cli.output import echo, fail

if TYPE_CHECKING:
    import httpx

#: The wait before a lost stream is opened again.
RECONNECT_SECONDS = 1.0
#: The API sends a comment at least this often, so that a silent stream is a dead one.
SILENCE_SECONDS = 60.0

#: Each event of a run in a word, and its colour.
WORDS = {
    "run-requested": ("requested", "cyan"),
    "run-started": ("running", "cyan"),
    "result-ready": ("processed", "cyan"),
    "run-failed": ("failed", "red"),
    "run-skipped": ("skipped", "yellow"),
    "run-cancelled": ("cancelled", "yellow"),
    "mail-sent": ("mailed", "green"),
    "mail-deferred": ("mail waits", "yellow"),
    "mail-failed": ("mail failed", "red"),
    "mail-skipped": ("no mail", "yellow"),
}


def follow(client: Client, job_name: str | None, run_id: str | None, after: int | None) -> Iterator[dict[str, Any]]:
    """Yield the events of runs as they are stored, without end. A lost stream is resumed after its last event.

    Args:
        after: the sequence after which to begin; None for now.
    """
    chosen = {"job_name": job_name, "run_id": run_id, "after": after}
    query = {name: str(value) for name, value in chosen.items() if value is not None}
    last: str | None = None
    while True:
        headers = {} if last is None else {"Last-Event-ID": last}
        for event in _stream(client, query, headers):
            last = str(event["seq"])
            if event["type"] in WORDS:
                yield event
        time.sleep(RECONNECT_SECONDS)


def _stream(client: Client, query: dict[str, str], headers: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Yield the events of one connection until it is lost. Server-Sent Events: https://html.spec.whatwg.org (9.2)."""
    import httpx

    try:
        with client.stream("/events/stream", query, headers, SILENCE_SECONDS) as answer:
            if answer.is_error:
                answer.read()
                fail(problem(answer))
            yield from _events(answer)
    except httpx.ConnectError as error:
        fail(f"cannot reach the API at {client.url}: {error}")
    except httpx.TransportError:  # the API was restarted, or the network has changed
        return


def _events(answer: "httpx.Response") -> Iterator[dict[str, Any]]:
    for line in answer.iter_lines():
        if line.startswith("data:"):
            event: dict[str, Any] = json.loads(line.removeprefix("data:"))
            yield event


def print_event(event: dict[str, Any]) -> None:
    """Print one event of a run as a line: when, which run, what happened, which job."""
    moment = datetime.fromisoformat(event["time"])
    word, colour = WORDS[event["type"]]
    echo(f"{moment:%H:%M:%S} UTC  {event['run_id'][:SHORT_ID_CHARS]}  ", nl=False)
    echo(f"{word:<11}", fg=colour, nl=False)
    echo(f"  {event['job_name']}{_detail(event)}")


def _detail(event: dict[str, Any]) -> str:
    data = event["data"]
    match event["type"]:
        case "result-ready":
            return f": {data['rows']:,} rows"
        case "run-failed":
            return f": {data['error']['stage']}: {data['error']['message']}"
        case "run-skipped" | "mail-skipped":
            return f": {data['reason']}"
        case "mail-sent" | "mail-failed" | "mail-deferred":
            return f": {data['kind']} to {', '.join(one['address'] for one in data['recipients'])}"
    return ""
