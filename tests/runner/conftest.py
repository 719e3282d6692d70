"""Fixtures: runners on the session's broker with their own data folder, requests, and a sandbox alone."""

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from nightmail_common.broker.log import EventLog
from nightmail_common.contract.events import RunRequested
from nightmail_common.contract.job import Job
from nightmail_common.service.http_server import serve_http
from nightmail_runner.sandbox.client import Sandbox
from support.http_source import Source
from support.nats_server import NatsServer
from support.runner_process import Request, RunnerProcess


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A data folder with one stored file."""
    files = tmp_path / "data" / "files"
    files.mkdir(parents=True)
    (files / "sales.csv").write_text("region,amount\nnorth,10\nsouth,5\nnorth,7\n")
    return tmp_path / "data"


@pytest.fixture
def start_runner(
    nats_server: NatsServer, data_dir: Path, event_log: EventLog
) -> Iterator[Callable[..., RunnerProcess]]:
    """Return a function that starts runners on the session's broker. They are killed at the end."""
    started: list[RunnerProcess] = []

    def start(**settings: str) -> RunnerProcess:
        started.append(RunnerProcess(nats_server, data_dir, **settings))
        return started[-1]

    yield start
    for runner in started:
        runner.kill()


@pytest.fixture
def request_run(event_log: EventLog, make_job: Callable[..., Job]) -> Request:
    """Return a function that requests a run of a job with these fields."""

    async def request(**fields: Any) -> RunRequested:
        job = make_job(**fields)
        event = RunRequested(
            job_name=job.job_name, run_id=uuid4(), job=job, trigger="manual", scheduled_at=datetime.now(UTC)
        )
        await event_log.publish(event, message_id=str(event.run_id))
        return event

    return request


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    """The sandbox of a file's tests, which run in one event loop: to start its fork server takes a second of processor time."""
    async with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
async def own_sandbox() -> AsyncIterator[Sandbox]:
    """A sandbox of one test, which may kill its processes."""
    async with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
async def source() -> AsyncIterator[Source]:
    source = Source()
    async with serve_http(source, "127.0.0.1", 0) as port:
        source.port = port
        yield source
