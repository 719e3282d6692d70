"""The circuit breaker: while the SMTP server cannot be reached, nobody but one probe tries."""

import asyncio
import random

import structlog

#: From one probe to the next, doubled each time: a server that restarts is found within a moment, one that is away for
#: hours sees two connections a minute.
FIRST_PROBE_SECONDS = 0.25
LONGEST_PROBE_SECONDS = 30.0

logger = structlog.get_logger()


class Breaker:
    """Open from the start until the first connection works, and again whenever one cannot be made."""

    def __init__(self) -> None:
        self._reason: str | None = "not connected yet"
        self._closed = asyncio.Event()
        self._opened = asyncio.Event()
        self._opened.set()
        self._wait_seconds = 0.0

    @property
    def reason(self) -> str | None:
        """Why it is open; None while it is closed."""
        return self._reason

    def open(self, reason: str) -> None:
        """Hold all mail back: no connection can be made."""
        if self._closed.is_set():
            logger.warning("smtp_unreachable", reason=reason)
        self._reason = reason
        self._closed.clear()
        self._opened.set()

    def close(self) -> None:
        """Let mail through: a connection was made."""
        if not self._closed.is_set():
            logger.info("smtp_reachable")
        self._reason = None
        self._wait_seconds = FIRST_PROBE_SECONDS
        self._opened.clear()
        self._closed.set()

    async def until_closed(self) -> None:
        """Wait until mail may be sent."""
        await self._closed.wait()

    async def until_probe(self) -> None:
        """Wait until it is open and time to try again; the first probe ever is at once."""
        await self._opened.wait()
        await asyncio.sleep(random.uniform(self._wait_seconds / 2, self._wait_seconds))
        self._wait_seconds = min(max(2 * self._wait_seconds, FIRST_PROBE_SECONDS), LONGEST_PROBE_SECONDS)
