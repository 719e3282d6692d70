"""`FairSlots`: one owner's work does not hold up that of another."""

import asyncio
from contextlib import suppress

from nightmail_common.service.fair_slots import FairSlots
from support.deadlines import scaled


async def test_the_work_of_an_owner_waits_for_its_own_and_not_for_that_of_a_busy_one() -> None:
    slots = FairSlots(in_all=2, per_owner=1)
    release = asyncio.Event()
    begun: list[str] = []

    async def work(owner: str) -> None:
        async with slots.hold(owner):
            begun.append(owner)
            await release.wait()

    async with asyncio.TaskGroup() as tasks:
        for owner in ["busy"] * 50 + ["other"]:
            tasks.create_task(work(owner))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert begun == ["busy", "other"]
        release.set()
    assert begun.count("busy") == 50


async def test_work_that_is_cancelled_while_it_waits_or_runs_gives_its_slot_back() -> None:
    slots = FairSlots(in_all=2, per_owner=1)

    async def work() -> None:
        async with slots.hold("owner"):
            await asyncio.Event().wait()

    tasks = [asyncio.create_task(work()) for _ in range(3)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    async with asyncio.timeout(scaled(1)), slots.hold("owner"), slots.hold("another"):
        pass
