"""Real servers for tests: one nats-server per session, on a free port, as `nightmail up` runs it."""

import asyncio
import os
import random
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import nats
import pytest
from nats.aio.client import Client

from nightmail_common.broker import streams
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.job import Job
from nightmail_common.contract.job_definition import JobDefinition

DEADLINE_SECONDS = 20.0


def free_port() -> int:
    """Return a port that the kernel gives to no connection of its own before, or after, it is listened on."""
    while True:
        port = random.SystemRandom().randrange(15_000, 32_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def wait_until(condition: Callable[[], Any], what: str, seconds: float = DEADLINE_SECONDS) -> Any:
    """Return the condition's first true value; fail with what was waited for if there is none in time."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not in {seconds} s: {what}"
        time.sleep(0.02)  # between two looks, not instead of one
    return value


async def eventually(condition: Callable[[], Any], what: str, seconds: float = DEADLINE_SECONDS) -> Any:
    """Return the condition's first true value (awaited if it is a coroutine) without blocking the loop."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if asyncio.iscoroutine(value):
            value = await value
        if value:
            return value
        assert time.monotonic() < deadline, f"not in {seconds} s: {what}"
        await asyncio.sleep(0.02)


class NatsServer:
    """A nats-server with JetStream on a free port that a test may kill and start again."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"nats://127.0.0.1:{self.port}"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        config = self._folder / "nats.conf"
        config.write_text(
            f'host: 127.0.0.1\nport: {self.port}\njetstream {{ store_dir: "{self._folder}/store", sync_interval: always }}\n'
        )
        executable = Path(sys.executable).parent / "nats-server"
        with (self._folder / "nats.log").open("ab") as log:
            self._process = subprocess.Popen([executable, "-c", config], stdout=log, stderr=log)
        wait_until(self._answers, "nats-server answers")

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return True
        except OSError:
            return False

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def restart(self) -> None:
        self.kill()
        self.start()


@pytest.fixture(scope="session")
def nats_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """The session's nats-server; a test that stops it must start it again."""
    folder = tmp_path_factory.mktemp("nats")
    server = NatsServer(folder)
    server.start()
    yield server
    server.kill()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def nats_client(nats_server: NatsServer) -> AsyncIterator[Client]:
    """A connection to a broker with no stream and no bucket in it."""
    client = await nats.connect(nats_server.url, max_reconnect_attempts=-1, reconnect_time_wait=0.05)
    js = client.jetstream()
    for stream in await js.streams_info():
        assert stream.config.name is not None
        await js.delete_stream(stream.config.name)
    yield client
    await client.close()


@pytest.fixture
async def event_log(nats_client: Client) -> EventLog:
    """An empty event log."""
    await streams.declare(nats_client.jetstream(), result_retention=timedelta(days=1))
    return EventLog(nats_client, "test", run_retention=timedelta(days=1))


@pytest.fixture
def make_job() -> Callable[..., Job]:
    """Make a valid job; what a test cares about, it names."""

    def make(**fields: Any) -> Job:
        definition = JobDefinition.model_validate(job_request(**fields))
        now = datetime.now(UTC)
        return Job(**definition.fields(), job_id=uuid4(), version=1, created_at=now, updated_at=now)

    return make


def job_request(**fields: Any) -> dict[str, Any]:
    """Return a job as a user posts it; `fields` replace or add."""
    return {
        "job_name": "daily sales",
        "schedule_time": "0 9 * * 1-5",
        "timezone": "Europe/Paris",
        "data_source": {"source_type": "file", "location": "sales.csv", "file_type": "csv"},
        "processing_script": "return data.groupby('region', as_index=False).amount.sum()",
        "consumer_emails": ["reports@example.com"],
    } | fields


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A developer's own environment and `.env` must not reach the tests."""
    for name in [name for name in os.environ if name.startswith("NIGHTMAIL_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
