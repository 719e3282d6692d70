"""The tests of the web console: Debian's Chromium against a real `nightmail up`, and Node for its source."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from console.node import Npm
from console.visit import Visit, Visitor
from e2e.conftest import DataServer, Nightmail
from support.deadlines import scaled

SALES = b"region,customer,amount\nnorth,Acme,1200\nsouth,Bolt,950\nnorth,Core,80\n"

NewVisit = Callable[..., Visit]


@pytest.fixture(scope="session")
def npm() -> Npm:
    return Npm()


# Playwright's blocking API runs an event loop until it is stopped, in which the asynchronous tests of other files fail.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, without a window; skips where it is not installed."""
    executable = shutil.which("chromium")
    if executable is None:
        pytest.skip("Chromium is not installed")
    expect.set_options(timeout=scaled(10) * 1000)
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nightmail]:
    """A running system for the session, without jobs at first; tests must not stop it."""
    running = Nightmail(tmp_path_factory.mktemp("console"))
    running.start()
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="session")
def sales() -> Iterator[str]:
    """The address of some data."""
    source = DataServer()
    yield source.serve("/sales.csv", SALES)
    source.close()


@contextmanager
def created_jobs(system: Nightmail, sales: str, prefix: str) -> Iterator[Callable[..., str]]:
    """Yield a function that creates a job and returns its name; at the end its jobs are erased."""
    names: list[str] = []

    def create(script: str = "return data.groupby('region', as_index=False).amount.sum()", **fields: object) -> str:
        name = str(fields.pop("job_name", f"{prefix} {len(names)}"))[:128]
        location = {"source_type": "api", "location": sales, "file_type": "csv"}
        # `create` gives it a schedule that is not due in the next months: every run is one that a test asks for.
        system.create(**({"job_name": name, "data_source": location, "processing_script": script} | fields))
        names.append(name)
        return name

    yield create
    for name in names:
        system.call("DELETE", f"/jobs/{name}", params={"erase": "true"})


@pytest.fixture
def job(system: Nightmail, sales: str, request: pytest.FixtureRequest) -> Iterator[Callable[..., str]]:
    """Create jobs that are deleted after the test; returns the name."""
    with created_jobs(system, sales, request.node.name) as create:
        yield create


@pytest.fixture
def visit(browser: Browser, system: Nightmail, job: Callable[..., str]) -> Iterator[NewVisit]:
    """Open the console for a person with a role. At the end no page may have complained, or asked another origin.

    `job` is among the fixtures so that its jobs outlive the pages: a page of a job that is deleted asks for it and gets a 404.
    """
    visitor = Visitor(system)
    with ExitStack() as visits:

        def open_console(path: str = "", **options: str | int) -> Visit:
            return visits.enter_context(visitor.visit(browser, path, **options))  # type: ignore[arg-type]

        yield open_console


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each test of a page the time of a browser that starts on a busy machine."""
    folder = Path(__file__).parent
    for item in items:
        if folder in item.path.parents and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(scaled(90)))
