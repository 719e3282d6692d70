"""Every workaround for nats-py and asyncio, each with the upstream issue or the version that makes it unnecessary."""

import asyncio
import time
from collections.abc import Coroutine, Iterable
from datetime import UTC, datetime
from typing import Any, TypeVar

import nats.errors
from nats.aio.client import PING_PROTO, Client

#: How long a publish waits for a broker that is away.
PUBLISH_WAIT_SECONDS = 3.0
RECONNECT_POLL_SECONDS = 0.02
#: From a cancellation to the next one of a task that has not ended.
CANCEL_AGAIN_SECONDS = 0.5

T = TypeVar("T")


def raise_if_cancelled() -> None:
    """Raise a cancellation that the library lost; without it a loop that calls NATS never ends.

    Before Python 3.12 `asyncio.wait_for` loses a cancellation that comes together with the result
    (https://github.com/python/cpython/issues/86296); nats-py calls it everywhere, and raises `ConnectionClosedError`
    in place of a cancellation once the connection is closed.

    Raises:
        asyncio.CancelledError: the task that calls is cancelled.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def cancel_until_done(tasks: Iterable[asyncio.Task[Any]], again_seconds: float = CANCEL_AGAIN_SECONDS) -> None:
    """Cancel tasks, again and again until they have ended: the reason is that of `raise_if_cancelled`."""
    remaining = set(tasks)
    while remaining:
        for task in remaining:
            task.cancel()
        _, remaining = await asyncio.wait(remaining, timeout=again_seconds)


class Interrupted(Exception):
    """Work was cancelled because of `run_until`."""


async def run_until(interruption: Coroutine[Any, Any, object], work: Coroutine[Any, Any, T]) -> T:
    """Return the result of work; cancel it if the interruption ends first. When this ends, both have ended.

    Raises:
        Interrupted: the interruption ended first.
    """
    working, interrupting = asyncio.create_task(work), asyncio.create_task(interruption)
    try:
        await asyncio.wait({working, interrupting}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
    finally:
        await cancel_until_done({working, interrupting})
    raise Interrupted


class PatchedClient(Client):
    """nats-py's client with five of its methods replaced.

    `connected_since`: when it reached the server that it is connected to; `connection.py` sets it.
    """

    connected_since = datetime.max.replace(tzinfo=UTC)

    async def _send_ping(self, future: asyncio.Future[Any] | None = None) -> None:
        """Send a PING behind the commands that are pending.

        nats-py writes it to the socket ahead of them, so `flush` can return before the server has a subscription (2.16; its
        predecessor had the same fault: https://github.com/nats-io/nats.py2/pull/24).
        """
        self._pongs.append(asyncio.get_running_loop().create_future() if future is None else future)
        await self._send_command(PING_PROTO)
        await self._flush_pending()

    async def _process_pong(self) -> None:
        """Process a PONG, also one for which nobody waits any more.

        nats-py sets the result of a `flush` that was cancelled, which is an error that ends the connection (2.16,
        https://github.com/nats-io/nats.py/blob/v2.16.0/nats/src/nats/aio/client.py).
        """
        if self._pongs and self._pongs[0].done():
            self._pongs[0] = asyncio.get_running_loop().create_future()
        await super()._process_pong()

    async def _attempt_reconnect(self) -> None:
        """Abort the lost connection, then reconnect.

        nats-py waits for the old transport to close: 30 s with TLS, and up to 15 minutes for a peer that is cut off
        (https://github.com/nats-io/nats.py/issues/671, open as of 2.16).
        """
        writer = getattr(self._transport, "_io_writer", None)
        if isinstance(writer, asyncio.StreamWriter):
            writer.transport.abort()
        await super()._attempt_reconnect()

    async def publish(
        self, subject: str, payload: bytes = b"", reply: str = "", headers: dict[str, str] | None = None
    ) -> None:
        """Publish as nats-py does, but do not buffer while disconnected: wait for the connection instead.

        nats-py buffers up to 2 MiB and sends all of it after the reconnect: requests whose callers gave up long ago.
        Its option `pending_size=-1` (https://github.com/nats-io/nats.py/pull/289) fails every publish at once instead.

        Raises:
            nats.errors.TimeoutError: the broker was away for too long; the message is not sent later either.
        """
        deadline = time.monotonic() + PUBLISH_WAIT_SECONDS
        while self.is_reconnecting:
            if time.monotonic() > deadline:
                raise nats.errors.TimeoutError
            await asyncio.sleep(RECONNECT_POLL_SECONDS)
        await super().publish(subject, payload, reply, headers)

    @staticmethod
    def _parse_header_lines(raw: bytes) -> dict[str, str]:
        """Parse headers without a check of each character of their names, which is most of the time of a replay.

        The check came with https://github.com/nats-io/nats.py/pull/928 and is in 2.16 still.
        """
        headers = {}
        for line in raw.decode(errors="replace").split("\r\n"):
            name, colon, value = line.partition(":")
            if colon:
                headers[name.strip()] = value.strip()
        return headers
