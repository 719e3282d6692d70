"""An HTTP server inside a service: it listens while its context is open."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from nightmail_common.contract.errors import CannotStart
from nightmail_common.service.connection_limits import LimitedHttpProtocol
from nightmail_common.service.patches import SignalFreeServer
from nightmail_common.service.settings import PREFIX


@asynccontextmanager
async def serve_http(
    app: Any, host: str, port: int, port_setting: str = "HEALTH_PORT", **options: Any
) -> AsyncIterator[int]:
    """Serve an ASGI application while the context is open, and yield the port; finish open requests at its end.

    Args:
        port: 0 takes a free port.
        port_setting: the setting that an error names, without its prefix.
        options: further settings of `uvicorn.Config`.

    Raises:
        CannotStart: the address is in use or not one of this machine, or only root may use the port.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        why = str(error.strerror).partition(" (")[0]
        raise CannotStart(f"setting {PREFIX}{port_setting}: cannot listen on {host}:{port}: {why}") from None
    # asyncio sets it only on sockets that name their protocol; without it a response waits 40 ms for the client's ACK.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    fixed: dict[str, Any] = {"http": LimitedHttpProtocol, "log_config": None, "access_log": False, "lifespan": "off"}
    server = SignalFreeServer(uvicorn.Config(app, timeout_graceful_shutdown=5, **fixed, **options))
    serving = asyncio.create_task(server.serve([listening]))
    try:
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        await serving
