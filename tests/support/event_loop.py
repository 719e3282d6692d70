"""How long the event loop was held by one callback."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_TICK_SECONDS = 0.005


class Stalls:
    """`longest_seconds`: the longest time in which the loop ran nothing else.

    `longest_cpu_seconds`: the CPU time of its thread in such a time, which other processes of the machine do not change.
    """

    longest_seconds = 0.0
    longest_cpu_seconds = 0.0


@asynccontextmanager
async def measured_stalls() -> AsyncIterator[Stalls]:
    """Measure the loop of the test while inside; what the test itself computes counts too."""
    stalls = Stalls()

    async def tick() -> None:
        loop = asyncio.get_running_loop()
        last, last_cpu = loop.time(), time.thread_time()
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            stalls.longest_seconds = max(stalls.longest_seconds, loop.time() - last - _TICK_SECONDS)
            stalls.longest_cpu_seconds = max(stalls.longest_cpu_seconds, time.thread_time() - last_cpu)
            last, last_cpu = loop.time(), time.thread_time()

    ticking = asyncio.create_task(tick())
    try:
        yield stalls
    finally:
        await asyncio.sleep(2 * _TICK_SECONDS)
        ticking.cancel()
