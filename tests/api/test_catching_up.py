"""A replica that catches up answers 503 with its progress, not with old data."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from nats.aio.client import Client

from api.conftest import ON_BOTH_DATABASES, MakeReplica, Replica
from nightmail_api.read_model.read_model import ReadModel
from nightmail_cli.backup.snapshots import copy_streams, read_copy, restore_streams
from nightmail_common.broker.log import EventLog, Publication
from nightmail_common.contract.envelope import StoredEvent
from nightmail_common.contract.events import JobCreated
from nightmail_common.contract.job import Job
from support.deadlines import eventually

pytestmark = ON_BOTH_DATABASES


async def test_every_call_gets_503_with_the_progress_of_the_catch_up(
    make_replica: MakeReplica,
    event_log: EventLog,
    make_job: Callable[..., Job],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    jobs = [make_job(job_name=f"job {number}") for number in range(5)]
    await event_log.publish_batch(
        [Publication(JobCreated(job_name=job.job_name, job_id=job.job_id, actor="maria", job=job)) for job in jobs]
    )
    go_on = asyncio.Event()
    replay = EventLog.replay

    async def replay_two_and_wait(log: EventLog, *args: Any, **options: Any) -> AsyncIterator[list[StoredEvent]]:
        async for batch in replay(log, *args, **options):
            yield batch[:2]
            await go_on.wait()
            yield batch[2:]

    monkeypatch.setattr(EventLog, "replay", replay_two_and_wait)
    api = await make_replica(start=False)
    await api.start(ready=False)
    reason = "catching up: 2 of 5 events are applied"

    async def says_how_far() -> bool:
        return reason in (await api.http.get("/health/ready")).text

    await eventually(says_how_far, "two events are applied")
    assert (await api.http.get("/health/live")).status_code == 200
    for method, path in (("GET", "/jobs"), ("GET", "/jobs/job 0"), ("POST", "/jobs/job 0/run"), ("GET", "/events")):
        answer = await api.http.request(method, path)
        assert answer.status_code == 503
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["retry-after"] == "1"
        assert (answer.json()["status"], answer.json()["detail"]) == (503, reason)
    go_on.set()

    async def is_ready() -> bool:
        return (await api.http.get("/health/ready")).status_code == 200

    await eventually(is_ready, "all events are applied")
    assert len((await api.http.get("/jobs")).json()["items"]) == 5


async def test_a_replica_that_has_not_read_the_log_yet_says_so(
    make_replica: MakeReplica, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not know how many events there are, and shows no progress of 0 of 0."""
    answered = asyncio.Event()
    poll = ReadModel._poll

    async def poll_late(model: ReadModel) -> tuple[str, int]:
        await answered.wait()
        return await poll(model)

    monkeypatch.setattr(ReadModel, "_poll", poll_late)
    api = await make_replica(start=False)
    await api.start(ready=False)

    async def says_so() -> bool:
        return (
            "the log has not been read yet: the broker has not answered" in (await api.http.get("/health/ready")).text
        )

    await eventually(says_so, "the API serves and is not ready")
    answered.set()

    async def is_ready() -> bool:
        return (await api.http.get("/health/ready")).status_code == 200

    await eventually(is_ready, "the log is read")


async def test_a_restored_log_that_has_grown_past_the_checkpoint_is_another_log(
    api: Replica, event_log: EventLog, nats_client: Client, tmp_path: Path, make_job: Callable[..., Job]
) -> None:
    """After a restore, other services may write before the API starts."""
    await api.create(job_name="kept")
    await copy_streams(nats_client, tmp_path / "copy")
    for number in range(3):
        await api.create(job_name=f"lost {number}")
    await api.stop()
    js = nats_client.jetstream()
    for stream in await js.streams_info():
        await js.delete_stream(str(stream.config.name))
    await restore_streams(nats_client, tmp_path / "copy", read_copy(tmp_path / "copy"))
    for number in range(5):
        job = make_job(job_name=f"new {number}")
        await event_log.publish(JobCreated(job_name=job.job_name, job_id=job.job_id, actor="maria", job=job))
    await api.start()
    names = [job["job_name"] for job in (await api.http.get("/jobs")).json()["items"]]
    assert names == ["kept", *(f"new {number}" for number in range(5))]
