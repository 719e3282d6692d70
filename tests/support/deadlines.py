"""Waiting for a condition with a deadline that a slow machine can stretch."""

import asyncio
import os
import time
from collections.abc import Callable
from typing import Any

#: A machine at a third of the usual speed runs the suite with TEST_TIME_FACTOR=3.
TIME_FACTOR = float(os.environ.get("TEST_TIME_FACTOR", "1"))
DEADLINE_SECONDS = 20.0


def wait_until(condition: Callable[[], Any], what: str, seconds: float = DEADLINE_SECONDS) -> Any:
    """Return the condition's first true value; fail with what was waited for if there is none in time."""
    deadline = time.monotonic() + seconds * TIME_FACTOR
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not in {seconds * TIME_FACTOR} s: {what}"
        time.sleep(0.02)  # between two looks, not instead of one
    return value


async def eventually(condition: Callable[[], Any], what: str, seconds: float = DEADLINE_SECONDS) -> Any:
    """Return the condition's first true value (awaited if it is a coroutine) without blocking the loop."""
    deadline = time.monotonic() + seconds * TIME_FACTOR
    while True:
        value = condition()
        if asyncio.iscoroutine(value):
            value = await value
        if value:
            return value
        assert time.monotonic() < deadline, f"not in {seconds * TIME_FACTOR} s: {what}"
        await asyncio.sleep(0.02)
