"""A nats-server with JetStream on a free port."""

import socket
import subprocess
import sys
from pathlib import Path

from support.deadlines import wait_until
from support.ports import free_port


class NatsServer:
    """A nats-server that a test can kill and restart."""

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
