"""The due times to come are kept between queries, and are those that a query alone would find."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from nightmail_api.read_model.due_times import Span
from nightmail_api.read_model.upcoming_slots import SEPARATOR, ActiveJobs, UpcomingSlots
from nightmail_common.contract.timetable import Timetable

START = datetime(2026, 3, 1, 22, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
ACTIVE: ActiveJobs = [
    ('[["*/20 * * * *"],"UTC",null]', "b"),
    ('[["0 9 * * *"],"Europe/Berlin",null]', SEPARATOR.join(('say "c"', "a"))),
    ('[["at 2026-03-02T09:00"],"Europe/Berlin",null]', "once"),
]
#: Within what is kept, over its end, before its beginning, far behind its end, and empty.
SPANS = [(0, 30), (2, 20), (10, 60), (-5, 12), (400, 430), (0, 0), (1, 3), (401, 700)]


def expected(active: ActiveJobs, span: Span, limit: int) -> list[tuple[str, str]]:
    found = []
    for text, names in active:
        due_times = Timetable.from_json(text).due_times(span.since - timedelta.resolution)
        for due in itertools.takewhile(lambda due: due < span.until, due_times):
            found += [(f"{due.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", name) for name in names.split(SEPARATOR)]
    return sorted(found)[:limit]


def span_of(begin: int, end: int) -> Span:
    return Span.of(START + begin * HOUR, START + end * HOUR)


@pytest.mark.parametrize("limit", [7, 10_000])
@pytest.mark.parametrize("order", range(4))
def test_spans_in_any_order_have_the_slots_that_each_alone_has(order: int, limit: int) -> None:
    kept = UpcomingSlots()
    for begin, end in (SPANS * 2)[:: 1 if order % 2 else -1][order:]:
        span = span_of(begin, end)
        found = kept.between(ACTIVE, span, limit)
        assert [one[:2] for one in found] == expected(ACTIVE, span, limit), (begin, end)


def test_other_jobs_have_other_slots() -> None:
    kept, span = UpcomingSlots(), span_of(0, 24)
    for active in (ACTIVE, ACTIVE[:1], [], ACTIVE[1:]):
        assert [one[:2] for one in kept.between(active, span, 100)] == expected(active, span, 100)


def test_slots_that_have_passed_are_dropped() -> None:
    kept = UpcomingSlots()
    for hour in range(0, 24 * 14, 6):
        assert len(kept.between(ACTIVE, span_of(hour, hour + 24), 50)) == 50
        assert len(kept._slots) <= 150


def test_the_last_day_of_the_calendar_ends_the_slots() -> None:
    last = datetime.max.replace(microsecond=0, tzinfo=UTC)
    span = Span.of(last - timedelta(days=3), last)
    active = [('[["0 */12 * * *"],"UTC",null]', "a")]
    found = [one[:2] for one in UpcomingSlots().between(active, span, 100)]
    assert found == expected(active, span, 100) != []
