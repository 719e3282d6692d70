"""Slots for costly work, shared fairly."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary


class FairSlots:
    """Limits work under way. However much one owner has waiting, the work of another one waits for `per_owner` of it at most.

    Args:
        in_all: how much goes on at a time.
        per_owner: how much of it is of one owner; less than `in_all`, so that nobody holds all slots.
    """

    def __init__(self, in_all: int, per_owner: int) -> None:
        self._slots = asyncio.Semaphore(in_all)
        self._per_owner = per_owner
        self._of_owner: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    @asynccontextmanager
    async def hold(self, owner: str) -> AsyncIterator[None]:
        """Wait for a slot, in the order of the calls of an owner, and hold it while inside."""
        own = self._of_owner.get(owner)
        if own is None:
            own = self._of_owner[owner] = asyncio.Semaphore(self._per_owner)
        async with own, self._slots:
            yield
