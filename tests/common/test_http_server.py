"""The HTTP server inside a service: it listens while its context is open, and finishes open requests."""

import asyncio
import signal
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from nightmail_common.contract.errors import CannotStart
from nightmail_common.contract.limits import MAX_WAITING_CONNECTIONS
from nightmail_common.service.health import Health
from nightmail_common.service.http_server import serve_http
from support.deadlines import scaled
from support.plain_http import NO_AUTHORITIES

Send = Callable[[dict[str, Any]], Awaitable[None]]


class SlowApplication:
    """Responds once `answer` is set."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.answer = asyncio.Event()

    async def __call__(self, _scope: dict[str, Any], _receive: Any, send: Send) -> None:
        self.asked.set()
        await self.answer.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=scaled(5)).close()
    except OSError:
        return False
    return True


async def test_an_open_request_is_finished_before_the_server_stops() -> None:
    application = SlowApplication()
    async with httpx.AsyncClient(timeout=scaled(20), verify=NO_AUTHORITIES) as client:
        async with serve_http(application, "127.0.0.1", 0) as port:
            asking = asyncio.create_task(client.get(f"http://127.0.0.1:{port}/"))
            await application.asked.wait()
            asyncio.get_running_loop().call_later(0.05, application.answer.set)
        answer = await asking
    assert (answer.status_code, answer.content) == (200, b"done")
    assert not listens(port)


async def test_a_server_whose_context_ends_at_once_stops() -> None:
    async with serve_http(SlowApplication(), "127.0.0.1", 0) as port:
        pass
    assert not listens(port)


async def test_waiting_connections_of_an_address_are_few_so_that_health_answers() -> None:
    """Each holds a file of the service, which needs files for its own work."""
    health = Health()
    async with serve_http(health, "127.0.0.1", 0) as port:
        connections = []
        for _ in range(MAX_WAITING_CONNECTIONS + 20):
            connection = await asyncio.open_connection("127.0.0.1", port)
            connection[1].write(b"GET /health/ready HTTP/1.1\r\nHost: a\r\n")
            connections.append(connection)
        assert await asyncio.wait_for(connections[0][0].read(), scaled(5)) == b""
        async with httpx.AsyncClient(timeout=scaled(20), verify=NO_AUTHORITIES) as client:
            assert (await client.get(f"http://127.0.0.1:{port}/health/live")).status_code == 200
        for _, writer in connections:
            writer.close()


async def test_a_server_does_not_change_the_signal_handlers() -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    application = SlowApplication()
    application.answer.set()
    async with (
        serve_http(application, "127.0.0.1", 0) as port,
        httpx.AsyncClient(timeout=scaled(20), verify=NO_AUTHORITIES) as client,
    ):
        await client.get(f"http://127.0.0.1:{port}/")
        assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
async def test_any_kind_of_address_of_this_machine_can_be_listened_on(host: str) -> None:
    application = SlowApplication()
    application.answer.set()
    async with (
        serve_http(application, host, 0) as port,
        httpx.AsyncClient(timeout=scaled(20), verify=NO_AUTHORITIES) as client,
    ):
        shown = f"[{host}]" if ":" in host else host
        assert (await client.get(f"http://{shown}:{port}/")).content == b"done"


async def test_an_address_in_use_or_of_another_machine_is_an_error_that_names_the_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        for host, port, why in (
            ("127.0.0.1", taken.getsockname()[1], "Address already in use"),
            ("192.0.2.1", 0, "Cannot assign requested address"),
        ):
            with pytest.raises(CannotStart, match=f"^setting NIGHTMAIL_PORT: cannot listen on {host}:{port}: {why}$"):
                async with serve_http(SlowApplication(), host, port, "PORT"):
                    pass
