"""What must not be lost waits for the broker, however long it is away."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from nightmail_common.broker.work_queue import BROKER_ERRORS

#: Between two tries, doubled from the first to the longest.
FIRST_WAIT_SECONDS = 0.1
LONGEST_WAIT_SECONDS = 2.0

T = TypeVar("T")

logger = structlog.get_logger()


async def patiently(action: Callable[[], Awaitable[T]], what: str) -> T:
    """Return what an action returns, once the broker lets it: tried again for as long as it answers with errors.

    The action is one that may be done twice.
    """
    wait = FIRST_WAIT_SECONDS
    while True:
        try:
            return await action()
        except BROKER_ERRORS as error:
            logger.warning("waiting_for_broker", to=what, error=str(error) or type(error).__name__)
            await asyncio.sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT_SECONDS)
