"""MCP over streamable HTTP at `/mcp`, with the caller's token.

The SDK takes 30 MB and half a second to import: the first request pays for it, and an API without agents does not.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from nightmail_api.access.authentication import NotAuthenticated
from nightmail_api.http.dependencies import AppState

if TYPE_CHECKING:
    import httpx
    from mcp.server.mcpserver import Context

PATH = "/mcp"
#: Sessions of clients that speak a version of the protocol before 2026-07-28; later ones have none.
MAX_SESSIONS = 100
SESSION_IDLE_SECONDS = 30 * 60.0


class McpEndpoint:
    """An ASGI application for agents: each call of a tool is a call of the REST API, with all its checks."""

    def __init__(self) -> None:
        self._serve: ASGIApp | None = None
        self._starting = asyncio.Lock()
        self._running: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request.

        Raises:
            Problem: the caller has no token, or a wrong one.
        """
        request = Request(scope, receive)
        state: AppState = request.app.state.app_state
        if "authorization" not in request.headers:
            raise NotAuthenticated("send the header 'Authorization: Bearer TOKEN'")
        await state.authenticator.authenticate(request)
        async with self._starting:
            if self._serve is None:
                self._serve = await self._start(request.app, state)
        await self._serve(scope, receive, send)

    async def _start(self, application: ASGIApp, state: AppState) -> ASGIApp:
        from mcp.server.transport_security import TransportSecuritySettings

        from nightmail_api.agents.server import build_server

        server = build_server(_caller_client(application), state.secret_key)
        # Every request has a token, which a page of another site cannot send: the Host header decides nothing.
        security = TransportSecuritySettings(enable_dns_rebinding_protection=False)
        serve = server.streamable_http_app(
            streamable_http_path=PATH,
            transport_security=security,
            max_sessions=MAX_SESSIONS,
            session_idle_timeout=SESSION_IDLE_SECONDS,
        )
        started = asyncio.Event()
        self._running = asyncio.create_task(_run(server.session_manager.run, started, state.stopping))
        await started.wait()
        return serve


async def _run(run: Callable[[], Any], started: asyncio.Event, stopping: asyncio.Event) -> None:
    """Hold the sessions until the service drains."""
    async with run():
        started.set()
        await stopping.wait()


def _caller_client(application: ASGIApp) -> "Callable[[Context[Any, Any]], httpx.AsyncClient]":
    """Return the function that makes a client of this very application, with the token and address of the caller."""
    import httpx

    from nightmail_api.agents.api_calls import TIMEOUT_SECONDS

    def client_of(context: "Context[Any, Any]") -> httpx.AsyncClient:
        request = context.request_context.request
        assert request is not None  # HTTP gives every call its request
        address = ("127.0.0.1", 0) if request.client is None else (request.client.host, request.client.port)
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app=application, client=address),
            base_url="http://nightmail",
            headers={"Authorization": request.headers["authorization"]},
            timeout=TIMEOUT_SECONDS,
        )

    return client_of
