"""MCP over streamable HTTP at `/mcp`, with the caller's token.

The SDK takes 30 MB and half a second to import: the first request pays for it, and an API without agents does not.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from nightmail_api.access.authentication import NotAuthenticated
from nightmail_api.access.quota import Quota, TooManyRequests
from nightmail_api.agents.patches import session_owners
from nightmail_api.http.dependencies import AppState
from nightmail_api.http.problems import Problem
from nightmail_api.metrics import QUOTA_REFUSALS
from nightmail_common.contract.limits import (
    MAX_API_AGENT_CALLS,
    MAX_API_AGENT_SESSIONS,
    MAX_TOKEN_AGENT_CALLS,
    MAX_TOKEN_AGENT_SESSIONS,
)

if TYPE_CHECKING:
    import httpx
    from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser, AuthorizationContext
    from mcp.server.context import CallNext, ServerRequestContext
    from mcp.server.mcpserver import Context

PATH = "/mcp"
#: A session without a request for this long ends.
SESSION_IDLE_SECONDS = 30 * 60.0


class McpEndpoint:
    """An ASGI application for agents: each call of a tool is a call of the REST API, with all its checks."""

    def __init__(self) -> None:
        self._serve: ASGIApp | None = None
        self._starting = asyncio.Lock()
        self._running: asyncio.Task[None] | None = None
        #: The SDK's: session id -> who began it. The SDK answers 404 to anybody else.
        self._owners: Mapping[str, AuthorizationContext] = {}
        #: The requests of each caller that are about to begin a session.
        self._opening: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request.

        Raises:
            Problem: the caller has no token, or a wrong one, or as many sessions as one may have.
        """
        request = Request(scope, receive)
        state: AppState = request.app.state.app_state
        if "authorization" not in request.headers:
            raise NotAuthenticated("send the header 'Authorization: Bearer TOKEN'")
        caller = (await state.authenticator.authenticate(request)).name
        async with self._starting:
            if self._serve is None:
                self._serve = await self._start(request.app, state)
        scope["user"] = _user(caller)
        with self._hold_session(caller) if _may_begin_session(request) else nullcontext():
            await self._serve(scope, receive, send)

    @contextmanager
    def _hold_session(self, caller: str) -> Iterator[None]:
        """Count the session that a request begins, until the SDK has it.

        Raises:
            TooManyRequests: the caller has as many as one token may have.
        """
        begun = sum(owner["client_id"] == caller for owner in self._owners.values()) + self._opening[caller]
        if begun >= MAX_TOKEN_AGENT_SESSIONS:
            QUOTA_REFUSALS.labels("MCP sessions").inc()
            raise TooManyRequests(
                f"the token {caller!r} has {MAX_TOKEN_AGENT_SESSIONS} MCP sessions open, the most of one token: end one with "
                f"DELETE {PATH}; one without a request for {SESSION_IDLE_SECONDS / 60:.0f} minutes ends by itself",
                headers={"Retry-After": "60"},
            )
        self._opening[caller] += 1
        try:
            yield
        finally:
            self._opening[caller] -= 1
            if not self._opening[caller]:
                del self._opening[caller]

    async def _start(self, application: ASGIApp, state: AppState) -> ASGIApp:
        from mcp.server.transport_security import TransportSecuritySettings

        from nightmail_api.agents.server import build_server

        server = build_server(_caller_client(application), state.secret_key, [CallLimit()])
        # Every request has a token, which a page of another site cannot send: the Host header decides nothing.
        security = TransportSecuritySettings(enable_dns_rebinding_protection=False)
        serve = server.streamable_http_app(
            streamable_http_path=PATH,
            transport_security=security,
            max_sessions=MAX_API_AGENT_SESSIONS,
            session_idle_timeout=SESSION_IDLE_SECONDS,
        )
        self._owners = session_owners(server.session_manager)
        started = asyncio.Event()
        self._running = asyncio.create_task(_run(server.session_manager.run, started, state.stopping))
        await started.wait()
        return serve


class CallLimit:
    """Middleware of the SDK that limits the requests under way: a session may send any number before one is answered."""

    def __init__(self) -> None:
        self._quota = Quota("MCP requests", MAX_TOKEN_AGENT_CALLS, MAX_API_AGENT_CALLS)

    async def __call__(self, ctx: "ServerRequestContext[Any, Any]", call_next: "CallNext") -> Any:
        from mcp.shared.exceptions import MCPError
        from mcp_types import INTERNAL_ERROR

        if ctx.request_id is None:  # a notification: nothing is under way after it
            return await call_next(ctx)
        assert ctx.request is not None  # HTTP gives every request its own
        try:
            with self._quota.hold(ctx.request.user.username):
                return await call_next(ctx)
        except Problem as problem:
            raise MCPError(INTERNAL_ERROR, problem.detail) from None


def _user(caller: str) -> "AuthenticatedUser":
    """Return whom the SDK binds sessions and questions to."""
    from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
    from mcp.server.auth.provider import AccessToken

    return AuthenticatedUser(AccessToken(token="", client_id=caller, scopes=[]))


def _may_begin_session(request: Request) -> bool:
    """Return whether the SDK may begin a session for a request: only clients before version 2026-07-28 have sessions."""
    from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS

    version = request.headers.get("mcp-protocol-version")
    return "mcp-session-id" not in request.headers and (version is None or version in HANDSHAKE_PROTOCOL_VERSIONS)


async def _run(run: Callable[[], Any], started: asyncio.Event, stopping: asyncio.Event) -> None:
    """Hold the sessions until the service drains."""
    async with run():
        started.set()
        await stopping.wait()


def _caller_client(application: ASGIApp) -> "Callable[[Context[Any, Any]], httpx.AsyncClient]":
    """Return the function that makes a client of this very application, with the token and address of the caller."""
    import httpx

    from nightmail_api.agents.api_calls import TIMEOUT_SECONDS
    from nightmail_api.agents.text_window import TextWindow

    def client_of(context: "Context[Any, Any]") -> httpx.AsyncClient:
        request = context.request_context.request
        assert request is not None  # HTTP gives every call its request
        address = ("127.0.0.1", 0) if request.client is None else (request.client.host, request.client.port)
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app=TextWindow(application), client=address),
            base_url="http://nightmail",
            headers={"Authorization": request.headers["authorization"]},
            timeout=TIMEOUT_SECONDS,
        )

    return client_of
