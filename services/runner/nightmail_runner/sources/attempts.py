"""The attempts of a fetch."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from nightmail_common.broker.backoff import Backoff
from nightmail_common.contract.limits import MAX_RETRY_AFTER_SECONDS
from nightmail_runner.sources.errors import CannotFetch, TransientFailure

ATTEMPTS = 3
#: Most servers that restart or shed load answer again within a second or two.
BACKOFF = Backoff(first=0.5, longest=5.0)

Value = TypeVar("Value")

logger = structlog.get_logger()


async def try_again(attempt: Callable[[], Awaitable[Value]]) -> Value:
    """Return what an attempt returns; retry transient failures, up to three attempts.

    Raises:
        CannotFetch: a permanent failure, or the last attempt failed.
    """
    for number in range(1, ATTEMPTS + 1):
        try:
            return await attempt()
        except TransientFailure as error:
            failure = error
        if number == ATTEMPTS:
            raise CannotFetch(f"{failure} ({ATTEMPTS} attempts)")
        wait = BACKOFF.wait(number)
        if failure.retry_after_seconds is not None:
            if failure.retry_after_seconds > MAX_RETRY_AFTER_SECONDS:
                raise CannotFetch(f"{failure}; it asks for a retry after {failure.retry_after_seconds:.0f} s")
            wait = failure.retry_after_seconds
        logger.info("fetch_retried", attempt=number, wait_seconds=round(wait, 3))
        await asyncio.sleep(wait)
    raise AssertionError("the last attempt returns or raises")
