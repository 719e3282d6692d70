"""Free ports for servers of tests."""

import random
import socket
from contextlib import suppress


def free_port() -> int:
    """Return a free port below ip_local_port_range, from which the kernel takes the ports of connections."""
    while True:
        port = random.SystemRandom().randrange(15_000, 32_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
