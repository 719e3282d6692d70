"""The due times that are kept between queries: whatever was asked before, the answer is that of the timetable."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from nightmail_api.read_model.due_times import MAX_KEPT, DueTimes, Span, utc_text
from nightmail_common.contract.timetable import Timetable

START = datetime(2026, 3, 27, 12, tzinfo=UTC)
#: Hours from the start to each end of a span: over the end of winter time in Paris, back, inside, far ahead, touching.
SPANS = [(0, 24), (24, 48), (0, 72), (30, 40), (-5, 3), (500, 520), (520, 530), (0, 24), (10, 10), (0, 600)]


@pytest.mark.parametrize(
    "schedule", ["30 2 * * *", "*/20 9-10 * * *", "0 9 * * 1-5", "* * * * *", "0 0 29 2 *", "at 2026-03-28 09:00"]
)
@pytest.mark.parametrize("order", [1, -1])
def test_spans_in_any_order_have_the_due_times_of_the_timetable(schedule: str, order: int) -> None:
    timetable = Timetable.from_json(f'[["{schedule}"],"Europe/Paris",{{"country":"DE","days":["2026-03-30"]}}]')
    kept = DueTimes(timetable)
    for first, last in SPANS[::order]:
        since, until = START + timedelta(hours=first), START + timedelta(hours=last)
        expected = []
        for due in timetable.due_times(since - timedelta.resolution):
            if due >= until:
                break
            expected.append((utc_text(due), "due" if timetable.holiday(due) is None else "skipped"))
        assert list(kept.between(Span.of(since, until))) == expected, (first, last)


def test_a_timetable_is_walked_once_for_the_same_span(monkeypatch: pytest.MonkeyPatch) -> None:
    walked = []
    walk = Timetable.due_times

    def due_times(timetable: Timetable, after: datetime) -> Iterator[datetime]:
        walked.append(after)
        return walk(timetable, after)

    monkeypatch.setattr(Timetable, "due_times", due_times)
    daily, minutely = (DueTimes(Timetable.from_json(f'[["{text}"],"UTC",null]')) for text in ("0 9 * * *", "* * * * *"))
    span = Span.of(START, START + timedelta(days=MAX_KEPT))
    for _ in range(2):
        assert len(list(daily.between(span))) == MAX_KEPT
    assert len(walked) == 1
    for _ in range(2):  # too many to keep
        assert len(list(minutely.between(Span.of(START, START + timedelta(hours=1))))) == 60
    assert len(walked) == 3
