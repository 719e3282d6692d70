"""Load on an HTTP server: as many requests as it answers, over connections that wait for their answers."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable

from shared.nightmail_up import TOKEN

#: How long load without a count goes on, and how long one with a count may.
SECONDS = 4.0
DEADLINE_SECONDS = 60.0


class Measured:
    """Latencies in milliseconds of requests that took `seconds` together."""

    def __init__(self, latencies: list[float], seconds: float) -> None:
        latencies.sort()
        self.rate = len(latencies) / seconds
        self.p50 = latencies[len(latencies) // 2]
        self.p99 = latencies[int(len(latencies) * 0.99)]


class Caller(asyncio.Protocol):
    """One connection that sends the next request when the answer to the last one is whole."""

    def __init__(self, requests: Callable[[], bytes], count: int | None, until: float) -> None:
        self._requests, self._count, self._until = requests, count, until
        self._buffer = bytearray()
        self._length = -1
        self.latencies: list[float] = []
        self.statuses: Counter[bytes] = Counter()
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._length < 0:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self._buffer[:end].lower()
            length = head[head.index(b"content-length:") + 15 :].partition(b"\r\n")[0]
            self._length = end + 4 + int(length)
        if len(self._buffer) >= self._length:
            now = time.perf_counter()
            self.latencies.append((now - self._began) * 1000)
            self.statuses[bytes(self._buffer[9:12])] += 1
            if now > self._until or len(self.latencies) == self._count:
                self._transport.close()
                self.done.set_result(None)
            else:
                self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the server closed the connection"))

    @property
    def last_bytes(self) -> bytes:
        return bytes(self._buffer[-300:])

    def _send(self) -> None:
        self._buffer, self._length = bytearray(), -1
        self._began = time.perf_counter()
        self._transport.write(self._requests())


async def load(port: int, requests: Callable[[], bytes], connections: int, count: int | None = None) -> Measured:
    """Send requests over connections at once, for some seconds or so many over each.

    Raises:
        SystemExit: an answer was not successful.
    """
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    until = began + (SECONDS if count is None else DEADLINE_SECONDS)
    callers = [
        (await loop.create_connection(lambda: Caller(requests, count, until), "127.0.0.1", port))[1]
        for _ in range(connections)
    ]
    await asyncio.gather(*(caller.done for caller in callers))
    seconds = time.perf_counter() - began
    statuses = sum((caller.statuses for caller in callers), Counter[bytes]())
    if any(not status.startswith(b"2") for status in statuses):
        raise SystemExit(f"error: answers were {dict(statuses)}: {callers[0].last_bytes!r}")
    return Measured([latency for caller in callers for latency in caller.latencies], seconds)


def get(port: int, path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()


def repeated(request: bytes) -> Callable[[], bytes]:
    return lambda: request
