"""The meaning of a schedule: Debian cron, in a time zone.

Five fields, `HH:MM`, `at 2026-12-01 09:00` or an alias such as `@daily`. 0 and 7 are Sunday; day-of-month OR day-of-week when both are
restricted; a time that DST skips runs right after the gap; a time that DST repeats runs once, the first time
(jobs whose minute or hour is a `*` follow real time instead). Source: cron(8) and crontab(5) of Debian, as
cronsim implements them.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby, islice, takewhile
from typing import Literal
from zoneinfo import ZoneInfo

from cronsim import CronSimError

from nightmail_common.contract.cron import evaluate
from nightmail_common.contract.schedule_description import describe_cron
from nightmail_common.contract.schedule_syntax import ALIASES, FORMS, ScheduleError, check_cron
from nightmail_common.contract.timezones import zone

_LOOK_BACK = tuple(timedelta(days=days) for days in (1 / 24, 1, 32, 366, 8 * 366, 50 * 366))

#: Earlier moments have no local time in some zones.
_FIRST = datetime(1, 1, 2, 12, tzinfo=UTC)

#: A range of one value with a step, `3-3/7`: that value for cron, and `3/7` for cronsim 2.8.
_STEPPED_RANGE = re.compile(r"\b0*(\w+)-0*(\w+)/\d+", re.IGNORECASE)

_TIME_OF_DAY = re.compile(r"(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)")
_ONCE = re.compile(r"at (?P<date>[12]\d{3}-\d\d-\d\d)[ t](?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)", re.IGNORECASE)
_ONCE_PREFIX = "at "


def check_schedule_time(schedule_time: str) -> str:
    """Return a schedule that a user wrote, without the spaces around it.

    Raises:
        ScheduleError: it is malformed, or never comes; the message has the reason and the right spelling.
    """
    schedule_time = schedule_time.strip()
    cron = _canonical(schedule_time)
    if cron.startswith(_ONCE_PREFIX):
        return schedule_time  # `next_due` says whether it has passed
    check_cron(cron)
    try:
        comes = Schedule.parse(schedule_time, "UTC").next_due(datetime.now(UTC)) is not None
    except ScheduleError as error:
        raise ScheduleError(f"{schedule_time!r}: {error}") from None
    if not comes:
        raise ScheduleError(f"{schedule_time!r} names a date that never comes")
    return schedule_time


@dataclass(frozen=True)
class DstNote:
    """The effect of a DST change on a due time.

    `moved`: DST skips its wall time on that day, and the due time is right after the gap. `repeated`: its wall time
    comes twice on that day. `skipped`: the schedule follows elapsed time, and what DST skips gives no due time; `time` is
    right after the gap.
    """

    time: datetime
    dst: Literal["moved", "repeated", "skipped"]
    text: str


@dataclass(frozen=True)
class Schedule:
    """When a job is due. Two schedules are equal if they mean the same text in the same zone.

    `cron` has five fields, or is `at 2026-12-01 09:00` for one due time; `timezone` is an IANA name.
    """

    cron: str
    timezone: str

    @classmethod
    def parse(cls, schedule_time: str, timezone: str) -> "Schedule":
        """Return the schedule of a text from the log. `check_schedule_time` decides what a user may write.

        Raises:
            ScheduleError: the schedule is malformed.
            TimezoneError: the zone does not exist.
        """
        zone(timezone)
        cron = _canonical(schedule_time)
        if not cron.startswith(_ONCE_PREFIX):
            try:
                evaluate(cron, datetime(2000, 1, 1, tzinfo=UTC))
            except CronSimError as error:
                raise ScheduleError(str(error).lower().replace("bad", "bad value for", 1)) from None
            cron = _STEPPED_RANGE.sub(
                lambda found: found[1] if found[1].lower() == found[2].lower() else found[0], cron
            )
        return cls(cron, timezone)

    @property
    def is_once(self) -> bool:
        """Whether it has one due time: `at 2026-12-01 09:00`."""
        return self.cron.startswith(_ONCE_PREFIX)

    @property
    def description(self) -> str:
        """The due times in words: `At 09:00, Monday through Friday`."""
        if self.is_once:
            return f"Once, at {self.cron.removeprefix(_ONCE_PREFIX)}"
        return describe_cron(evaluate(self.cron, datetime(2000, 1, 1, tzinfo=UTC)))

    def due_times(self, after: datetime) -> Iterator[datetime]:
        """Yield the due times strictly after a moment, in order, each once, in the schedule's zone.

        The iterator ends only if there is no further one in 50 years, or before the year 10000.

        Args:
            after: an aware time.
        """
        if self.is_once:
            if (once := at_wall_time(self._once_wall_time(), zone(self.timezone))).astimezone(UTC) > after.astimezone(
                UTC
            ):
                yield once
            return
        # cronsim walks local time; in a repeated hour that can lie before `after`, and two times that a gap
        # swallows become one. Comparing moments instead of wall clocks settles both.
        last = after = max(after.astimezone(UTC), _FIRST)
        try:
            for due in evaluate(self.cron, after.astimezone(zone(self.timezone))):
                moment = due.astimezone(UTC)
                if moment > last:
                    last = moment
                    yield due
        except OverflowError:  # the calendar of `datetime` ends
            return

    def check_not_passed(self, now: datetime) -> None:
        """Check that an `at` is in the future.

        Raises:
            ScheduleError: it is not.
        """
        if self.is_once and self.next_due(now) is None:
            raise ScheduleError(f"{self.cron.removeprefix(_ONCE_PREFIX)} has passed; the schedule never comes")

    def next_due(self, after: datetime) -> datetime | None:
        """Return the first due time strictly after a moment, in the schedule's zone; None if none comes."""
        return next(self.due_times(after), None)

    def last_due(self, after: datetime, until: datetime) -> datetime | None:
        """Return the last due time after one moment and not after another; None if there is none between them."""
        return last_of(self.due_times, after, until)

    def dst_note(self, due: datetime) -> DstNote | None:
        """Return the effect of a DST change on one of this schedule's due times; None on a usual day."""
        before = (due.astimezone(UTC) - timedelta(seconds=1)).astimezone(due.tzinfo)
        skipped_from = before.replace(tzinfo=None) + timedelta(seconds=1)
        wall = due.replace(tzinfo=None)
        if skipped_from < wall:  # a gap ends here
            swallowed = self._first_wall_time(skipped_from)
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

    def skipped_notes(self, after: datetime, until: datetime) -> Iterator[DstNote]:
        """Yield a note for each day in a span whose due times, or some of them, DST skips without another in their place.

        A schedule with a `*` in each hour loses nothing: its next hour follows right after the gap.
        """
        if self._keeps_wall_time or self.cron.split()[1].startswith("*"):
            return
        local = zone(self.timezone)
        start, end = (one.astimezone(local).replace(tzinfo=None) for one in (after, until))
        wall_times = takewhile(lambda wall: wall <= end, evaluate(self.cron, start))
        lost = []
        with suppress(OverflowError):  # the calendar of `datetime` ends
            lost = [wall for wall in wall_times if not _exists(wall, local)]
        for day, times in groupby(lost, key=datetime.date):
            first, *others = times
            which = f"{day} {first:%H:%M}" + (f" to {others[-1]:%H:%M} do" if others else " does")
            yield DstNote(at_wall_time(first, local), "skipped", f"{which} not exist; it does not run then")

    def _first_wall_time(self, since: datetime) -> datetime:
        """Return the first wall time of the schedule, DST disregarded, from a wall time on."""
        if self.is_once:
            return self._once_wall_time()
        return next(evaluate(self.cron, since - timedelta(seconds=1)))

    def _once_wall_time(self) -> datetime:
        return datetime.fromisoformat(self.cron.removeprefix(_ONCE_PREFIX))

    @property
    def _keeps_wall_time(self) -> bool:
        """Whether minute and hour have no `*`; with one, a schedule follows elapsed time (cron(8))."""
        if self.is_once:
            return True
        minute, hour, *_ = self.cron.split()
        return not minute.startswith("*") and not hour.startswith("*")


