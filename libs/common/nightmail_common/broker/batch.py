"""An atomic batch of events in the wire protocol (NATS ADR-50), prepared before it is due.

The client's `publish` takes half a second for ten thousand messages, for header checks and list appends. A prepared batch
is one write to the socket, and the broker is the limit (measured: docs/decisions/0201).
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from nats.js.api import Header

#: JetStream's own limit (ADR-50).
MAX_BATCH = 1000
#: A larger write would delay everything else on the connection.
FULL_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Message:
    """An event in the wire format, for publishers of thousands of events (see `EventLog.headers_of`)."""

    subject: str
    body: bytes
    headers: Mapping[str, str]


class Batch:
    """Up to 1,000 messages that the log stores together or not at all."""

    def __init__(self) -> None:
        self._id = secrets.token_hex(16)
        self._frames: list[bytes] = []
        self._last: Message | None = None
        self.size_bytes = 0

    def __len__(self) -> int:
        return len(self._frames) + (self._last is not None)

    @property
    def is_full(self) -> bool:
        return len(self) >= MAX_BATCH or self.size_bytes >= FULL_BYTES

    def add(self, message: Message) -> None:
        """Append a message.

        Raises:
            ValueError: the batch is full, or a header of the message has a line break.
        """
        if len(self) >= MAX_BATCH:
            raise ValueError(f"a batch has at most {MAX_BATCH} messages")
        if self._last is not None:
            self._frames.append(_frame(self._last))
        headers = {
            **message.headers,
            Header.BATCH_ID.value: self._id,
            Header.BATCH_SEQUENCE.value: str(len(self._frames) + 1),
        }
        self._last = Message(message.subject, message.body, headers)
        self.size_bytes += len(message.body)

    def frames(self) -> bytes:
        """Return all messages except the last, as NATS protocol."""
        return b"".join(self._frames)

    def commit(self) -> Message:
        """Return the last message, which is sent as a request: the reply is about the whole batch."""
        assert self._last is not None, "the batch is empty"
        return Message(self._last.subject, self._last.body, {**self._last.headers, Header.BATCH_COMMIT.value: "1"})


def _frame(message: Message) -> bytes:
    """Return a message as HPUB (NATS client protocol)."""
    head = "".join(["NATS/1.0\r\n", *(f"{name}: {value}\r\n" for name, value in message.headers.items()), "\r\n"])
    lines = len(message.headers) + 2
    if not head.count("\n") == head.count("\r") == lines or message.subject.split() != [message.subject]:
        raise ValueError("a line break in a header, or a space in a subject")
    head_bytes = head.encode()
    start = f"HPUB {message.subject} {len(head_bytes)} {len(head_bytes) + len(message.body)}\r\n"
    return b"".join((start.encode(), head_bytes, message.body, b"\r\n"))
