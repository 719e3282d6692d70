"""What time it is for a ticker. Tests give it one that is elsewhere, or that goes faster."""

from datetime import UTC, datetime


class Clock:
    """The machine's own clock. Another one says by `at` and `machine_time` how its time and the machine's go together.

    Timers run on the machine's time; what is due is decided on the clock's.
    """

    def at(self, machine_time: datetime) -> datetime:
        """Return what this clock says when the machine's says that (aware)."""
        return machine_time

    def machine_time(self, moment: datetime) -> datetime:
        """Return what the machine's clock says when this one says that; the opposite of `at`."""
        return moment

    def now(self) -> datetime:
        return self.at(datetime.now(UTC))

    def seconds_until(self, moment: datetime) -> float:
        """Return how long a timer must be to end at a moment of this clock; negative if that is past."""
        return (self.machine_time(moment) - datetime.now(UTC)).total_seconds()
