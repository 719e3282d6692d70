"""What falls due at the same moment goes out together, whatever schedules it has, and is made ready beforehand."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

from nightmail_ticker.clock import Clock
from nightmail_ticker.fire import Prepared, Requests
from nightmail_ticker.jobs import ScheduledJob
from nightmail_ticker.slots import AHEAD, Slot, jobs_of

#: How soon a wait notices that the clock was set.
LOOK_SECONDS = 0.5

Fire = Callable[[list[ScheduledJob], list[Prepared]], Awaitable[None]]


class Bursts:
    """Gathers the slots of each moment, has their requests prepared, and fires them when the moment comes."""

    def __init__(self, requests: Requests, clock: Clock, fire: Fire) -> None:
        self._requests = requests
        self._clock = clock
        self._fire = fire
        self._gathered: dict[datetime, list[Slot]] = {}

    async def soon(self, slot: Slot) -> None:
        """Fire a slot at its next due time; the first slot of a moment does it for all."""
        due = slot.schedule.next_due(self._clock.now())
        if due is None or self._clock.seconds_until(due) > AHEAD.total_seconds() + LOOK_SECONDS:
            # This process stood still, and the due time that it was called for went by.
            await self._fire(jobs_of([slot]), [])
        elif (together := self._gathered.get(due)) is not None:
            together.append(slot)
        else:
            await self._gather(slot, due)

    async def _gather(self, first: Slot, due: datetime) -> None:
        slots = self._gathered[due] = [first]
        try:
            await asyncio.sleep(0)  # the other slots of this moment come in this very round of the loop
            prepared = await self._requests.prepare(jobs_of(slots), due)
            while (seconds := self._clock.seconds_until(due)) > 0:
                if seconds > AHEAD.total_seconds() + LOOK_SECONDS:
                    return  # the clock was set back; the slots have been planned anew
                await asyncio.sleep(min(seconds, LOOK_SECONDS))
        finally:
            del self._gathered[due]
        await self._fire(jobs_of(slots), prepared)
