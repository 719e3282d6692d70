"""The bucket `INPUTS`: the same bytes are stored once, and no removal takes bytes that a run needs."""

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator
from functools import partial

import pytest
from nats.aio.client import Client

from nightmail_common.broker import input_store
from nightmail_common.broker.input_store import InputsFull, InputStore
from nightmail_common.broker.log import EventLog
from nightmail_common.broker.object_bucket import ObjectEntry, Pieces

#: Three pieces.
LARGE = bytes(range(256)) * 1200


def name_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def content(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def published() -> None:
    """Publish nothing."""


async def keep(store: InputStore, data: bytes) -> bool:
    return await store.keep(name_of(data), partial(content, data), published)


async def found(store: InputStore, data: bytes) -> ObjectEntry:
    entry = await store.find(name_of(data))
    assert entry is not None
    return entry


async def read(store: InputStore, data: bytes) -> bytes:
    return b"".join([piece async for piece in store.read(await found(store, data))])


async def messages(client: Client) -> int:
    return (await client.jetstream().stream_info("OBJ_INPUTS")).state.messages


@pytest.fixture
async def store(nats_client: Client, event_log: EventLog) -> InputStore:
    return InputStore(nats_client.jetstream())


async def test_the_same_bytes_are_stored_once(store: InputStore, nats_client: Client) -> None:
    assert await keep(store, LARGE)
    first = await found(store, LARGE)
    assert not await keep(store, LARGE)
    assert (await found(store, LARGE)).pieces == first.pieces
    assert await messages(nats_client) == 3 + 1, "its pieces and its entry"
    assert await read(store, LARGE) == LARGE
    assert await keep(store, b"")
    assert await read(store, b"") == b""


async def test_a_removed_input_is_gone_and_can_be_kept_again(store: InputStore, nats_client: Client) -> None:
    await keep(store, LARGE)
    assert await store.remove(await found(store, LARGE))
    assert await store.find(name_of(LARGE)) is None
    assert await messages(nats_client) == 0
    assert await keep(store, LARGE)
    assert await read(store, LARGE) == LARGE


async def test_a_removal_that_has_not_seen_the_event_of_a_runner_is_refused(store: InputStore) -> None:
    await keep(store, LARGE)
    seen = await found(store, LARGE)  # the API reads the log here, where no run needs the bytes
    await keep(store, LARGE)
    assert not await store.remove(seen)
    assert await read(store, LARGE) == LARGE


async def test_an_entry_that_another_runner_stored_before_the_event_is_stored_once_more(store: InputStore) -> None:
    await keep(store, LARGE)
    seen: list[ObjectEntry] = []

    async def kept_before() -> None:
        await keep(store, LARGE)
        seen.append(await found(store, LARGE))  # the API reads the log here, where this run's event is missing

    await store.keep(name_of(LARGE), partial(content, LARGE), kept_before)
    assert not await store.remove(seen[0])
    assert await read(store, LARGE) == LARGE


async def test_runners_that_keep_the_same_bytes_at_the_same_time_do_not_wait_for_one_another(
    store: InputStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await keep(store, LARGE)
    tries: list[int] = []
    publish_entry = store.publish_entry

    async def counted(name: str, pieces: Pieces | None, expected: int) -> int:
        tries.append(expected)
        return await publish_entry(name, pieces, expected)

    monkeypatch.setattr(store, "publish_entry", counted)
    await asyncio.gather(*(keep(store, LARGE) for _ in range(20)))
    assert len(tries) <= 40, "each tries twice at most"
    assert await read(store, LARGE) == LARGE


async def test_bytes_that_are_removed_before_the_event_of_a_runner_are_stored_again(store: InputStore) -> None:
    await keep(store, LARGE)

    async def removed_before() -> None:
        assert await store.remove(await found(store, LARGE))

    await store.keep(name_of(LARGE), partial(content, LARGE), removed_before)
    assert await read(store, LARGE) == LARGE


async def test_whatever_the_order_a_run_that_is_in_the_log_has_its_input(store: InputStore) -> None:
    """Runners keep, and two replicas remove what no event names; the log is a set of numbered runs."""
    rng, log, ended = random.Random(13), set[int](), asyncio.Event()

    async def run_of(number: int) -> None:
        async def publish() -> None:
            await asyncio.sleep(rng.random() / 200)
            log.add(number)

        await asyncio.sleep(rng.random() / 50)
        await store.keep(name_of(LARGE), partial(content, LARGE), publish)
        assert await read(store, LARGE) == LARGE
        log.discard(number)

    async def replica() -> int:
        removed = 0
        while not ended.is_set():
            entries = [entry async for entry in store.entries()]
            await asyncio.sleep(rng.random() / 100)
            removed += sum([await store.remove(entry) for entry in entries if not log])
            await asyncio.sleep(0)
        return removed

    replicas = [asyncio.create_task(replica()) for _ in range(2)]
    for first in range(0, 60, 3):
        await asyncio.gather(*(run_of(first + number) for number in range(3)))
    ended.set()
    assert sum(await asyncio.gather(*replicas)) > 0, "some were removed in between"


async def test_no_input_is_kept_beyond_the_ceiling(store: InputStore, monkeypatch: pytest.MonkeyPatch) -> None:
    await keep(store, LARGE)
    monkeypatch.setattr(input_store, "MAX_INPUTS_BYTES", len(LARGE))
    log: list[str] = []

    async def publish() -> None:
        log.append("input-kept")

    with pytest.raises(InputsFull):
        await store.keep(name_of(b"other"), partial(content, b"other"), publish)
    assert log == []
    assert not await keep(store, LARGE), "the bytes that are stored need no room"
