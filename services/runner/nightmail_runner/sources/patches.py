"""Workarounds for httpcore, each with why it is needed."""

from collections.abc import AsyncIterator
from typing import Any

import httpcore
from httpcore._async.http11 import AsyncHTTP11Connection

_receive_body: Any = AsyncHTTP11Connection._receive_response_body  # noqa: SLF001


async def _receive_whole_body(self: Any, request: httpcore.Request) -> AsyncIterator[bytes]:
    async for part in _receive_body(self, request):
        yield part
    excess, _ = self._h11_state.trailing_data
    if excess.strip():
        self._h11_state.send_failed()  # so that the connection is closed, and nobody reads these bytes as an answer
        raise httpcore.RemoteProtocolError(
            f"the answer is longer than its Content-Length or its chunks say, by {len(excess)} bytes or more"
        )


def refuse_excess_bytes() -> None:
    """Make an answer that is longer than its framing says an error (https://github.com/encode/httpcore).

    httpcore drops the bytes behind the `Content-Length`, which some programs count in characters: the last records of such a
    CSV are lost. Bytes that come later than the end are not seen.
    """
    AsyncHTTP11Connection._receive_response_body = _receive_whole_body  # type: ignore[method-assign]  # noqa: SLF001
