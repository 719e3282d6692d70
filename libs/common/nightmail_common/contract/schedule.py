"""The meaning of a schedule: Debian cron, in a time zone.

Five fields, `HH:MM` or one of four aliases. 0 and 7 are Sunday; day-of-month OR day-of-week when both are
restricted; a time that DST skips runs right after the gap; a time that DST repeats runs once, the first time
(jobs whose minute or hour is a `*` follow real time instead). Source: cron(8) and crontab(5) of Debian, as
cronsim implements them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
}

_LOOK_BACK = tuple(timedelta(days=days) for days in (1 / 24, 1, 32, 366, 8 * 366, 50 * 366))

#: Earlier moments have no local time in some zones.
_FIRST = datetime(1, 1, 2, 12, tzinfo=UTC)

#: A range of one value with a step, `3-3/7`: that value for cron, and `3/7` for cronsim 2.8.
_STEPPED_RANGE = re.compile(r"\b0*(\w+)-0*(\w+)/\d+", re.IGNORECASE)

_TIME_OF_DAY = re.compile(r"(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)")


class ScheduleError(ValueError):
    """The text is not a schedule, or a schedule that is never due; the message names the wrong part."""


class TimezoneError(ValueError):
    """The name is not an IANA time zone."""


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """Return an IANA time zone by its name.

    Raises:
        TimezoneError: there is no such zone.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise TimezoneError(f"{name!r} is not an IANA time zone such as 'Europe/Paris'") from error


@dataclass(frozen=True)
class DstNote:
    """The effect of a DST change on a due time.

    `moved`: DST skips its wall time on that day, and the due time is right after the gap. `repeated`: its wall time
    comes twice on that day.
    """

    time: datetime
    dst: Literal["moved", "repeated"]
    text: str


@dataclass(frozen=True)
class Schedule:
    """When a job is due. Two schedules are equal if they mean the same text in the same zone.

    `cron` has five fields; `timezone` is an IANA name.
    """

    cron: str
    timezone: str

    @classmethod
    def parse(cls, schedule_time: str, timezone: str) -> "Schedule":
        """Return the schedule that a user wrote.

        Raises:
            ScheduleError: the schedule is malformed or never comes.
            TimezoneError: the zone does not exist.
        """
        zone(timezone)
        schedule = cls(_five_fields(schedule_time), timezone)
        if next(schedule.due_times(datetime.now(UTC)), None) is None:
            raise ScheduleError(f"{schedule_time!r} names a date that never comes")
        return schedule

    def due_times(self, after: datetime) -> Iterator[datetime]:
        """Yield the due times strictly after a moment, in order, each once, in the schedule's zone.

        The iterator ends only if there is no further one in 50 years, or before the year 10000.

        Args:
            after: an aware time.
        """
        # cronsim walks local time; in a repeated hour that can lie before `after`, and two times that a gap
        # swallows become one. Comparing moments instead of wall clocks settles both.
        last = after = max(after.astimezone(UTC), _FIRST)
        try:
            for due in CronSim(self.cron, after.astimezone(zone(self.timezone))):
                moment = due.astimezone(UTC)
                if moment > last:
                    last = moment
                    yield due
        except OverflowError:  # the calendar of `datetime` ends
            return

    def next_due(self, after: datetime) -> datetime | None:
        """Return the first due time strictly after a moment, in the schedule's zone; None if none comes."""
        return next(self.due_times(after), None)

    def last_due(self, after: datetime, until: datetime) -> datetime | None:
        """Return the last due time after one moment and not after another; None if there is none between them."""
        # Search forward from earlier and earlier starts: cheap for a frequent schedule, and not much slower for a yearly one.
        for span in _LOOK_BACK:
            start = max(after, until - span)
            last = None
            for due in self.due_times(start):
                if due > until:
                    break
                last = due
            if last is not None or start == after:
                return last
        return None

    def dst_note(self, due: datetime) -> DstNote | None:
        """Return the effect of a DST change on one of this schedule's due times; None on a usual day."""
        before = (due.astimezone(UTC) - timedelta(seconds=1)).astimezone(due.tzinfo)
        skipped_from = before.replace(tzinfo=None) + timedelta(seconds=1)
        wall = due.replace(tzinfo=None)
        if skipped_from < wall:  # a gap ends here
            swallowed = next(CronSim(self.cron, skipped_from - timedelta(seconds=1)))
            if self._keeps_wall_time and swallowed < wall:
                text = f"{swallowed:%Y-%m-%d %H:%M} does not exist; it runs right after the gap"
                return DstNote(due, "moved", text)
            return None
        if due.replace(fold=1).utcoffset() == due.replace(fold=0).utcoffset():
            return None
        if self._keeps_wall_time:
            text = f"{wall:%H:%M} comes twice on this day; it runs the first time only"
        else:
            text = f"{wall:%H:%M} comes twice on this day; this is the {'second' if due.fold else 'first'} time"
        return DstNote(due, "repeated", text)

    @property
    def _keeps_wall_time(self) -> bool:
        """Whether minute and hour have no `*`; with one, a schedule follows elapsed time (cron(8))."""
        minute, hour, *_ = self.cron.split()
        return not minute.startswith("*") and not hour.startswith("*")


def _five_fields(schedule_time: str) -> str:
    text = " ".join(schedule_time.split())
    if match := _TIME_OF_DAY.fullmatch(text):
        return f"{int(match['minute'])} {int(match['hour'])} * * *"
    if text.startswith("@"):
        if (cron := ALIASES.get(text.lower())) is None:
            raise ScheduleError(f"{text!r} is not one of {', '.join(ALIASES)}")
        return cron
    count = len(text.split())
    if count != 5:
        raise ScheduleError(
            f"{schedule_time!r} is neither five cron fields (minute hour day-of-month month day-of-week)"
            f" nor a time of day (HH:MM) nor one of {', '.join(ALIASES)}"
        )
    try:
        CronSim(text, datetime(2000, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise ScheduleError(f"{schedule_time!r}: {str(error).lower().replace('bad', 'bad value for', 1)}") from None
    return _STEPPED_RANGE.sub(lambda range_: range_[1] if range_[1].lower() == range_[2].lower() else range_[0], text)
