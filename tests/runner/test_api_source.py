"""Sources of type `api`: methods, parameters, bodies, authentication."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from nightmail_common.contract.job import DataSource
from nightmail_common.contract.source_definition import DataSourceDefinition
from nightmail_runner.sources.errors import CannotFetch
from support.certificates import server_context
from support.http_source import TIMES, Source, fetch, open_fetcher


def api(url: str, **fields: Any) -> DataSource:
    """Return a source as a user defines it."""
    return DataSourceDefinition.model_validate({"source_type": "api", "location": url, "file_type": "json"} | fields)


def oauth2(source: Source, **fields: Any) -> dict[str, Any]:
    return {
        "type": "oauth2_client_credentials",
        "token_url": source.url("/token"),
        "client_id": "nightmail",
        "client_secret": "{{ secrets.CRM }}",
    } | fields


def token(text: str, **fields: Any) -> tuple[int, dict[str, str], bytes]:
    return 200, {}, json.dumps({"access_token": text, "token_type": "Bearer", "expires_in": 3600} | fields).encode()


async def test_parameters_are_added_to_the_query_with_secrets_and_times(source: Source) -> None:
    source.answers["/a"] = [(200, {}, b"[]")]
    params = {
        "key": "{{ secrets.CRM }}",
        "day": "{{ scheduled_at | date('%Y-%m-%d') }}",
        "since": "{{ last_success_at | date('%Y-%m-%d') }}",
        "limit": 100,
        "all": True,
    }
    await fetch(api(source.url("/a?b=1"), params=params), CRM="s3/cret")
    assert source.queries == ["b=1&key=s3%2Fcret&day=2026-12-31&since=2026-12-30&limit=100&all=true"]


async def test_a_url_with_a_scheme_in_capitals_is_fetched(source: Source) -> None:
    source.answers["/A"] = [(200, {}, b"[]")]
    url = source.url("/A").replace("http:", "HTTP:")
    assert await fetch(api(url, headers={"X-Key": "{{ secrets.CRM }}"}), CRM="s3cret") == b"[]"
    assert source.requests[0][1]["x-key"] == "s3cret"


async def test_a_body_is_posted_as_json_or_as_text(source: Source) -> None:
    source.answers["/a"] = [(200, {}, b"[]")]
    body = {"day": "{{ scheduled_at | date('%Y-%m-%d') }}", "key": ["{{ secrets.CRM }}"], "limit": 10, "all": None}
    await fetch(api(source.url("/a"), method="POST", body=body), CRM='s3"cret')
    text = api(source.url("/a"), method="POST", body="a={{ secrets.CRM }}", headers={"Content-Type": "text/plain"})
    await fetch(text, CRM="s3cret")
    assert source.methods == ["POST", "POST"]
    assert json.loads(source.bodies[0]) == {"day": "2026-12-31", "key": ['s3"cret'], "limit": 10, "all": None}
    assert source.bodies[1] == b"a=s3cret"
    assert [headers["content-type"] for _, headers in source.requests] == ["application/json", "text/plain"]


@asynccontextmanager
async def tls_server(folder: Path, heads: list[str]) -> AsyncIterator[int]:
    """Serve an empty list by TLS, and keep the heads of the requests. Yield the port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=server_context(folder))
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_the_authorization_is_kept_where_the_same_host_redirects_to_https(
    source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heads: list[str] = []
    async with tls_server(tmp_path, heads) as port:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "server.pem"))
        source.answers["/a"] = [(301, {"location": f"https://127.0.0.1:{port}/a"}, b"")]
        await fetch(api(source.url("/a"), auth={"type": "bearer", "token": "{{ secrets.CRM }}"}), CRM="s3cret")
    assert "authorization: bearer s3cret" in heads[0].lower()


async def test_a_header_that_another_origin_does_not_get_is_in_the_notes_or_the_error(source: Source) -> None:
    source.answers["/a"] = [(302, {"location": source.url("/b", "localhost")}, b"")]
    source.answers["/b"] = [(200, {}, b"[]"), (401, {}, b"")]
    one = api(source.url("/a"), auth={"type": "bearer", "token": "{{ secrets.CRM }}"})
    said = f"the source redirects to http://localhost:{source.port}, which was not sent the headers Authorization"
    async with open_fetcher(allow=("127.0.0.0/8", "localhost"), CRM="s3cret") as fetcher:
        data = await fetcher.fetch(one, TIMES)
        data.file.close()
        assert data.notes == [said]
        with pytest.raises(CannotFetch, match=f"401 Unauthorized; {said}"):
            await fetcher.fetch(one, TIMES)


async def test_a_body_is_not_redirected_to_another_origin(source: Source) -> None:
    source.answers["/a"] = [(307, {"location": source.url("/b", "localhost")}, b"")]
    with pytest.raises(CannotFetch, match="redirects the POST request to localhost, which gets no body"):
        await fetch(api(source.url("/a"), method="POST", body="x"), allow=("127.0.0.0/8", "localhost"))
    assert len(source.requests) == 1


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        ({"type": "bearer", "token": "{{ secrets.CRM }}"}, "authorization", "Bearer s3cret"),
        (
            {"type": "basic", "username": "me", "password": "{{ secrets.CRM }}"},
            "authorization",
            f"Basic {base64.b64encode(b'me:s3cret').decode()}",
        ),
        ({"type": "header", "name": "X-Api-Key", "value": "{{ secrets.CRM }}"}, "x-api-key", "s3cret"),
    ],
)
async def test_each_auth_sets_its_header_and_an_error_does_not_show_it(
    source: Source, auth: dict[str, str], header: str, value: str
) -> None:
    source.answers["/a"] = [(200, {}, b"[]"), (403, {}, f"not for {value}".encode())]
    await fetch(api(source.url("/a"), auth=auth), CRM="s3cret")
    assert source.requests[0][1][header] == value
    with pytest.raises(CannotFetch) as refused:
        await fetch(api(source.url("/a"), auth=auth), CRM="s3cret")
    assert "***" in str(refused.value)
    assert value.split()[-1] not in str(refused.value)


