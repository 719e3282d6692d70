"""Answers in zstd or gzip, where a client asks for it."""

import asyncio
import zlib
from importlib import import_module

import pytest

from api.conftest import Api
from nightmail_api.http.compression import ZSTD, chosen
from support.deadlines import scaled
from support.job_requests import job_request


async def exchanged(api: Api, path: str, encoding: str) -> tuple[dict[str, str], bytes]:
    """Return the headers and the very bytes of an answer."""
    async with api.http.stream("GET", path, headers={"Accept-Encoding": encoding}) as answer:
        return dict(answer.headers), b"".join([part async for part in answer.aiter_raw()])


def plain_of(encoding: str, content: bytes) -> bytes:
    if encoding == "zstd":
        return bytes(import_module(ZSTD).decompress(content))
    return zlib.decompress(content, 31)


@pytest.mark.parametrize(
    ("asked", "encoding"), [("br, gzip", "gzip"), ("gzip, deflate, br, zstd", "zstd"), ("zstd;q=0, gzip;q=0.1", "gzip")]
)
async def test_a_list_is_compressed_for_those_who_ask(shared_api: Api, asked: str, encoding: str) -> None:
    for number in range(10):
        await shared_api.http.post("/jobs", json=job_request(job_name=f"job {number}"))
    plain_headers, plain = await exchanged(shared_api, "/jobs", "identity")
    headers, compressed = await exchanged(shared_api, "/jobs", asked)
    assert "content-encoding" not in plain_headers
    assert (headers["content-encoding"], headers["content-length"]) == (encoding, str(len(compressed)))
    assert "Accept-Encoding" in headers["vary"]
    assert plain_of(encoding, compressed) == plain
    assert len(compressed) < len(plain) / 3


@pytest.mark.parametrize(
    ("asked", "encoding"),
    [
        ("", "identity"),
        ("identity", "identity"),
        ("gzip;q=0", "identity"),
        ("gzip; q=0.0, zstd;q=0.000", "identity"),
        ("br", "identity"),
        ("gzip;q=0.5, identity", "identity"),
        ("gzip;q=0.5, identity;q=0.5", "gzip"),
        ("*;q=0", "identity"),
        ("*", "zstd"),
        ("gzip, *;q=0.1", "gzip"),
        ("zstd;q=0, *", "gzip"),
        ("GZIP", "gzip"),
        ("x-gzip, notgzip", "identity"),
        ("gzip;q=many, zstd;q=2", "identity"),
        ("zstd;q=0.4, gzip;q=0.8", "gzip"),
        (";q=1,,", "identity"),
    ],
)
def test_the_weights_of_a_request_decide(asked: str, encoding: str) -> None:
    assert chosen(asked) == encoding


async def test_small_answers_and_other_types_stay_as_they_are(shared_api: Api) -> None:
    for path in ("/me", "/health/live", "/metrics"):
        headers, _ = await exchanged(shared_api, path, "zstd, gzip")
        assert "content-encoding" not in headers, path


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "*"])
async def test_a_stream_is_not_held_back(shared_api: Api, encoding: str) -> None:
    await shared_api.http.post("/jobs", json=job_request())
    async with (
        asyncio.timeout(scaled(20)),
        shared_api.http.stream("GET", "/events/stream?after=0", headers={"Accept-Encoding": encoding}) as answer,
    ):
        assert "content-encoding" not in answer.headers
        async for line in answer.aiter_lines():
            if line.startswith("data:"):
                return


async def test_a_file_of_the_console_is_sent_plain_where_gzip_is_refused(shared_api: Api) -> None:
    for asked, encoding in (("gzip", "gzip"), ("gzip;q=0", None), ("identity", None), ("br, *;q=0.5", "gzip")):
        headers, _ = await exchanged(shared_api, "/console/", asked)
        assert headers.get("content-encoding") == encoding, asked
