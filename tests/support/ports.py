"""Free ports for servers of tests."""

import os
import random
import socket
from contextlib import suppress

#: Below the ports that `nightmail up` chooses for itself (`INTERNAL_PORTS`), and below ip_local_port_range, from which the kernel
#: takes the ports of connections. Chromium refuses 10080 (amanda).
_PORTS = range(10_100, 20_000)
#: A server that is started again finds its port free: no other worker of pytest-xdist chooses it, and no test of this one.
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_OWN_PORTS = _PORTS[_WORKER :: int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))]

_next = random.SystemRandom().randrange(len(_OWN_PORTS))


def free_port() -> int:
    """Return a free port, another one each time."""
    global _next
    while True:
        _next += 1
        port = _OWN_PORTS[_next % len(_OWN_PORTS)]
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
