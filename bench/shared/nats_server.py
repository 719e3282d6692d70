"""A nats-server of a benchmark's own that syncs every message, as `nightmail up` has it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nightmail_cli.local import embedded_nats

BINARIES = Path(sys.executable).parent
START_DEADLINE_SECONDS = 60.0


@contextmanager
def nats_server(folder: Path) -> Iterator[tuple[str, int]]:
    """Run a nats-server with its store in a folder; yield its URL and its process id.

    Raises:
        SystemExit: it did not come up.
    """
    config = folder / "nats.conf"
    config.write_text(
        f'host: 127.0.0.1\nport: -1\nports_file_dir: "{folder}"\n'
        f'jetstream {{ store_dir: "{folder}/store", sync_interval: always }}\n'
    )
    environment = os.environ | embedded_nats.ENVIRONMENT
    server = subprocess.Popen([BINARIES / "nats-server", "-c", config], stderr=subprocess.DEVNULL, env=environment)
    try:
        yield _url(folder / f"nats-server_{server.pid}.ports"), server.pid
    finally:
        server.terminate()  # it takes its file of ports away
        server.wait()


def _url(ports: Path) -> str:
    deadline = time.monotonic() + START_DEADLINE_SECONDS
    while time.monotonic() < deadline:
        if ports.exists() and (text := ports.read_text()):
            url: str = json.loads(text)["nats"][0]
            return url
        time.sleep(0.02)
    raise SystemExit("error: nats-server did not come up")
