"""Fetching: what comes, what is tried again, and what is refused."""

import gzip
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import pytest

from nightmail_common.contract.job import DataSource
from nightmail_common.service.http_server import serve_http
from nightmail_runner.sources.addresses import Allowed, CheckingTransport, is_public
from nightmail_runner.sources.download import CannotFetch
from nightmail_runner.sources.fetch import Fetcher
from nightmail_runner.sources.source_secrets import source_secrets

Answer = tuple[int, dict[str, str], bytes]


class Source:
    """An HTTP server that answers each path with the next of its answers, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Answer]] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.port = 0

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    async def __call__(self, scope: dict[str, Any], _receive: Any, send: Callable[..., Any]) -> None:
        path = scope["path"]
        self.asked.append((path, {name.decode(): value.decode() for name, value in scope["headers"]}))
        answers = self.answers[path]
        status, headers, body = answers.pop(0) if len(answers) > 1 else answers[0]
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": body})


@pytest.fixture
async def source() -> AsyncIterator[Source]:
    source = Source()
    async with serve_http(source, "127.0.0.1", 0) as port:
        source.port = port
        yield source


@asynccontextmanager
async def fetcher(
    files: Path = Path(), *, allow: tuple[str, ...] = ("127.0.0.0/8",), limit: int = 1_000_000, **secrets: str
) -> AsyncIterator[Fetcher]:
    async with httpx.AsyncClient(transport=CheckingTransport(Allowed(allow))) as client:
        yield Fetcher(client, files, limit, 5.0, secrets)


def api(url: str, **headers: str) -> DataSource:
    return DataSource(source_type="api", location=url, file_type="csv", headers=headers or None)


async def fetched(source: DataSource, files: Path = Path(), **options: Any) -> bytes:
    async with fetcher(files, **options) as fetching:
        data = await fetching.fetch(source)
        with data.file:
            return data.file.read()


async def test_the_bytes_come_as_they_are(source: Source) -> None:
    source.answers["/a.csv"] = [(200, {}, b"a,b\n1,2\n")]
    assert await fetched(api(source.url("/a.csv"))) == b"a,b\n1,2\n"


@pytest.mark.parametrize("status", [500, 503, 429])
async def test_a_source_that_is_busy_is_asked_again(source: Source, status: int) -> None:
    source.answers["/a"] = [(status, {"retry-after": "0"}, b""), (200, {}, b"x")]
    assert await fetched(api(source.url("/a"))) == b"x"
    assert len(source.asked) == 2


async def test_three_attempts_are_enough(source: Source) -> None:
    source.answers["/a"] = [(502, {}, b"")]
    with pytest.raises(CannotFetch, match="502"):
        await fetched(api(source.url("/a")))
    assert len(source.asked) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
async def test_an_answer_that_stays_is_not_asked_again(source: Source, status: int) -> None:
    source.answers["/a"] = [(status, {}, b"")]
    with pytest.raises(CannotFetch, match=str(status)):
        await fetched(api(source.url("/a")))
    assert len(source.asked) == 1


async def test_a_source_that_wants_to_be_left_alone_for_long_is(source: Source) -> None:
    source.answers["/a"] = [(429, {"retry-after": "3600"}, b"")]
    with pytest.raises(CannotFetch, match="3600 s"):
        await fetched(api(source.url("/a")))
    assert len(source.asked) == 1


async def test_a_gzip_bomb_stops_at_the_limit(source: Source) -> None:
    bomb = gzip.compress(bytes(200_000_000), 9)
    source.answers["/a"] = [(200, {"content-encoding": "gzip"}, bomb)]
    with pytest.raises(CannotFetch, match="larger than the 1000000 bytes"):
        await fetched(api(source.url("/a")))


async def test_gzip_is_made_plain(source: Source) -> None:
    body = gzip.compress(b"a,b\n") + gzip.compress(b"1,2\n")
    source.answers["/a"] = [(200, {"content-encoding": "gzip"}, body)]
    assert await fetched(api(source.url("/a"))) == b"a,b\n1,2\n"


async def test_a_local_address_is_refused_and_named(source: Source) -> None:
    with pytest.raises(CannotFetch, match="FETCH_ALLOW"):
        await fetched(api(source.url("/a")), allow=())
    with pytest.raises(CannotFetch, match="FETCH_ALLOW"):
        await fetched(api(source.url("/a", "localhost")), allow=())
    assert not source.asked


async def test_a_redirect_to_a_local_address_is_refused(source: Source) -> None:
    source.answers["/a"] = [(302, {"location": "http://169.254.169.254/latest/meta-data/"}, b"")]
    with pytest.raises(CannotFetch, match=r"169\.254\.169\.254"):
        await fetched(api(source.url("/a")))


async def test_a_name_is_resolved_once_and_the_checked_address_is_connected_to(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = ["127.0.0.1", "10.0.0.1"]  # the second one would be a rebinding
    resolve = socket.getaddrinfo

    def rebinding(host: Any, port: Any, *arguments: Any, **options: Any) -> Any:
        return resolve(answers.pop(0) if host == "rebinding.example" else host, port, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    source.answers["/a"] = [(200, {}, b"x")]
    assert await fetched(api(source.url("/a", "rebinding.example"))) == b"x"
    assert answers == ["10.0.0.1"]


async def test_headers_get_their_secrets_and_do_not_follow_to_another_origin(source: Source) -> None:
    source.answers["/a"] = [(302, {"location": source.url("/b", "localhost")}, b"")]
    source.answers["/b"] = [(200, {}, b"x")]
    one = api(source.url("/a"), **{"X-Key": "Bearer {{ secrets.KEY }}"})
    assert await fetched(one, allow=("127.0.0.0/8", "localhost"), KEY="s3cret") == b"x"
    assert source.asked[0][1]["x-key"] == "Bearer s3cret"
    assert "x-key" not in source.asked[1][1]


async def test_no_secret_is_in_an_error(source: Source) -> None:
    source.answers["/a"] = [(403, {}, b"")]
    for secret in ("bad\nsecret", "se\\cret "):
        with pytest.raises(CannotFetch, match="the header 'Key' would have characters") as refused:
            await fetched(api(source.url("/a"), Key="{{ secrets.KEY }}"), KEY=secret)
        assert "cret" not in str(refused.value)
    with pytest.raises(CannotFetch, match="MISSING"):
        await fetched(api(source.url("/a"), Key="{{ secrets.MISSING }}"))


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),  # noqa: S104
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1", False),
        ("fd00:ec2::254", False),
        ("::ffff:127.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
    ],
)
def test_only_public_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(ip_address(address)) is public


def stored(location: str) -> DataSource:
    return DataSource(source_type="file", location=location, file_type="csv")


@pytest.mark.parametrize(
    "location", ["../secret", "a/../../secret", "link", "linked/secret", "/etc/passwd", "a", "pipe"]
)
async def test_only_files_below_the_folder_are_read(tmp_path: Path, location: str) -> None:
    files = tmp_path / "files"
    (files / "a").mkdir(parents=True)
    (tmp_path / "secret").write_text("s")
    (files / "link").symlink_to(tmp_path / "secret")
    (files / "linked").symlink_to(tmp_path)
    os.mkfifo(files / "pipe")
    with pytest.raises(CannotFetch):
        await fetched(stored(location), files)


async def test_a_file_in_a_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.csv").write_bytes(b"x")
    assert await fetched(stored("a/b.csv"), tmp_path) == b"x"


def test_secrets_are_settings_and_the_key_of_the_links_is_none_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("NIGHTMAIL_SECRET_CRM=from-file\nNIGHTMAIL_SECRET_ERP=from-file\n")
    monkeypatch.setenv("NIGHTMAIL_SECRET_ERP", "from-environment")
    monkeypatch.setenv("NIGHTMAIL_SECRET_KEY", "signs the links")
    assert source_secrets() == {"CRM": "from-file", "ERP": "from-environment"}
