"""How a service starts, becomes ready, and ends."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from structlog.testing import capture_logs

from nightmail_common.broker import streams
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.errors import CannotStart
from nightmail_common.service.service import Service
from nightmail_common.service.settings import ServiceSettings
from support.deadlines import eventually, scaled, wait_until
from support.nats_server import NatsServer
from support.ports import free_port
from support.service_starter import start_service
from support.smtp_server import SmtpServer

CODE = """
import asyncio
import nats.errors
from nightmail_common.service import service as chassis
from nightmail_common.service.settings import load, ServiceSettings

chassis.DRAIN_SECONDS = {drain_seconds}

async def fail():
    raise {error}

async def end():
    pass

async def serve(service):
    print("serving", flush=True)
    {body}

chassis.run_service("example", load(ServiceSettings), serve)
"""


class ExampleService:
    """An example of a service, as a process that `support/service_starter.py` forks."""

    def __init__(
        self, body: str, nats_url: str, error: str = "ValueError('the cause')", drain_seconds: float = 10
    ) -> None:
        self.port = free_port()
        code = CODE.format(body=body.replace("\n", "\n    "), error=error, drain_seconds=drain_seconds)
        settings = {"NIGHTMAIL_NATS_URL": nats_url, "NIGHTMAIL_HEALTH_PORT": str(self.port), "EXAMPLE_CODE": code}
        self._log = Path(f"example-{self.port}.log").absolute()
        with self._log.open("wb") as output:
            environment = {**os.environ, **settings}
            self._process = start_service("support.example_service", environment, Path.cwd(), output.fileno())

    def printed(self, line: str) -> None:
        """Wait until the process has printed a line."""
        wait_until(lambda: line in self._log.read_text().splitlines(), f"the service prints {line}")

    def ended(self) -> tuple[int, str]:
        """Return the exit code and the log, once the process has ended by itself."""
        try:
            status = self._process.wait(scaled(20))
        finally:
            self._process.kill()
        return status, self._log.read_text()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        self._process.send_signal(number)

    def stopped(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        self.printed("serving")
        self.stop(number)
        return self.ended()


@pytest.fixture
def nobody() -> str:
    """Return the URL of a broker that is not there."""
    return f"nats://127.0.0.1:{free_port()}"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_service_stops_at_a_signal_and_logs_which(nobody: str, number: signal.Signals) -> None:
    status, log = ExampleService("await service.until_stopped()", nobody).stopped(number)
    assert status == 0
    assert f"reason={number.name} service=example" in log


def test_only_the_owner_can_read_the_files_of_a_service(nobody: str, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    body = f"from pathlib import Path\nPath({str(folder)!r}).mkdir()\nPath({str(folder / 'file')!r}).touch()"
    ExampleService(body, nobody).ended()
    assert [path.stat().st_mode & 0o777 for path in (folder, folder / "file")] == [0o700, 0o600]


def test_a_drain_that_does_not_end_is_cut_short(nobody: str) -> None:
    body = "await service.until_stopped()\nawait asyncio.sleep(600)"
    status, log = ExampleService(body, nobody, drain_seconds=0.5).stopped()
    assert status == 1
    assert "drain_cut_short" in log


def test_a_service_that_waits_for_the_broker_stops_at_once(nobody: str) -> None:
    process = ExampleService("await service.connected()", nobody)
    process.printed("serving")
    answer = httpx.get(f"http://127.0.0.1:{process.port}/health/ready", timeout=scaled(20))
    assert (answer.status_code, answer.json()["dependencies"]) == (503, {"nats": "not connected"})
    assert httpx.get(f"http://127.0.0.1:{process.port}/health/live", timeout=scaled(20)).status_code == 200
    process.stop()
    began = time.monotonic()
    status, log = process.ended()
    assert status == 0
    assert "service_stopped" in log
    assert time.monotonic() - began < scaled(3)


def test_a_service_without_its_broker_stops_at_a_signal(nats_server: NatsServer, event_log: EventLog) -> None:
    body = "await service.connected()\nprint('connected', flush=True)\nawait service.until_stopped()"
    process = ExampleService(body, nats_server.url)
    process.printed("serving")
    process.printed("connected")
    nats_server.kill()
    process.stop()
    try:
        status, log = process.ended()
    finally:
        nats_server.start()
    assert status == 0
    assert "service_stopped" in log


@pytest.mark.parametrize("ready", [True, False])
def test_a_background_task_that_fails_ends_the_service_and_the_log_has_the_cause(nobody: str, ready: bool) -> None:
    wait = "service.until_stopped()" if ready else "service.connected()"
    process = ExampleService(f"service.background(fail(), 'unsubscribes')\nawait {wait}", nobody)
    status, log = process.ended()
    assert status == 1
    assert "service_failed" in log
    assert "the background task unsubscribes ended" in log
    assert "ValueError: the cause" in log
    assert "service_stopped" not in log


def test_a_background_task_that_returns_ends_the_service(nobody: str) -> None:
    status, log = ExampleService("service.background(end(), 'ticker')\nawait service.until_stopped()", nobody).ended()
    assert status == 1
    assert "the background task ticker ended" in log


def test_the_cause_is_logged_even_if_the_drain_does_not_end(nobody: str) -> None:
    body = "service.background(fail(), 'ticker')\nawait service.until_stopped()\nawait asyncio.sleep(600)"
    status, log = ExampleService(body, nobody, drain_seconds=0.5).ended()
    assert status == 1
    assert "ValueError: the cause" in log
    assert "drain_cut_short" in log


def test_a_service_that_returns_unasked_fails(nobody: str) -> None:
    status, log = ExampleService("pass", nobody).ended()
    assert status == 1
    assert "serve returned before it was asked to stop" in log


def test_an_error_of_the_service_itself_is_logged_with_its_traceback(nobody: str) -> None:
    status, log = ExampleService("await fail()", nobody).ended()
    assert status == 1
    assert "service_failed" in log
    assert "Traceback" in log


def test_a_broker_that_does_not_answer_ends_a_service_in_one_line(nobody: str) -> None:
    body = "async with asyncio.TaskGroup() as tasks:\n    tasks.create_task(fail())"
    status, log = ExampleService(body, nobody, error="nats.errors.TimeoutError").ended()
    assert status == 1
    assert "broker_did_not_answer" in log
    assert "nats: timeout" in log
    assert "Traceback" not in log


def test_a_user_without_a_seed_ends_the_start_with_one_line(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "nightmail_ticker"],
        env={**os.environ, "NIGHTMAIL_NATS_SEEDS": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=scaled(30),
        check=False,
    )
    assert ended.returncode == 1
    errors = [line for line in ended.stderr.splitlines() if "service_starting" not in line]
    assert errors == [f"error: setting NIGHTMAIL_NATS_SEEDS: {tmp_path}/ticker.nk: No such file or directory"]


async def test_a_service_is_not_ready_while_the_broker_stores_nothing(
    nats_server: NatsServer, nats_client: Client, event_log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stream whose messages must be short refuses them, as one without a quorum or with a full disk does."""
    monkeypatch.setattr("nightmail_common.service.announcements.NO_WRITES_SECONDS", 0.5)
    monkeypatch.setattr("nightmail_common.service.announcements.ANNOUNCE_INTERVAL_SECONDS", 0.5)
    js = nats_client.jetstream()
    service = Service(ServiceSettings(nats_url=nats_server.url), "example")

    def reason() -> str:
        return service.health.report()[1]["nats"]

    structlog.reset_defaults()

    def changes() -> list[str]:
        return [line["event"] for line in lines if line["event"] in {"service_ready", "service_not_ready"}]

    with capture_logs() as lines:
        async with service:
            await service.connected()
            waiting = asyncio.create_task(service.until_stopped())
            await eventually(lambda: changes()[-1:] == ["service_ready"], "the log says that the service is ready")
            config = (await js.stream_info(f"KV_{streams.SERVICES}")).config
            await js.update_stream(config.evolve(max_msg_size=1))
            await eventually(lambda: reason().startswith("the broker has stored nothing for "), "the service says why")
            assert "message size exceeds maximum allowed" in reason()
            await eventually(lambda: changes()[-1] == "service_not_ready", "the log says that it is not")
            await js.update_stream(config)
            await eventually(lambda: changes()[-1] == "service_ready", "the log says that it is ready again")
            service.stop("the test ends")
            await waiting
    assert all(earlier != later for earlier, later in pairwise(changes())), "one line a change"


