"""The rate limit of wrong tokens per address. A right token always passes: behind a proxy all callers have one address."""

import time
from collections import OrderedDict

import structlog

#: A wrong token after this many within the window is answered 429.
MAX_FAILURES = 20
WINDOW_SECONDS = 60.0
#: About 2 MB; the oldest address is forgotten first.
REMEMBERED_ADDRESSES = 10_000

logger = structlog.get_logger()


class FailureLimiter:
    """Counts wrong tokens per address, in windows of a minute."""

    def __init__(self) -> None:
        self._windows: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def retry_after(self, address: str) -> float:
        """Return the seconds until an address may send another wrong token; 0 below the limit."""
        count, end = self._windows.get(address, (0, 0.0))
        return max(0.0, end - time.monotonic()) if count >= MAX_FAILURES else 0.0

    def add(self, address: str) -> None:
        """Count a wrong token."""
        now = time.monotonic()
        count, end = self._windows.pop(address, (0, 0.0))
        self._windows[address] = (count + 1, end) if now < end else (1, now + WINDOW_SECONDS)
        if count + 1 == MAX_FAILURES:
            logger.warning("wrong_tokens_limited", seconds=WINDOW_SECONDS)
        if len(self._windows) > REMEMBERED_ADDRESSES:
            self._windows.popitem(last=False)
