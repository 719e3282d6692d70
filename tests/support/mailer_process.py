"""Mailer processes, started as `nightmail up` starts them, and the events that they handle."""

import asyncio
import hashlib
import os
import signal
from collections.abc import Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx

from nightmail_common.broker.log import EventLog
from nightmail_common.broker.readable import readable
from nightmail_common.contract.blob import Blob
from nightmail_common.contract.events import (
    Event,
    MailEvent,
    ResultReady,
    RunError,
    RunEvent,
    RunFailed,
    Timings,
)
from nightmail_common.contract.job import Job
from nightmail_common.contract.result_parts import Runtime
from support.deadlines import DEADLINE_SECONDS, eventually, scaled
from support.nats_server import NatsServer
from support.ports import free_port
from support.service_starter import start_service

DUE = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
CSV = b"region,amount\nnorth,17\nsouth,5\n"


class MailerProcess:
    """A mailer as `nightmail up` starts it."""

    def __init__(self, server: NatsServer, smtp_port: int, folder: Path, **settings: str) -> None:
        self.health_port = free_port()
        environment = {
            "PATH": os.environ["PATH"],
            "SSL_CERT_FILE": str(folder / "trusted.pem"),
            "NIGHTMAIL_NATS_URL": server.url,
            "NIGHTMAIL_SMTP_HOST": "127.0.0.1",
            "NIGHTMAIL_SMTP_PORT": str(smtp_port),
            "NIGHTMAIL_HEALTH_PORT": str(self.health_port),
        } | {f"NIGHTMAIL_{name.upper()}": value for name, value in settings.items()}
        self.process = start_service("nightmail_mailer", environment, folder)

    async def readiness(self) -> dict[str, Any]:
        """Return the content of /health/ready; empty while the process does not listen yet."""
        async with httpx.AsyncClient() as client:
            try:
                answer = await client.get(f"http://127.0.0.1:{self.health_port}/health/ready")
            except httpx.TransportError:
                return {}
            content: dict[str, Any] = answer.json()
            return content

    async def ready(self) -> None:
        async def answers() -> bool:
            return (await self.readiness()).get("status") == "ready"

        await eventually(answers, "the mailer is ready")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self, seconds: float = 15) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(scaled(seconds))


def result_of(job: Job, csv: bytes = CSV, rows: int = 2, **fields: Any) -> ResultReady:
    """Return the event of a successful run."""
    return ResultReady(
        **{
            "job_name": job.job_name,
            "run_id": uuid4(),
            "job": job,
            "trigger": "schedule",
            "scheduled_at": DUE,
            "rows": rows,
            "columns": tuple(csv.split(b"\n", 1)[0].decode().split(",")),
            "text_columns": (),
            "csv": Blob(size=len(csv), sha256=hashlib.sha256(csv).hexdigest(), data=csv),
            "log": "",
            "timings": Timings(total_ms=1234.0),
            "input_sha256": "",
            "script_sha256": "",
            "runtime": Runtime(python="3.11", pandas="3.0"),
        }
        | fields
    )


def failure_of(job: Job, **fields: Any) -> RunFailed:
    """Return the event of a failed run."""
    return RunFailed(
        **{
            "job_name": job.job_name,
            "run_id": uuid4(),
            "job": job,
            "trigger": "schedule",
            "scheduled_at": DUE,
            "error": RunError(stage="script", type="KeyError", message="'amont'", line=1),
            "log": "reading\n3 rows\n",
            "timings": Timings(total_ms=12.0),
        }
        | fields
    )


async def events_of(log: EventLog, run_id: UUID) -> list[Event]:
    """Return a run's events in the order of the log."""
    found: list[Event] = []
    async for batch in log.replay(["runs.>"]):
        for stored in batch:
            event = readable(stored, "test")
            if isinstance(event, RunEvent) and event.run_id == run_id:
                found.append(event)
    return found


async def mail_event(log: EventLog, run_id: UUID, count: int = 1) -> MailEvent:
    """Wait for `count` events with the outcome of a run's mails; return the last."""
    return (await _mail_events(log, {run_id}, count))[-1]


async def mail_events(log: EventLog, runs: Sequence[RunEvent]) -> list[MailEvent]:
    """Wait for the outcome of each run's mail."""
    return await _mail_events(log, {run.run_id for run in runs}, len(runs))


async def _mail_events(log: EventLog, run_ids: set[UUID], count: int) -> list[MailEvent]:
    found: list[MailEvent] = []
    async with (
        asyncio.timeout(scaled(DEADLINE_SECONDS)),
        aclosing(log.follow(["runs.*.mail-sent", "runs.*.mail-failed"])) as mails,
    ):
        async for batch in mails:
            events = [readable(stored, "test") for stored in batch]
            found += [event for event in events if isinstance(event, MailEvent) and event.run_id in run_ids]
            if len(found) >= count:
                return found
    raise AssertionError("the log has no end")
