"""`GET /slots`: the due times of a span, past and future, and what became of each."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from api.conftest import ON_BOTH_DATABASES, Replica
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.events import JobCreated, RunRequested, RunSkipped, RunStarted
from nightmail_common.contract.job import Job
from nightmail_common.contract.run import scheduled_run_id
from support.deadlines import eventually

pytestmark = ON_BOTH_DATABASES

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
HOUR = timedelta(hours=1)


async def create(api: Replica, log: EventLog, name: str, **fields: Any) -> Job:
    await api.create(job_name=name, timezone="UTC", **fields)
    stored = await log.last_event("jobs.*.job-created")
    assert stored is not None
    event = stored.event()
    assert isinstance(event, JobCreated)
    return event.job


def run_id(job: Job, due: datetime) -> UUID:
    return scheduled_run_id(job.job_id, due)


async def request(log: EventLog, job: Job, due: datetime, **fields: Any) -> None:
    event = RunRequested(
        job_name=job.job_name, run_id=run_id(job, due), job=job, trigger="schedule", scheduled_at=due, **fields
    )
    await log.publish(event)


async def slots(api: Replica, **query: Any) -> list[dict[str, Any]]:
    answer = await api.http.get("/slots", params=query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def brief(items: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(item["due"], item["fate"]) for item in items]


def text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


async def test_past_due_times_have_their_fate_and_those_to_come_are_due(api: Replica, event_log: EventLog) -> None:
    # Half an hour from the due times before and after: no hour turns while the test runs.
    last = (datetime.now(UTC) - timedelta(minutes=30)).replace(second=0, microsecond=0)
    job = await create(api, event_log, "hourly", schedule_time=f"{last.minute} * * * *")
    await request(event_log, job, last - 4 * HOUR, late=True, missed_before=1, missed_times=(last - 5 * HOUR,))
    started = RunStarted(job_name=job.job_name, run_id=run_id(job, last - 4 * HOUR), runner="r", attempt=1)
    await event_log.publish(started)
    for due, reason in ((last - 3 * HOUR, "missed"), (last - 2 * HOUR, "overlap")):
        skip = RunSkipped(
            job_name=job.job_name,
            run_id=run_id(job, due),
            job_id=job.job_id,
            job_version=1,
            scheduled_at=due,
            reason=reason,
            detail="why",
        )
        await event_log.publish(skip)
    await request(event_log, job, last - HOUR)
    span = {"from": text(last - 6 * HOUR), "until": text(last + 3 * HOUR)}

    async def five() -> bool:
        return len([item for item in await slots(api, **span) if item["fate"] != "due"]) == 5

    await eventually(five, "all events are applied")
    items = await slots(api, job_name="hourly", **span)
    assert brief(items) == [
        (text(last - 5 * HOUR), "missed"),
        (text(last - 4 * HOUR), "running"),
        (text(last - 3 * HOUR), "missed"),
        (text(last - 2 * HOUR), "skipped"),
        (text(last - HOUR), "requested"),
        (text(last + HOUR), "due"),
        (text(last + 2 * HOUR), "due"),
    ]
    assert [item["run_id"] for item in items][4:6] == [str(run_id(job, last - HOUR)), None]
    assert items[4]["late_seconds"] >= 3600
    assert items[5]["late_seconds"] is None
    assert await slots(api, job_name="other", **span) == []


async def test_due_times_to_come_are_those_of_the_preview_and_of_active_jobs_only(
    api: Replica, event_log: EventLog
) -> None:
    for name in ("a", "b", "paused"):
        await create(api, event_log, name, schedule_time="*/20 9-10 * * *")
    await create(api, event_log, "c", schedule_time="30 9 * * *")
    await api.http.post("/jobs/paused/pause")
    day = (NOW + timedelta(days=2)).replace(hour=0)
    items = await slots(api, **{"from": text(day), "until": text(day + timedelta(days=1))})
    preview = await api.http.get(
        "/schedules/preview", params={"schedule_time": "*/20 9-10 * * *", "after": text(day), "count": 6}
    )
    expected = [due.replace("+00:00", "Z") for due in preview.json()["next_runs"]]
    assert [item["due"] for item in items if item["job_name"] == "a"] == expected
    assert [item["job_name"] for item in items][:5] == ["a", "b", "a", "b", "c"]
    assert {item["job_name"] for item in items} == {"a", "b", "c"}


async def test_an_answer_has_at_most_ten_thousand_due_times_and_a_span_at_most_31_days(
    api: Replica, event_log: EventLog
) -> None:
    await create(api, event_log, "minutely", schedule_time="* * * * *")
    day = NOW + timedelta(days=1)
    assert len(await slots(api, **{"from": text(day), "until": text(day + timedelta(days=31))})) == 10_000
    too_long = await api.http.get("/slots", params={"from": text(day), "until": text(day + timedelta(days=32))})
    assert too_long.status_code == 400
    assert too_long.json()["errors"][0]["field"] == "until"


@pytest.mark.parametrize("query", [{"from": "yesterday"}, {"from": text(NOW), "until": text(NOW - HOUR)}])
async def test_a_span_that_cannot_be_is_refused(api: Replica, query: dict[str, str]) -> None:
    assert (await api.http.get("/slots", params=query)).status_code == 400
