"""What goes over the sockets between a runner, its fork server and a run: JSON with a length in front, and descriptors.

No pickle: what comes from a run is whatever its script made of it. Bulk data goes by memfd.
"""

import json
import socket
import struct
from typing import Any

#: Far more than a script (128 KiB) or an honest answer needs.
MAX_MESSAGE_BYTES = 1024 * 1024
MAX_DESCRIPTORS = 8

#: The most that a fork server's packet has.
PACKET_BYTES = 4096
#: The one thing that a fork server is asked for; the control socket keeps packets apart (SOCK_SEQPACKET).
FORK = b"fork"

_LENGTH = struct.Struct(">I")

LENGTH_BYTES = _LENGTH.size


class BrokenMessage(Exception):
    """What came is no message of this protocol."""


def encode(message: dict[str, Any]) -> bytes:
    """Return a message as it goes over a socket."""
    body = json.dumps(message, ensure_ascii=True, allow_nan=False).encode("ascii")
    return _LENGTH.pack(len(body)) + body


def length_of(head: bytes) -> int:
    """Return how many bytes follow these first `LENGTH_BYTES`.

    Raises:
        BrokenMessage: more than any message has.
    """
    length: int = _LENGTH.unpack(head)[0]
    if length > MAX_MESSAGE_BYTES:
        raise BrokenMessage(f"a message of {length} bytes")
    return length


def decode(body: bytes) -> dict[str, Any]:
    """Return the message of a body.

    Raises:
        BrokenMessage: it is not a JSON object.
    """
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BrokenMessage(str(error)) from None
    if not isinstance(message, dict):
        raise BrokenMessage("not an object")
    return message


def send(sock: socket.socket, message: dict[str, Any], descriptors: list[int] | None = None) -> None:
    """Send a message, with descriptors if any, over a blocking socket."""
    data = encode(message)
    sent = socket.send_fds(sock, [data], descriptors) if descriptors else 0
    if sent < len(data):
        sock.sendall(data[sent:])


def receive(sock: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """Return the next message and its descriptors from a blocking socket, or None if the other side has closed it."""
    head, descriptors, _, _ = socket.recv_fds(sock, LENGTH_BYTES, MAX_DESCRIPTORS)
    if not head:
        return None
    while len(head) < LENGTH_BYTES:
        head += _some(sock, LENGTH_BYTES - len(head))
    length = length_of(head)
    body = bytearray()
    while len(body) < length:
        body += _some(sock, length - len(body))
    return decode(bytes(body)), descriptors


def _some(sock: socket.socket, most: int) -> bytes:
    part = sock.recv(most)
    if not part:
        raise BrokenMessage("the other side closed the socket within a message")
    return part
