"""The time as a ticker knows it. Tests have clocks that are shifted, or that run faster."""

from datetime import UTC, datetime


class Clock:
    """The machine's clock. A subclass converts its own time to the machine's and back.

    Timers use the machine's time; due times are of the clock's.
    """

    def at(self, machine_time: datetime) -> datetime:
        """Return this clock's time at a time of the machine's clock (aware)."""
        return machine_time

    def machine_time(self, moment: datetime) -> datetime:
        """Return the machine's time at a time of this clock; the inverse of `at`."""
        return moment

    def now(self) -> datetime:
        return self.at(datetime.now(UTC))

    def seconds_until(self, moment: datetime) -> float:
        """Return the length of a timer that ends at a time of this clock, in seconds; negative for a past time."""
        return (self.machine_time(moment) - datetime.now(UTC)).total_seconds()
