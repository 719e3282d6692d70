"""The due times to come of all jobs in one order, kept for the next query: to merge ten thousand takes 15 ms."""

import heapq
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from threading import Lock
from typing import get_args

from nightmail_api.read_model.due_times import Span, UpcomingFate, due_times_of
from nightmail_api.read_model.slot_items import Slot, end_of_slot, slots_of

#: Between the names of the jobs that share a timetable: a job's name holds no control character.
SEPARATOR = "\n"

#: A timetable, and the names of its active jobs.
ActiveJobs = Sequence[tuple[str, str]]

_END = datetime.max.replace(tzinfo=UTC)
_ENDS: dict[UpcomingFate, str] = {fate: end_of_slot(fate) for fate in get_args(UpcomingFate)}
_due = itemgetter(0)


class UpcomingSlots:
    """The slots of active jobs from one moment on, found as far as queries ask for them.

    They are found again when the jobs are others, or when a query asks for an earlier or a much later time.
    """

    def __init__(self) -> None:
        self._lock = Lock()  # threads share it where the database is PostgreSQL
        self._active: ActiveJobs = ()
        self._slots: list[Slot] = []
        self._moments: Iterator[tuple[str, list[Slot]]] = iter(())
        #: All slots from `_first` up to, and without, the moment of `_next` are in `_slots`.
        self._first = ""
        self._next: tuple[str, list[Slot]] | None = ("", [])

    def between(self, active: ActiveJobs, span: Span, limit: int) -> list[Slot]:
        """Return the first slots of a span, in order."""
        with self._lock:
            has_first = self._first <= span.first and (self._next is None or span.first <= self._next[0])
            if active != self._active or not has_first:
                self._active, self._first, self._slots = active, span.first, []
                self._moments = _moments(active, span.since)
                self._next = next(self._moments, None)
            begin = bisect_left(self._slots, span.first, key=_due)
            if begin > limit:  # they have passed
                del self._slots[:begin]
                self._first, begin = span.first, 0
            while len(self._slots) - begin < limit and self._next is not None and self._next[0] < span.end:
                self._slots += self._next[1]
                self._next = next(self._moments, None)
            return self._slots[begin : min(begin + limit, bisect_left(self._slots, span.end, key=_due))]


def _moments(active: ActiveJobs, since: datetime) -> Iterator[tuple[str, list[Slot]]]:
    """Yield each due time with its slots, in order, and the end of each day without any, up to the last day."""
    while since < _END:
        midnight = since.replace(hour=0, minute=0, second=0, microsecond=0)
        until = min(midnight, _END - timedelta(days=1)) + timedelta(days=1)
        span = Span.of(since, until)
        # Each distinct timetable is walked once, however many jobs share it.
        walks = (_walk(timetable, names, span) for timetable, names in active)
        for due, group in groupby(heapq.merge(*walks, key=_due), _due):
            yield (
                due,
                sorted(
                    slots_of((due, name, _ENDS[fate]) for _, fate, names in group for name in names.split(SEPARATOR))
                ),
            )
        yield span.end, []
        since = until


def _walk(timetable: str, job_names: str, span: Span) -> Iterator[tuple[str, UpcomingFate, str]]:
    return ((due, fate, job_names) for due, fate in due_times_of(timetable).between(span))
