"""Ceilings of the API: what one caller asks for does not stop the others."""

import asyncio
import time
import unicodedata
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest

from api.conftest import TOKEN, Api, Replica
from api.test_access import make_token
from api.test_diffs import two_runs
from api.test_runs_over_rest import inline, requested, result_ready
from nightmail_api.http import middleware
from nightmail_api.read_model import result_diffs
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.limits import (
    MAX_EVENTS_ANSWER_BYTES,
    MAX_JOB_JSON_BYTES,
    MAX_PAGE_CHARS,
    MAX_TOKEN_STREAMS,
)
from nightmail_common.service import limited_process
from support.deadlines import eventually, scaled
from support.job_requests import job_request


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


async def test_a_body_that_does_not_arrive_ends_the_request(api: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware, "MAX_BODY_SECONDS", 0.5)

    reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
    head = f"POST /jobs HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {TOKEN}\r\n"
    writer.write(f"{head}Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{{".encode())
    answer = await asyncio.wait_for(reader.read(), scaled(5))
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"application/problem+json" in answer
    writer.close()


@pytest.mark.parametrize(
    "body",
    [
        {"x" * 900_000: 1},
        {f"field {number}": 1 for number in range(40_000)},
        job_request(job_name="\x01" * 150_000),
        job_request(job_name="a" + "\u0301\u0323" * 70_000),
        job_request(consumer_emails=["not an address " * 100] * 500),
        job_request(schedule_time="* " * 100_000),
        job_request(timezone="x" * 900_000),
    ],
    ids=["long field", "many fields", "long name", "combining marks", "addresses", "schedule", "zone"],
)
async def test_an_answer_to_a_large_invalid_body_is_small(shared_api: Api, body: dict[str, object]) -> None:
    answer = await shared_api.http.post("/jobs", json=body)
    assert answer.status_code == 400
    assert answer.json()["errors"]
    assert len(answer.content) < 16 * 1024


@pytest.mark.parametrize(
    "job_name", ["d\u0430ily sales", "daily\u200bsales", "daily\u200dsales", "d\u00adaily", "a\u202eb"]
)
async def test_a_name_that_looks_like_another_is_refused(shared_api: Api, job_name: str) -> None:
    answer = await shared_api.http.post("/jobs", json=job_request(job_name=job_name))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "job_name")


@pytest.mark.parametrize(
    "job_name", ["Продажи daily", "日報 sales", "👩\u200d💻", "5 kΩ", "σ-algebra", "नमस्ते\u200dक", "µ-service"]
)
async def test_a_name_of_any_script_is_a_name(shared_api: Api, job_name: str) -> None:
    assert (await shared_api.create(job_name=job_name))["job_name"] == unicodedata.normalize("NFC", job_name)


@pytest.mark.parametrize("sort", ["name", "next_run", "last_run"])
async def test_a_page_of_jobs_ends_at_its_size_and_its_cursor_leads_to_all_jobs(api: Replica, sort: str) -> None:
    names = [f"long {number:02}" for number in range(30)]
    for name in names:
        await api.create(job_name=name, processing_script="#" + "x" * 120_000 + "\nreturn data")
    listed: list[str] = []
    cursor: str | None = None
    pages = 0
    while pages == 0 or cursor is not None:
        query = {"sort": sort, "limit": "500"} | ({} if cursor is None else {"cursor": cursor})
        answer = await api.http.get("/jobs", params=query)
        assert len(answer.content) < MAX_PAGE_CHARS + MAX_JOB_JSON_BYTES
        listed += [job["job_name"] for job in answer.json()["items"]]
        cursor = answer.json()["next_cursor"]
        pages += 1
    assert sorted(listed) == names
    assert pages == 2


async def test_a_comparison_of_one_token_does_not_wait_for_those_of_another(
    api: Replica, event_log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await two_runs(api, event_log)
    path = f"/runs/{first}/diff/{second}"
    computing: list[str] = []
    release = asyncio.Event()

    async def compute(module: str, _request: object, _data: object) -> dict[str, Any]:
        computing.append(module)
        if len(computing) == 1:
            await release.wait()
        return await limited_process.compute(module, _request, _data)  # type: ignore[arg-type]

    monkeypatch.setattr(result_diffs, "compute", compute)
    token = await make_token(api, "many", "viewer")
    async with api.client(token) as many, asyncio.TaskGroup() as tasks:
        waiting = [tasks.create_task(many.get(path, timeout=scaled(60))) for _ in range(10)]
        await eventually(lambda: bool(computing), "the first comparison has begun")
        assert (await api.http.get(path, timeout=scaled(30))).status_code == 200
        assert len(computing) == 2
        release.set()
    assert {one.result().status_code for one in waiting} == {200}