async def test_a_service_is_ready_once_its_subscription_stands(nats_server: NatsServer, event_log: EventLog) -> None:
    service = Service(ServiceSettings(nats_url=nats_server.url), "example", prepare=streams.wait_for_streams)

    def reason() -> str | None:
        ready, dependencies = service.health.report()
        assert ready == (dependencies["nats"] == "ok")
        return dependencies["nats"]

    assert reason() == "not connected"
    async with service:
        await service.connected()
        assert reason() == "not subscribed yet"
        waiting = asyncio.create_task(service.until_stopped())
        await eventually(lambda: reason() == "ok", "the service is ready")
        nats_server.kill()
        try:
            await eventually(lambda: reason() == "not connected", "the loss is noticed")
        finally:
            nats_server.start()
        await eventually(lambda: reason() == "ok", "the connection is back")
        service.stop("the test ends")
        await waiting
    assert service.client.is_closed


async def test_missing_streams_are_a_reason_not_to_be_ready(nats_server: NatsServer) -> None:
    declared = asyncio.Event()

    async def prepare(_js: object, _settings: object) -> None:
        await declared.wait()

    service = Service(ServiceSettings(nats_url=nats_server.url), "example", prepare=prepare)
    async with service:
        await eventually(lambda: service.client.is_connected, "the connection stands")
        assert service.health.report()[1]["nats"] == "the streams do not exist yet"
        declared.set()
        await service.connected()
        service.stop("the test ends")


