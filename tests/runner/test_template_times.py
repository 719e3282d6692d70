"""The times that the templates of a source name."""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import uuid4

from nightmail_common.broker.log import EventLog
from nightmail_common.contract.events import RunRequested
from nightmail_common.contract.job import Job
from nightmail_runner.template_times import TemplateTimes
from support.mailer_process import DUE, result_of

NOW = datetime(2026, 12, 31, 12, 0, tzinfo=UTC)


async def test_the_last_success_is_the_due_time_of_the_last_result_of_this_job(
    event_log: EventLog, make_job: Callable[..., Job]
) -> None:
    job = make_job(timezone="Asia/Tokyo")
    deleted = job.model_copy(update={"job_id": uuid4()})
    request = RunRequested(job_name=job.job_name, run_id=uuid4(), job=job, trigger="manual", scheduled_at=NOW)
    times = TemplateTimes(event_log)

    await event_log.publish(result_of(deleted))
    first = await times.of(request, {"last_success_at"})
    await event_log.publish(result_of(job))
    second = await times.of(request, {"last_success_at"})

    assert first.values["last_success_at"] == job.created_at
    assert first.notes == ["no earlier run has a result: last_success_at is the time when the job was created"]
    assert second.values == {"last_success_at": DUE, "scheduled_at": NOW}
    assert second.notes == []
    assert {str(time.tzinfo) for time in second.values.values()} == {"Asia/Tokyo"}
