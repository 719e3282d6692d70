"""The one backoff: how long to wait before a retry."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import structlog

from nightmail_common.broker.errors import TRANSIENT_ERRORS
from nightmail_common.broker.patches import raise_if_cancelled
from nightmail_common.contract.errors import describe_error

#: Beyond this the power of two changes nothing: `longest` is reached, and a float still holds it.
_MAX_DOUBLINGS = 64

T = TypeVar("T")

logger = structlog.get_logger()


@dataclass(frozen=True)
class Backoff:
    """Exponential backoff with equal jitter ("Exponential Backoff And Jitter", AWS Architecture Blog).

    The n-th wait is at random between half of and all of `first * 2**(n-1)` seconds, with `longest` as the ceiling.
    """

    first: float
    longest: float

    def wait(self, attempt: int) -> float:
        """Return the seconds from the failed attempt of this number, counted from 1, to the next attempt."""
        ceiling = min(self.first * 2.0 ** min(attempt - 1, _MAX_DOUBLINGS), self.longest)
        return random.uniform(ceiling / 2, ceiling)


#: A broker that restarts is back within a second; a cluster elects a leader in 4 to 9 s.
BROKER_BACKOFF = Backoff(first=0.1, longest=2.0)


async def retry_forever(
    action: Callable[[], Awaitable[T]],
    name: str,
    retry_on: tuple[type[Exception], ...] = TRANSIENT_ERRORS,
    backoff: Backoff = BROKER_BACKOFF,
) -> T:
    """Return the result of an idempotent action; retry it while it raises one of the errors to retry on.

    Args:
        name: the field `to` of the log line, one line per distinct error.

    Raises:
        nats.errors.Error: any other error, at once: by default, a permanent one.
        asyncio.CancelledError: the task that calls is cancelled.
    """
    attempt = 0
    logged = ""
    while True:
        raise_if_cancelled()
        try:
            return await action()
        except retry_on as error:
            attempt += 1
            if (text := describe_error(error)) != logged:
                logger.warning("waiting_for_broker", to=name, error=text)
                logged = text
        await asyncio.sleep(backoff.wait(attempt))
