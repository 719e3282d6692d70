"""ASGI middleware for every request and response: body limit, security headers, internal errors."""

import asyncio
from contextlib import suppress
from http import HTTPStatus

import structlog
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nightmail_api.http.problems import problem_response
from nightmail_common.contract.limits import (
    MAX_BODY_SECONDS,
    MAX_DRAIN_SECONDS,
    MAX_DRAINED_BYTES,
    MAX_FILE_BYTES,
    MAX_UPLOAD_SECONDS,
)

#: A job is a script of at most 128 KiB, up to six times as large in JSON, and a few short fields.
MAX_BODY_BYTES = 1024 * 1024

#: Nothing is loaded and no page may frame it. A route with a page sets its own policy.
SECURITY_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
]

_CLOSE = {"Connection": "close"}

logger = structlog.get_logger()


class BodyLimitMiddleware:
    """Answer 413 to a larger body, as a problem document, and 408 to a slow one.

    FastAPI's `max_body_size` answers in plain text.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        received, complete = 0, False
        upload = scope.get("method") == "PUT" and scope["path"].startswith("/files/")
        max_bytes, seconds = (MAX_FILE_BYTES, MAX_UPLOAD_SECONDS) if upload else (MAX_BODY_BYTES, MAX_BODY_SECONDS)
        too_large = f"a body has at most {max_bytes} bytes"
        deadline = asyncio.get_running_loop().time() + seconds

        async def receive_within_limit() -> Message:
            nonlocal received, complete
            try:
                # Behind the body comes only the end of the connection.
                async with asyncio.timeout_at(None if complete else deadline):
                    message = await receive()
            except TimeoutError:
                too_slow = f"the body did not arrive within {seconds:.0f} seconds"
                raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, too_slow, _CLOSE) from None
            complete = not message.get("more_body", False)
            received += len(message.get("body", b""))
            if received > max_bytes:
                if not complete:
                    await _drain(receive)
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, too_large, _CLOSE)
            return message

        headers = Headers(scope=scope)
        length = headers.get("content-length", "")
        if length.isdigit() and int(length) > max_bytes:
            if "expect" not in headers:  # a client that expects 100 Continue has not sent its body
                await _drain(receive)
            answer = problem_response(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, too_large, headers=_CLOSE)
            await answer(scope, receive, send)
        else:
            await self._app(scope, receive_within_limit, send)


async def _drain(receive: Receive) -> None:
    """Read and discard the rest of a body, within limits.

    Most clients read no answer before they have sent the whole body: closing a connection with unread bytes resets it, and
    the answer is lost (RFC 9112, 9.6).
    """
    drained = 0
    with suppress(TimeoutError):
        async with asyncio.timeout(MAX_DRAIN_SECONDS):
            while drained <= MAX_DRAINED_BYTES:
                message = await receive()
                drained += len(message.get("body", b""))
                if not message.get("more_body", False):
                    return


class SecurityHeadersMiddleware:
    """Add the security headers that a response does not have yet."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                names = {name for name, _ in message["headers"]}
                missing = (header for header in SECURITY_HEADERS if header[0] not in names)
                message["headers"] = [*message["headers"], *missing]
            await send(message)

        await self._app(scope, receive, send_with_headers)


class InternalErrorMiddleware:
    """Log an unexpected exception and answer 500. Starlette's own handler is outside of all other middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def send_and_note(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        except Exception:
            if started:
                raise
            logger.exception("request_failed", method=scope.get("method"), route=route_path(scope))
            detail = "an internal error; the service's log has the details"
            await problem_response(HTTPStatus.INTERNAL_SERVER_ERROR, detail)(scope, receive, send)


def route_path(scope: Scope) -> str | None:
    """Return the path of a request's route as documented; None if no route matches."""
    return getattr(scope.get("route"), "path", None)
