"""Workarounds for nats-py and asyncio."""

import asyncio
from contextlib import suppress

import pytest

from nightmail_common.broker.patches import Interrupted, raise_if_cancelled, run_until
from support.deadlines import scaled


async def test_a_loop_that_swallows_its_cancellation_ends() -> None:
    rounds = 0

    async def loop() -> None:
        nonlocal rounds
        while True:
            raise_if_cancelled()
            rounds += 1
            with suppress(asyncio.CancelledError):  # as nats-py does once the connection is closed
                await asyncio.Event().wait()

    looping = asyncio.create_task(loop())
    await asyncio.sleep(0)
    looping.cancel()
    await asyncio.wait({looping}, timeout=scaled(5))
    assert looping.cancelled()
    assert rounds == 1


async def test_a_task_that_is_not_cancelled_continues() -> None:
    raise_if_cancelled()


async def test_interrupted_work_has_ended_when_its_caller_goes_on() -> None:
    ended = False

    async def work() -> None:
        nonlocal ended
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.05)  # as a worker that is killed
            ended = True

    with pytest.raises(Interrupted):
        await run_until(asyncio.sleep(0.01), work())
    assert ended
    assert await run_until(asyncio.Event().wait(), asyncio.sleep(0.01, "result")) == "result"
