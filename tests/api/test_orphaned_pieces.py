"""Pieces without an entry are purged, and nothing else is."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta

import pytest
from nats.aio.client import Client

from nightmail_api.retention.orphaned_pieces import OrphanedPieces
from nightmail_common.broker import streams
from nightmail_common.broker.file_store import FileStore
from nightmail_common.broker.input_store import InputStore
from nightmail_common.broker.log import EventLog
from nightmail_common.broker.object_bucket import ObjectBucket
from support.deadlines import eventually

DATA = bytes(range(256)) * 2000
NOW = timedelta(seconds=-60)  # also what was written within this minute


async def content() -> AsyncIterator[bytes]:
    yield DATA


async def published() -> None:
    """Publish nothing."""


async def messages(client: Client, bucket: str) -> int:
    return (await client.jetstream().stream_info(f"OBJ_{bucket}")).state.messages


@pytest.fixture
def buckets(nats_client: Client, event_log: EventLog) -> list[ObjectBucket]:
    assert event_log
    js = nats_client.jetstream()
    return [ObjectBucket(js, name) for name in (streams.FILES, streams.INPUTS, streams.RESULTS)]


async def test_pieces_of_an_upload_that_was_cut_off_are_purged_once_they_are_old(
    buckets: list[ObjectBucket], nats_client: Client
) -> None:
    js = nats_client.jetstream()
    await FileStore(js).put("sales.csv", content())
    await InputStore(js).keep(hashlib.sha256(DATA).hexdigest(), content, published)
    await (await js.object_store(streams.RESULTS)).put("result", DATA)
    complete = [await messages(nats_client, bucket.name) for bucket in buckets]
    for bucket in buckets:
        await bucket.write(bucket.new_pieces(), content())  # and the process dies before the entry
    cut_off = [await messages(nats_client, bucket.name) for bucket in buckets]

    assert [await OrphanedPieces(buckets).purge(bucket) for bucket in buckets] == [0, 0, 0]
    assert [await messages(nats_client, bucket.name) for bucket in buckets] == cut_off

    assert [await OrphanedPieces(buckets, NOW).purge(bucket) for bucket in buckets] == [1, 1, 1]
    assert [await messages(nats_client, bucket.name) for bucket in buckets] == complete
    file = await FileStore(js).find("sales.csv")
    assert file is not None
    assert b"".join([piece async for piece in FileStore(js).read(file)]) == DATA
    assert (await (await js.object_store(streams.RESULTS)).get("result")).data == DATA


async def test_pieces_of_a_replaced_object_whose_writer_died_are_purged(
    buckets: list[ObjectBucket], nats_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FileStore(nats_client.jetstream())
    await store.put("sales.csv", content())
    with monkeypatch.context() as dying, suppress(RuntimeError):

        async def die(*_: object) -> None:
            raise RuntimeError

        dying.setattr(ObjectBucket, "purge", die)
        await store.put("sales.csv", content())
    assert await OrphanedPieces(buckets, NOW).purge(buckets[0]) == 1
    file = await store.find("sales.csv")
    assert file is not None
    assert b"".join([piece async for piece in store.read(file)]) == DATA


async def test_nothing_is_purged_if_an_entry_cannot_be_read(buckets: list[ObjectBucket], nats_client: Client) -> None:
    bucket = buckets[0]
    await bucket.write(bucket.new_pieces(), content())
    for entry, reason in ((b"{not json", "property name"), (b"[]", "no nuid"), (b'{"nuid": 1}', "no nuid")):
        await nats_client.jetstream().publish(f"$O.{bucket.name}.M.broken", entry)
        with pytest.raises(ValueError, match=reason):
            await OrphanedPieces(buckets, NOW).purge(bucket)
        await nats_client.jetstream().purge_stream(bucket.stream, subject=f"$O.{bucket.name}.M.broken")
    assert await OrphanedPieces(buckets, NOW).purge(bucket) == 1


async def test_one_broken_bucket_does_not_keep_the_others_from_their_purge(
    buckets: list[ObjectBucket], nats_client: Client
) -> None:
    await nats_client.jetstream().delete_stream(buckets[0].stream)
    await buckets[1].write(buckets[1].new_pieces(), content())
    running = asyncio.create_task(OrphanedPieces(buckets, NOW).run())

    async def purged() -> bool:
        return await messages(nats_client, buckets[1].name) == 0

    await eventually(purged, "the pieces of the other bucket are purged")
    running.cancel()
