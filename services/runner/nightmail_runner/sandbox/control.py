"""What the fork server tells, one packet at a time."""

import asyncio
import socket
from typing import Any

from nightmail_runner.sandbox import protocol


async def receive(control: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """Return the fork server's next message and its descriptors, or None when it has ended.

    Raises:
        protocol.BrokenMessage: it is no message.
    """
    while True:
        try:
            data, descriptors, _, _ = socket.recv_fds(control, protocol.PACKET_BYTES, protocol.MAX_DESCRIPTORS)
        except BlockingIOError:
            await _readable(control)
        except ConnectionResetError:
            return None
        else:
            return (protocol.decode(data[protocol.LENGTH_BYTES :]), descriptors) if data else None


async def _readable(sock: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(sock, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(sock)
