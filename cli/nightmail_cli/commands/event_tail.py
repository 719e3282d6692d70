"""Follow the event log over NATS and print each event as a line."""

import json
from contextlib import aclosing
from datetime import timedelta
from typing import Any

from nightmail_cli.connect import connected
from nightmail_cli.location import located
from nightmail_cli.output import echo, print_json_line
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.envelope import StoredEvent
from nightmail_common.contract.subjects import ALL_EVENTS, job_token
from nightmail_common.service.settings import ServiceSettings


class UnknownJob(Exception):
    """No event of a job is in the log."""


async def follow(job_name: str | None, event_type: str | None, *, from_start: bool, as_json: bool) -> None:
    """Print the events of a job and type as they are stored, without end; None selects all.

    Raises:
        BrokerUnreachable: the broker does not answer.
        UnknownJob: the log has no event of the job.
    """
    settings = located(ServiceSettings, with_broker=True)
    token = job_token(job_name) if job_name is not None else "*"
    subjects: tuple[str, ...] = ALL_EVENTS
    if job_name or event_type:
        subjects = tuple(f"{family}.{token}.{event_type or '*'}" for family in ("jobs", "runs"))
    async with connected(settings, "nightmail-events-tail") as client:
        log = EventLog(client, "cli", timedelta(days=1))
        if job_name is not None and not await log.has_events(f"*.{token}.*"):
            raise UnknownJob(f"the log has no event of a job named {job_name!r}")
        after = 0 if from_start else await log.last_sequence()
        async with aclosing(log.follow(subjects, after=after)) as batches:
            async for events in batches:
                for event in events:
                    if as_json:
                        print_json_line(to_json(event))
                    else:
                        echo(to_line(event))


def to_json(event: StoredEvent) -> dict[str, Any]:
    data = _body(event)
    return {
        "seq": event.sequence,
        "time": event.time.isoformat(),
        "type": event.name,
        "job_name": event.job_name,
        "run_id": _run_id(data),
        "source": event.source,
        "data": data,
    }


def _body(event: StoredEvent) -> Any:
    """Return the parsed body; None if it is not JSON."""
    try:
        return json.loads(event.data)
    except (ValueError, RecursionError):
        return None


def _run_id(body: Any) -> str | None:
    run_id = body.get("run_id") if isinstance(body, dict) else None
    return run_id if isinstance(run_id, str) else None


def to_line(event: StoredEvent) -> str:
    run_id = _run_id(_body(event)) or ""
    when = event.time.isoformat(timespec="milliseconds")
    return f"{event.sequence:>8}  {when}  {event.name:<14}  {event.job_name}  {run_id}"
