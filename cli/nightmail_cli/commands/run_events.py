"""`nightmail runs watch`: follow the events of runs over the API's event stream."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from nightmail_cli.client import Client
from nightmail_cli.commands.run_view import SHORT_ID_CHARS
from nightmail_cli.output import echo

#: Each event that moves a run on in a word, and its colour.
WORDS = {
    "run-requested": ("requested", "cyan"),
    "run-started": ("running", "cyan"),
    "result-ready": ("processed", "cyan"),
    "run-failed": ("failed", "red"),
    "run-skipped": ("skipped", "yellow"),
    "run-cancelled": ("cancelled", "yellow"),
    "mail-sent": ("mailed", "green"),
    "mail-deferred": ("mail waits", "yellow"),
    "mail-bounced": ("bounced", "red"),
    "mail-failed": ("mail failed", "red"),
    "mail-skipped": ("no mail", "yellow"),
}


def follow(client: Client, job_name: str | None, run_id: str | None, after: int | None) -> Iterator[dict[str, Any]]:
    """Yield the events of runs as they are stored, without end. An error of the API ends the command.

    Args:
        after: the sequence after which to begin; None for now.
    """
    for event in client.follow(job_name, run_id, after):
        if event["type"] in WORDS:
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
        case "mail-bounced":
            return f": {data['kind']} to {data['address']}: {data['status']} {data['answer']}"
    return ""
