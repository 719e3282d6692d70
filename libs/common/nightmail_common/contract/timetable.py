"""When a job is due: all its schedules together, as its calendar moves or skips them.

The ticker, the previews and the ledger of due times use the same functions, so that they agree.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import takewhile
from typing import Literal, Protocol

from pydantic_core import from_json, to_json

from nightmail_common.contract.business_calendar import BusinessCalendar, check_country, check_subdivision
from nightmail_common.contract.job import Calendar
from nightmail_common.contract.schedule import DstNote, Schedule, at_wall_time, last_of
from nightmail_common.contract.schedule_syntax import ScheduleError
from nightmail_common.contract.timezones import zone

_DAY = timedelta(days=1)
#: A schedule whose due times are all on holidays has no run in this time; nobody waits for it longer.
_MAX_SKIPPED = timedelta(days=50 * 366)
#: In front of the description of a moving calendar.
_MOVES = {"next_business_day": "next", "previous_business_day": "previous"}


class TimetableFields(Protocol):
    """The fields of a job that say when it is due."""

    @property
    def schedules(self) -> tuple[str, ...]: ...
    @property
    def schedule_time(self) -> str | None: ...
    @property
    def timezone(self) -> str: ...
    @property
    def calendar(self) -> Calendar | None: ...


@dataclass(frozen=True)
class CalendarNote:
    """What the calendar does with the due times of a day: `skipped`, or `moved` to another day."""

    time: datetime
    calendar: Literal["skipped", "moved"]
    text: str


@dataclass(frozen=True)
class Timetable:
    """The due times of one or more schedules in one zone. A due time that several of them share is one due time.

    Two timetables are equal if they have the same schedules in the same order, the same zone and the same calendar.
    """

    schedules: tuple[Schedule, ...]
    calendar: BusinessCalendar | None = None

    @classmethod
    def of(cls, job: TimetableFields) -> "Timetable":
        """Return the timetable of a job from the log.

        Raises:
            ScheduleError, TimezoneError, CalendarError: a schedule is malformed, or this machine does not know the zone or
                the country.
        """
        return cls.from_json(timetable_json(job))

    @classmethod
    def from_json(cls, text: str) -> "Timetable":
        """Return a timetable that `timetable_json` wrote; equal texts give the same object.

        Raises:
            ScheduleError, TimezoneError, CalendarError: as for `of`.
        """
        return _parse(text)

    @property
    def timezone(self) -> str:
        return self.schedules[0].timezone

    @property
    def description(self) -> str:
        """The due times in words: `At 09:00, Monday through Friday; at 12:00, only on Saturday`."""
        first, *others = [schedule.description for schedule in self.schedules]
        text = "; ".join((first, *(f"{other[0].lower()}{other[1:]}" for other in others)))
        if self.calendar is None:
            return text
        days = len(self.calendar.days)
        own = f"{days} more {'day' if days == 1 else 'days'}"
        place = self.calendar.place
        holidays = "" if place is None else f"a holiday in {place}"
        if not self.calendar.moves:
            return f"{text}. Skipped on {' and on '.join(filter(None, (holidays, own if days else '')))}"
        off = ", ".join(filter(None, ("on a weekend", holidays, f"one of {own}" if days else "")))
        return f"{text}. Moved to the {_MOVES[self.calendar.on_holiday]} business day if it is {off}"

    def due_times(self, after: datetime) -> Iterator[datetime]:
        """Yield the due times strictly after a moment, in order, each once, in the zone; also those that are skipped.

        Args:
            after: an aware time.
        """
        if self.calendar is None or not self.calendar.moves:
            return self.scheduled(after)
        return self._moved(self.calendar, after)

    def scheduled(self, after: datetime) -> Iterator[datetime]:
        """Yield the due times of the schedules, whatever the calendar."""
        if len(self.schedules) == 1:
            yield from self.schedules[0].due_times(after)
            return
        last = None
        for due in heapq.merge(*(schedule.due_times(after) for schedule in self.schedules), key=_moment):
            if (moment := _moment(due)) != last:
                last = moment
                yield due

    def runs(self, after: datetime) -> Iterator[datetime]:
        """Yield the due times strictly after a moment that the calendar does not skip, in order, in the zone."""
        if self.calendar is None or self.calendar.moves:
            yield from self.due_times(after)
            return
        last = after
        try:
            while after - last < _MAX_SKIPPED:
                for due in self.due_times(after):
                    if self.holiday(due) is not None:
                        # The search continues after the day, which may have a due time in each minute.
                        after = _midnight(due.date() + _DAY, self.timezone) - timedelta.resolution
                        break
                    last = due
                    yield due
                else:
                    return
        except OverflowError:  # the calendar of `datetime` ends
            return

    def next_due(self, after: datetime) -> datetime | None:
        """Return the first due time strictly after a moment, also one that is skipped; None if none comes."""
        return next(self.due_times(after), None)

    def next_run(self, after: datetime) -> datetime | None:
        """Return the first due time strictly after a moment that is not skipped; None if none comes."""
        return next(self.runs(after), None)

    def last_due(self, after: datetime, until: datetime) -> datetime | None:
        """Return the last due time after one moment and not after another; None if there is none between them."""
        if self.calendar is None or not self.calendar.moves:
            last = [due for schedule in self.schedules if (due := schedule.last_due(after, until)) is not None]
            return max(last, key=_moment, default=None)
        return last_of(self.due_times, after, until)

    def last_run(self, after: datetime, until: datetime) -> datetime | None:
        """Return the last due time in that span which is not skipped; None if there is none."""
        return last_of(self.runs, after, until)

    def holiday(self, due: datetime) -> str | None:
        """Return the name of the holiday for which a due time is skipped; None if it is not skipped."""
        if self.calendar is None or self.calendar.moves:
            return None
        return self.calendar.holiday(due.astimezone(zone(self.timezone)).date())

    def check_not_passed(self, now: datetime) -> None:
        """Check that a due time is still to come.

        Raises:
            ScheduleError: each schedule is an `at` that has passed.
        """
        if self.next_due(now) is None:
            for schedule in self.schedules:
                schedule.check_not_passed(now)

    def dst_note(self, due: datetime) -> DstNote | None:
        """Return the effect of a DST change on one of the due times; None on a usual day."""
        for schedule in self.schedules:
            if (
                schedule.next_due(_moment(due) - timedelta.resolution) == due
                and (note := schedule.dst_note(due)) is not None
            ):
                return note
        return None

    def skipped_notes(self, after: datetime, until: datetime) -> Iterator[DstNote]:
        """Yield a note for each schedule and day in a span of which DST skips due times without another in their place."""
        for schedule in self.schedules:
            yield from schedule.skipped_notes(after, until)

    def calendar_notes(self, after: datetime, until: datetime) -> Iterator[CalendarNote]:
        """Yield what the calendar does with the due times of each day in a span, one note a day."""
        if (calendar := self.calendar) is None:
            return
        if calendar.moves:  # also the days behind it whose due times move into the span
            day = calendar.business_day_of(until.astimezone(zone(self.timezone)).date())
            until = max(until, _midnight(calendar.days_moved_to(day)[1] + _DAY, self.timezone) - timedelta.resolution)
        noted = None
        for due in takewhile(lambda due: due <= until, self.scheduled(after)):
            day, name = due.date(), calendar.holiday(due.date())
            if day == noted:
                continue
            noted = day
            if calendar.moves and not calendar.is_business_day(day):
                text = f"{day} is {name or 'on a weekend'}; it runs on {calendar.business_day_of(day)}"
                yield CalendarNote(due, "moved", text)
            elif not calendar.moves and name is not None:
                yield CalendarNote(due, "skipped", f"{day} is {name}; it is skipped")

    def _moved(self, calendar: BusinessCalendar, after: datetime) -> Iterator[datetime]:
        # Business day by business day: a day off gives its due times to one business day, in the order of days.
        try:
            day = calendar.business_day_of(after.astimezone(zone(self.timezone)).date())
            while True:
                yield from (due for due in _due_times_on(self, calendar, day) if _moment(due) > _moment(after))
                _, last = calendar.days_moved_to(day)
                scheduled = next(self.scheduled(_midnight(last + _DAY, self.timezone) - timedelta.resolution), None)
                if scheduled is None:
                    return
                day = calendar.business_day_of(scheduled.date())
        except OverflowError:  # the calendar of `datetime` ends
            return


def schedule_times(job: TimetableFields) -> tuple[str, ...]:
    """Return the texts of all schedules of a job, each once."""
    first = () if job.schedule_time is None else (job.schedule_time,)
    return tuple(dict.fromkeys((*first, *job.schedules)))


def timetable_json(job: TimetableFields) -> str:
    """Return what makes up the timetable of a job, as JSON."""
    calendar = None if job.calendar is None else job.calendar.model_dump(mode="json")
    return to_json([schedule_times(job), job.timezone, calendar]).decode()


@lru_cache(maxsize=16_384)
def _parse(text: str) -> Timetable:
    texts, timezone, fields = from_json(text)
    if not texts:
        raise ScheduleError("the job has neither schedule_time nor schedules")
    schedules = tuple(dict.fromkeys(Schedule.parse(one, timezone) for one in texts))
    if fields is None:
        return Timetable(schedules)
    calendar = Calendar.model_validate(fields)
    if calendar.country is not None:
        check_country(calendar.country)
        if calendar.subdivision is not None:
            check_subdivision(calendar.country, calendar.subdivision)
    return Timetable(schedules, BusinessCalendar(**dict(calendar)))


# A day of a schedule for each minute has 1,440 due times, and as many of each day off that moves to it.
@lru_cache(maxsize=256)
def _due_times_on(timetable: Timetable, calendar: BusinessCalendar, day: date) -> tuple[datetime, ...]:
    """Return the due times that a business day has: its own, and those of the days off that move to it."""
    first, last = calendar.days_moved_to(day)
    start, end = _midnight(first, timetable.timezone), _midnight(last + _DAY, timetable.timezone)
    scheduled = takewhile(lambda due: _moment(due) < end, timetable.scheduled(start - timedelta.resolution))
    local = zone(timetable.timezone)
    moved = {
        _moment(due if due.date() == day else at_wall_time(datetime.combine(day, due.time()), local))
        for due in scheduled
    }
    return tuple(moment.astimezone(local) for moment in sorted(moved))


def _midnight(day: date, timezone: str) -> datetime:
    return datetime.combine(day, time(), zone(timezone)).astimezone(UTC)


def _moment(due: datetime) -> datetime:
    """Return a due time in UTC: two times of one zone compare by their wall clocks otherwise."""
    return due.astimezone(UTC)
