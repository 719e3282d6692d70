"""What becomes of a due time: pure, so the tests travel in time for nothing."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightmail_common.contract.schedule import Schedule
from nightmail_ticker.jobs import ScheduledJob
from nightmail_ticker.missed import GRACE, Fate, fate, latest_due

CREATED = datetime(2026, 3, 1, tzinfo=UTC)
NINE = datetime(2026, 3, 10, 9, tzinfo=UTC)
DAY = timedelta(days=1)


def scheduled(cron: str = "0 9 * * *", timezone: str = "UTC", **fields: Any) -> ScheduledJob:
    values: dict[str, Any] = {
        "job_name": "report",
        "job_id": "7f7ba5f4-0000-4000-8000-000000000000",
        "version": 1,
        "schedule": Schedule.parse(cron, timezone),
        "on_missed": "run_once",
        "max_lateness_seconds": 86_400,
        "overlap": "allow",
        "json": b"{}",
        "since": CREATED,
    }
    return ScheduledJob(**values | fields)


def decide(job: ScheduledJob, served: datetime | None, now: datetime, *, still_runs: bool) -> Fate | None:
    return fate(job, served, now, still_runs=still_runs, remembered=90 * DAY)


@pytest.mark.parametrize(
    ("fields", "served", "now", "kind", "late", "missed_before"),
    [
        ({}, NINE - DAY, NINE, "run", False, 0),
        ({}, NINE - DAY, NINE + GRACE, "run", False, 0),
        ({}, NINE - DAY, NINE + timedelta(minutes=3), "run", True, 0),
        ({"on_missed": "skip"}, NINE - DAY, NINE + GRACE, "run", False, 0),
        ({"on_missed": "skip"}, NINE - DAY, NINE + timedelta(minutes=3), "missed", True, 0),
        ({"max_lateness_seconds": 60}, NINE - DAY, NINE + timedelta(seconds=61), "missed", True, 0),
        ({}, NINE - 3 * DAY, NINE + timedelta(hours=1), "run", True, 2),
        ({"on_missed": "skip"}, NINE - 3 * DAY, NINE, "run", False, 2),
        ({}, None, NINE, "run", False, 9),
        ({"since": NINE - timedelta(milliseconds=100)}, None, NINE, "run", False, 0),
    ],
)
def test_a_due_time_runs_in_time_or_late_or_is_missed(
    fields: dict[str, Any], served: datetime | None, now: datetime, kind: str, late: bool, missed_before: int
) -> None:
    decided = decide(scheduled(**fields), served, now, still_runs=False)
    assert decided is not None
    assert decided.due.at == NINE
    assert (decided.kind, decided.late, decided.due.missed_before) == (kind, late, missed_before)


def test_a_due_time_before_the_job_began_or_after_it_was_served_is_nobodys() -> None:
    assert decide(scheduled(since=NINE), None, NINE + timedelta(hours=1), still_runs=False) is None
    assert decide(scheduled(), NINE, NINE + timedelta(hours=1), still_runs=False) is None


def test_what_came_due_before_the_log_forgot_its_runs_is_nobodys() -> None:
    """Whether a yearly job ran in March the log does not know in July, and a ticker that starts then must not guess."""
    yearly = scheduled("0 9 10 3 *")
    assert decide(yearly, None, NINE + 89 * DAY, still_runs=False) is not None
    assert decide(yearly, None, NINE + 90 * DAY, still_runs=False) is None


def test_what_a_job_still_owed_when_it_was_paused_or_deleted_is_missed() -> None:
    owed = decide(scheduled(until=NINE + timedelta(hours=1)), NINE - 3 * DAY, NINE + 5 * DAY, still_runs=False)
    assert owed is not None
    assert (owed.due.at, owed.kind, owed.due.missed_before) == (NINE, "missed", 2)
    assert decide(scheduled(until=NINE + timedelta(hours=1)), NINE, NINE + 5 * DAY, still_runs=False) is None


def test_a_clock_that_goes_back_serves_nothing_again() -> None:
    assert decide(scheduled(), NINE, NINE - DAY + timedelta(minutes=1), still_runs=False) is None


@pytest.mark.parametrize(("overlap", "kind"), [("skip", "overlap"), ("allow", "run")])
def test_a_run_that_still_runs_keeps_the_next_from_starting_only_if_the_job_says_so(overlap: str, kind: str) -> None:
    decided = decide(scheduled(overlap=overlap), NINE - DAY, NINE, still_runs=True)
    assert decided is not None
    assert decided.kind == kind


def test_a_year_of_minutes_is_counted_no_further_than_needed() -> None:
    due = latest_due(Schedule.parse("* * * * *", "UTC"), NINE - 365 * DAY, NINE)
    assert due is not None
    assert (due.at, due.missed_before) == (NINE, 10_000)


@given(
    minute=st.integers(0, 59),
    hour=st.integers(0, 23),
    after=st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1)),  # noqa: DTZ001 - hypothesis wants naive bounds
    down=st.timedeltas(timedelta(0), timedelta(days=40)),
)
def test_the_latest_due_time_and_the_count_are_those_of_walking_every_day(
    minute: int, hour: int, after: datetime, down: timedelta
) -> None:
    after = after.replace(tzinfo=UTC)
    until = after + down
    day = after.replace(hour=hour, minute=minute, second=0, microsecond=0)
    expected = [at for number in range(43) if after < (at := day + number * DAY) <= until]
    due = latest_due(Schedule.parse(f"{minute} {hour} * * *", "UTC"), after, until)
    if due is None:
        assert expected == []
    else:
        assert (due.at, due.missed_before) == (expected[-1], len(expected) - 1)
        assert list(due.missed) == expected[:-1]
