"""Fetching: what is returned, what is retried, and what is refused."""

import asyncio
import base64
import gzip
import html
import json
import os
import socket
import zlib
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from structlog.testing import capture_logs

from nightmail_common.contract.job import DataSource
from nightmail_runner.sources.errors import CannotFetch
from nightmail_runner.sources.masking import Masker
from nightmail_runner.sources.source_secrets import Secret, SecretStore, host_of, source_secrets
from nightmail_runner.sources.special_addresses import is_public
from support.http_source import DUE, TIMES, Source, fetch, open_fetcher


def api(url: str, **headers: str) -> DataSource:
    return DataSource(source_type="api", location=url, file_type="csv", headers=headers or None)


async def test_the_bytes_are_returned_unchanged(source: Source) -> None:
    source.answers["/a.csv"] = [(200, {}, b"a,b\n1,2\n")]
    assert await fetch(api(source.url("/a.csv"))) == b"a,b\n1,2\n"


@pytest.mark.parametrize("status", [500, 503, 429, 408, 425])
async def test_a_transient_answer_is_retried(source: Source, status: int) -> None:
    source.answers["/a"] = [(status, {"retry-after": "0"}, b""), (200, {}, b"x")]
    assert await fetch(api(source.url("/a"))) == b"x"
    assert len(source.requests) == 2


async def test_a_fetch_fails_after_three_attempts(source: Source) -> None:
    source.answers["/a"] = [(502, {}, b"")]
    with pytest.raises(CannotFetch, match="502"):
        await fetch(api(source.url("/a")))
    assert len(source.requests) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
async def test_a_permanent_answer_is_not_retried(source: Source, status: int) -> None:
    source.answers["/a"] = [(status, {}, b"")]
    with pytest.raises(CannotFetch, match=str(status)):
        await fetch(api(source.url("/a")))
    assert len(source.requests) == 1


async def test_an_error_shows_the_first_part_of_the_answer_without_its_secrets(source: Source) -> None:
    body = json.dumps({"error": "the key s3cret/+ has expired", "more": "x" * 5000}).encode()
    source.answers["/a"] = [(403, {"content-encoding": "gzip"}, gzip.compress(body))]
    with pytest.raises(CannotFetch) as refused:
        await fetch(api(source.url("/a"), Key="{{ secrets.KEY }}"), KEY="s3cret/+")
    assert 'answered 403 Forbidden: {"error": "the key *** has expired", "more": "xxx' in str(refused.value)
    assert len(str(refused.value)) < 600


@pytest.mark.parametrize("wbits", [15, -15, 31])
async def test_deflate_is_decompressed_with_and_without_the_header_of_zlib(source: Source, wbits: int) -> None:
    compressor = zlib.compressobj(wbits=wbits)
    body = compressor.compress(b"a,b\n1,2\n") + compressor.flush()
    source.answers["/a"] = [(200, {"content-encoding": "deflate"}, body)]
    assert await fetch(api(source.url("/a"))) == b"a,b\n1,2\n"


@pytest.mark.parametrize(
    ("encoding", "body", "note"),
    [
        ("utf-8", b"a,b\n1,2\n", "Content-Encoding utf-8 is none"),
        ("aws-chunked", b"a,b\n1,2\n", "Content-Encoding aws-chunked is none"),
        ("aws-chunked, GZIP", gzip.compress(b"a,b\n1,2\n", mtime=0), "Content-Encoding aws-chunked is none"),
        ("gzip,identity", gzip.compress(b"a,b\n1,2\n", mtime=0), None),
        ("identity", b"a,b\n1,2\n", None),
    ],
)
async def test_a_content_encoding_that_is_none_is_ignored_with_a_note(
    source: Source, encoding: str, body: bytes, note: str | None
) -> None:
    """S3 keeps what an upload had in it: a charset, or `aws-chunked`."""
    source.answers["/a"] = [(200, {"content-encoding": encoding}, body)]
    async with open_fetcher() as fetcher:
        data = await fetcher.fetch(api(source.url("/a")), TIMES)
        with data.file:
            assert data.file.read() == b"a,b\n1,2\n"
    assert [str(note) in found for found in data.notes] == ([] if note is None else [True])


