"""A batch on the wire: what is made ahead of need is what the broker stores."""

import os
from contextlib import nullcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.aio.client import Client

from nightmail_common.broker.batch import FULL_BYTES, MAX_BATCH, Batch, Message
from nightmail_common.broker.log import BatchRefused, EventLog
from nightmail_common.broker.streams import STREAM

HEADERS = {"ce-id": "1", "x-name": "a: b, c"}


async def test_a_batch_is_stored_byte_for_byte(nats_client: Client, event_log: EventLog) -> None:
    bodies = [b"", b"\r\nHPUB fake 1 1\r\n", bytes(range(256)), b"last"]
    batch = Batch()
    for body in bodies:
        batch.add(Message("runs.a%20b.run-started", body, HEADERS))
    assert await event_log.send(batch) == len(bodies)
    js = nats_client.jetstream()
    for sequence, body in enumerate(bodies, start=1):
        stored = await js.get_msg(STREAM, seq=sequence)
        assert (stored.subject, stored.data or b"") == ("runs.a%20b.run-started", body)
        assert HEADERS.items() <= (stored.headers or {}).items()


def test_processes_that_were_forked_from_one_never_give_two_batches_one_id() -> None:
    """The broker would take the messages of two batches with one id for one batch."""
    ids = set()
    for _ in range(2):
        reading, writing = os.pipe()
        if (pid := os.fork()) == 0:
            batch = Batch()
            batch.add(Message("runs.a.run-started", b"", {}))
            os.write(writing, batch.commit().headers["Nats-Batch-Id"].encode())
            os._exit(0)
        os.waitpid(pid, 0)
        ids.add(os.read(reading, 100))
        os.close(reading)
        os.close(writing)
    assert len(ids) == 2
    assert all(len(one) <= 64 for one in ids), "the most that ADR-50 allows"


async def test_a_batch_of_one_is_one_message(event_log: EventLog) -> None:
    batch = Batch()
    batch.add(Message("runs.a.run-started", b"only", {}))
    assert batch.frames() == b""
    assert await event_log.send(batch) == 1


async def test_a_batch_is_full_with_a_thousand_messages(event_log: EventLog) -> None:
    batch = Batch()
    for number in range(MAX_BATCH):
        assert not batch.is_full
        batch.add(Message(f"runs.job{number}.run-started", b"x", {}))
    assert batch.is_full
    with pytest.raises(ValueError, match="at most 1000"):
        batch.add(Message("runs.a.run-started", b"", {}))
    assert await event_log.send(batch) == len(batch) == MAX_BATCH


async def test_a_batch_that_is_sent_again_is_refused_whole(event_log: EventLog) -> None:
    batch = Batch()
    for number in range(3):
        batch.add(Message("runs.a.run-requested", b"", {"Nats-Msg-Id": str(number)}))
    await event_log.send(batch)
    with pytest.raises(BatchRefused):
        await event_log.send(batch)
    assert await event_log.last_sequence() == 3


def test_large_messages_fill_a_batch_by_their_bytes() -> None:
    batch = Batch()
    while not batch.is_full:
        batch.add(Message("runs.a.run-started", b"x" * 500_000, {}))
    assert FULL_BYTES <= batch.size_bytes < FULL_BYTES + 500_000


@given(
    name=st.text("ab:\r\n", min_size=1, max_size=5),
    value=st.text("ab \r\n", max_size=5),
    subject=st.text("a .\r\n", max_size=5),
)
def test_a_message_cannot_contain_a_second_protocol_message(name: str, value: str, subject: str) -> None:
    batch = Batch()
    batch.add(Message(f"runs.{subject}", b"body", {name: value}))
    broken = any(char in name + value + subject for char in "\r\n") or " " in subject
    with pytest.raises(ValueError, match="line break") if broken else nullcontext():
        batch.add(Message("runs.a", b"", {}))
    if not broken:
        assert len(batch.frames().splitlines()) == len(("HPUB", "NATS/1.0", name, "id", "sequence", "", "body"))
