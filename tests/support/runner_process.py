"""Runner processes, as `nightmail up` starts them, and the events of their runs."""

import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import httpx
import nats.errors

from nightmail_common.broker.log import EventLog
from nightmail_common.broker.readable import readable
from nightmail_common.contract.envelope import StoredEvent
from nightmail_common.contract.events import ResultReady, RunFailed, RunRequested, RunSkipped
from support.deadlines import eventually, scaled
from support.nats_server import NatsServer
from support.ports import free_port
from support.service_starter import start_service

Request = Callable[..., Awaitable[RunRequested]]


class RunnerProcess:
    """A runner as `nightmail up` starts it, with its own data folder."""

    def __init__(self, server: NatsServer, data_dir: Path, **settings: str) -> None:
        self.health_port = free_port()
        environment = {
            "PATH": os.environ["PATH"],
            "NIGHTMAIL_NATS_URL": server.url,
            "NIGHTMAIL_DATA_DIR": str(data_dir),
            "NIGHTMAIL_HEALTH_PORT": str(self.health_port),
            "NIGHTMAIL_FETCH_ALLOW": "127.0.0.0/8",
        } | {f"NIGHTMAIL_{name.upper()}": value for name, value in settings.items()}
        self.process = start_service("nightmail_runner", environment, data_dir)

    async def ready(self) -> None:
        async with httpx.AsyncClient() as client:

            async def answers() -> bool:
                try:
                    answer = await client.get(f"http://127.0.0.1:{self.health_port}/health/ready")
                except httpx.TransportError:
                    return False
                return answer.status_code == httpx.codes.OK

            await eventually(answers, "the runner is ready")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self, seconds: float = 15) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(scaled(seconds))


async def events_of(log: EventLog, request: RunRequested) -> list[StoredEvent]:
    """Return all events of a run, in order."""
    return [
        stored
        async for batch in log.replay(["runs.>"])
        for stored in batch
        if str(request.run_id).encode() in stored.data
    ]


async def outcome_of(log: EventLog, request: RunRequested) -> ResultReady | RunFailed | RunSkipped:
    """Wait for a run's outcome and return it."""

    async def find_outcome() -> ResultReady | RunFailed | RunSkipped | None:
        with suppress(nats.errors.Error, OSError):  # a test has stopped the broker and starts it again
            for stored in await events_of(log, request):
                event = readable(stored, "test")
                if isinstance(event, ResultReady | RunFailed | RunSkipped):
                    return event
        return None

    outcome = await eventually(find_outcome, "the run has an outcome")
    assert isinstance(outcome, ResultReady | RunFailed | RunSkipped)
    return outcome