async def test_a_request_that_is_being_answered_is_answered_before_the_connection_closes(
    nats_server: NatsServer, nats_client: Client, event_log: EventLog
) -> None:
    asked, answer = asyncio.Event(), asyncio.Event()

    async def respond(message: Msg) -> None:
        asked.set()
        await answer.wait()
        await message.respond(b"done")

    async with Service(ServiceSettings(nats_url=nats_server.url), "example") as service:
        await service.connected()
        await service.client.subscribe("questions", cb=respond)
        await service.client.flush()
        asking = asyncio.create_task(nats_client.request("questions", timeout=scaled(10)))
        await asked.wait()
        service.stop("the test ends")
        asyncio.get_running_loop().call_later(0.05, answer.set)
    assert (await asking).data == b"done"


async def test_resources_are_closed_after_the_connection(nats_server: NatsServer, event_log: EventLog) -> None:
    class Resource:
        closed_after_the_connection = False

        async def __aenter__(self) -> None:
            pass

        async def __aexit__(self, *_: object) -> None:
            self.closed_after_the_connection = service.client.is_closed

    resource = Resource()
    service = Service(ServiceSettings(nats_url=nats_server.url), "example")
    async with service:
        await service.enter(resource)
        await service.connected()
    assert resource.closed_after_the_connection


async def test_an_error_while_connecting_is_raised(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="NATS_SEEDS"):
        async with Service(ServiceSettings(nats_seeds=tmp_path), "example") as service:
            await service.until_stopped()


@pytest.mark.parametrize(("service", "setting"), [("ticker", "HEALTH_PORT"), ("api", "PORT")])
def test_a_port_in_use_ends_the_start_with_a_line_that_names_its_setting(service: str, setting: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = subprocess.run(
            [sys.executable, "-m", f"nightmail_{service}"],
            env={**os.environ, f"NIGHTMAIL_{setting}": str(port)},
            capture_output=True,
            text=True,
            timeout=scaled(30),
            check=False,
        )
    assert ended.returncode == 1
    errors = [line for line in ended.stderr.splitlines() if "service_starting" not in line]
    assert errors == [f"error: setting NIGHTMAIL_{setting}: cannot listen on 127.0.0.1:{port}: Address already in use"]


@pytest.mark.parametrize("service", ["api", "ticker", "runner", "mailer"])
async def test_a_service_starts_by_its_own_command_and_stops_at_a_signal(
    nats_server: NatsServer, event_log: EventLog, tmp_path: Path, service: str
) -> None:
    """Other tests fork services from one process (`support/service_starter.py`)."""
    port = free_port()
    smtp_server = SmtpServer()
    smtp_server.start()
    ports = {"PORT": port, "HEALTH_PORT": port, "SMTP_PORT": smtp_server.port}
    settings = ports | {"NATS_URL": nats_server.url, "DATA_DIR": tmp_path, "SMTP_HOST": "127.0.0.1"}
    environment = os.environ | {f"NIGHTMAIL_{name}": str(value) for name, value in settings.items()}
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", f"nightmail_{service}", env=environment)

    async def is_ready() -> bool:
        assert process.returncode is None
        async with httpx.AsyncClient(timeout=scaled(20)) as client:
            try:
                return (await client.get(f"http://127.0.0.1:{port}/health/ready")).status_code == httpx.codes.OK
            except httpx.TransportError:
                return False

    try:
        await eventually(is_ready, f"the {service} is ready")
        process.terminate()
        assert await asyncio.wait_for(process.wait(), scaled(20)) == 0
    finally:
        if process.returncode is None:
            process.kill()
        smtp_server.stop()
