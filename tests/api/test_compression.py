"""Answers in gzip, where a client asks for it."""

import asyncio
import zlib

from api.conftest import Replica
from support.deadlines import scaled
from support.job_requests import job_request


async def exchanged(api: Replica, path: str, encoding: str) -> tuple[dict[str, str], bytes]:
    """Return the headers and the very bytes of an answer."""
    async with api.http.stream("GET", path, headers={"Accept-Encoding": encoding}) as answer:
        return dict(answer.headers), b"".join([part async for part in answer.aiter_raw()])


async def test_a_list_is_compressed_for_those_who_ask(api: Replica) -> None:
    for number in range(10):
        await api.http.post("/jobs", json=job_request(job_name=f"job {number}"))
    plain_headers, plain = await exchanged(api, "/jobs", "identity")
    headers, compressed = await exchanged(api, "/jobs", "br, gzip")
    assert "content-encoding" not in plain_headers
    assert (headers["content-encoding"], headers["content-length"]) == ("gzip", str(len(compressed)))
    assert "Accept-Encoding" in headers["vary"]
    assert zlib.decompress(compressed, 31) == plain
    assert len(compressed) < len(plain) / 3


async def test_small_answers_and_other_types_stay_as_they_are(api: Replica) -> None:
    for path in ("/me", "/health/live", "/metrics"):
        headers, _ = await exchanged(api, path, "gzip")
        assert "content-encoding" not in headers, path


async def test_a_stream_is_not_held_back(api: Replica) -> None:
    await api.http.post("/jobs", json=job_request())
    async with (
        asyncio.timeout(scaled(20)),
        api.http.stream("GET", "/events/stream?after=0", headers={"Accept-Encoding": "gzip"}) as answer,
    ):
        assert "content-encoding" not in answer.headers
        async for line in answer.aiter_lines():
            if line.startswith("data:"):
                return
