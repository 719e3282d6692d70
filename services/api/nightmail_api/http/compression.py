"""Compression of JSON answers, in zstd or gzip, as the client asks (RFC 9110, 12.5.3; RFC 8878).

Starlette's GZipMiddleware and starlette-compress compress every type: a CSV of 100 MB would hold the event loop for seconds,
and events would wait for the compressor.
"""

import gzip
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from importlib import import_module

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: A smaller answer fits one packet.
LEAST_BYTES = 1024
#: Compressing this size at the lowest level blocks other requests for 8 to 20 ms (gzip) or 2 to 5 ms (zstd).
MOST_BYTES = 2 * 1024 * 1024
LEVEL = 1
IDENTITY = "identity"
#: Part of the standard library since Python 3.14.
ZSTD = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"

#: What this API compresses with, the best first. An installation that is older than the dependency on zstd offers gzip alone.
ENCODERS: dict[str, Callable[[bytes], bytes]] = {}
with suppress(ImportError):
    _zstd = import_module(ZSTD)
    ENCODERS["zstd"] = lambda content: _zstd.compress(content, LEVEL)
ENCODERS["gzip"] = lambda content: gzip.compress(content, LEVEL, mtime=0)


class CompressionMiddleware:
    """Compress an answer that is whole, JSON, and neither small nor large."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        encoding = IDENTITY if scope["type"] != "http" else _asked(scope)
        if encoding == IDENTITY:
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
                await send(_compress(head, message, encoding))
            await send(message)

        await self._app(scope, receive, send_compressed)


def _asked(scope: Scope) -> str:
    """Return the encoding that a request asks for; several headers are one list."""
    return chosen(b",".join(value for name, value in scope["headers"] if name == b"accept-encoding").decode("latin-1"))


@lru_cache(maxsize=128)
def chosen(accept_encoding: str, offers: tuple[str, ...] = tuple(ENCODERS)) -> str:
    """Return the offered encoding with the highest weight; of equal ones the first, and `identity` last.

    An answer that is not compressed is sent even where `identity` is refused: a client that asks for nothing that the API has
    is better served by it than by 406.
    """
    weights: dict[str, float] = {}
    for item in accept_encoding.lower().split(","):
        coding, *parameters = (part.strip() for part in item.split(";"))
        weights[coding] = _weight(parameters)
    others = weights.get("*", 0.0)
    offered = {name: weights.get(name, others) for name in offers}
    best = max(offered, key=lambda name: offered[name])
    return best if offered[best] > 0 and offered[best] >= weights.get(IDENTITY, 0.0) else IDENTITY


def _weight(parameters: list[str]) -> float:
    """Return the weight of an item; 0 for one that is not a number from 0 to 1."""
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                weight = float(value)
            except ValueError:
                return 0.0
            return weight if 0.0 <= weight <= 1.0 else 0.0
    return 1.0


def _is_json(start: Message) -> bool:
    return any(name == b"content-type" and value.startswith(b"application/json") for name, value in start["headers"])


def _compress(start: Message, body: Message, encoding: str) -> Message:
    """Compress the body in place if it is whole and worth it, and return the start of the response with its headers."""
    headers = MutableHeaders(raw=list(start["headers"]))
    headers.add_vary_header("Accept-Encoding")
    content = body.get("body", b"")
    if (
        not body.get("more_body", False)
        and LEAST_BYTES <= len(content) <= MOST_BYTES
        and "content-encoding" not in headers
    ):
        body["body"] = ENCODERS[encoding](content)
        headers["Content-Encoding"] = encoding
        headers["Content-Length"] = str(len(body["body"]))
    return {**start, "headers": headers.raw}
