"""`GET /events?before=&actor=`: the log from its end."""

from typing import Any

import pytest

from api.conftest import ON_BOTH_DATABASES, Api, Replica
from nightmail_api.read_model import event_queries
from support.job_requests import job_request


async def write(api: Replica, number: int) -> str:
    """Create a job and change it `number` times, with another token for every third change; return the job's name."""
    name = "audited"
    token = (await api.http.post("/tokens", json={"name": "maria", "role": "editor"})).json()["token"]
    await api.http.post("/jobs", json=job_request(job_name=name))
    async with api.client(token) as maria:
        for change in range(number):
            client = maria if change % 3 == 0 else api.http
            answer = await client.put(f"/jobs/{name}", json=job_request(job_name=name, retries=change % 10 + 1))
            assert answer.status_code == 200, answer.text
    return name


async def backwards(api: Replica, **query: str) -> list[dict[str, Any]]:
    """Return all events that a query finds, in pages."""
    found: list[dict[str, Any]] = []
    before: int | None = 2**62
    while before is not None:
        page = (await api.http.get("/events", params=query | {"before": str(before)})).json()
        found += page["items"]
        before = page["next_before"]
    return found


async def forwards(api: Replica, **query: str) -> list[dict[str, Any]]:
    """Return one page of the events that a query finds, oldest first."""
    items: list[dict[str, Any]] = (await api.http.get("/events", params=query)).json()["items"]
    return items


@pytest.mark.parametrize("limit", ["1", "2", "100"])
async def test_the_log_is_read_from_its_end(api: Replica, monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    monkeypatch.setattr(event_queries, "MAX_EVENTS_SCANNED", 5)
    name = await write(api, 12)
    events = await forwards(api, limit="1000")
    assert await backwards(api, limit=limit) == events[::-1]
    assert await backwards(api, limit=limit, job_name=name, type="job-updated") == [
        event for event in events[::-1] if event["type"] == "job-updated"
    ]
    assert await backwards(api, limit=limit, job_name="another") == []


async def test_rare_and_crowded_events_are_both_found(api: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    """A window that grew over a sparse part of the log is made smaller where the events are close together."""
    monkeypatch.setattr(event_queries, "MAX_EVENTS_WINDOW", 4)
    await api.create(job_name="rare")
    name = await write(api, 12)
    await api.http.post("/jobs/rare/pause")
    events = await forwards(api, limit="1000")
    for job_name in ("rare", name):
        for limit in ("1", "3"):
            assert await backwards(api, limit=limit, job_name=job_name) == [
                event for event in events[::-1] if event["job_name"] == job_name
            ]


@ON_BOTH_DATABASES
async def test_events_of_an_actor_are_found(api: Replica) -> None:
    name = await write(api, 6)
    events = await backwards(api, actor="maria")
    assert [event["data"]["actor"] for event in events] == ["maria"] * 2
    newest = (await api.http.get("/events", params={"actor": "maria", "limit": "1", "before": str(2**62)})).json()
    assert (newest["items"], newest["next_before"]) == (events[:1], events[0]["seq"])
    assert await backwards(api, actor="maria", limit="1") == events
    assert await backwards(api, actor="maria", type="job-updated", job_name=name) == events
    assert await backwards(api, actor="maria", type="job-created") == []
    assert await backwards(api, actor="maria", job_name="another") == []
    await api.http.delete(f"/jobs/{name}", params={"erase": "true"})
    assert await backwards(api, actor="maria") == []


async def test_what_an_actor_did_to_a_run_is_found(api: Replica) -> None:
    await api.create(job_name="daily")
    run_id = (await api.http.post("/jobs/daily/run")).json()["run_id"]
    await api.http.post(f"/runs/{run_id}/cancel")
    [created, *_] = (await api.http.get("/events", params={"limit": "1"})).json()["items"]
    events = await backwards(api, actor=created["data"]["actor"])
    assert [event["type"] for event in events] == ["run-cancelled", "run-requested", "job-created"]
    query = {"actor": created["data"]["actor"]}
    assert await forwards(api, **query) == events[::-1]
    assert await forwards(api, **query, limit="1") == events[:1:-1]
    assert await forwards(api, **query, after=str(created["seq"])) == events[1::-1]
    assert await forwards(api, **query, run_id=run_id) == events[1::-1]
    assert await forwards(api, **query, run_id=run_id, type="run-cancelled", job_name="daily") == events[:1]
    assert await forwards(api, **query, run_id=run_id, job_name="another") == []
    assert await forwards(api, actor="nobody") == []


@pytest.mark.parametrize("query", [{"after": "1"}, {"run_id": "3f1d3c0e-6a52-5d7e-9b8e-0f6c1c7a9d21"}])
async def test_before_is_not_combined_with_what_reads_forwards(shared_api: Api, query: dict[str, str]) -> None:
    answer = await shared_api.http.get("/events", params=query | {"before": "9"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, next(iter(query)))
