"""Connections that do not send a request: closed after some seconds, and few of one address at a time."""

import asyncio
from collections import Counter
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from nightmail_common.contract.limits import MAX_HALF_OPEN, MAX_HEADER_SECONDS


class LimitedHttpProtocol(HttpToolsProtocol):
    """uvicorn's protocol with a deadline for the header of a request, for which uvicorn has no option.

    https://github.com/Kludex/uvicorn/issues/157 (0.54).
    """

    half_open: ClassVar[Counter[str]] = Counter()
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self.half_open[self._address] >= MAX_HALF_OPEN:
            transport.abort()
        else:
            self._wait_for_header()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._wait_for_header()

    def on_headers_complete(self) -> None:
        self._end_wait()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_wait()
        super().connection_lost(exc)

    @property
    def _address(self) -> str:
        return self.client[0] if self.client is not None else ""

    def _wait_for_header(self) -> None:
        if self._deadline is None:
            self.half_open[self._address] += 1
            self._deadline = self.loop.call_later(MAX_HEADER_SECONDS, self.transport.abort)

    def _end_wait(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
            self.half_open[self._address] -= 1
            if not self.half_open[self._address]:
                del self.half_open[self._address]
