"""An outage of the broker while the API runs."""

import asyncio
import time
from typing import Any

import httpx
import pytest

from api.conftest import Replica
from api.test_event_stream import Subscriber, subscribe
from api.test_runs_over_rest import inline, requested, result_ready, run_with_status
from nightmail_common.broker.log import EventLog
from support.deadlines import eventually, scaled
from support.job_requests import job_request
from support.nats_server import NatsServer

#: The longest wait of a caller during an outage: the timeout of the event log, and a margin.
LONGEST_ANSWER_SECONDS = scaled(8.0)


async def test_during_an_outage_every_call_of_the_log_is_answered_503_and_succeeds_afterwards(
    api: Replica, event_log: EventLog, nats_server: NatsServer
) -> None:
    run_id, job = await requested(api, event_log)
    await event_log.publish(result_ready(run_id, job, inline(b"a\n1\n")))
    await run_with_status(api, run_id, "processed")
    calls = (
        ("POST", "/jobs", job_request(job_name="new")),
        ("PUT", "/jobs/daily sales", job_request(description="changed")),
        ("DELETE", "/jobs/daily sales", None),
        ("DELETE", "/jobs/daily sales?erase=true", None),
        ("POST", "/jobs/daily sales/pause", None),
        ("POST", "/jobs/daily sales/run", None),
        ("POST", f"/runs/{run_id}/resend", None),
        ("POST", "/tokens", {"name": "new", "role": "viewer"}),
        ("POST", "/jobs/preview", job_request()),
        ("GET", f"/runs/{run_id}/result", None),
        ("GET", "/events", None),
    )
    async with subscribe(api, after=0) as stream_answer:
        stream = Subscriber(stream_answer.aiter_lines())
        assert [(await stream.next())["seq"] for _ in range(3)] == [1, 2, 3]
        nats_server.kill()
        try:
            began = time.monotonic()
            answers = await asyncio.gather(*(api.http.request(method, path, json=body) for method, path, body in calls))
            assert time.monotonic() - began < LONGEST_ANSWER_SECONDS
            assert (await api.http.get("/jobs/daily sales")).status_code == 200, "what is read from the rows goes on"
        finally:
            nats_server.start()
        for (method, path, _), answer in zip(calls, answers, strict=True):
            assert (answer.status_code, answer.headers.get("retry-after")) == (503, "1"), f"{method} {path}"
            assert answer.headers["content-type"] == "application/problem+json"
        # A change that was answered 503 may still be stored now, as its response said.
        after = job_request(job_name="after")
        created = await eventually(lambda: _accepted(api, after), "a job is created again")
        assert created.json()["job_name"] == "after"
        assert (await api.http.put("/jobs/after", json=after | {"description": "new"})).status_code == 200
        assert (await api.http.post("/jobs/after/run")).status_code == 202
        assert (await api.http.delete("/jobs/after")).status_code == 204
        last = await event_log.last_sequence()
        assert [(await stream.next())["seq"] for _ in range(4, last + 1)] == list(range(4, last + 1))


async def _accepted(api: Replica, job: dict[str, Any]) -> httpx.Response | None:
    answer = await api.http.post("/jobs", json=job)
    assert answer.status_code in {201, 503}
    return answer if answer.status_code == 201 else None


async def test_a_connection_that_breaks_during_a_write_is_answered_503(
    api: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def break_off(*_: Any, **__: Any) -> None:
        raise ConnectionResetError

    monkeypatch.setattr(EventLog, "publish", break_off)
    answer = await api.http.post("/jobs", json=job_request())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
