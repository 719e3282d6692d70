"""The messages between a runner, its fork server and its workers: length-prefixed JSON, and file descriptors.

Never pickle: a script controls what its worker sends. The data itself goes by memfd.
"""

import json
import signal
import socket
import struct
from typing import Any

#: A task holds a script (128 KiB at most), an answer column names, a message and a traceback.
MAX_MESSAGE_BYTES = 1024 * 1024
#: The inputs of nine sources, the last result, and four files of the result.
MAX_DESCRIPTORS = 14

#: The largest message of a fork server, which fits one packet of its control socket (SOCK_SEQPACKET).
PACKET_BYTES = 4096
#: The one request to a fork server: fork one more worker. With it may come the descriptor by which the worker enters its
#: control group (`RunGroup.entrance`).
FORK = b"fork"

#: The runner sends it to a worker that takes too long. The worker writes the Python stack of its main thread to its socket,
#: as faulthandler does: from the signal's handler in C, also while a library computes.
STACK_SIGNAL = signal.SIGUSR1

_LENGTH = struct.Struct(">I")

LENGTH_BYTES = _LENGTH.size


class InvalidMessage(Exception):
    """The bytes received are not a message of this protocol."""


def encode(message: dict[str, Any]) -> bytes:
    """Return a message with its length in front."""
    body = json.dumps(message, ensure_ascii=True, allow_nan=False).encode("ascii")
    return _LENGTH.pack(len(body)) + body


def body_length(prefix: bytes) -> int:
    """Return the length of the body that follows these `LENGTH_BYTES`.

    Raises:
        InvalidMessage: the length is above `MAX_MESSAGE_BYTES`.
    """
    length: int = _LENGTH.unpack(prefix)[0]
    if length > MAX_MESSAGE_BYTES:
        raise InvalidMessage(f"a message of {length} bytes; at most {MAX_MESSAGE_BYTES} are allowed")
    return length


def decode(body: bytes) -> dict[str, Any]:
    """Return the message of a body.

    Raises:
        InvalidMessage: the body is not a JSON object.
    """
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidMessage(str(error)) from None
    if not isinstance(message, dict):
        raise InvalidMessage("not an object")
    return message


def send(sock: socket.socket, message: dict[str, Any], descriptors: list[int] | None = None) -> None:
    """Send a message and descriptors over a blocking socket."""
    data = encode(message)
    sent = socket.send_fds(sock, [data], descriptors) if descriptors else 0
    if sent < len(data):
        sock.sendall(data[sent:])


def receive(sock: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """Return the next message and its descriptors from a blocking socket, or None if the peer has closed it."""
    prefix, descriptors, _, _ = socket.recv_fds(sock, LENGTH_BYTES, MAX_DESCRIPTORS)
    if not prefix:
        return None
    prefix += _receive_exactly(sock, LENGTH_BYTES - len(prefix))
    return decode(_receive_exactly(sock, body_length(prefix))), descriptors


def _receive_exactly(sock: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        part = sock.recv(size - len(data))
        if not part:
            raise InvalidMessage("the peer closed the socket within a message")
        data += part
    return bytes(data)
