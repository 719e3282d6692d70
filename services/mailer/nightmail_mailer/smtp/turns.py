"""Whose turn it is to send: a few mails at a time, and no mail waits for those that hang."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import structlog

#: A mail that takes longer than a mail should is set aside: it goes on, and the next one has its turn.
PATIENCE_SECONDS = 1.0
#: So many may be set aside. When all of them hang, the one that has hung the longest is cut off for the next, but not
#: before it had this time; a mail that is handed over had longer, for to cut it off may send it twice (RFC 1047).
CUT_AFTER_SECONDS = 10.0
CUT_AFTER_DATA_SECONDS = 60.0

logger = structlog.get_logger()


class Turn:
    """One mail's turn. `handed_over_at` (monotonic seconds) is when all of the mail was sent."""

    def __init__(self) -> None:
        self.began_at = 0.0
        self.handed_over_at: float | None = None
        self.cut: Callable[[], None] | None = None
        self.timer: asyncio.TimerHandle | None = None

    def may_be_cut(self) -> bool:
        """Say whether it had its time."""
        now = time.monotonic()
        if self.handed_over_at is not None:
            return now - self.handed_over_at >= CUT_AFTER_DATA_SECONDS
        return now - self.began_at >= CUT_AFTER_SECONDS


class Turns:
    """Gives turns.

    Args:
        working: mails at a time, as long as none hangs.
        aside: mails that may hang beyond that.
    """

    def __init__(self, working: int, aside: int) -> None:
        self._free = asyncio.Semaphore(working)
        self._room = aside
        #: Those set aside, the oldest first.
        self._aside: dict[Turn, None] = {}

    @property
    def hanging(self) -> int:
        """How many mails are set aside now."""
        return len(self._aside)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Turn]:
        """Wait for a turn, and have it while inside."""
        await self._free.acquire()
        turn = Turn()
        try:
            yield turn
        finally:
            if turn.timer is not None:
                turn.timer.cancel()
            if turn in self._aside:
                del self._aside[turn]
            else:
                self._free.release()

    def begin(self, turn: Turn, cut: Callable[[], None]) -> None:
        """Count the time of a turn from now; `cut` ends what it is used for."""
        turn.began_at = time.monotonic()
        turn.cut = cut
        self._look_later(turn)

    def cut_oldest(self) -> None:
        """Cut off the one that has hung the longest, if any had its time."""
        for turn in self._aside:
            if turn.cut is not None and turn.may_be_cut():
                logger.warning("hanging_mail_cut_off", seconds=round(time.monotonic() - turn.began_at))
                turn.cut()
                return

    def _look_later(self, turn: Turn) -> None:
        turn.timer = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self._set_aside, turn)

    def _set_aside(self, turn: Turn) -> None:
        if len(self._aside) < self._room:
            self._aside[turn] = None
            self._free.release()
        else:
            self.cut_oldest()
            self._look_later(turn)
