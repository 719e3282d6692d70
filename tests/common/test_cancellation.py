"""Cancellations that nats-py or asyncio lose on their way."""

import asyncio
from contextlib import suppress

from nightmail_common.broker.cancellation import end_if_cancelled
from support.deadlines import scaled


async def test_a_loop_that_swallows_its_cancellation_ends_all_the_same() -> None:
    turns = 0

    async def loop() -> None:
        nonlocal turns
        while True:
            end_if_cancelled()
            turns += 1
            with suppress(asyncio.CancelledError):  # as nats-py does when the connection is closed
                await asyncio.Event().wait()

    looping = asyncio.create_task(loop())
    await asyncio.sleep(0)
    looping.cancel()
    await asyncio.wait({looping}, timeout=scaled(5))
    assert looping.cancelled()
    assert turns == 1


async def test_who_is_not_cancelled_goes_on() -> None:
    end_if_cancelled()
