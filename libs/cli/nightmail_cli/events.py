"""`nightmail events tail`: an audit subscriber, which reads the log itself, over NATS."""

import asyncio
import json
from datetime import timedelta
from typing import Annotated, Any

import typer

from nightmail_cli.output import AsJson
from nightmail_common.connection import connect
from nightmail_common.envelope import StoredEvent
from nightmail_common.log import EventLog
from nightmail_common.settings import ServiceSettings, load
from nightmail_common.subjects import ALL_EVENTS, job_token

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep `tail` a subcommand."""


@app.command("tail")
def tail(
    from_start: Annotated[bool, typer.Option("--from-start", help="Begin with the oldest event.")] = False,
    job: Annotated[str | None, typer.Option(help="Only events of this job.")] = None,
    event_type: Annotated[str | None, typer.Option("--type", help="Only events of this type: run-failed.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print events as they happen, until interrupted."""
    settings = load(ServiceSettings)
    token = job_token(job) if job is not None else "*"
    subjects = ALL_EVENTS if job is None and event_type is None else _subjects(token, event_type or "*")
    try:
        asyncio.run(_tail(settings, subjects, from_start=from_start, as_json=as_json))
    except KeyboardInterrupt:
        raise typer.Exit from None


def _subjects(token: str, event_type: str) -> tuple[str, ...]:
    return (f"jobs.{token}.{event_type}", f"runs.{token}.{event_type}")


async def _tail(settings: ServiceSettings, subjects: tuple[str, ...], *, from_start: bool, as_json: bool) -> None:
    client = await connect(settings, "nightmail-events-tail")
    log = EventLog(client, "cli", timedelta(days=1))
    after = 0 if from_start else await log.last_sequence()
    async for events in log.follow(subjects, after=after):
        for event in events:
            typer.echo(json.dumps(_as_json(event), ensure_ascii=False) if as_json else _as_line(event))


def _as_json(event: StoredEvent) -> dict[str, Any]:
    data = json.loads(event.data)
    return {
        "seq": event.sequence,
        "time": event.time.isoformat(),
        "type": event.name,
        "job_name": event.job_name,
        "run_id": data.get("run_id"),
        "source": event.source,
        "data": data,
    }


def _as_line(event: StoredEvent) -> str:
    run_id = json.loads(event.data).get("run_id", "")
    when = event.time.isoformat(timespec="milliseconds")
    return f"{event.sequence:>8}  {when}  {event.name:<14}  {event.job_name}  {run_id}"
