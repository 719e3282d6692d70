"""gzip for JSON answers, where the client asks for it.

Starlette's GZipMiddleware compresses every type: a CSV of 100 MB would hold the event loop for seconds.
"""

import gzip

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: A smaller answer fits one packet.
LEAST_BYTES = 1024
#: To compress so much at the lowest level takes some 20 ms, for which other requests wait.
MOST_BYTES = 2 * 1024 * 1024
LEVEL = 1


class CompressionMiddleware:
    """Compress an answer that is whole, JSON, and neither small nor large."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _accepts_gzip(scope):
            await self._app(scope, receive, send)
            return
        start: Message | None = None

        async def send_compressed(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _is_json(message):
                start = message  # the length is known when the body comes
                return
            if start is not None:
                head, start = start, None
                await send(_compress(head, message))
            await send(message)

        await self._app(scope, receive, send_compressed)


def _accepts_gzip(scope: Scope) -> bool:
    return any(name == b"accept-encoding" and b"gzip" in value for name, value in scope["headers"])


def _is_json(start: Message) -> bool:
    return any(name == b"content-type" and value.startswith(b"application/json") for name, value in start["headers"])


def _compress(start: Message, body: Message) -> Message:
    """Compress the body in place if it is whole and worth it, and return the start of the response with its headers."""
    headers = MutableHeaders(raw=list(start["headers"]))
    headers.add_vary_header("Accept-Encoding")
    content = body.get("body", b"")
    if (
        not body.get("more_body", False)
        and LEAST_BYTES <= len(content) <= MOST_BYTES
        and "content-encoding" not in headers
    ):
        body["body"] = gzip.compress(content, LEVEL, mtime=0)
        headers["Content-Encoding"] = "gzip"
        headers["Content-Length"] = str(len(body["body"]))
    return {**start, "headers": headers.raw}
