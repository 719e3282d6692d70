"""The audit log as a stream of server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import fastapi.routing
import httpx
import pytest

from api.conftest import TOKEN, Api, Replica
from nightmail_api.http.routes import events
from nightmail_common.broker.log import EventLog
from support.deadlines import scaled
from support.job_requests import job_request
from support.nats_server import NatsServer


class Subscriber:
    """Reads a stream of events as a browser's EventSource does."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines

    async def next(self) -> dict[str, Any]:
        """Return the next event, with the stream's `id`."""
        async with asyncio.timeout(scaled(15)):
            fields: dict[str, str] = {}
            async for line in self._lines:
                name, _, value = line.partition(": ")
                if line and name:
                    fields[name] = value
                elif "data" in fields:
                    return {"id": fields["id"], **json.loads(fields["data"])}
        raise AssertionError("the stream ended")

    async def next_line(self) -> str:
        async with asyncio.timeout(scaled(15)):
            return await anext(self._lines)


def subscribe(api: Replica, **query: Any) -> Any:
    headers = {"Last-Event-ID": str(query.pop("last_event_id"))} if "last_event_id" in query else {}
    return api.http.stream("GET", "/events/stream", params=query, headers=headers)


async def change(api: Replica, description: str) -> None:
    answer = await api.http.put("/jobs/daily%20sales", json=job_request(description=description))
    assert answer.status_code == 200


async def test_events_arrive_as_they_happen_and_a_client_resumes_without_a_gap(api: Replica) -> None:
    await api.create()
    async with subscribe(api) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        live = Subscriber(answer.aiter_lines())
        await change(api, "one")
        await change(api, "two")
        first, second = await live.next(), await live.next()
    assert [first["type"], second["type"]] == ["job-updated", "job-updated"]
    assert (first["id"], first["data"]["job"]["description"]) == (str(first["seq"]), "one")
    await change(api, "three")
    async with subscribe(api, last_event_id=first["id"]) as answer:
        back = Subscriber(answer.aiter_lines())
        assert [(await back.next())["seq"] for _ in range(2)] == [second["seq"], second["seq"] + 1]


async def test_a_stream_can_be_filtered_by_job_or_type_from_the_beginning(api: Replica) -> None:
    await api.create()
    await api.create(job_name="other")
    run_id = (await api.http.post("/jobs/other/run")).json()["run_id"]
    for query, wanted in (
        ({"job_name": "other"}, ["job-created", "run-requested"]),
        ({"type": "job-created"}, ["job-created", "job-created"]),
        ({"run_id": run_id}, ["run-requested"]),
    ):
        async with subscribe(api, after=0, **query) as answer:
            stream = Subscriber(answer.aiter_lines())
            assert [(await stream.next())["type"] for _ in wanted] == wanted


async def test_a_stream_continues_without_a_gap_after_an_outage_of_the_broker(
    api: Replica, nats_server: NatsServer, event_log: EventLog
) -> None:
    await api.create()
    async with subscribe(api, after=0) as answer:
        stream = Subscriber(answer.aiter_lines())
        assert (await stream.next())["seq"] == 1
        nats_server.restart()
        sequences = []
        for number in range(3):
            await _change_when_it_can(api, f"after {number}")
            sequences.append((await stream.next())["seq"])
    assert sequences == list(range(2, 5))


async def _change_when_it_can(api: Replica, description: str) -> None:
    async with asyncio.timeout(scaled(15)):
        while True:
            answer = await api.http.put("/jobs/daily%20sales", json=job_request(description=description))
            if answer.status_code == 200:
                return
            assert answer.status_code == 503


async def test_a_quiet_stream_is_kept_alive(api: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fastapi.routing, "_PING_INTERVAL", 0.05)
    async with subscribe(api) as answer:
        assert await Subscriber(answer.aiter_lines()).next_line() == ": ping"


async def test_clients_that_go_away_in_the_middle_of_events_leave_no_traceback(
    api: Replica, caplog: pytest.LogCaptureFixture
) -> None:
    await api.create()
    for number in range(20):
        await change(api, f"{number}")
    request = f"GET /events/stream?after=0 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    for _ in range(20):
        reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
        writer.write(request.encode())
        await reader.readuntil(b"data:")
        writer.transport.abort()
    await api.stop()  # each stream has ended
    assert [record.getMessage() for record in caplog.records if record.name == "uvicorn.error"] == []


async def test_a_stream_has_heartbeats_for_those_who_ask_while_the_replica_is_ready(
    api: Replica, nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "HEARTBEAT_SECONDS", 0.05)
    async with subscribe(api, heartbeat=True) as answer:
        stream = Subscriber(answer.aiter_lines())
        heartbeat = ["event: heartbeat", "data: ready", ""]
        assert [await stream.next_line() for _ in range(6)] == heartbeat * 2
        nats_server.kill()
        try:
            await asyncio.wait_for(_silence(stream), scaled(20))
        finally:
            nats_server.start()


async def _silence(stream: Subscriber) -> None:
    """Return when the stream has had no heartbeat for twenty intervals."""
    with suppress(TimeoutError):
        while True:
            await asyncio.wait_for(stream.next_line(), 1)


async def test_streams_end_when_the_service_drains(api: Replica) -> None:
    async with subscribe(api) as answer:
        await asyncio.wait_for(api.stop(), scaled(3))
        assert [line async for line in answer.aiter_lines() if line and line != ": ping"] == []


@pytest.mark.parametrize("last_event_id", ["x", "-1"])
async def test_an_invalid_last_event_id_is_refused(shared_api: Api, last_event_id: str) -> None:
    answer: httpx.Response = await shared_api.http.get("/events/stream", headers={"Last-Event-ID": last_event_id})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "last-event-id")


@pytest.mark.parametrize(
    ("query", "headers", "field"), [({"after": 1000}, {}, "after"), ({}, {"Last-Event-ID": "1000"}, "last-event-id")]
)
async def test_a_stream_behind_the_end_of_the_log_is_refused(
    api: Replica, query: dict[str, int], headers: dict[str, str], field: str
) -> None:
    """It would leave out the events up to there: the caller knows a log from before a restore."""
    await api.create()
    answer = await api.http.get("/events/stream", params=query, headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)
    assert "it was restored from a backup since" in answer.json()["errors"][0]["detail"]
