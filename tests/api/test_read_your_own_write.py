"""A caller reads its own write at the same replica at once, however many others write meanwhile."""

import asyncio
import random
from collections.abc import AsyncIterator
from itertools import count
from typing import Any, NamedTuple

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.conftest import ON_BOTH_DATABASES, MakeReplica, Replica, job_path
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.envelope import StoredEvent
from nightmail_common.contract.events import JobCreated, JobDeleted, JobEvent, JobPaused, JobResumed, JobUpdated
from nightmail_common.contract.subjects import events_of_job
from support.job_requests import job_request

pytestmark = ON_BOTH_DATABASES

CLIENTS = 4
DESCRIPTIONS = count()
CHANGES = ("create", "update", "update", "pause", "resume", "delete", "run")
#: The changes of each client, in order, to one of two jobs, so that the clients conflict.
PLANS = st.lists(
    st.lists(st.tuples(st.sampled_from(CHANGES), st.sampled_from(("one", "two"))), min_size=1, max_size=6),
    min_size=2,
    max_size=CLIENTS,
)


class Read(NamedTuple):
    """A read of a job right after the client's own event of that sequence; the answer is None without a job."""

    job_name: str
    own_sequence: int
    sequence: int | None
    answer: dict[str, Any] | None


@pytest.fixture
async def slow_api(make_replica: MakeReplica, monkeypatch: pytest.MonkeyPatch) -> Replica:
    """A replica that reads the log up to 20 ms late: longer than a response takes."""
    follow = EventLog.follow

    async def follow_late(log: EventLog, *args: Any, **options: Any) -> AsyncIterator[list[StoredEvent]]:
        async for batch in follow(log, *args, **options):
            await asyncio.sleep(random.uniform(0, 0.02))
            yield batch

    monkeypatch.setattr(EventLog, "follow", follow_late)
    return await make_replica()


@pytest.fixture
async def clients(slow_api: Replica) -> AsyncIterator[list[httpx.AsyncClient]]:
    """Clients with tokens of their own, which the log records as actors."""
    made = []
    for number in range(CLIENTS):
        answer = await slow_api.http.post("/tokens", json={"name": f"client-{number}", "role": "editor"})
        made.append(slow_api.client(answer.json()["token"]))
    yield made
    for client in made:
        await client.aclose()


@settings(max_examples=30, suppress_health_check=list(HealthCheck))
@given(plans=PLANS)
async def test_a_read_after_a_write_is_never_stale(
    clients: list[httpx.AsyncClient], event_log: EventLog, plans: list[list[tuple[str, str]]]
) -> None:
    example = await event_log.last_sequence()
    names = {name: f"{name} {example}" for name in ("one", "two")}

    async def follow(number: int, plan: list[tuple[str, str]]) -> list[Read]:
        actor = f"client-{number}"
        steps = [(change, names[name]) for change, name in plan]
        return [read for step in steps if (read := await _change_and_read(clients[number], actor, event_log, *step))]

    reads = await asyncio.gather(*(follow(number, plan) for number, plan in enumerate(plans)))
    histories = {name: await _history(event_log, name) for name in names.values()}
    for read in (read for of_one in reads for read in of_one):
        _is_not_stale(read, histories[read.job_name])


async def _change_and_read(
    client: httpx.AsyncClient, actor: str, log: EventLog, change: str, job_name: str
) -> Read | None:
    """Change something and read it; None if nothing was changed."""
    path = job_path(job_name)
    definition = job_request(job_name=job_name, description=f"{actor}, {next(DESCRIPTIONS)}")
    match change:
        case "create":
            answer = await client.post("/jobs", json=definition)
        case "update":
            answer = await client.put(path, json=definition)
        case "delete":
            answer = await client.delete(path)
        case _:
            answer = await client.post(f"{path}/{change}")
    assert answer.status_code in {200, 201, 202, 204, 404, 409}, answer.text
    if answer.is_error:
        return None
    if change == "run":
        run_id = answer.json()["run_id"]
        assert (await client.get(f"/runs/{run_id}")).status_code == 200
        assert run_id in {run["run_id"] for run in (await client.get(f"{path}/runs")).json()["items"]}
        return None
    read = await client.get(path)
    own = [sequence for sequence, event in (await _history(log, job_name)).items() if event.actor == actor]
    if not own:
        return None  # it was paused, or active, already
    if read.status_code == 404:
        return Read(job_name, own[-1], None, None)
    return Read(job_name, own[-1], int(read.headers["etag"].strip('"')), read.json())


async def _history(log: EventLog, job_name: str) -> dict[int, JobEvent]:
    """Return every event of a job by its sequence."""
    found = [stored async for batch in log.replay(events_of_job(job_name)[:1]) for stored in batch]
    return {stored.sequence: event for stored in found if isinstance(event := stored.event(), JobEvent)}


def _is_not_stale(read: Read, history: dict[int, JobEvent]) -> None:
    if read.answer is None or read.sequence is None:
        ends = [sequence for sequence, event in history.items() if isinstance(event, JobDeleted)]
        assert any(sequence >= read.own_sequence for sequence in ends), "no job, and no deletion since"
        return
    assert read.sequence >= read.own_sequence
    match history[read.sequence]:
        case JobCreated(job=job) | JobUpdated(job=job):
            assert (read.answer["description"], read.answer["version"]) == (job.description, job.version)
        case JobPaused():
            assert read.answer["status"] == "paused"
        case JobResumed():
            assert read.answer["status"] == "active"
        case other:
            pytest.fail(f"read as of {other.name}")
