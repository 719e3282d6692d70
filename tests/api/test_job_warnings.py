"""Warnings at creation: a runner tries the source meanwhile, and nothing is refused for it."""

import asyncio
import json
import time
from typing import Any

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from api.conftest import Replica
from nightmail_api.commands import source_check
from support.deadlines import scaled
from support.job_requests import job_request


async def answer_with(client: Client, answer: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Answer as a runner does, or never; return the requests so far."""
    requests: list[dict[str, Any]] = []

    async def respond(message: Msg) -> None:
        requests.append(json.loads(message.data))
        if answer is not None:
            await message.respond(json.dumps(answer).encode())

    await client.subscribe("preview.source", cb=respond)
    await client.flush()
    return requests


async def warnings_of(answer: Any) -> list[tuple[str, str]]:
    assert answer.is_success, answer.text
    return [(warning["field"], warning["detail"]) for warning in answer.json()["warnings"]]


async def test_what_a_runner_finds_is_a_warning_of_a_job_that_is_created(api: Replica, nats_client: Client) -> None:
    requests = await answer_with(nats_client, {"problem": "'sales.csv': No such file or directory"})
    expected = [("data_source", "'sales.csv': No such file or directory")]
    created = await api.http.post("/jobs", json=job_request())
    assert (created.status_code, await warnings_of(created)) == (201, expected)
    changed = await api.http.put("/jobs/daily%20sales", json=job_request(schedule_time="10:00"))
    assert await warnings_of(changed) == expected
    assert [request["data_source"]["location"] for request in requests] == ["sales.csv"] * 2
    assert {request["timezone"] for request in requests} == {"Europe/Paris"}


async def test_each_source_is_tried_and_its_warning_names_it(api: Replica, nats_client: Client) -> None:
    requests = await answer_with(nats_client, {"problem": "no data"})
    more = {name: job_request()["data_source"] | {"location": f"{name}.csv"} for name in ("a", "b")}
    created = await api.http.post("/jobs", json=job_request(more_sources=more))
    fields = ["data_source", "more_sources.a", "more_sources.b"]
    assert await warnings_of(created) == [(field, "no data") for field in fields]
    assert sorted(request["data_source"]["location"] for request in requests) == ["a.csv", "b.csv", "sales.csv"]


async def test_a_time_above_the_runners_limit_is_a_warning(api: Replica, nats_client: Client) -> None:
    await answer_with(nats_client, {"problem": None, "script_timeout": 2})
    created = await api.http.post("/jobs", json=job_request(timeout_seconds=60))
    expected = "the runner ends a script after 2 s (NIGHTMAIL_SCRIPT_TIMEOUT), not after 60 s"
    assert (created.status_code, await warnings_of(created)) == (201, [("timeout_seconds", expected)])
    changed = await api.http.put("/jobs/daily%20sales", json=job_request(timeout_seconds=2))
    assert await warnings_of(changed) == []


async def test_a_source_with_data_gives_no_warning(api: Replica, nats_client: Client) -> None:
    await answer_with(nats_client, {"problem": None})
    assert await warnings_of(await api.http.post("/jobs", json=job_request())) == []


async def test_a_source_that_nobody_tried_is_a_warning(
    api: Replica, nats_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    [(field, detail)] = await warnings_of(await api.http.post("/jobs", json=job_request()))
    assert (field, detail) == ("data_source", "the source was not tried: no runner is available")
    monkeypatch.setattr(source_check, "MAX_SOURCE_CHECK_WAIT_SECONDS", 0.2)
    await answer_with(nats_client, None)
    started = time.monotonic()
    [(_, detail)] = await warnings_of(await api.http.post("/jobs", json=job_request(job_name="other")))
    assert "no runner answered within 0.2 s" in detail
    assert time.monotonic() - started < scaled(2)


async def test_a_refused_job_does_not_wait_for_its_source(api: Replica, nats_client: Client) -> None:
    await api.http.post("/jobs", json=job_request())
    await answer_with(nats_client, None)
    async with asyncio.timeout(scaled(1.5)):
        assert (await api.http.post("/jobs", json=job_request())).status_code == 409


async def test_a_recipient_without_a_dot_in_its_domain_is_a_warning_of_the_job(
    api: Replica, nats_client: Client
) -> None:
    await answer_with(nats_client, {"problem": None})
    far = "at 2099-01-01 09:00"
    recipients = {"consumer_emails": ["a@example.com", "ops@mail"], "cc": ["b@localhost"]}
    created = await api.http.post("/jobs", json=job_request(schedule_time=far, **recipients))
    found = await warnings_of(created)
    assert [field for field, _ in found] == ["schedule_time", "consumer_emails", "cc"]
    assert "'ops@mail' has no dot" in found[1][1]
    assert await warnings_of(await api.http.get("/jobs/daily%20sales")) == found
