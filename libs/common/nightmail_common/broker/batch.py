"""An atomic batch of events as it goes over the wire (NATS ADR-50): made ahead of need, and sent at once.

Ten thousand messages through the client's `publish` are half a second of header checks and list appends in the very
second that counts. Made beforehand they are one write to the socket per batch, and the broker is the limit
(measured: docs/decisions/0201).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from nats.js.api import Header
from nats.nuid import NUID

#: JetStream's own limit (ADR-50).
MAX_BATCH = 1000
#: Keeps one batch of large jobs from standing in the way of everything else on the connection.
FULL_BYTES = 4 << 20

_ids = NUID()


@dataclass(frozen=True, slots=True)
class Message:
    """An event as it goes over the wire, for who makes thousands of them at once (see `EventLog.headers_of`)."""

    subject: str
    body: bytes
    headers: Mapping[str, str]


class Batch:
    """Up to 1,000 messages that are stored together or not at all."""

    def __init__(self) -> None:
        self._id = _ids.next().decode()
        self._frames: list[bytes] = []
        self._last: Message | None = None
        self.size_bytes = 0

    def __len__(self) -> int:
        return len(self._frames) + (self._last is not None)

    @property
    def is_full(self) -> bool:
        return len(self) >= MAX_BATCH or self.size_bytes >= FULL_BYTES

    def add(self, message: Message) -> None:
        """Put a message behind the others.

        Raises:
            ValueError: the batch has 1,000 messages, or the message cannot be sent: a line break in its headers.
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
        """Return all messages but the last in the protocol of NATS."""
        return b"".join(self._frames)

    def commit(self) -> Message:
        """Return the last message, which is sent as a request: its answer is the batch's."""
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
