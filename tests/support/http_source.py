"""An HTTP server for the tests of fetching, and a fetcher that may reach it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from nightmail_common.broker.file_store import FileStore
from nightmail_common.contract.job import DataSource
from nightmail_runner.sources.addresses import AddressCheckingTransport, AddressPolicy
from nightmail_runner.sources.fetch import Fetcher
from nightmail_runner.sources.source_secrets import Secret, SecretStore
from nightmail_runner.sources.stored_files import StoredFiles
from nightmail_runner.sql.connections import Connections
from nightmail_runner.sql.fetcher import SqlFetcher, TableLimits
from nightmail_runner.template_times import SourceTimes

#: 00:30 in Paris, where it is the day after.
DUE = datetime(2026, 12, 30, 23, 30, tzinfo=UTC).astimezone(ZoneInfo("Europe/Paris"))
TIMES = SourceTimes({"scheduled_at": DUE, "last_success_at": DUE - timedelta(days=1)})

Answer = tuple[int, dict[str, str], bytes]


class Source:
    """An HTTP server that answers each path with the next of its answers, and records the requests."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Answer]] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        #: Paths whose answer depends on the query.
        self.pages: dict[str, Callable[[dict[str, str]], Answer]] = {}
        #: Paths whose body comes byte by byte, each after so many seconds.
        self.pauses: dict[str, list[float]] = {}
        #: Paths whose answer waits until so many requests are there.
        self.together: dict[str, asyncio.Barrier] = {}
        self.queries: list[str] = []
        self.methods: list[str] = []
        self.bodies: list[bytes] = []
        self.port = 0

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    async def __call__(self, scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        path = scope["path"]
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        self.bodies.append(body)
        self.methods.append(scope["method"])
        self.queries.append(scope["query_string"].decode())
        self.requests.append((path, {name.decode(): value.decode() for name, value in scope["headers"]}))
        if path in self.together:
            await self.together[path].wait()
        if path in self.pauses:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            for seconds in self.pauses[path]:
                await asyncio.sleep(seconds)
                await send({"type": "http.response.body", "body": b".", "more_body": True})
            await send({"type": "http.response.body", "body": b""})
            return
        if path in self.pages:
            status, headers, body = self.pages[path](dict(parse_qsl(scope["query_string"].decode())))
        else:
            answers = self.answers[path]
            status, headers, body = answers.pop(0) if len(answers) > 1 else answers[0]
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": body})


class NoUploads(FileStore):
    """The bucket of files where nothing was uploaded, for tests without a broker."""

    def __init__(self) -> None:
        pass

    async def find(self, _path: str) -> None:
        return None


@asynccontextmanager
async def open_fetcher(
    files: Path = Path(),
    *,
    allow: tuple[str, ...] = ("127.0.0.0/8",),
    limit: int = 1_000_000,
    connections: dict[str, str] | None = None,
    rows: int = 100_000,
    columns: int = 100,
    uploads: FileStore | None = None,
    **secrets: Any,
) -> AsyncIterator[Fetcher]:
    store = SecretStore({name: Secret(value, frozenset({"127.0.0.1"})) for name, value in secrets.items()})
    sql = SqlFetcher(Connections(connections or {}), TableLimits(rows, columns), 5.0)
    async with AddressCheckingTransport(AddressPolicy(allow)) as transport:
        yield Fetcher(transport, StoredFiles(uploads or NoUploads(), files), limit, 5.0, store, sql)


async def fetch(source: DataSource, files: Path = Path(), **options: Any) -> bytes:
    async with open_fetcher(files, **options) as fetcher:
        data = await fetcher.fetch(source, TIMES)
        with data.file:
            return data.file.read()
