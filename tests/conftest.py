"""Real servers for tests: one nats-server per session, on a free port, as `nightmail up` runs it."""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, Phase, settings
from nats.aio.client import Client
from nats.js.errors import ServerError

from nightmail_common.broker import streams
from nightmail_common.broker.log import EventLog
from nightmail_common.broker.patches import PatchedClient
from nightmail_common.contract.job import Job
from nightmail_common.contract.job_definition import JobDefinition
from support.deadlines import eventually, scaled
from support.job_requests import job_request
from support.nats_server import NatsServer
from support.postgres_server import PostgresServer, program

#: The slowest test takes about a minute on the reference machine (tests/support/deadlines.py).
TEST_SECONDS = 150.0


# A failing example is shown as it was found: to shrink a slow one took 20 minutes of a run of the suite.
# The examples of a test are the same in every run, so that a change is what makes one fail. `--hypothesis-profile default` tries
# others and finds the smallest one that fails. How long an example takes depends on what else the machine does.
settings.register_profile(
    "suite",
    derandomize=True,
    phases=[Phase.explicit, Phase.generate, Phase.target],
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("suite")

# structlog draws tracebacks with rich unless a service has set up logging: 40 ms of processor time for each.
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S"),
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Let pytest-timeout fail a hung test with its stack; the run goes on. `--timeout` sets another limit, which scales, too."""
    limit = TEST_SECONDS if config.option.timeout is None else config.option.timeout
    config.option.timeout = scaled(limit)


#: Files that take longest begin first, so that no worker of pytest-xdist ends long after the others. `--durations` has the
#: times; a file that is not here follows in its place.
LONGEST_FILES = (
    "deploy/test_virtual_machine.py",  # this and the next four: in `make test-deploy` only
    "deploy/test_systemd.py",
    "deploy/test_containers.py",
    "deploy/test_production_install.py",
    "deploy/test_prometheus.py",
    "api/test_schemathesis.py",
    "e2e/test_job_files.py",
    "e2e/test_command.py",
    "e2e/test_up.py",
    "console/test_pages.py",
    "console/test_looks.py",
    "runner/test_delivery.py",
    "runner/test_sql_source.py",
    "mailer/test_delivery.py",
    "e2e/test_split.py",
    "e2e/test_path.py",
    "e2e/test_traces.py",
    "console/test_journeys.py",
    "cluster/test_cluster.py",
    "faults/test_promises.py",
    "mailer/test_refusals.py",
    "ticker/test_faults.py",
    "ticker/test_lease.py",
    "runner/test_slices.py",
    "api/test_killed_processes.py",
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of the longest files first; all others keep their order."""
    ranks = {Path(__file__).parent / name: rank for rank, name in enumerate(LONGEST_FILES)}
    items.sort(key=lambda item: ranks.get(item.path, len(ranks)))


@pytest.hookimpl
def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a binary value by its argument: gzip and zip carry the time, and pytest-xdist needs the same names in all workers."""
    return argname if isinstance(val, bytes) and not val.decode("latin-1").replace("\n", " ").isprintable() else None


@pytest.fixture(autouse=True)
def logging_of_the_suite() -> Iterator[None]:
    """Set logging back after each test: a command that runs in this process lets no line through, for all tests after it."""
    config = structlog.get_config()
    yield
    structlog.configure(**config)


@pytest.fixture(scope="session")
def nats_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """The session's nats-server; a test that stops it must start it again."""
    folder = tmp_path_factory.mktemp("nats")
    server = NatsServer(folder)
    server.start()
    yield server
    server.kill()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The session's PostgreSQL; a test that stops it must start it again. Skips where there is none."""
    if program("initdb") is None:
        pytest.skip("PostgreSQL is not installed")
    # Not below pytest's own folder: that one is for its user alone, and a socket's path is short.
    with tempfile.TemporaryDirectory(prefix="nightmail-") as folder:
        server = PostgresServer(Path(folder))
        server.make()
        server.start()
        yield server
        server.kill()


@pytest.fixture
async def nats_client(nats_server: NatsServer) -> AsyncIterator[Client]:
    """A connection to a broker with no stream and no bucket in it."""
    client = PatchedClient()
    options: dict[str, Any] = {"max_reconnect_attempts": -1, "reconnect_time_wait": 0.05}
    await client.connect(nats_server.url, **options)
    js = client.jetstream()
    for stream in await js.streams_info():
        assert stream.config.name is not None
        await js.delete_stream(stream.config.name)
    yield client
    await client.close()


@pytest.fixture
async def event_log(nats_client: Client) -> EventLog:
    """An empty event log."""

    async def ensure_streams() -> bool:
        # Under load nats-server still removes the folder of the deleted stream: error 10049.
        with suppress(ServerError):
            await streams.ensure_streams(nats_client.jetstream(), result_retention=timedelta(days=1))
            return True
        return False

    await eventually(ensure_streams, "the streams exist")
    return EventLog(nats_client, "test", run_retention=timedelta(days=1))


@pytest.fixture
def make_job() -> Callable[..., Job]:
    """Make a valid job; what a test cares about, it names. Its runs may overlap: most tests end none."""

    def make(**fields: Any) -> Job:
        definition = JobDefinition.model_validate(job_request(**{"overlap": "allow"} | fields))
        return definition.new_job(datetime.now(UTC))

    return make


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A developer's own environment and `.env` must not reach the tests."""
    for name in [name for name in os.environ if name.startswith("NIGHTMAIL_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