@pytest.mark.parametrize(
    ("length", "is_refused"), [(b"Content-Length: 12", True), (b"Content-Length: 15", False), (b"X: y", False)]
)
@pytest.mark.parametrize("end", [b"", b"\r\n"])
async def test_an_answer_that_is_longer_than_its_content_length_is_refused(
    length: bytes, is_refused: bool, end: bytes
) -> None:
    """A program that counts characters loses the end of its text: `é` has two bytes."""
    body = "n,v\né,1\nü,22\n".encode()
    assert len(body) == 15

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(b"HTTP/1.1 200 OK\r\n" + length + b"\r\n\r\n" + body + end)
                await writer.drain()
                if not is_refused:
                    break
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        source = api(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/a")
        if is_refused:
            with pytest.raises(CannotFetch, match="longer than its Content-Length"):
                await fetch(source)
        else:
            assert (await fetch(source)).rstrip() == body.rstrip()


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, br", "utf-8, br", "gzip, gzip, gzip, gzip"])
async def test_a_content_encoding_that_was_not_asked_for_is_refused(source: Source, encoding: str) -> None:
    source.answers["/a"] = [(200, {"content-encoding": encoding}, b"a,b\n1,2\n")]
    with pytest.raises(CannotFetch, match="which the request does not accept"):
        await fetch(api(source.url("/a")))


@pytest.mark.parametrize("encoding", ["gzip, gzip", "deflate, gzip", "x-gzip,gzip, deflate"])
async def test_an_answer_that_was_compressed_several_times_is_decompressed_as_often(
    source: Source, encoding: str
) -> None:
    body = b"a,b\n1,2\n" * 50_000
    for name in encoding.split(","):
        body = zlib.compress(body) if name.strip() == "deflate" else gzip.compress(body)
    source.answers["/a"] = [
        (200, {"content-encoding": encoding}, body),
        (200, {"content-encoding": encoding}, body[:-20]),
    ]
    assert await fetch(api(source.url("/a"))) == b"a,b\n1,2\n" * 50_000
    with pytest.raises(CannotFetch, match="truncated"):
        await fetch(api(source.url("/a")))


async def test_a_long_retry_after_fails_the_fetch(source: Source) -> None:
    source.answers["/a"] = [(429, {"retry-after": "3600"}, b"")]
    with pytest.raises(CannotFetch, match="3600 s"):
        await fetch(api(source.url("/a")))
    assert len(source.requests) == 1


async def test_a_gzip_bomb_stops_at_the_limit(source: Source) -> None:
    bomb = gzip.compress(bytes(200_000_000), 9)
    source.answers["/a"] = [(200, {"content-encoding": "gzip"}, bomb)]
    with pytest.raises(CannotFetch, match="larger than the 1000000 bytes"):
        await fetch(api(source.url("/a")))


async def test_gzip_with_several_members_is_decompressed(source: Source) -> None:
    body = gzip.compress(b"a,b\n") + gzip.compress(b"1,2\n")
    source.answers["/a"] = [(200, {"content-encoding": "gzip"}, body)]
    assert await fetch(api(source.url("/a"))) == b"a,b\n1,2\n"


async def test_a_local_address_is_refused_and_named(source: Source) -> None:
    with pytest.raises(CannotFetch, match="FETCH_ALLOW"):
        await fetch(api(source.url("/a")), allow=())
    with pytest.raises(CannotFetch, match="FETCH_ALLOW"):
        await fetch(api(source.url("/a", "localhost")), allow=())
    assert not source.requests


async def test_a_redirect_to_a_local_address_is_refused(source: Source) -> None:
    source.answers["/a"] = [(302, {"location": "http://169.254.169.254/latest/meta-data/"}, b"")]
    with pytest.raises(CannotFetch, match=r"169\.254\.169\.254"):
        await fetch(api(source.url("/a")))


async def test_the_connection_goes_to_the_address_that_was_checked(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = ["127.0.0.1", "10.0.0.1"]  # the second one is a rebinding
    resolve = socket.getaddrinfo

    def rebinding(host: Any, port: Any, *arguments: Any, **options: Any) -> Any:
        return resolve(answers.pop(0) if host == "rebinding.example" else host, port, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    source.answers["/a"] = [(200, {}, b"x")]
    assert await fetch(api(source.url("/a", "rebinding.example"))) == b"x"
    assert answers == ["10.0.0.1"]


async def test_headers_are_filled_with_secrets_and_not_sent_to_another_origin(source: Source) -> None:
    source.answers["/a"] = [(302, {"location": source.url("/b", "localhost")}, b"")]
    source.answers["/b"] = [(200, {}, b"x")]
    one = api(source.url("/a"), **{"X-Key": "Bearer {{ secrets.KEY }}"})
    assert await fetch(one, allow=("127.0.0.0/8", "localhost"), KEY="s3cret") == b"x"
    assert source.requests[0][1]["x-key"] == "Bearer s3cret"
    assert "x-key" not in source.requests[1][1]


async def test_no_secret_is_in_an_error(source: Source) -> None:
    source.answers["/a"] = [(403, {}, b"")]
    for secret in ("bad\nsecret", "se\\cret "):
        with pytest.raises(CannotFetch, match="the value of 'Key' has characters") as refused:
            await fetch(api(source.url("/a"), Key="{{ secrets.KEY }}"), KEY=secret)
        assert "cret" not in str(refused.value)
    with pytest.raises(CannotFetch, match="MISSING"):
        await fetch(api(source.url("/a"), Key="{{ secrets.MISSING }}"))


async def test_a_secret_goes_to_its_own_hosts_only(source: Source) -> None:
    source.answers["/a"] = [(200, {}, b"x")]
    one = api(source.url("/a", "localhost"), Key="{{ secrets.KEY }}")
    with pytest.raises(
        CannotFetch, match=r"'KEY' may not be sent to localhost.* NIGHTMAIL_SECRET_KEY_HOSTS, which names 127"
    ):
        await fetch(one, allow=("localhost",), KEY="s3cret")
    store = SecretStore({"KEY": Secret("s3cret")})
    with pytest.raises(CannotFetch, match="NIGHTMAIL_SECRET_KEY_HOSTS, which is not set"):
        store.fill("{{ secrets.KEY }}", "127.0.0.1")
    assert not source.requests


@pytest.mark.parametrize(
    ("hosts", "url", "allowed"),
    [
        ("crm.example.com", "https://CRM.example.com:8443/a?b={{ secrets.KEY }}", True),
        ("straße.de", "https://xn--strae-oqa.de/", True),
        ("xn--strae-oqa.de", "https://straße.de/", True),
        ("::1", "http://[::1]/", True),
        ("crm.example.com", "https://evil.example/#@crm.example.com", False),
        ("crm.example.com", "https://evil.example/?@crm.example.com", False),
        ("crm.example.com", "https://crm.example.com.evil.example/", False),
        ("crm.example.com", "https://crm.example.com@evil.example/", False),
        ("example.com", "https://crm.example.com/", False),
        ("strasse.de", "https://straße.de/", False),
    ],
)
def test_the_host_that_gets_a_secret_is_the_host_of_the_request(
    monkeypatch: pytest.MonkeyPatch, hosts: str, url: str, allowed: bool
) -> None:
    monkeypatch.setenv("NIGHTMAIL_SECRET_CRM", "s3cret")
    monkeypatch.setenv("NIGHTMAIL_SECRET_CRM_HOSTS", hosts)
    store = SecretStore(source_secrets())
    try:
        filled = store.fill("{{ secrets.CRM }}", host_of(url))
    except CannotFetch:
        filled = ""
    assert filled == ("s3cret" if allowed else "")


async def test_the_use_of_a_secret_is_logged_by_its_name(source: Source) -> None:
    source.answers["/a"] = [(200, {}, b"x")]
    with capture_logs() as lines:
        await fetch(api(source.url("/a"), Key="{{ secrets.KEY }}"), KEY="s3cret")
    assert {"event": "secret_used", "secret": "KEY", "host": "127.0.0.1", "log_level": "info"} in lines
    assert "s3cret" not in str(lines)


async def test_a_cookie_lives_for_one_chain_of_redirects(source: Source) -> None:
    source.answers["/a"] = [(302, {"location": "/b", "set-cookie": "session=A; Path=/"}, b"")]
    source.answers["/b"] = [(200, {}, b"x")]
    async with open_fetcher() as fetcher:
        for _ in range(2):
            with (await fetcher.fetch(api(source.url("/a")), TIMES)).file:
                pass
    cookies = [headers.get("cookie") for _, headers in source.requests]
    assert cookies == [None, "session=A", None, "session=A"]


@pytest.mark.parametrize("name", ["Host", "transfer-encoding", "Content-Length", "Connection", "Upgrade"])
async def test_a_header_that_frames_the_request_of_a_job_in_the_log_is_refused(source: Source, name: str) -> None:
    with pytest.raises(CannotFetch, match="is set by the HTTP client"):
        await fetch(api(source.url("/a"), **{name: "x"}))


async def test_a_secret_in_the_query_is_filled_and_masked(source: Source) -> None:
    source.answers["/a"] = [(404, {}, b"no data at /a?key=s3%2Fcret%26")]
    with pytest.raises(CannotFetch) as refused:
        await fetch(api(source.url("/a?key={{ secrets.CRM }}&b=1")), CRM="s3/cret&")
    assert source.queries == ["key=s3%2Fcret%26&b=1"]
    assert str(refused.value).endswith("404 Not Found: no data at /a?key=***")


async def test_the_times_of_a_url_are_filled_in_the_zone_of_the_job(source: Source) -> None:
    source.answers["/2026/12/31.csv"] = [(200, {}, b"x")]
    url = source.url("/{{ scheduled_at | date('%Y/%m/%d') }}.csv?since={{last_success_at|date('%Y-%m-%dT%H:%M:%S%z')}}")
    assert await fetch(api(f"{url}&s={{{{ scheduled_at | date('%s') }}}}")) == b"x"
    assert source.queries == [f"since=2026-12-30T00:30:00%2B0100&s={int(DUE.timestamp())}"]


async def test_the_times_of_a_file_path_are_filled(tmp_path: Path) -> None:
    (tmp_path / "2026-12-31.csv").write_bytes(b"x")
    assert await fetch(stored("{{ scheduled_at | date('%Y-%m-%d') }}.csv"), tmp_path) == b"x"
    with pytest.raises(CannotFetch):
        await fetch(stored("{{ scheduled_at | date('../..') }}/x"), tmp_path)


async def test_a_source_may_take_long_but_not_be_silent(source: Source) -> None:
    source.pauses["/slow"] = [0.6] * 4
    source.pauses["/silent"] = [0.0, 2.0]
    slow = api(source.url("/slow")).model_copy(update={"timeout_seconds": 2.0})
    assert await fetch(slow) == b"...."
    silent = api(source.url("/silent")).model_copy(update={"timeout_seconds": 1.0})
    with pytest.raises(CannotFetch, match=r"sent nothing for 1 s.* \(3 attempts\)"):
        await fetch(silent)


async def test_the_charset_of_the_answer_is_kept(source: Source) -> None:
    source.answers["/a"] = [(200, {"content-type": "text/csv; charset=cp1252"}, b"x")]
    async with open_fetcher() as fetcher:
        data = await fetcher.fetch(api(source.url("/a")), TIMES)
        with data.file:
            assert data.charset == "cp1252"


@pytest.mark.parametrize("secret", ["s3cret-~/+?", "pass word", 'a"b\\c', "grüße!", "12345"])
def test_a_secret_is_masked_in_its_common_encodings(secret: str) -> None:
    data = secret.encode()
    masker = Masker([secret])
    for encoded in (
        secret,
        data.hex(),
        data.hex().upper(),
        quote(secret),
        quote(secret, safe="").lower(),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        html.escape(secret),
    ):
        assert masker.mask(f"<{encoded}>") == "<***>"
    for user in (b"", b"u", b"us", b"user:"):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            masked = masker.mask(encode(user + data + b"x").decode())
            assert "***" in masked
            assert base64.b64encode(data).decode().rstrip("=")[2:-2] not in masked
    for coded in (quote_plus(secret), quote(secret, safe="")):  # of OAuth 2.0
        masked = masker.mask(f"Basic {base64.b64encode(f'client:{coded}'.encode()).decode()}")
        shown = base64.b64decode(masked.removeprefix("Basic ").partition("***")[0] + "===").decode("latin-1")
        assert "***" in masked
        assert coded[:3] not in shown.removeprefix("client:")


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("192.0.0.192", False),
        ("192.0.0.9", False),
        ("192.0.2.1", False),
        ("198.18.0.1", False),
        ("198.51.100.1", False),
        ("203.0.113.1", False),
        ("240.0.0.1", False),
        ("64:ff9b:1::808:808", False),
        ("64:ff9b::808:808", True),
        ("64:ff9b::c000:c0", False),
        ("::7f00:1", False),
        ("::808:808", False),
        ("::ffff:8.8.8.8", True),
        ("::ffff:0:127.0.0.1", False),
        ("::ffff:0:8.8.8.8", True),
        ("2002:808:808::1", True),
        ("fec0::1", False),
        ("100::1", False),
        ("100:0:0:1::1", False),
        ("2001::1", False),
        ("2001:db8::1", False),
        ("3fff::1", False),
        ("5f00::1", False),
        ("ff02::1", False),
        ("2001:4860:4860::8888", True),
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
        await fetch(stored(location), files)


async def test_a_symbolic_link_is_refused_as_one(tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to(tmp_path / "b.csv")
    with pytest.raises(CannotFetch, match=r"^'link.csv' is a symbolic link, which is refused$"):
        await fetch(stored("link.csv"), tmp_path)


async def test_a_file_in_a_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.csv").write_bytes(b"x")
    assert await fetch(stored("a/b.csv"), tmp_path) == b"x"


def test_secrets_come_from_settings_without_the_signing_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("NIGHTMAIL_SECRET_CRM=from-file\nNIGHTMAIL_SECRET_ERP=from-file\n")
    monkeypatch.setenv("NIGHTMAIL_SECRET_ERP", "from-environment")
    monkeypatch.setenv("NIGHTMAIL_SECRET_ERP_HOSTS", "erp.example, ERP2.example")
    monkeypatch.setenv("NIGHTMAIL_SECRET_KEY", "signs links")
    assert source_secrets(tmp_path / ".env") == {
        "CRM": Secret("from-file"),
        "ERP": Secret("from-environment", frozenset({"erp.example", "erp2.example"})),
    }
