"""A job whose only due time has passed: nothing is wrong with it if it ran then."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from nightmail_api.http.serialization import job_json

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
ROW: dict[str, Any] = {
    "definition": '{"job_name":"once"}',
    "status": "active",
    "run_id": "00000000-0000-0000-0000-000000000001",
    "trigger": "schedule",
    "run_status": "delivered",
    "unsubscribed": "[]",
    **dict.fromkeys(("scheduled_at", "requested_at", "started_at", "finished_at", "rows")),
    "error": None,
}


@pytest.mark.parametrize(
    ("schedules", "last_run", "warned"),
    [
        (["at 2026-11-25 09:00"], "2026-11-25T09:00:00Z", False),
        (["at 2026-11-24 09:00", "at 2026-11-25 09:00"], "2026-11-25T09:00:00Z", False),
        (["at 2026-11-25 09:00"], "2026-11-25T10:00:00Z", False),  # asked for again afterwards
        (["at 2026-11-25 09:00"], "2026-11-25T08:00:00Z", True),  # a manual run before a due time that was missed
        (["at 2026-11-25 09:00"], None, True),
    ],
)
def test_a_job_that_ran_at_its_last_due_time_has_no_warning(
    schedules: list[str], last_run: str | None, *, warned: bool
) -> None:
    row = ROW | {"timetable": json.dumps([schedules, "UTC", None]), "scheduled_at": last_run}
    warnings = json.loads(job_json(row | ({} if last_run else {"run_id": None}), NOW))["warnings"]
    assert [one["detail"] for one in warnings] == (
        ["the job does not run again: its due time has passed"] if warned else []
    )
