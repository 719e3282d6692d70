"""Messages to systemd, which starts `nightmail up` as a service of Type=notify with a watchdog (sd_notify(3))."""

import socket
from collections.abc import Mapping
from contextlib import suppress

#: Set by systemd for the main process; no service of ours gets them.
VARIABLES = frozenset({"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"})
#: Between two messages. The unit's WatchdogSec is several times as long.
INTERVAL_SECONDS = 5.0
#: While the start goes on, each message extends the time that systemd waits for it.
EXTEND_SECONDS = 30


class ServiceManager:
    """The socket of systemd; without one nothing is sent.

    Args:
        environment: the variables of this process.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        path = environment.get("NOTIFY_SOCKET", "")
        # A leading @ is an abstract address (unix(7)).
        self._address = f"\0{path[1:]}" if path.startswith("@") else path

    @property
    def listens(self) -> bool:
        return bool(self._address)

    def report(self, waiting: list[str], *, started: bool) -> None:
        """Report that this process runs, and which processes are not ready.

        Args:
            started: what `systemctl start` waits for is ready.
        """
        status = f"not ready: {', '.join(waiting)}" if waiting else "ready"
        start = "READY=1" if started else f"EXTEND_TIMEOUT_USEC={EXTEND_SECONDS * 1_000_000}"
        self._send(f"WATCHDOG=1\nSTATUS={status}\n{start}")

    def report_stop(self) -> None:
        self._send("STOPPING=1\nSTATUS=draining")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender:
            sender.sendto(message.encode(), self._address)