async def test_a_token_is_requested_once_for_the_same_credentials(source: Source) -> None:
    source.answers["/token"] = [token("t1")]
    source.answers["/a"] = [(200, {}, b"[]")]
    async with open_fetcher(CRM="s3cret") as fetcher:
        for scope in ("read", "read", "write"):
            data = await fetcher.fetch(api(source.url("/a"), auth=oauth2(source, scope=scope)), TIMES)
            data.file.close()
    assert [path for path, _ in source.requests] == ["/token", "/a", "/a", "/token", "/a"]
    asked = source.requests[0][1]["authorization"]
    assert asked == f"Basic {base64.b64encode(b'nightmail:s3cret').decode()}"
    assert parse_qs(source.bodies[0].decode()) == {"grant_type": ["client_credentials"], "scope": ["read"]}
    assert source.requests[1][1]["authorization"] == "Bearer t1"


async def test_fetches_at_the_same_time_share_a_token(source: Source) -> None:
    source.answers |= {"/token": [token("t1")], "/a": [(200, {}, b"a\n1\n")]}
    async with open_fetcher(CRM="s3cret") as fetcher:
        one = api(source.url("/a"), auth=oauth2(source))
        for data in await asyncio.gather(*(fetcher.fetch(one, TIMES) for _ in range(3))):
            data.file.close()
    assert [path for path, _ in source.requests] == ["/token", "/a", "/a", "/a"]


async def test_a_token_that_the_source_refuses_is_replaced_once(source: Source) -> None:
    source.answers["/token"] = [token("t1"), token("t2")]
    source.answers["/a"] = [(401, {}, b"expired"), (200, {}, b"[1]"), (401, {}, b"never t2")]
    async with open_fetcher(CRM="s3cret") as fetcher:
        data = await fetcher.fetch(api(source.url("/a"), auth=oauth2(source)), TIMES)
        with data.file:
            assert data.file.read() == b"[1]"
        with pytest.raises(CannotFetch, match=r"401 Unauthorized: never \*\*\*"):
            await fetcher.fetch(api(source.url("/a"), auth=oauth2(source)), TIMES)
    assert [headers.get("authorization") for path, headers in source.requests if path == "/a"] == [
        "Bearer t1",
        "Bearer t2",
        "Bearer t2",
        "Bearer t2",
    ]


async def test_a_token_that_expires_is_not_used_again(source: Source) -> None:
    source.answers["/token"] = [token("t1", expires_in=0)]
    source.answers["/a"] = [(200, {}, b"[]")]
    async with open_fetcher(CRM="s3cret") as fetcher:
        for _ in range(2):
            (await fetcher.fetch(api(source.url("/a"), auth=oauth2(source)), TIMES)).file.close()
    assert [path for path, _ in source.requests] == ["/token", "/a", "/token", "/a"]


async def test_a_token_server_that_takes_a_form_only_gets_one(source: Source) -> None:
    source.answers["/token"] = [(401, {}, b'{"error": "invalid_client"}'), token("t1")]
    source.answers["/a"] = [(200, {}, b"[]")]
    await fetch(api(source.url("/a"), auth=oauth2(source)), CRM="s3&cret")
    assert parse_qs(source.bodies[1].decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["nightmail"],
        "client_secret": ["s3&cret"],
    }


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((400, {}, b'{"error": "invalid_client", "secret": "s3cret"}'), r"400 Bad Request: .*invalid_client.*\*\*\*"),
        ((200, {}, b"{}"), "has no access_token"),
        ((200, {}, b"<html>"), "has no access_token"),
        (
            (200, {}, b'{"error": "invalid_scope", "error_description": "not for s3cret"}'),
            r"no access_token: invalid_scope: not for \*\*\*",
        ),
        ((200, {}, b"x" * 100_000), "larger than 65536 bytes"),
    ],
)
async def test_a_fetch_without_a_token_fails_with_the_answer_of_the_token_server(
    source: Source, answer: tuple[int, dict[str, str], bytes], why: str
) -> None:
    source.answers["/token"] = [answer]
    with pytest.raises(CannotFetch, match=why) as refused:
        await fetch(api(source.url("/a"), auth=oauth2(source)), CRM="s3cret")
    assert "s3cret" not in str(refused.value)


async def test_a_client_secret_is_for_the_token_server_and_the_source(source: Source) -> None:
    source.answers["/token"] = [token("t1")]
    for elsewhere in (
        api(source.url("/a", "localhost"), auth=oauth2(source)),
        api(source.url("/a"), auth=oauth2(source, token_url=source.url("/token", "localhost"))),
    ):
        with pytest.raises(CannotFetch, match="may not be sent to localhost"):
            await fetch(elsewhere, allow=("127.0.0.0/8", "localhost"), CRM="s3cret")
    assert not source.requests
