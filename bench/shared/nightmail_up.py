"""`nightmail up` on a folder of its own, as a user starts it."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from shared.nats_server import BINARIES, START_DEADLINE_SECONDS

TOKEN = "a-token-of-the-benchmark"  # noqa: S105


@dataclass(frozen=True)
class System:
    """A running Nightmail. `ready_seconds`: from the command to the line that says that it is ready."""

    data: Path
    pid: int
    nats_port: int
    ready_seconds: float
    http: httpx.Client


@contextmanager
def nightmail_up(folder: Path, *options: str, **settings: str) -> Iterator[System]:
    """Run `nightmail up` with one runner until the end of the block.

    Args:
        options: of the command, `--mail-catcher` say.
        settings: by their names without the prefix, SMTP_PORT say.

    Raises:
        SystemExit: it did not become ready.
    """
    data, port, nats_port = folder / "data", free_port(), free_port()
    command = [str(BINARIES / "nightmail"), "up", "--data-dir", str(data), "--runners", "1", "--port", str(port)]
    environment = {"LOG_LEVEL": "warning", "ADMIN_TOKEN": TOKEN} | settings
    began = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--nats-port", str(nats_port), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=folder,
        env=os.environ | {f"NIGHTMAIL_{name}": value for name, value in environment.items()},
    )
    try:
        assert process.stdout is not None
        while "is ready" not in (line := process.stdout.readline()):
            if not line:
                raise SystemExit("error: nightmail up did not become ready")
        ready_seconds = time.perf_counter() - began
        headers = {"Authorization": f"Bearer {TOKEN}"}
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30) as http:
            yield System(data, process.pid, nats_port, ready_seconds, http)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def wait_until_ready(url: str) -> None:
    """Return when a service answers that it is ready.

    Raises:
        SystemExit: it did not in time.
    """
    deadline = time.monotonic() + START_DEADLINE_SECONDS
    while time.monotonic() < deadline:
        with suppress(httpx.TransportError):
            if httpx.get(url).is_success:
                return
        time.sleep(0.02)
    raise SystemExit(f"error: {url} did not say that it is ready")
