"""Kept inputs: of which runs they are kept, for how long, and that removal takes no bytes that a run needs."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from nats.aio.client import Client

from api.conftest import ON_BOTH_DATABASES, MakeReplica, Replica
from api.test_runs_over_rest import requested
from nightmail_api.retention.kept_inputs import KeptInputs
from nightmail_common.broker.input_store import InputStore
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.events import InputKept
from support.deadlines import eventually
from support.job_requests import job_request

pytestmark = ON_BOTH_DATABASES


async def content(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def keep(log: EventLog, client: Client, job_name: str, run_id: UUID, data: bytes, keep_inputs: int = 10) -> None:
    """Keep an input as a runner does."""
    name = hashlib.sha256(data).hexdigest()
    event = InputKept(
        job_name=job_name,
        run_id=run_id,
        source="data",
        size=len(data),
        sha256=name,
        object_name=name,
        file_type="csv",
        keep_inputs=keep_inputs,
    )

    async def publish() -> None:
        await log.publish(event)

    await InputStore(client.jetstream()).keep(name, partial(content, data), publish)


async def stored(client: Client) -> set[bytes]:
    """Return all stored inputs."""
    store = InputStore(client.jetstream())
    entries = [entry async for entry in store.entries()]
    return {b"".join([piece async for piece in store.read(entry)]) for entry in entries}


@pytest.fixture
def replicas(monkeypatch: pytest.MonkeyPatch) -> list[KeptInputs]:
    """Return the kept inputs as each replica knows them. A replica removes by itself at its start only, within a test."""
    made: list[KeptInputs] = []
    construct = KeptInputs.__init__

    def record(kept: KeptInputs, *args: Any) -> None:
        construct(kept, *args)
        made.append(kept)

    monkeypatch.setattr(KeptInputs, "__init__", record)
    return made


async def run_again(api: Replica, job_name: str) -> UUID:
    return UUID((await api.http.post(f"/jobs/{job_name}/run")).json()["run_id"])


async def test_only_the_last_inputs_of_a_job_are_kept(
    replicas: list[KeptInputs], api: Replica, event_log: EventLog, nats_client: Client
) -> None:
    body = job_request(job_name="a")
    await api.create(**body)
    for data in (b"one", b"two", b"three", b"two", b"four"):
        await keep(event_log, nats_client, "a", await run_again(api, "a"), data, keep_inputs=3)
    assert await replicas[0].remove_unused() == 1
    assert await stored(nats_client) == {b"two", b"three", b"four"}
    assert (await api.http.put("/jobs/a", json=body | {"keep_inputs": 1})).status_code == 200
    assert await replicas[0].remove_unused() == 2
    assert await stored(nats_client) == {b"four"}


async def test_bytes_that_another_job_needs_stay(
    replicas: list[KeptInputs], api: Replica, event_log: EventLog, nats_client: Client
) -> None:
    for name in ("a", "b"):
        run_id, _ = await requested(api, event_log, job_name=name)
        await keep(event_log, nats_client, name, run_id, b"shared")
        await keep(event_log, nats_client, name, run_id, f"of {name}".encode())
    assert (await api.http.delete("/jobs/a?erase=true")).status_code == 204
    assert await stored(nats_client) == {b"shared", b"of b"}
    assert (await api.http.delete("/jobs/b?erase=true")).status_code == 204
    assert await stored(nats_client) == set()


async def test_an_input_is_kept_no_longer_than_the_setting_says(
    replicas: list[KeptInputs], make_replica: MakeReplica, event_log: EventLog, nats_client: Client
) -> None:
    api = await make_replica(input_retention=timedelta(seconds=1))
    run_id, _ = await requested(api, event_log, job_name="a")
    await keep(event_log, nats_client, "a", run_id, b"old")

    async def is_removed() -> bool:
        await replicas[0].remove_unused()
        return not await stored(nats_client)

    await eventually(is_removed, "the input is removed")


async def test_two_replicas_remove_an_input_once(
    replicas: list[KeptInputs], make_replica: MakeReplica, event_log: EventLog, nats_client: Client
) -> None:
    one, _ = await make_replica(), await make_replica()
    run_id, _ = await requested(one, event_log, job_name="a")
    await keep(event_log, nats_client, "a", run_id, b"first", keep_inputs=1)
    await keep(event_log, nats_client, "a", await run_again(one, "a"), b"second", keep_inputs=1)

    removed = await asyncio.gather(*(inputs.remove_unused() for inputs in replicas))
    assert sum(removed) == 1
    assert await stored(nats_client) == {b"second"}


async def test_an_input_whose_event_the_replica_has_not_applied_yet_stays(
    replicas: list[KeptInputs], api: Replica, event_log: EventLog, nats_client: Client
) -> None:
    run_id, _ = await requested(api, event_log, job_name="a")
    for number in range(20):
        await keep(event_log, nats_client, "a", run_id, f"input {number}".encode())
        assert await replicas[0].remove_unused() == 0
