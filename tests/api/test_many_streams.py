"""As many event streams as a replica serves: each gets every event, and other requests are answered at once."""

import asyncio
import json
import time
import urllib.request
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest

from nightmail_common.broker.log import EventLog
from nightmail_common.contract.limits import MAX_API_STREAMS, MAX_TOKEN_STREAMS
from support.api_process import ApiProcess
from support.deadlines import scaled
from support.job_requests import job_request
from support.nats_server import NatsServer

#: With a consumer of the log for each stream it was 6.5 s.
MAX_ANSWER_SECONDS = 0.5
EVENTS = 15


@pytest.fixture
async def api(nats_server: NatsServer, event_log: EventLog, tmp_path: Path) -> AsyncIterator[ApiProcess]:
    process = ApiProcess(nats_server.url, tmp_path / "data", None)
    process.start()
    await process.ready()
    yield process
    await process.http.aclose()
    process.kill()


async def tokens(api: ApiProcess, count: int) -> list[str]:
    answers = [await api.http.post("/tokens", json={"name": f"t{n}", "role": "viewer"}) for n in range(count)]
    return [answer.json()["token"] for answer in answers]


async def sequences(answer: httpx.Response, count: int) -> list[int]:
    """Return the ids of the next events of a stream."""
    found: list[int] = []
    async for line in answer.aiter_lines():
        if line.startswith("data: "):
            found.append(json.loads(line.removeprefix("data: "))["seq"])
            if len(found) == count:
                break
    return found


@asynccontextmanager
async def longest_answer(api: ApiProcess) -> AsyncIterator[list[float]]:
    """Ask for `/health/live` all the time, in a thread; yield the seconds of every answer."""
    seconds: list[float] = []
    ended = False

    def ask() -> None:
        while not ended:
            began = time.perf_counter()
            with urllib.request.urlopen(f"{api.http.base_url}/health/live", timeout=scaled(20)):  # noqa: S310
                seconds.append(time.perf_counter() - began)
            time.sleep(0.01)

    asking = asyncio.create_task(asyncio.to_thread(ask))
    try:
        yield seconds
    finally:
        ended = True
        await asking


async def test_400_streams_get_each_event_once_and_in_order_and_health_is_answered_at_once(api: ApiProcess) -> None:
    assert MAX_API_STREAMS == 400
    given = await tokens(api, MAX_API_STREAMS // MAX_TOKEN_STREAMS)
    assert (await api.http.post("/jobs/create", json=job_request())).status_code == 201

    async with AsyncExitStack() as opened, longest_answer(api) as seconds:

        async def open_stream(token: str) -> httpx.Response:
            headers = {"Authorization": f"Bearer {token}", "Last-Event-ID": "0"}
            answer = await opened.enter_async_context(
                api.http.stream("GET", "/events/stream", headers=headers, timeout=scaled(60))
            )
            assert answer.status_code == 200
            return answer

        streams = await asyncio.gather(*(open_stream(token) for token in given for _ in range(MAX_TOKEN_STREAMS)))
        reading = [asyncio.create_task(sequences(stream, EVENTS)) for stream in streams]
        for number in range(EVENTS - 1):
            changed = await api.http.put("/jobs/daily%20sales", json=job_request(description=f"{number}"))
            assert changed.status_code == 200
        async with asyncio.timeout(scaled(60)):
            seen = await asyncio.gather(*reading)
    assert seen == [list(range(1, EVENTS + 1))] * MAX_API_STREAMS
    print(
        f"health/live: {len(seconds)} answers, median {sorted(seconds)[len(seconds) // 2]:.3f}, max {max(seconds):.3f}"
    )
    assert max(seconds) < scaled(MAX_ANSWER_SECONDS)
