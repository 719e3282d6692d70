"""What holds for every request and answer: a largest body, and headers that keep browsers careful."""

from http import HTTPStatus

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nightmail_api.problems import problem_response

#: A job is a script of at most 128 KiB, in JSON at worst six times that, and a few short fields.
MAX_BODY_BYTES = 1024 * 1024
TOO_LARGE = f"a body has at most {MAX_BODY_BYTES} bytes"

#: The page with the documentation loads its scripts from a CDN; every other answer loads nothing.
DOCS = frozenset({"/docs", "/docs/oauth2-redirect"})


class Borders:
    """ASGI middleware: refuses a body that is too large (413) and adds the security headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        received = 0

        async def receive_within_limit() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > MAX_BODY_BYTES:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LARGE)
            return message

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("X-Content-Type-Options", "nosniff")
                headers.setdefault("Referrer-Policy", "no-referrer")
                headers.setdefault("Cache-Control", "no-store")
                headers.setdefault("X-Frame-Options", "DENY")
                if scope["path"] not in DOCS:
                    headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
            await send(message)

        if _content_length(scope) > MAX_BODY_BYTES:
            answer = problem_response(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LARGE, headers={"Connection": "close"})
            await answer(scope, receive, send_with_headers)
        else:
            await self._app(scope, receive_within_limit, send_with_headers)


def _content_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0
