"""Sources whose answers cost much to read: the runner's event loop, with the heartbeats of other runs, goes on."""

import asyncio
import gzip
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from nightmail_common.contract.job import DataSource
from nightmail_runner.sources import content_encoding
from nightmail_runner.sources.errors import CannotFetch
from support.deadlines import scaled
from support.event_loop import measured_stalls
from support.http_source import TIMES, open_fetcher

#: Chunks of one byte: 8,000 of them in each block that httpcore reads.
SMALL_CHUNKS = b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n" * 20_000
#: Members of gzip with nothing in them: no limit of the data ends them.
EMPTY_MEMBERS = b"Content-Encoding: gzip\r\n\r\n", gzip.compress(b"") * 20_000


@pytest.fixture
def flood(request: pytest.FixtureRequest) -> Iterator[int]:
    """Serve an endless answer to one client; yield the port."""
    head, part = request.param
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with suppress(OSError):
                client, _ = listening.accept()
                with client:
                    client.recv(65_536)
                    client.sendall(b"HTTP/1.1 200 OK\r\n" + head)
                    while True:
                        client.sendall(part)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]


@pytest.mark.parametrize("flood", [SMALL_CHUNKS, EMPTY_MEMBERS], ids=["chunks", "members"], indirect=True)
async def test_an_answer_in_many_small_parts_leaves_the_event_loop_to_others(flood: int) -> None:
    source = DataSource(source_type="api", location=f"http://127.0.0.1:{flood}/", file_type="csv")
    async with open_fetcher(limit=100_000_000) as fetcher, measured_stalls() as stalls:
        fetching = asyncio.create_task(fetcher.fetch(source, TIMES))
        await asyncio.sleep(2)
        fetching.cancel()
        with suppress(asyncio.CancelledError, CannotFetch):
            await fetching
    assert stalls.longest_cpu_seconds < scaled(0.1)  # it was minutes


@pytest.mark.parametrize("flood", [EMPTY_MEMBERS], ids=["members"], indirect=True)
async def test_compressed_data_without_content_ends_the_fetch(flood: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content_encoding, "MAX_COMPRESSED_OVERHEAD", 1024**2)
    source = DataSource(source_type="api", location=f"http://127.0.0.1:{flood}/", file_type="csv")
    async with open_fetcher() as fetcher:
        with pytest.raises(CannotFetch, match="larger than its content"):
            await asyncio.wait_for(fetcher.fetch(source, TIMES), scaled(20))
