"""Liveness, readiness with its reasons, and metrics over HTTP."""

from collections.abc import AsyncIterator

import httpx
import pytest

from nightmail_common.broker.log import EventLog
from nightmail_common.broker.metrics import EVENTS_PUBLISHED
from nightmail_common.service.health import Health
from nightmail_common.service.http_server import serve_http
from support.deadlines import scaled
from support.plain_http import NO_AUTHORITIES


@pytest.fixture
def health() -> Health:
    return Health()


@pytest.fixture
async def http(health: Health) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        serve_http(health, "127.0.0.1", 0) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=scaled(20), verify=NO_AUTHORITIES) as client,
    ):
        yield client


async def test_a_service_is_live_before_it_is_ready(http: httpx.AsyncClient) -> None:
    live, ready = await http.get("/health/live"), await http.get("/health/ready")
    assert (live.status_code, live.json()) == (200, {"status": "live"})
    assert (ready.status_code, ready.json()) == (503, {"status": "not ready", "dependencies": {}})


async def test_a_service_is_ready_once_every_dependency_is(http: httpx.AsyncClient, health: Health) -> None:
    reasons = {"smtp": "connection refused", "jobs": "being read"}
    for dependency in ("smtp", "jobs"):
        health.add(dependency, lambda dependency=dependency: reasons.get(dependency))  # type: ignore[misc]
    answer = await http.get("/health/ready")
    assert (answer.status_code, answer.json()) == (503, {"status": "not ready", "dependencies": reasons})
    del reasons["jobs"]
    answer = await http.get("/health/ready")
    dependencies = {"smtp": "connection refused", "jobs": "ok"}
    assert (answer.status_code, answer.json()["dependencies"]) == (503, dependencies)
    del reasons["smtp"]
    answer = await http.get("/health/ready")
    dependencies = {"smtp": "ok", "jobs": "ok"}
    assert (answer.status_code, answer.json()) == (200, {"status": "ready", "dependencies": dependencies})


async def test_metrics_are_in_prometheus_format_and_count_stored_events(
    http: httpx.AsyncClient, event_log: EventLog
) -> None:
    answer = await http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert f"nightmail_events_published_total {EVENTS_PUBLISHED._value.get()}\n" in answer.text
    assert "_created" not in answer.text


@pytest.mark.parametrize("path", ["/", "/health", "/health/ready/", "/health/liveness", "/admin"])
async def test_another_path_is_not_found(http: httpx.AsyncClient, path: str) -> None:
    assert (await http.get(path)).status_code == 404
