"""A run's identity, and its status as its events make it."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightmail_common.contract import events
from nightmail_common.contract.run import ENDED, RunStatus, manual_run_id, scheduled_run_id, status_after

JOB = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
DUE = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def test_a_due_time_has_one_run_on_every_machine_in_every_zone_and_version() -> None:
    """The id is the log's message id: one that changed with a version would run a due time twice."""
    run_id = UUID("29adacd7-ccd5-5aef-9194-2697221b9172")
    assert scheduled_run_id(JOB, DUE) == run_id
    assert scheduled_run_id(JOB, DUE.astimezone(ZoneInfo("Asia/Kathmandu"))) == run_id


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)), st.integers(1, 10**9))  # noqa: DTZ001
def test_another_due_time_or_another_job_is_another_run(due: datetime, seconds: int) -> None:
    due = due.replace(tzinfo=UTC)
    run_id = scheduled_run_id(JOB, due)
    assert scheduled_run_id(JOB, due + timedelta(seconds=seconds)) != run_id
    assert scheduled_run_id(uuid4(), due) != run_id


def test_two_requests_are_two_runs_unless_they_have_the_same_key() -> None:
    assert manual_run_id(JOB) != manual_run_id(JOB)
    assert manual_run_id(JOB, "key") == manual_run_id(JOB, "key")
    assert manual_run_id(JOB, "key") != manual_run_id(JOB, "other key")
    assert manual_run_id(JOB, "key") != manual_run_id(uuid4(), "key")


def test_no_key_gives_the_run_of_a_due_time() -> None:
    assert manual_run_id(JOB, DUE.isoformat()) != scheduled_run_id(JOB, DUE)


def test_ids_of_requested_runs_sort_by_time() -> None:
    ids = [manual_run_id(JOB) for _ in range(100)]
    assert {run_id.version for run_id in ids} == {7}
    assert sorted(ids) == ids


def event(name: str, kind: str = "result") -> events.RunEvent:
    """Return an event that holds no more than what makes a status."""
    model = events.EVENTS[name]
    assert issubclass(model, events.RunEvent)
    return model.model_construct(job_name="daily sales", run_id=uuid4(), kind=kind, reason="missed", settled=())


@pytest.mark.parametrize(
    ("names", "status"),
    [
        (["run-requested"], "requested"),
        (["run-requested", "run-started"], "running"),
        (["run-requested", "run-started", "run-started"], "running"),
        (["run-requested", "run-started", "result-ready"], "processed"),
        (["run-requested", "run-started", "result-ready", "mail-sent"], "delivered"),
        (["run-requested", "run-started", "result-ready", "mail-failed"], "undelivered"),
        (["run-requested", "run-started", "result-ready", "mail-skipped"], "delivered"),
        (["run-requested", "run-started", "result-ready", "mail-failed", "mail-sent"], "delivered"),
        (["run-requested", "run-started", "result-ready", "mail-sent", "mail-failed"], "delivered"),
        (["run-requested", "run-started", "run-failed"], "failed"),
        (["run-requested", "run-failed"], "failed"),
        (["run-skipped"], "skipped"),
        (["run-requested", "run-cancelled"], "cancelled"),
        (["run-requested", "run-started", "run-cancelled", "result-ready"], "cancelled"),
        (["run-requested", "run-started", "result-ready", "run-cancelled"], "processed"),
        (["run-requested", "run-started", "result-ready", "mail-deferred"], "processed"),
        (["run-requested", "run-started", "result-ready", "run-started", "run-failed"], "processed"),
        (["run-requested", "run-started", "run-failed", "result-ready"], "failed"),
    ],
)
def test_the_status_of_a_run_follows_from_its_events(names: list[str], status: RunStatus) -> None:
    reached: RunStatus | None = None
    for name in names:
        reached = status_after(reached, event(name))
    assert reached == status


@pytest.mark.parametrize("name", ["mail-sent", "mail-failed", "mail-skipped"])
def test_a_failure_mail_leaves_a_failed_run_failed(name: str) -> None:
    assert status_after("failed", event(name, kind="failure")) == "failed"


@given(st.lists(st.sampled_from([name for name in events.EVENTS if events.EVENTS[name].family == "runs"]), max_size=12))
def test_a_run_that_has_ended_never_changes_to_running(names: list[str]) -> None:
    reached: RunStatus | None = None
    ended = False
    for name in names:
        reached = status_after(reached, event(name))
        ended = ended or reached in ENDED
        assert not ended or reached in ENDED
