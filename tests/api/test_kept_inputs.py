"""Kept inputs: of which runs they are kept, for how long, and that removal takes no bytes that a run needs."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from nats.aio.client import Client

from api.conftest import ON_BOTH_DATABASES, MakeReplica, Replica
from api.test_runs_over_rest import inline, requested, result_ready, run_with_status
from nightmail_api.retention.kept_inputs import KeptInputs
from nightmail_common.broker.input_store import InputStore
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.events import InputKept
from nightmail_common.contract.kept_input import InputType
from support.deadlines import eventually
from support.job_requests import job_request

pytestmark = ON_BOTH_DATABASES


async def content(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def keep(log: EventLog, client: Client, job_name: str, run_id: UUID, data: bytes, **fields: Any) -> None:
    """Keep an input as a runner does."""
    name = hashlib.sha256(data).hexdigest()
    about: dict[str, Any] = {"source": "data", "object_name": name, "file_type": "csv", "keep_inputs": 10}
    event = InputKept(job_name=job_name, run_id=run_id, size=len(data), sha256=name, **about | fields)

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


async def is_applied(api: Replica, run_id: UUID) -> None:
    """Wait until the API knows that an input is kept."""

    async def known() -> bool:
        timeline = (await api.http.get(f"/runs/{run_id}")).json()["timeline"]
        return any(entry["type"] == "input-kept" for entry in timeline)

    await eventually(known, "the event is applied")


async def ended(api: Replica, log: EventLog, **fields: Any) -> UUID:
    """Return a run of a new job that has its result."""
    run_id, job = await requested(api, log, **fields)
    await log.publish(result_ready(run_id, job, inline(b"a\n1\n")))
    await run_with_status(api, run_id, "processed")
    return run_id


async def test_an_input_is_downloaded_as_the_source_sent_it(
    api: Replica, event_log: EventLog, nats_client: Client
) -> None:
    run_id = await ended(api, event_log, job_name="a")
    data = "name\nJürgen\n".encode("latin-1") * 40_000
    asked = asyncio.create_task(api.http.get(f"/runs/{run_id}/input"))  # before the runner keeps it
    await keep(event_log, nats_client, "a", run_id, data, charset="iso-8859-1")
    answer = await asked
    assert (answer.status_code, answer.content) == (200, data)
    assert answer.headers["content-type"] == "text/csv; charset=iso-8859-1"
    assert answer.headers["content-disposition"] == f'attachment; filename="{run_id}-data.csv"'
    assert answer.headers["etag"] == f'"{hashlib.sha256(data).hexdigest()}"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-length"] == str(len(data))
    assert (await api.http.get(f"/runs/{run_id}/input?source=data")).content == data
    assert (await api.http.get(f"/runs/{run_id}")).json()["timeline"][-1]["type"] == "input-kept"


async def test_a_run_lists_what_it_has_read(api: Replica, event_log: EventLog, nats_client: Client) -> None:
    more = {"orders": {"source_type": "file", "location": "orders.json", "file_type": "json"}}
    run_id = await ended(api, event_log, job_name="a", more_sources=more)
    assert (await api.http.get(f"/runs/{run_id}")).json()["inputs"] == []
    await keep(event_log, nats_client, "a", run_id, b"n\n1\n")
    await keep(event_log, nats_client, "a", run_id, b"[]", source="orders", file_type="json", object_name=None)

    async def listed() -> list[dict[str, Any]] | None:
        found: list[dict[str, Any]] = (await api.http.get(f"/runs/{run_id}")).json()["inputs"]
        return found if len(found) == 2 else None

    digest = {name: hashlib.sha256(data).hexdigest() for name, data in (("data", b"n\n1\n"), ("orders", b"[]"))}
    assert await eventually(listed, "both inputs are listed") == [
        {"source": "data", "file_type": "csv", "bytes": 4, "sha256": digest["data"], "kept": True},
        {"source": "orders", "file_type": "json", "bytes": 2, "sha256": digest["orders"], "kept": False},
    ]


@pytest.mark.parametrize(
    ("file_type", "content_type", "ending"),
    [
        ("json", "application/json", "json"),
        ("tsv", "text/tab-separated-values", "tsv"),
        ("arrow", "application/vnd.apache.arrow.stream", "arrows"),
        ("parquet", "application/vnd.apache.parquet", "parquet"),
    ],
)
async def test_the_answer_has_the_type_of_the_source(
    api: Replica, event_log: EventLog, nats_client: Client, file_type: InputType, content_type: str, ending: str
) -> None:
    run_id = await ended(api, event_log, job_name="a")
    await keep(event_log, nats_client, "a", run_id, b"[]", file_type=file_type, source='per diem"\r\n')
    await is_applied(api, run_id)
    answer = await api.http.get(f"/runs/{run_id}/input", params={"source": 'per diem"\r\n'})
    assert (answer.status_code, answer.headers["content-type"], answer.content) == (200, content_type, b"[]")
    assert answer.headers["content-disposition"] == f'attachment; filename="{run_id}-per_diem___.{ending}"'


async def test_an_input_that_is_not_kept_is_gone_and_an_unknown_one_is_not_found(
    replicas: list[KeptInputs], api: Replica, event_log: EventLog, nats_client: Client
) -> None:
    assert replicas

    async def refusal(run_id: object, source: str = "data") -> tuple[int, str]:
        answer = await api.http.get(f"/runs/{run_id}/input", params={"source": source})
        return answer.status_code, answer.json()["detail"]

    more = {"orders": {"source_type": "file", "location": "orders.csv", "file_type": "csv"}}
    first = await ended(api, event_log, job_name="a", more_sources=more)
    await keep(event_log, nats_client, "a", first, b"first", keep_inputs=1)
    status, text = await refusal(first, "other")
    assert (status, "no source 'other'; it has 'data', 'orders'" in text) == (404, True)
    second = await run_again(api, "a")
    status, text = await refusal(second)
    assert (status, "has not ended" in text) == (404, True)
    await keep(event_log, nats_client, "a", second, b"first", keep_inputs=1)
    await is_applied(api, second)
    status, text = await refusal(first)
    assert (status, "keep_inputs" in text) == (410, True), "although the bytes are still stored for the second run"
    assert (await api.http.get(f"/runs/{second}/input")).content == b"first"
    large = await ended(api, event_log, job_name="b")
    await keep(event_log, nats_client, "b", large, b"1234567", object_name=None)
    status, text = await refusal(large)
    assert (status, "7 bytes, more than NIGHTMAIL_MAX_KEPT_INPUT_BYTES" in text) == (410, True)
    assert (await refusal(uuid4()))[0] == 404
    assert (await refusal(second, ""))[0] == 400
    await nats_client.jetstream().purge_stream("OBJ_INPUTS")
    assert (await refusal(second))[0] == 410
