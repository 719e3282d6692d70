"""The result store: what is read is what was put, or an error says why not."""

import asyncio
import hashlib
import io
import time
from uuid import uuid4

import pytest
from nats.aio.client import Client

from nightmail_common.broker import results
from nightmail_common.broker.errors import BROKER_ERRORS
from nightmail_common.broker.log import EventLog
from nightmail_common.broker.results import MAX_INLINE_BYTES, JobStorageFull, ResultDamaged, ResultGone, ResultStore
from nightmail_common.broker.streams import RESULTS
from nightmail_common.contract.blob import Blob
from support.deadlines import TIME_FACTOR, eventually
from support.nats_server import NatsServer

PIECES = f"$O.{RESULTS}.C.>"
OBJECTS = f"OBJ_{RESULTS}"
LARGE = b"0123456789abcdef" * (MAX_INLINE_BYTES // 16) + b"more"


@pytest.fixture
def store(nats_client: Client, event_log: EventLog) -> ResultStore:
    return ResultStore(nats_client.jetstream())


async def put(store: ResultStore, data: bytes) -> Blob:
    return await store.put("daily sales", uuid4(), io.BytesIO(data))


@pytest.mark.parametrize("size", [0, 1, MAX_INLINE_BYTES, MAX_INLINE_BYTES + 1, 3 * 1024 * 1024])
async def test_a_result_of_any_size_is_read_as_it_was_put(store: ResultStore, size: int) -> None:
    data = (b"a,b\n1,2\n" * (size // 8 + 1))[:size]
    blob = await put(store, data)
    assert (blob.size, blob.sha256) == (size, hashlib.sha256(data).hexdigest())
    assert (blob.data is None) == (size > MAX_INLINE_BYTES) == (blob.bucket == RESULTS)
    assert await store.get(blob) == data


@pytest.mark.parametrize(("offset", "size"), [(0, None), (0, 0), (5, 10), (131_000, 200), (262_144, 4), (7, 262_141)])
async def test_a_result_or_a_part_of_it_is_read_piece_by_piece(
    store: ResultStore, offset: int, size: int | None
) -> None:
    for data in (LARGE, b"a\n1\n"):
        expected = data[offset:] if size is None else data[offset : offset + size]
        parts = [part async for part in store.read(await put(store, data), offset, size)]
        assert b"".join(parts) == expected
        assert max(map(len, parts)) <= 128 * 1024


async def test_the_end_of_a_result_is_withheld_if_a_piece_is_another_one(
    store: ResultStore, nats_client: Client
) -> None:
    blob = await put(store, LARGE)
    js = nats_client.jetstream()
    info = await js.stream_info(OBJECTS, subjects_filter=PIECES)
    [subject] = info.state.subjects or {}
    last = await js.get_msg(OBJECTS, subject=subject)
    await js.delete_msg(OBJECTS, last.seq or 0)
    await js.publish(subject, b"less")
    received = bytearray()

    async def receive() -> None:
        async for part in store.read(blob):
            received.extend(part)

    with pytest.raises(ResultDamaged):
        await receive()
    assert LARGE.startswith(received)
    assert len(received) < len(LARGE)


async def test_a_result_that_does_not_fit_its_event_is_stored_in_the_object_store(store: ResultStore) -> None:
    run_id = uuid4()
    blob = await store.put("daily sales", run_id, io.BytesIO(b"a\n1\n"), max_inline_bytes=0)
    assert blob.object_name is not None
    assert blob.object_name.startswith(f"daily%20sales/{run_id}/")
    assert await store.get(blob) == b"a\n1\n"


async def test_the_stored_results_of_each_job_have_a_limit_of_their_own(
    event_log: EventLog, nats_client: Client
) -> None:
    js = nats_client.jetstream()
    store = ResultStore(js, max_job_bytes=7 * 128 * 1024)
    first, second = await put(store, LARGE), await put(store, LARGE)  # three pieces each
    with pytest.raises(JobStorageFull, match=r"have 786432 bytes.* the 917504 of NIGHTMAIL_MAX_JOB_RESULT_BYTES"):
        await put(store, LARGE)
    assert (await put(store, b"small")).data == b"small"
    for name in ("daily", "daily sales.", "Daily Sales"):
        await store.put(name, uuid4(), io.BytesIO(LARGE))
    # An object that has expired, or was erased, makes room.
    assert first.object_name is not None
    info = await (await js.object_store(RESULTS)).get_info(first.object_name)
    await js.purge_stream(OBJECTS, subject=f"$O.{RESULTS}.C.{info.nuid}")
    assert await store.get(await put(store, LARGE)) == LARGE == await store.get(second)
    # Other clients read it, too.
    assert second.object_name is not None
    assert (await (await js.object_store(RESULTS)).get(second.object_name)).data == LARGE


@pytest.mark.parametrize("purged", [PIECES, f"$O.{RESULTS}.>", None], ids=["its pieces", "all of it", "the bucket"])
async def test_a_result_that_has_expired_is_gone(store: ResultStore, nats_client: Client, purged: str | None) -> None:
    blob = await put(store, LARGE)
    js = nats_client.jetstream()
    await (js.purge_stream(OBJECTS, subject=purged) if purged else js.delete_object_store(RESULTS))
    with pytest.raises(ResultGone, match="kept no longer"):
        await store.get(blob)


@pytest.mark.parametrize("piece", [1, 3])
async def test_a_result_that_lost_a_piece_is_damaged(store: ResultStore, nats_client: Client, piece: int) -> None:
    blob = await put(store, LARGE)  # three pieces and the entry that names them
    await nats_client.jetstream().delete_msg(OBJECTS, piece)
    with pytest.raises(ResultDamaged, match="damaged"):
        await store.get(blob)


async def test_a_result_whose_bytes_have_another_hash_is_damaged(store: ResultStore) -> None:
    blob = await put(store, LARGE)
    other = "0" * 64
    for damaged in (
        blob.model_copy(update={"sha256": other}),
        Blob(size=4, sha256=other, data=b"a\n1\n"),
        Blob(size=4, sha256=other),
    ):
        with pytest.raises(ResultDamaged):
            await store.get(damaged)


async def test_a_read_ends_when_the_broker_goes_down(
    store: ResultStore, nats_server: NatsServer, nats_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    blob = await put(store, LARGE * 20)
    monkeypatch.setattr(results, "READ_TIMEOUT_SECONDS", 1.0)
    nats_server.kill()
    try:
        with pytest.raises((TimeoutError, *BROKER_ERRORS)):
            await store.get(blob)
    finally:
        nats_server.start()
    await eventually(lambda: nats_client.is_connected, "the broker is back")
    monkeypatch.undo()
    assert await store.get(blob) == LARGE * 20


async def test_a_put_waits_for_a_broker_that_is_down(store: ResultStore, nats_server: NatsServer) -> None:
    nats_server.kill()
    try:
        putting = asyncio.create_task(put(store, LARGE))
        await asyncio.wait({putting}, timeout=0.5)
        assert not putting.done()
    finally:
        nats_server.start()
    assert await store.get(await putting) == LARGE


async def test_a_result_of_39_mib_does_not_block_the_event_loop(store: ResultStore) -> None:
    data = b"north,17.25,2026-11-23\n" * (39 * 1024 * 1024 // 23)
    longest = 0.0

    async def measure() -> None:
        nonlocal longest
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.01)
            longest = max(longest, time.monotonic() - before)

    measuring = asyncio.create_task(measure())
    assert await store.get(await put(store, data)) == data
    measuring.cancel()
    # A heartbeat is due each second.
    assert longest < 0.25 * TIME_FACTOR
