"""The ticker's process on a clock that runs faster: `python -m support.fast_ticker`.

At FAST_TICKER_ORIGIN (ISO 8601) both clocks are equal; from then on this one runs FAST_TICKER_SPEED times as fast.
"""

import os
from datetime import datetime

from nightmail_ticker.clock import Clock
from nightmail_ticker.main import run


class FastClock(Clock):
    def __init__(self, origin: datetime, speed: float) -> None:
        self._origin = origin
        self._speed = speed

    def at(self, machine_time: datetime) -> datetime:
        return self._origin + (machine_time - self._origin) * self._speed

    def machine_time(self, moment: datetime) -> datetime:
        return self._origin + (moment - self._origin) / self._speed


if __name__ == "__main__":
    origin = datetime.fromisoformat(os.environ["FAST_TICKER_ORIGIN"])
    run(FastClock(origin, float(os.environ["FAST_TICKER_SPEED"])))
