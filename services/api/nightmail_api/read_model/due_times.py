"""The due times to come, kept for the next query: to find those of ten thousand timetables takes half a second."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Literal, NamedTuple

from nightmail_common.contract.timetable import Timetable

#: The most due times kept for one timetable and span; more are computed for each query.
MAX_KEPT = 32
KEPT_TIMETABLES = 16_384


#: `skipped` on a holiday.
UpcomingFate = Literal["due", "skipped"]


class Due(NamedTuple):
    """A due time to come, as `utc_text` writes it."""

    time: str
    fate: UpcomingFate


class Span(NamedTuple):
    """From one moment up to, and without, another one; and the two as texts."""

    since: datetime
    until: datetime
    first: str
    end: str

    @classmethod
    def of(cls, since: datetime, until: datetime) -> "Span":
        return cls(since, until, utc_text(since), utc_text(until))


class _Known(NamedTuple):
    """All due times from one moment up to, and without, another one."""

    since: datetime
    until: datetime
    due: tuple[Due, ...]


class DueTimes:
    """The due times of one timetable; a query walks only what no query before it has."""

    def __init__(self, timetable: Timetable) -> None:
        self._timetable = timetable
        # One tuple, because threads share it.
        self._known = _Known(datetime.max.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC), ())

    def between(self, span: Span) -> Iterator[Due]:
        """Yield the due times of a span, in order."""
        known = self._known
        since, until, first, end = span
        if not known.since <= since <= known.until:
            known = _Known(since, since, ())
        yield from (one for one in known.due if first <= one.time < end)
        if until <= known.until:
            return
        found = list(known.due)
        for due in self._timetable.due_times(known.until - timedelta.resolution):
            if due >= until:
                break
            found.append(Due(utc_text(due), "due" if self._timetable.holiday(due) is None else "skipped"))
            yield found[-1]
        if len(found) > MAX_KEPT:
            known, found = known._replace(since=since), [one for one in found if one.time >= first]
        if len(found) <= MAX_KEPT:
            self._known = _Known(known.since, until, tuple(found))


@lru_cache(maxsize=KEPT_TIMETABLES)
def due_times_of(timetable: str) -> DueTimes:
    """Return the due times of a timetable that `timetable_json` wrote."""
    return DueTimes(Timetable.from_json(timetable))


def utc_text(moment: datetime) -> str:
    """Return a due time as the rows of runs have it: whole seconds in UTC, with `Z`."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
