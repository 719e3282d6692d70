"""The stream and the buckets as the broker has them, created by the first service that starts."""

import asyncio
from datetime import timedelta

import pytest
from nats.aio.client import Client
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StoreCompression, StreamConfig

from nightmail_common.broker import streams
from nightmail_common.broker.connection import connect
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.subjects import ALL_EVENTS
from nightmail_common.service.settings import ServiceSettings
from support.deadlines import eventually, scaled
from support.nats_server import NatsServer

A_DAY = timedelta(days=1)


async def config_of(client: Client, stream: str) -> StreamConfig:
    return (await client.jetstream().stream_info(stream)).config


async def test_the_log_is_one_stream_as_the_design_says(nats_client: Client) -> None:
    await streams.ensure_streams(nats_client.jetstream(), A_DAY)
    config = await config_of(nats_client, "EVENTS")
    assert config.subjects == ["jobs.>", "runs.>"] == list(ALL_EVENTS)
    assert (config.storage, config.compression) == (StorageType.FILE, StoreCompression.S2)
    assert (config.allow_atomic, config.allow_msg_ttl, config.allow_direct) == (True, True, True)
    assert config.duplicate_window == timedelta(hours=1).total_seconds()


async def test_only_a_ttl_or_a_purge_removes_events_from_the_log(nats_client: Client) -> None:
    await streams.ensure_streams(nats_client.jetstream(), A_DAY)
    config = await config_of(nats_client, "EVENTS")
    assert (config.retention, config.discard) == (RetentionPolicy.LIMITS, DiscardPolicy.NEW)
    assert (config.max_msgs, config.max_bytes, config.max_msgs_per_subject, config.max_age) == (-1, -1, -1, 0)


async def test_buckets_keep_their_entries_for_their_ttl(nats_client: Client) -> None:
    await streams.ensure_streams(nats_client.jetstream(), timedelta(days=30))
    for stream, kept in (
        ("OBJ_RESULTS", timedelta(days=30)),
        ("KV_MAILED", timedelta(days=14)),
        ("KV_STREAKS", timedelta(days=370)),
        ("KV_LEASES", timedelta(seconds=3)),
        ("KV_SERVICES", timedelta(seconds=15)),
    ):
        config = await config_of(nats_client, stream)
        assert (config.max_age, config.storage) == (kept.total_seconds(), StorageType.FILE), stream


async def test_ensuring_the_streams_again_changes_and_loses_nothing(nats_client: Client, event_log: EventLog) -> None:
    js = nats_client.jetstream()
    await js.publish("jobs.a.job-paused", b"{}")
    before = {stream.config.name: stream.config for stream in await js.streams_info()}
    await asyncio.gather(*(streams.ensure_streams(js, A_DAY) for _ in range(5)))
    assert {stream.config.name: stream.config for stream in await js.streams_info()} == before
    assert await event_log.last_sequence() == 1


async def test_concurrent_services_ensure_the_streams_without_errors(nats_client: Client) -> None:
    await asyncio.gather(*(streams.ensure_streams(nats_client.jetstream(), A_DAY) for _ in range(10)))
    names = {stream.config.name for stream in await nats_client.jetstream().streams_info()}
    assert names == {
        "EVENTS",
        "OBJ_FILES",
        "OBJ_INPUTS",
        "OBJ_RESULTS",
        "OBJ_SAMPLES",
        "KV_MAILED",
        "KV_STREAKS",
        "KV_LEASES",
        "KV_SERVICES",
    }


async def test_a_stream_with_another_configuration_is_updated(nats_client: Client) -> None:
    js = nats_client.jetstream()
    await js.add_stream(StreamConfig(name="EVENTS", subjects=["jobs.>"], duplicate_window=60))
    await js.publish("jobs.a.job-paused", b"{}")
    await streams.ensure_streams(js, A_DAY)
    config = await config_of(nats_client, "EVENTS")
    assert (config.subjects, config.duplicate_window, config.allow_atomic) == (list(ALL_EVENTS), 3600, True)
    assert (await js.stream_info("EVENTS")).state.messages == 1


@pytest.mark.parametrize("retention", [timedelta(days=7), timedelta(seconds=30)])
async def test_another_retention_applies_to_existing_results(nats_client: Client, retention: timedelta) -> None:
    js = nats_client.jetstream()
    await streams.ensure_streams(js, timedelta(days=30))
    await (await js.object_store("RESULTS")).put("a", b"a,b\n1,2\n")
    await streams.ensure_streams(js, retention)
    assert (await config_of(nats_client, "OBJ_RESULTS")).max_age == retention.total_seconds()
    assert (await (await js.object_store("RESULTS")).get("a")).data == b"a,b\n1,2\n"


async def test_a_service_waits_for_the_log_that_another_creates(nats_client: Client) -> None:
    js = nats_client.jetstream()
    waiting = asyncio.create_task(streams.wait_for_streams(js, ServiceSettings()))
    await nats_client.flush()
    assert not waiting.done()
    await streams.ensure_streams(js, A_DAY)
    await asyncio.wait_for(waiting, streams.ENSURE_AFTER_SECONDS)


async def test_a_service_without_the_api_creates_the_log_itself(
    nats_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "ENSURE_AFTER_SECONDS", 0.1)
    await asyncio.wait_for(
        streams.wait_for_streams(nats_client.jetstream(), ServiceSettings(result_retention=timedelta(days=5))),
        scaled(10),
    )
    assert (await config_of(nats_client, "OBJ_RESULTS")).max_age == timedelta(days=5).total_seconds()


async def test_a_service_waits_for_the_log_through_an_outage_of_the_broker(
    nats_server: NatsServer, nats_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "ENSURE_AFTER_SECONDS", 0.5)
    client = await connect(ServiceSettings(nats_url=nats_server.url), "test")
    waiting = asyncio.create_task(streams.wait_for_streams(client.jetstream(timeout=0.2), ServiceSettings()))
    nats_server.kill()
    try:
        await eventually(lambda: not client.is_connected, "the loss is noticed")
        assert not waiting.done()
    finally:
        nats_server.start()
    await asyncio.wait_for(waiting, scaled(20))
    await client.close()
