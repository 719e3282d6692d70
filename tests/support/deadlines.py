"""Deadlines of tests. All of them scale with the speed of the machine.

`TEST_TIME_FACTOR` sets the scale: a machine at a third of the usual speed needs 3. Without it, the first process that
imports this module measures the machine and sets the variable for the processes that it starts (pytest-xdist's workers).
"""

import asyncio
import os
import time
from collections.abc import Callable
from typing import Any

DEADLINE_SECONDS = 40.0

#: `measure_factor` takes this long on the machine on which the deadlines were chosen (2 cores, AMD EPYC, idle).
REFERENCE_SECONDS = 0.17
#: A machine that is faster than the reference keeps the deadlines; a hung test on the slowest one ends in minutes.
LOWEST_FACTOR, HIGHEST_FACTOR = 1.0, 5.0


def measure_factor(clock: Callable[[], float] = time.perf_counter) -> float:
    """Time a fixed amount of Python work: on the wall clock other load on the machine counts too, on `process_time` it does not."""
    begun = clock()
    total = 0
    for number in range(6_000_000):
        total += number & 7
    factor = (clock() - begun) / REFERENCE_SECONDS
    return round(min(max(factor, LOWEST_FACTOR), HIGHEST_FACTOR), 1)


if "TEST_TIME_FACTOR" not in os.environ:
    os.environ["TEST_TIME_FACTOR"] = str(measure_factor())
TIME_FACTOR = float(os.environ["TEST_TIME_FACTOR"])


def scaled(seconds: float) -> float:
    """Return a deadline for this machine, in seconds, from one for the reference machine."""
    return seconds * TIME_FACTOR


def poll_interval(waited: float) -> float:
    """Return the seconds until a condition is checked again: a twentieth of the time waited, from 20 to 100 ms.

    To ask the API for a long run every 20 ms took more processor time than the run.
    """
    return min(max(waited / 20, 0.02), 0.1)


def wait_until(condition: Callable[[], Any], what: str, seconds: float = DEADLINE_SECONDS) -> Any:
    """Return the condition's first true value; fail with `what` if there is none within the scaled deadline."""
    began = time.monotonic()
    while not (value := condition()):
        waited = time.monotonic() - began
        assert waited < scaled(seconds), f"not in {scaled(seconds)} s: {what}"
        time.sleep(poll_interval(waited))
    return value


async def eventually(condition: Callable[[], Any], what: str, seconds: float = DEADLINE_SECONDS) -> Any:
    """Do the same without blocking the event loop; await the condition's value if it is a coroutine."""
    began = time.monotonic()
    while True:
        value = condition()
        if asyncio.iscoroutine(value):
            value = await value
        if value:
            return value
        waited = time.monotonic() - began
        assert waited < scaled(seconds), f"not in {scaled(seconds)} s: {what}"
        await asyncio.sleep(poll_interval(waited))
