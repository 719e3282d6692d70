"""Backup and restore: copy every stream of one broker to another, and what the services do afterwards."""

import asyncio
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from nats.aio.client import Client
from nats.js.api import ConsumerConfig

from nightmail_cli.backup.snapshots import SnapshotFailed, copy_streams, read_copy, restore_streams
from nightmail_common.broker import streams
from nightmail_common.broker.file_store import FileStore
from nightmail_common.broker.input_store import InputStore
from nightmail_common.broker.log import EventLog, Publication
from nightmail_common.contract.envelope import StoredEvent
from nightmail_common.contract.events import RunRequested, RunSkipped
from nightmail_common.contract.job import Job
from nightmail_common.contract.run import scheduled_run_id
from support.deadlines import eventually
from support.nats_server import NatsServer
from support.tickers import ShiftedClock, create, due_time_events, running_ticker

NIGHTMAIL = str(Path(sys.executable).parent / "nightmail")
MakeJob = Callable[..., Job]


async def everything(log: EventLog) -> list[StoredEvent]:
    return [stored async for batch in log.replay() for stored in batch]


async def forget_all(client: Client) -> None:
    js = client.jetstream()
    for stream in await js.streams_info():
        await js.delete_stream(str(stream.config.name))


async def pieces(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def published() -> None:
    """Publish nothing."""


async def test_restored_streams_equal_the_copied_ones(
    nats_client: Client, event_log: EventLog, make_job: MakeJob, tmp_path: Path
) -> None:
    js = nats_client.jetstream()
    job = await create(event_log, make_job())
    clock = ShiftedClock()
    requests = [
        RunRequested(
            job_name=job.job_name,
            run_id=scheduled_run_id(job.job_id, due),
            job=job,
            trigger="schedule",
            scheduled_at=due,
        )
        for due in (clock.now() + timedelta(minutes=minute) for minute in range(1000))
    ]
    await event_log.publish_batch([Publication(request) for request in requests])
    await js.add_consumer(streams.STREAM, ConsumerConfig(durable_name="runner", filter_subject="runs.*.run-requested"))
    queue = await js.pull_subscribe_bind(consumer="runner", stream=streams.STREAM)
    for message in await queue.fetch(400):
        await message.ack_sync()
    await (await js.key_value(streams.MAILED)).put("run.result.somebody", b"accepted")
    csv = os.urandom(700_000)
    await (await js.object_store(streams.RESULTS)).put("result", csv)
    await FileStore(js).put("sales/2026.csv", pieces(csv))
    await InputStore(js).keep(hashlib.sha256(csv).hexdigest(), partial(pieces, csv), published)
    await (await js.key_value(streams.LEASES)).put("ticker", b"somebody")
    before = await everything(event_log)

    await copy_streams(nats_client, tmp_path / "copy")
    await forget_all(nats_client)
    await restore_streams(nats_client, tmp_path / "copy", read_copy(tmp_path / "copy"))

    assert await everything(event_log) == before
    assert (await js.consumer_info(streams.STREAM, "runner")).num_pending == 600
    assert (await (await js.key_value(streams.MAILED)).get("run.result.somebody")).value == b"accepted"
    assert (await (await js.object_store(streams.RESULTS)).get("result")).data == csv
    file = await FileStore(js).find("sales/2026.csv")
    kept = await InputStore(js).find(hashlib.sha256(csv).hexdigest())
    assert file is not None
    assert kept is not None
    assert b"".join([piece async for piece in FileStore(js).read(file)]) == csv
    assert b"".join([piece async for piece in InputStore(js).read(kept)]) == csv
    assert (await FileStore(js).put("sales/2026.csv", pieces(b"new")))[1] is False, (
        "a change expects the restored entry"
    )
    assert await InputStore(js).remove(kept)
    names = {stream.config.name for stream in await js.streams_info()}
    assert f"KV_{streams.LEASES}" not in names, "leases are not copied"
    await streams.ensure_streams(js, timedelta(days=1))
    assert await event_log.last_sequence() == before[-1].sequence


async def test_an_old_backup_does_not_fire_a_year_of_reports(
    nats_client: Client, event_log: EventLog, make_job: MakeJob, tmp_path: Path
) -> None:
    clock = ShiftedClock()
    a_year_later = clock.now() + timedelta(days=365)
    three_days_before = f"0 9 * * {(a_year_later - timedelta(days=3)).isoweekday() % 7}"
    hours_before = f"0 {(a_year_later - timedelta(hours=5)).hour} * * *"
    half_an_hour_before = f"{(a_year_later - timedelta(minutes=30)).minute} * * * *"
    schedules = {"hourly": half_an_hour_before, "daily": hours_before, "weekly": three_days_before}
    for name, schedule in schedules.items():
        await create(event_log, make_job(job_name=name, schedule_time=schedule, timezone="UTC"))
    await create(event_log, make_job(job_name="skips", schedule_time=half_an_hour_before, on_missed="skip"))
    await copy_streams(nats_client, tmp_path / "copy")
    await forget_all(nats_client)
    await restore_streams(nats_client, tmp_path / "copy", read_copy(tmp_path / "copy"))
    await streams.ensure_streams(nats_client.jetstream(), timedelta(days=1))

    clock.offset = timedelta(days=365)
    async with running_ticker(nats_client, clock):

        async def all_settled() -> bool:
            return {stored.job_name for stored in await due_time_events(event_log)} == {*schedules, "skips"}

        await eventually(all_settled, "every job's due times have their event")
    caught_up = [
        event
        for stored in await due_time_events(event_log)
        if isinstance(event := stored.event(), RunRequested) and event.late
    ]
    skipped = [event for stored in await due_time_events(event_log) if isinstance(event := stored.event(), RunSkipped)]
    assert sorted(event.job_name for event in caught_up) == ["daily", "hourly"], "one late run each"
    assert {event.job_name for event in skipped} == {"weekly", "skips"}
    assert all(event.missed_before > 0 for event in caught_up)
    assert all(event.missed_before > 0 for event in skipped)


async def test_a_copy_that_has_changed_is_refused_before_anything_is_restored(
    nats_client: Client, event_log: EventLog, make_job: MakeJob, tmp_path: Path
) -> None:
    await create(event_log, make_job())
    await copy_streams(nats_client, tmp_path / "copy")
    archive = tmp_path / "copy" / streams.STREAM / "stream.tar.s2"
    archive.write_bytes(archive.read_bytes()[:-1])
    with pytest.raises(SnapshotFailed, match=r"EVENTS: stream\.tar\.s2 has changed since the backup"):
        read_copy(tmp_path / "copy")
    with pytest.raises(SnapshotFailed, match="is not a backup"):
        read_copy(tmp_path)


async def test_restore_never_overwrites_a_stream_or_a_folder(
    nats_client: Client, event_log: EventLog, make_job: MakeJob, tmp_path: Path
) -> None:
    await create(event_log, make_job())
    await copy_streams(nats_client, tmp_path / "copy")
    with pytest.raises(SnapshotFailed, match="exists already"):
        await copy_streams(nats_client, tmp_path / "copy")
    with pytest.raises(SnapshotFailed, match="the broker has EVENTS, "):
        await restore_streams(nats_client, tmp_path / "copy", read_copy(tmp_path / "copy"))
    assert os.listdir(tmp_path) == ["copy"]  # noqa: PTH208 (in a coroutine)
    assert (tmp_path / "copy").stat().st_mode & 0o777 == 0o700


async def test_the_commands_move_a_log_into_the_data_folder_of_nightmail_up(
    nats_server: NatsServer, nats_client: Client, event_log: EventLog, make_job: MakeJob, tmp_path: Path
) -> None:
    job = await create(event_log, make_job())
    data = tmp_path / "data"
    (data / "nats").mkdir(parents=True)
    (data / "nats" / "what was there").touch()

    def run(*command: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        environment = os.environ | {"NIGHTMAIL_DATA_DIR": str(data)} | settings
        return subprocess.run([NIGHTMAIL, *command], env=environment, capture_output=True, text=True, check=False)

    made = await asyncio.to_thread(run, "backup", "copy", "--json", NIGHTMAIL_NATS_URL=nats_server.url)
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["streams"][0] | {"bytes": 0} == {"stream": "EVENTS", "messages": 1, "bytes": 0}
    restored = await asyncio.to_thread(run, "restore", "copy", "--json")
    assert restored.returncode == 0, restored.stderr
    [kept] = data.glob("nats.before-*")
    assert json.loads(restored.stdout)["store_before"] == str(kept)
    assert [path.name for path in kept.iterdir()] == ["what was there"]

    (tmp_path / "store").symlink_to(data / "nats")
    other = NatsServer(tmp_path)
    other.start()
    try:
        client = await other_client(other)
        [there] = await everything(EventLog(client, "test", timedelta(days=1)))
        assert there.job_name == job.job_name
        await client.close()
    finally:
        other.kill()


async def other_client(server: NatsServer) -> Client:
    client = Client()
    await client.connect(server.url)
    return client


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to another user")
async def test_a_restore_by_root_keeps_the_owner_of_the_data_folder(
    nats_client: Client, event_log: EventLog, make_job: MakeJob, tmp_path: Path
) -> None:
    await create(event_log, make_job())
    await copy_streams(nats_client, tmp_path / "copy")
    data = tmp_path / "data"
    data.mkdir()
    os.chown(data, 12_345, 12_345)
    command = [NIGHTMAIL, "restore", str(tmp_path / "copy")]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NIGHTMAIL_")}
    ended = await asyncio.to_thread(
        subprocess.run, command, env=environment | {"NIGHTMAIL_DATA_DIR": str(data)}, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    restored = [data / "up.lock", *(data / "nats").rglob("*")]
    assert any(path.suffix == ".blk" for path in restored)
    assert {path.stat().st_uid for path in restored} == {12_345}
