"""The broker of the fault tests: a nats-server that can be killed, on a disk that can be full or slow, behind a TCP proxy."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

from support.deadlines import scaled, wait_until
from support.ports import free_port

BIN = Path(sys.executable).parent
#: Enough for the events of one hour.
DISK_BYTES = 256 * 1024 * 1024
#: The delay of each fsync on a slow disk; nats-server acknowledges an event after its fsync.
SLOW_WRITE_SECONDS = 0.2


class Proxy:
    """Forwards TCP connections to a port, until it aborts them."""

    def __init__(self, to_port: int) -> None:
        self.port = free_port()
        self._to_port = to_port
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def cut(self) -> None:
        """Abort every connection (RST)."""
        self._loop.call_soon_threadsafe(self._abort)

    def close(self) -> None:
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _abort(self) -> None:
        for writer in self._open:
            writer.transport.abort()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(asyncio.start_server(self._connected, "127.0.0.1", self.port))
        self._loop.run_forever()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            onward_reader, onward = await asyncio.open_connection("127.0.0.1", self._to_port)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, onward}
        await asyncio.gather(_forward(reader, onward), _forward(onward_reader, writer))
        self._open -= {writer, onward}


async def _forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


class Broker:
    """A nats-server with the users of `nightmail nats-config`; its store is a small tmpfs if mounting is permitted."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.proxy = Proxy(self.port)
        self.seeds = folder / "seeds"
        self._store = folder / "store"
        self._store.mkdir()
        self._config = folder / "nats.conf"
        self._log = folder / "nats.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._slowing: subprocess.Popen[bytes] | None = None
        mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "nightmail-faults", str(self._store)]
        self.disk_can_be_full = (
            os.geteuid() == 0 and subprocess.run(mount, capture_output=True, check=False).returncode == 0
        )
        self.disk_can_be_slow = _can_slow()
        authorization = folder / "authorization.conf"
        command = [str(BIN / "nightmail"), "nats-config", "--seeds", str(self.seeds), "-o", str(authorization)]
        subprocess.run(command, check=True, timeout=scaled(30))
        self._config.write_text(
            f"host: 127.0.0.1\nport: {self.port}\nlog_file: {json.dumps(str(self._log))}\n"
            f"jetstream {{ store_dir: {json.dumps(str(self._store))}, sync_interval: always }}\ninclude authorization.conf\n"
        )

    def start(self) -> None:
        self._process = subprocess.Popen([BIN / "nats-server", "-c", self._config])

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def fill_disk(self) -> None:
        with suppress(OSError), (self._store / "ballast").open("wb") as ballast:
            while True:
                ballast.write(bytes(1024 * 1024))
                ballast.flush()

    def free_disk(self) -> None:
        (self._store / "ballast").unlink()

    def slow_disk(self) -> None:
        assert self._process is not None
        self._slowing = _slow(self._process.pid, SLOW_WRITE_SECONDS)

    def quick_disk(self) -> None:
        assert self._slowing is not None
        assert self._slowing.poll() is None, "the disk was not slow"
        self._slowing.terminate()
        self._slowing.wait()

    def refusals(self) -> list[str]:
        """Return the permission violations in the log, except for services that tried to create missing streams."""
        lines = self._log.read_text().splitlines()
        return [line for line in lines if "Violation" in line and "$JS.API.STREAM." not in line]

    def wait_until_ready(self) -> None:
        import socket

        def answers() -> bool:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return True
            return False

        wait_until(answers, "nats-server answers")

    def close(self) -> None:
        self.kill()
        self.proxy.close()
        if self.disk_can_be_full:
            subprocess.run(["umount", "--lazy", str(self._store)], check=False)


def _slow(pid: int, seconds: float) -> subprocess.Popen[bytes]:
    """Delay each fsync of a process, as a busy disk does, until the returned strace ends."""
    inject = f"inject=fsync,fdatasync:delay_enter={seconds * 1e6:.0f}"
    command = ["strace", "-f", "-q", "-o", "/dev/null", "-p", str(pid), "-e", "trace=fsync,fdatasync", "-e", inject]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL)


def _can_slow() -> bool:
    """Return whether strace exists and may attach to our processes."""
    if shutil.which("strace") is None:
        return False
    with subprocess.Popen(["sleep", "60"]) as sleeping:
        slowing = _slow(sleeping.pid, SLOW_WRITE_SECONDS)
        with suppress(subprocess.TimeoutExpired):
            slowing.wait(1)
        attached = slowing.poll() is None
        slowing.terminate()
        slowing.wait()
        sleeping.kill()
    return attached
