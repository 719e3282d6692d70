"""Jobs change in the last seconds before a due time, when its requests are prepared."""

from collections.abc import Callable
from datetime import timedelta

from nats.aio.client import Client

from nightmail_common.broker.log import EventLog
from nightmail_common.contract.events import JobDeleted, JobUpdated
from nightmail_common.contract.job import Job
from nightmail_ticker.triggers import PREPARE_LEAD
from support.deadlines import eventually
from support.tickers import ShiftedClock, create, leads, requests, running_ticker


async def test_a_job_created_changed_or_deleted_at_the_last_moment_fires_as_it_is_then(
    nats_client: Client, event_log: EventLog, make_job: Callable[..., Job], clock: ShiftedClock
) -> None:
    daily = {"schedule_time": "0 9 * * *", "timezone": "UTC"}
    unchanged, changed, deleted = [
        await create(event_log, make_job(job_name=name, **daily)) for name in ("unchanged", "changed", "deleted")
    ]
    nine = clock.midnight(days=1) + timedelta(hours=9)
    clock.set_to(nine - PREPARE_LEAD - timedelta(seconds=1.5))

    async def three_at_nine() -> bool:
        return sum(request.scheduled_at == nine for request in await requests(event_log)) >= 3

    async with running_ticker(nats_client, clock):
        await eventually(leads, "the lease")
        await eventually(
            lambda: clock.now() > nine - PREPARE_LEAD + timedelta(seconds=0.5), "the requests are prepared"
        )
        await event_log.publish(JobDeleted(job_name="deleted", job_id=deleted.job_id, actor="test", job_version=2))
        newer = changed.model_copy(update={"version": 2, "description": "new"})
        await event_log.publish(JobUpdated(job_name="changed", job_id=newer.job_id, actor="test", job=newer))
        await create(event_log, make_job(job_name="created", **daily))
        await eventually(three_at_nine, "the requests")
        found = await requests(event_log)
    assert {(request.job_name, request.job.version) for request in found if request.scheduled_at == nine} == {
        ("unchanged", unchanged.version),
        ("changed", 2),
        ("created", 1),
    }
