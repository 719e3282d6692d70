"""Connections whose client keeps the API waiting: each is closed after some time, so that nobody uses up all of them."""

import asyncio
import socket
import subprocess
import sys
from contextlib import suppress

import httpx
import pytest

from api.conftest import Replica
from nightmail_common.contract.limits import MAX_WAITING_CONNECTIONS
from nightmail_common.service import connection_limits
from nightmail_common.service.connection_limits import LimitedHttpProtocol
from support.deadlines import eventually, scaled


async def test_a_connection_that_sends_no_header_is_closed(api: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_limits, "MAX_HEADER_SECONDS", 0.5)
    for beginning in (b"", b"GET /health/live HTTP/1.1\r\nA: "):
        reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
        writer.write(beginning)
        with suppress(ConnectionResetError):
            assert await asyncio.wait_for(reader.read(), scaled(5)) == b""
        writer.close()
    assert not LimitedHttpProtocol.waiting


async def test_waiting_connections_of_an_address_are_few_and_the_api_goes_on(api: Replica) -> None:
    """The rest of a body that nobody reads counts, too."""
    await api.http.get("/health/live")
    connections = []
    for number in range(MAX_WAITING_CONNECTIONS + 50):
        connection = await asyncio.open_connection("127.0.0.1", api.port)
        if number % 2:
            connection[1].write(b"POST /jobs HTTP/1.1\r\nHost: a\r\nContent-Length: 999\r\n\r\n{")
        connections.append(connection)
    waiting = LimitedHttpProtocol.waiting
    await eventually(lambda: len(waiting["127.0.0.1"]) == MAX_WAITING_CONNECTIONS, "the others are closed")
    assert await asyncio.wait_for(connections[0][0].read(), scaled(5)) == b""  # the one that waits for the longest time
    assert (await api.http.get("/health/live")).status_code == 200
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{api.port}") as other:
        assert (await other.get("/health/live")).status_code == 200  # on a connection of its own
    for _, writer in connections:
        writer.close()
    await eventually(lambda: not waiting, "closed connections are not counted")


@pytest.mark.parametrize("rest", [b"", b"\r\n"], ids=["nothing", "an empty line"])
async def test_a_connection_without_a_further_request_is_closed(
    api: Replica, monkeypatch: pytest.MonkeyPatch, rest: bytes
) -> None:
    monkeypatch.setattr(connection_limits, "MAX_HEADER_SECONDS", 0.5)
    reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
    writer.write(b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n")
    assert await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), scaled(5))
    writer.write(rest)
    await asyncio.wait_for(reader.read(), scaled(15))
    writer.close()
    assert not LimitedHttpProtocol.waiting


async def test_the_rest_of_a_body_has_a_deadline_when_its_request_is_answered(
    api: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_limits, "MAX_DRAIN_SECONDS", 0.5)
    reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
    writer.write(b"POST /jobs HTTP/1.1\r\nHost: a\r\nContent-Length: 999999\r\n\r\n{")
    assert (await asyncio.wait_for(reader.readline(), scaled(5))).startswith(b"HTTP/1.1 401 ")
    with suppress(ConnectionError):
        for _ in range(100):  # slowly, but never silent for as long as an idle connection may be
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.05)
        pytest.fail("the API still reads the body")
    assert not LimitedHttpProtocol.waiting


@pytest.mark.parametrize("connection", ["keep-alive", "close"])
async def test_a_client_that_does_not_read_its_answers_loses_its_connection(
    api: Replica, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, connection: str
) -> None:
    monkeypatch.setattr(connection_limits, "READ_CHECK_SECONDS", 0.5)
    requests = b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n" * 60
    requests += f"GET /openapi.json HTTP/1.1\r\nHost: a\r\nConnection: {connection}\r\n\r\n".encode()
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(client, ("127.0.0.1", api.port))
        await loop.sock_sendall(client, requests)
        await eventually(lambda: bool(LimitedHttpProtocol.waiting), "the API waits for the client")
        await eventually(lambda: not LimitedHttpProtocol.waiting, "the connection is closed")
        assert (await api.http.get("/health/live")).status_code == 200
    assert not [record for record in caplog.records if record.exc_info], "no error for each client that is gone"


async def test_a_slow_client_gets_all_of_its_answer(api: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_limits, "READ_CHECK_SECONDS", 0.2)
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(client, ("127.0.0.1", api.port))
        count = 20
        await loop.sock_sendall(client, b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n" * count)
        begun, received = loop.time(), bytearray()
        while received.count(b"HTTP/1.1 200 OK") < count:
            part = await loop.sock_recv(client, 65_536)
            assert part
            received += part
            await asyncio.sleep(0.02)
        assert loop.time() - begun > 1


def test_the_api_may_open_as_many_files_as_the_system_allows() -> None:
    program = (
        "import resource; from nightmail_common.service.connection_limits import raise_open_files;"
        "hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]; resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard));"
        "raise_open_files(); print(resource.getrlimit(resource.RLIMIT_NOFILE) == (min(hard, 65_536), hard))"
    )
    result = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert result.stdout == "True\n"
