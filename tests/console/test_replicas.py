"""A console behind a load balancer, whose replica of the API goes away."""

import copy
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import Browser, expect

from console.visit import Visitor
from e2e.conftest import Nightmail
from support.deadlines import scaled, wait_until
from support.plain_http import NO_AUTHORITIES
from support.ports import free_port
from support.service_starter import ServiceProcess, start_service
from support.switch import Switch

NewJob = Callable[..., str]


@pytest.fixture
def second_api(second_process: tuple[int, ServiceProcess]) -> int:
    """The port of a second replica of the API of the system."""
    return second_process[0]


@pytest.fixture
def second_process(system: Nightmail, tmp_path: Path) -> Iterator[tuple[int, ServiceProcess]]:
    """The port and the process of a second replica of the API of the system, with a read model of its own."""
    port = free_port()
    given = {
        "NATS_URL": f"nats://127.0.0.1:{system.nats_port}",
        "NATS_SEEDS": str(system.data_dir / "nats-seeds"),
        "SECRET_KEY": (system.data_dir / "secret-key").read_text(),
        "ADMIN_TOKEN": system.token,
        "DATA_DIR": str(tmp_path),
        "PORT": str(port),
    }
    environment = os.environ | {f"NIGHTMAIL_{name}": value for name, value in given.items()}
    api = start_service("nightmail_api", environment, tmp_path)

    def is_ready() -> bool:
        assert api.poll() is None
        try:
            url = f"http://127.0.0.1:{port}/health/ready"
            return httpx.get(url, timeout=scaled(10), verify=NO_AUTHORITIES).status_code == 200
        except httpx.TransportError:
            return False

    try:
        wait_until(is_ready, "the second API is ready")
        yield port, api
    finally:
        api.terminate()
        status = api.wait(scaled(20))
    assert status == 0


def test_a_page_says_when_the_api_has_stopped_answering_on_an_open_connection(
    browser: Browser, system: Nightmail, second_process: tuple[int, ServiceProcess]
) -> None:
    port, api = second_process
    alone = copy.copy(system)
    alone.url = f"http://127.0.0.1:{port}"
    with Visitor(alone).visit(browser, "jobs") as ann:
        page = ann.page
        page.clock.install()
        ann.go("jobs")
        expect(page.get_by_text("live", exact=True)).to_be_visible()
        api.send_signal(signal.SIGSTOP)
        try:
            page.clock.run_for(26_000)
            expect(page.locator(".live")).to_contain_text("Not live since")
        finally:
            api.send_signal(signal.SIGCONT)
        page.clock.resume()
        expect(page.get_by_text("live", exact=True)).to_be_visible()


def test_a_page_goes_on_with_another_replica_of_the_api_and_misses_nothing(
    browser: Browser, system: Nightmail, second_api: int, job: NewJob
) -> None:
    name = job()
    system.run_when(system.run(name), "delivered")
    balancer = Switch(system.port)
    balanced = copy.copy(system)
    balanced.url = f"http://127.0.0.1:{balancer.port}"
    with Visitor(balanced).visit(browser, f"runs?job={quote(name)}") as ann:
        ann.expect_complaints("net::ERR_")
        page = ann.page
        rows = page.locator("tbody tr")
        expect(rows).to_have_count(1)
        expect(page.get_by_text("live", exact=True)).to_be_visible()
        balancer.to(free_port())
        expect(page.get_by_text("live", exact=True)).to_have_count(0)
        meanwhile = system.run(name)
        system.run_when(meanwhile, "delivered")
        balancer.to(second_api)
        expect(page.get_by_text("live", exact=True)).to_be_visible()
        page.get_by_role("button", name="1 new run").click()
        expect(rows).to_have_count(2)
        # The session stands there, too, and so does the stream.
        page.get_by_role("link", name="Jobs").first.click()
        page.get_by_role("link", name=name).click()
        page.get_by_role("button", name="Run now").click()
        expect(page.locator(".toast")).to_contain_text("Delivered, 2 rows.")
        expect(page.get_by_role("tabpanel").locator("tbody tr")).to_have_count(3)
    balancer.shutdown()
