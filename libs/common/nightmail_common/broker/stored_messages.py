"""Events of the log as NATS messages carry them, whichever way they are read."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from nats.aio.msg import Msg
from nats.js.api import RawStreamMsg

from nightmail_common.contract.envelope import StoredEvent

_EPOCH = datetime.fromtimestamp(0, UTC)


class AckSubject(NamedTuple):
    """The fields of the reply subject of a consumer's message (NATS ADR-15)."""

    consumer: str
    deliveries: int
    sequence: int
    consumer_sequence: int
    timestamp: str
    pending: int

    @classmethod
    def of(cls, message: Msg) -> "AckSubject":
        tokens = message.reply.split(".")
        # Older servers leave the domain and the account's hash out.
        first = 4 if len(tokens) == 9 else 6
        deliveries, sequence, consumer_sequence, timestamp, pending = tokens[first : first + 5]
        return cls(tokens[first - 1], int(deliveries), int(sequence), int(consumer_sequence), timestamp, int(pending))


def broker_time(timestamp: str) -> datetime:
    """Return a message's time, cut to microseconds, so that every way to read an event gives the same time.

    Args:
        timestamp: nanoseconds since 1970 (an ack subject), or RFC 3339 with up to nine digits of a second (a get).
    """
    if timestamp.isdecimal():
        return _EPOCH + timedelta(microseconds=int(timestamp) // 1000)
    return datetime.fromisoformat(timestamp)


def from_consumer(message: Msg, ack: AckSubject) -> StoredEvent:
    """Return the event that a consumer delivered."""
    return StoredEvent(ack.sequence, broker_time(ack.timestamp), message.subject, message.headers or {}, message.data)


def from_direct_get(reply: Msg) -> StoredEvent:
    """Return the event in one answer to a direct get (NATS ADR-31)."""
    headers = reply.headers or {}
    time = broker_time(headers["Nats-Time-Stamp"])
    return StoredEvent(int(headers["Nats-Sequence"]), time, headers["Nats-Subject"], headers, reply.data)


def from_message_get(message: RawStreamMsg) -> StoredEvent:
    """Return the event that the stream's leader answered; nats-py cuts its time to microseconds, too."""
    assert message.seq is not None
    assert message.subject is not None
    assert message.time is not None
    return StoredEvent(message.seq, message.time, message.subject, message.headers or {}, message.data or b"")