def last_of(due_times: Callable[[datetime], Iterator[datetime]], after: datetime, until: datetime) -> datetime | None:
    """Return the last due time after one moment and not after another; None if there is none between them.

    Args:
        due_times: yields the due times strictly after a moment, in order.
    """
    # Search forward from earlier and earlier starts: cheap for a frequent schedule, and not much slower for a yearly one.
    for span in _LOOK_BACK:
        start = max(after, until - span)
        last = _furthest(due_times, start, until, walk=64)
        if last is None:
            if start == after:
                return None
            continue
        # More than a walk: the minutes of a January are 44,640 due times. The span behind the last known one is halved.
        end = until
        while (following := _furthest(due_times, last, end, walk=8)) is not None:
            last, middle = following, following + (end - following) / 2
            if (due := next(due_times(middle), None)) is None or due > end:
                end = middle
            else:
                last = due
        return last
    return None


def _furthest(
    due_times: Callable[[datetime], Iterator[datetime]], after: datetime, until: datetime, walk: int
) -> datetime | None:
    """Return the last due time of a span, or the last one of a walk of so many; None if there is none."""
    return max(takewhile(lambda due: due <= until, islice(due_times(after), walk)), default=None)


def at_wall_time(wall: datetime, timezone: ZoneInfo) -> datetime:
    """Return a wall time in a zone: right after the gap if DST skips it, the first one if DST repeats it.

    Args:
        wall: a time without a zone.
    """
    while True:
        if _exists(wall, timezone):
            return wall.replace(tzinfo=timezone)
        wall += timedelta(minutes=1)


def _exists(wall: datetime, timezone: ZoneInfo) -> bool:
    """Return whether a zone has a wall time: DST may skip it."""
    return wall.replace(tzinfo=timezone).astimezone(UTC).astimezone(timezone).replace(tzinfo=None) == wall


def _canonical(schedule_time: str) -> str:
    """Return the five cron fields of a schedule, or `at` with date and time."""
    text = " ".join(schedule_time.split())
    if match := _TIME_OF_DAY.fullmatch(text):
        return f"{int(match['minute'])} {int(match['hour'])} * * *"
    if text.startswith("@"):
        if (cron := ALIASES.get(text.lower())) is None:
            raise ScheduleError(f"{text!r} is not one of {', '.join(ALIASES)}")
        return cron
    if text.lower().startswith(_ONCE_PREFIX):
        return _canonical_once(text)
    if len(text.split()) != 5:
        raise ScheduleError(f"{schedule_time!r} is neither {FORMS}")
    return text


def _canonical_once(text: str) -> str:
    match = _ONCE.fullmatch(text)
    try:
        if match is not None:
            moment = datetime.fromisoformat(f"{match['date']} {match['hour']:0>2}:{match['minute']}")
            return f"{_ONCE_PREFIX}{moment.isoformat(' ', 'minutes')}"
    except ValueError:
        pass
    raise ScheduleError(f"{text!r} is not a date and time; write it as at 2026-12-01 09:00")
