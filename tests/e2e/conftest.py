"""The whole system as a user starts it: `nightmail up` with real processes, an HTTP source and mails."""

import email
import email.policy
import http.server
import json
import mailbox
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import yaml

from support.deadlines import scaled, wait_until
from support.job_requests import job_request, schedule_in_half_a_year
from support.plain_http import NO_AUTHORITIES
from support.ports import free_port
from support.service_starter import ServiceProcess, run_command, start_service

SALES = b"region,amount\nnorth,10\nsouth,5\nnorth,7\n"
NIGHTMAIL = str(Path(sys.executable).parent / "nightmail")


class DataServer:
    """An HTTP server with one response per path."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, str, bytes]] = {}
        source = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, content_type, body = source.answers.get(self.path, (404, "text/plain", b"no such data"))
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def serve(self, path: str, body: bytes, content_type: str = "text/csv", status: int = 200) -> str:
        """Set the response of a path, and return its URL."""
        self.answers[path] = (status, content_type, body)
        return f"http://127.0.0.1:{self._server.server_port}{path}"

    def close(self) -> None:
        self._server.shutdown()


class Nightmail:
    """`nightmail up` on its own data folder, in a fork of a process that has imported it and every service."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.data_dir = folder / "data"
        self.port = free_port()
        self.nats_port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._settings = {"NIGHTMAIL_FETCH_ALLOW": "127.0.0.1"} | settings
        self.log = folder / "up.log"
        self.process: subprocess.Popen[bytes] | ServiceProcess | None = None
        self._mails: dict[str, EmailMessage] = {}

    @property
    def command(self) -> list[str]:
        ports = ["--port", str(self.port), "--nats-port", str(self.nats_port)]
        return [NIGHTMAIL, "up", "--data-dir", str(self.data_dir), *ports, "--runners", "1"]

    @property
    def environment(self) -> dict[str, str]:
        return (
            {name: value for name, value in os.environ.items() if not name.startswith("NIGHTMAIL_")}
            | {"NIGHTMAIL_DATA_DIR": str(self.data_dir), "NIGHTMAIL_URL": self.url}
            | self._settings
        )

    def start(self) -> None:
        arguments = {"UP_ARGUMENTS": json.dumps(self.command[2:])}
        with self.log.open("ab") as log:
            self.process = start_service(
                "support.forked_up", self.environment | arguments, self.log.parent, log.fileno()
            )
        self._wait_until_ready()

    def start_as_a_user(self, within: Sequence[str] = ()) -> None:
        """Start the executable; `within` is a command that starts the one after it."""
        command = [*within, *self.command]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log, cwd=self.log.parent)
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        wait_until(lambda: self.has_logged("Nightmail is ready") or self.ended(), "nightmail up is ready")
        assert not self.ended(), self.log.read_text()

    def has_logged(self, text: str) -> bool:
        return text in self.log.read_text()

    def ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def stop(self) -> int:
        """Send SIGTERM, wait for the drain, and return the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=scaled(40))
        self.log.replace(self.log.with_name("up-before.log"))
        return status

    def pids(self) -> dict[str, int]:
        """Return the processes under the supervisor by their names in the log: api, ticker, runner-1, ..."""
        state = json.loads((self.data_dir / "up.json").read_text())
        return {process["name"]: process["pid"] for process in state["processes"]}

    def processes(self) -> dict[str, psutil.Process]:
        return {name: psutil.Process(pid) for name, pid in self.pids().items()}

    @property
    def token(self) -> str:
        return (self.data_dir / "admin-token").read_text().strip()

    def call(self, method: str, path: str, **request: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        url = self.url + path
        return httpx.request(method, url, headers=headers, timeout=scaled(30), verify=NO_AUTHORITIES, **request)

    def create(self, **fields: Any) -> dict[str, Any]:
        job = job_request(**{"schedule_time": schedule_in_half_a_year()} | fields)
        answer = self.call("POST", "/jobs/create", json=job)
        assert answer.status_code == 201, answer.text
        created: dict[str, Any] = answer.json()
        return created

    def run(self, job_name: str) -> str:
        answer = self.call("POST", f"/jobs/{job_name}/run")
        assert answer.status_code == 202, answer.text
        run_id: str = answer.json()["run_id"]
        return run_id

    def run_when(self, run_id: str, *statuses: str, seconds: float = 30) -> dict[str, Any]:
        """Return the run once it has one of these statuses."""

        def poll() -> dict[str, Any] | None:
            try:
                run: dict[str, Any] = self.call("GET", f"/runs/{run_id}").json()
            except httpx.TransportError:
                return None
            return run if run.get("status") in statuses else None

        found: dict[str, Any] = wait_until(poll, f"run is {' or '.join(statuses)}", seconds)
        return found

    def mails(self, run_id: str) -> list[EmailMessage]:
        """Return the caught mails of a run."""
        return [mail for mail in self.caught_mails() if mail["X-Nightmail-Run"] == run_id]

    def caught_mails(self) -> list[EmailMessage]:
        """Return all caught mails. Each is parsed once: a test of 500 mails asks again and again."""
        maildir = mailbox.Maildir(self.data_dir / "mailbox", create=False)
        keys = maildir.keys()
        for key in set(keys) - self._mails.keys():
            self._mails[key] = email.message_from_bytes(maildir.get_bytes(key), policy=email.policy.default)
        return [self._mails[key] for key in keys]

    def mails_when(self, run_id: str, count: int) -> list[EmailMessage]:
        """Return the caught mails of a run once there are so many."""
        wait_until(lambda: len(self.mails(run_id)) >= count, f"{count} mails are caught")
        return self.mails(run_id)

    def command_line(self, *arguments: str | Path, **environment: str) -> "subprocess.CompletedProcess[str]":
        """Run a command with the settings of this system, in a fork of a process that has imported it."""
        words = [str(argument) for argument in arguments]
        return run_command(words, self.environment | environment, self.log.parent, scaled(60))


def attached_csv(mail: EmailMessage) -> bytes:
    [csv] = [part for part in mail.iter_attachments() if part.get_content_type() == "text/csv"]
    payload = csv.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload


@pytest.fixture(scope="session")
def source() -> Iterator[DataServer]:
    source = DataServer()
    yield source
    source.close()


@pytest.fixture(scope="session")
def nightmail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nightmail]:
    """The running system of the session; tests must not stop it."""
    system = Nightmail(tmp_path_factory.mktemp("nightmail"))
    system.start()
    yield system
    assert system.stop() == 0


@pytest.fixture
def own_nightmail(tmp_path: Path) -> Iterator[Callable[..., Nightmail]]:
    """Create systems that a test may break; running ones are stopped at the end."""
    made: list[Nightmail] = []

    def make(**settings: str) -> Nightmail:
        folder = tmp_path / f"system-{len(made)}"
        folder.mkdir()
        made.append(Nightmail(folder, **settings))
        return made[-1]

    yield make
    for system in made:
        if system.process is not None and not system.ended():
            system.stop()


@pytest.fixture
def job_file(nightmail: Nightmail, source: DataServer, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A valid job file; the job has the test's name, and is due in half a year."""
    url = source.serve("/sales.csv", SALES)
    path = tmp_path / "sales.yaml"
    name = f"[bold]{request.node.name}"[:100]
    data_source = {"source_type": "api", "location": url, "file_type": "csv"}
    fields = {"job_name": name, "data_source": data_source, "schedule_time": schedule_in_half_a_year()}
    path.write_text(yaml.safe_dump(job_request(**fields)))
    return path
