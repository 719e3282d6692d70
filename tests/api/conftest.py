"""Replicas of the API on a real broker, and a client to talk to them."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from nats.aio.client import Client
from sqlalchemy import select

from nightmail_api.bootstrap import database
from nightmail_api.main import SERVICE_OPTIONS, serve
from nightmail_api.read_model.schema import TABLES, checkpoint
from nightmail_api.settings import ApiSettings
from nightmail_common.broker.log import EventLog
from nightmail_common.service.service import Service
from support.deadlines import eventually, scaled, wait_until
from support.job_requests import job_request
from support.nats_server import NatsServer
from support.plain_http import NO_AUTHORITIES
from support.ports import free_port
from support.postgres_server import PostgresServer
from support.service_starter import start_service

TOKEN = "an-admin-token-of-the-tests"


#: A test with this mark runs twice: on a file for each replica, and on a PostgreSQL that they share.
ON_BOTH_DATABASES = pytest.mark.parametrize("new_database", ["sqlite", "postgresql"], indirect=True)

NewDatabase = Callable[[], str | None]


class Api:
    """A running API: how to call it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.http = self.client(TOKEN)

    def client(self, token: str | None) -> httpx.AsyncClient:
        """Return a client that sends this token, or none."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        url = f"http://127.0.0.1:{self.port}"
        return httpx.AsyncClient(base_url=url, headers=headers, timeout=scaled(20), verify=NO_AUTHORITIES)

    async def create(self, **fields: Any) -> dict[str, Any]:
        answer = await self.http.post("/jobs/create", json=job_request(**fields))
        assert answer.status_code == 201, answer.text
        created: dict[str, Any] = answer.json()
        return created


class Replica(Api):
    """One API process' worth: its own data folder, read model and port, in the test's event loop."""

    def __init__(self, nats_url: str, folder: Path, **settings: Any) -> None:
        super().__init__(free_port())
        self.settings = ApiSettings(data_dir=folder, nats_url=nats_url, port=self.port, admin_token=TOKEN, **settings)
        self._service: Service | None = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def projection_path(self) -> Path:
        return self.settings.data_dir / "api" / "projection.sqlite"

    async def start(self, *, ready: bool = True) -> None:
        self._service = Service(self.settings, "api", **SERVICE_OPTIONS)
        self._serving = asyncio.create_task(self._serve(self._service))
        await eventually(self._is_ready if ready else self._is_live, "the API answers")

    async def stop(self) -> None:
        if self._serving is not None and self._service is not None:
            self._service.stop("the test ends")
            await self._serving
            self._serving = None

    async def _serve(self, service: Service) -> None:
        async with service:
            await serve(self.settings, service)

    async def ended(self) -> None:
        """Wait until the replica ends by itself, and raise what it ended with."""
        assert self._serving is not None
        async with asyncio.timeout(scaled(20)):
            await self._serving

    async def _is_ready(self) -> bool:
        return await self._status("/health/ready") == 200

    async def _is_live(self) -> bool:
        return await self._status("/health/live") == 200

    async def _status(self, path: str) -> int | None:
        assert self._serving is not None
        assert not self._serving.done(), self._serving.result()
        with suppress(httpx.TransportError):
            return (await self.http.get(path)).status_code
        return None


def job_path(job_name: str, *more: str) -> str:
    return "/".join(("/jobs", quote(job_name, safe=""), *more))


def all_rows(settings: ApiSettings) -> dict[str, list[Any]]:
    """Return every row of every table of a read model."""
    with closing(database(settings)) as opened, opened.read_engine.connect() as connection:
        return {
            table.name: sorted((dict(row) for row in connection.execute(select(table)).mappings()), key=repr)
            for table in (checkpoint, *TABLES)
        }


async def keys_of(client: Client, bucket: str) -> list[str]:
    """Return a bucket's keys: all of them, which nats-py's own way now and then does not."""
    prefix = f"$KV.{bucket}."
    info = await client.jetstream().stream_info(f"KV_{bucket}", subjects_filter=f"{prefix}>")
    return [subject.removeprefix(prefix) for subject in info.state.subjects or {}]


@pytest.fixture
def new_database(request: pytest.FixtureRequest) -> NewDatabase:
    """Return what makes an empty PostgreSQL and returns its URL; None means a file for each replica."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return lambda: None
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_database


MakeReplica = Callable[..., Awaitable[Replica]]


@pytest.fixture
async def make_replica(
    nats_server: NatsServer, event_log: EventLog, tmp_path: Path, new_database: NewDatabase
) -> AsyncIterator[MakeReplica]:
    """Start replicas of the API on an empty log; all are stopped at the end."""
    made: list[Replica] = []
    url = new_database()

    async def make(*, start: bool = True, **settings: Any) -> Replica:
        replica = Replica(nats_server.url, tmp_path / f"replica-{len(made)}", **{"database_url": url} | settings)
        made.append(replica)
        if start:
            await replica.start()
        return replica

    yield make
    for replica in made:
        await replica.http.aclose()
        await replica.stop()


@pytest.fixture
async def api(make_replica: MakeReplica) -> Replica:
    """One replica that is ready, on an empty log."""
    return await make_replica()


@pytest.fixture(scope="session")
def api_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of an API process with a broker of its own, which tests share."""
    folder, port = tmp_path_factory.mktemp("api"), free_port()
    broker = NatsServer(folder)
    broker.start()
    given = {
        "DATA_DIR": str(folder / "data"),
        "NATS_URL": broker.url,
        "PORT": str(port),
        "ADMIN_TOKEN": TOKEN,
        "SECRET_KEY": "k" * 32,
        "LOG_LEVEL": "warning",
    }
    environment = {name: text for name, text in os.environ.items() if not name.startswith("NIGHTMAIL_")}
    environment |= {f"NIGHTMAIL_{name}": text for name, text in given.items()}
    process = start_service("nightmail_api", environment, folder)

    def is_ready() -> bool:
        assert process.poll() is None
        with suppress(httpx.TransportError):
            url = f"http://127.0.0.1:{port}/health/ready"
            return httpx.get(url, timeout=scaled(20), verify=NO_AUTHORITIES).status_code == 200
        return False

    wait_until(is_ready, "the API process is ready")
    yield port
    process.terminate()
    assert process.wait(scaled(20)) == 0
    broker.kill()


@pytest.fixture
async def shared_api(api_process: int) -> AsyncIterator[Api]:
    """A ready API without jobs and tokens, for tests of single requests that need no certain log.

    It counts the wrong tokens of all its tests.
    """
    api = Api(api_process)
    yield api
    for token in (await api.http.get("/tokens")).json()["items"]:
        assert (await api.http.delete(f"/tokens/{token['name']}")).status_code == 204
    while names := [job["job_name"] for job in (await api.http.get("/jobs")).json()["items"]]:
        for name in names:
            assert (await api.http.delete(job_path(name), params={"erase": "true"})).status_code == 204
    await api.http.aclose()
