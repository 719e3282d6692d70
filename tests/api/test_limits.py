"""Ceilings of the API: what one caller asks for does not stop the others."""

import asyncio
import time
from contextlib import AsyncExitStack

import httpx

from api.conftest import Replica
from api.test_access import make_token
from api.test_runs_over_rest import inline, requested, result_ready
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.limits import MAX_EVENTS_ANSWER_BYTES, MAX_TOKEN_STREAMS
from support.deadlines import eventually, scaled


async def test_a_token_has_some_event_streams_open_and_the_api_goes_on(api: Replica) -> None:
    await api.create()
    token = await make_token(api, "reader", "viewer")
    async with AsyncExitStack() as opened, api.client(token) as reader:

        async def open_stream() -> httpx.Response:
            return await opened.enter_async_context(reader.stream("GET", "/events/stream"))

        answers = await asyncio.gather(*(open_stream() for _ in range(90)))
        statuses = [answer.status_code for answer in answers]
        assert (statuses.count(200), statuses.count(429)) == (MAX_TOKEN_STREAMS, 90 - MAX_TOKEN_STREAMS)
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert refused.headers["retry-after"] == "5"
        assert "event streams" in (await refused.aread()).decode()
        began = time.perf_counter()
        assert (await api.http.get("/health/live")).status_code == 200
        assert time.perf_counter() - began < scaled(0.1)
        async with api.http.stream("GET", "/events/stream") as other:
            assert other.status_code == 200

    async def is_open_again() -> bool:
        async with api.client(token) as reader, reader.stream("GET", "/events/stream") as answer:
            return answer.status_code == 200

    await eventually(is_open_again, "closed streams are not counted")


async def test_a_list_of_events_has_no_results_unless_they_are_asked_for(api: Replica, event_log: EventLog) -> None:
    run_id, job = await requested(api, event_log)
    csv = b"a\n" + b"1234567\n" * 16_000
    for _ in range(120):
        await event_log.publish(result_ready(run_id, job, inline(csv)))
    without = (await api.http.get("/events", params={"limit": 1000, "type": "result-ready"})).json()["items"]
    assert len(without) == 120
    blobs = [item["data"]["csv"] for item in without]
    assert {(blob["data"], blob["size"]) for blob in blobs} == {(None, len(csv))}

    seen: list[int] = []
    answers = 0
    while True:
        query: dict[str, str | int] = {
            "limit": 1000,
            "type": "result-ready",
            "include": "results",
            "after": seen[-1] if seen else 0,
        }
        answer = await api.http.get("/events", params=query)
        assert len(answer.content) < MAX_EVENTS_ANSWER_BYTES + 1024 * 1024
        items = answer.json()["items"]
        if not items:
            break
        answers += 1
        assert all(item["data"]["csv"]["data"] for item in items)
        seen += [item["seq"] for item in items]
    assert seen == [item["seq"] for item in without]
    assert answers > 1
