"""Changes in the last seconds before a due time, when its requests have been made ready."""

from collections.abc import Callable
from datetime import timedelta

from nats.aio.client import Client

from nightmail_common.broker.log import EventLog
from nightmail_common.contract.events import JobDeleted, JobUpdated, RunRequested
from nightmail_common.contract.job import Job
from support.deadlines import eventually
from support.tickers import ShiftedClock, create, fates, running_ticker

MakeJob = Callable[..., Job]


async def test_who_is_created_changed_or_deleted_in_the_last_moment_is_fired_as_he_is_then(
    nats_client: Client, event_log: EventLog, make_job: MakeJob
) -> None:
    clock = ShiftedClock()
    daily = {"schedule_time": "0 9 * * *", "timezone": "UTC"}
    stays, changes, goes = [
        await create(event_log, make_job(job_name=name, **daily)) for name in ("stays", "changes", "goes")
    ]
    nine = (clock.now() + timedelta(days=1)).replace(hour=9, minute=0, second=0, microsecond=0)
    clock.offset += nine - timedelta(seconds=4.5) - clock.now()
    async with running_ticker(nats_client, clock) as ticker:
        # What was due before goes out late; a runner would end it.
        await eventually(lambda: ticker._lease.held and ticker._bursts._gathered, "the due time is being prepared")
        await event_log.publish(JobDeleted(job_name="goes", job_id=goes.job_id, actor="test", job_version=2))
        newer = changes.model_copy(update={"version": 2, "description": "new"})
        await event_log.publish(JobUpdated(job_name="changes", job_id=newer.job_id, actor="test", job=newer))
        await create(event_log, make_job(job_name="comes", **daily))
        await eventually(lambda: clock.now() > nine and _at(event_log, nine, 3), "the requests")
        found = await _requests(event_log)
    assert {(request.job_name, request.job.version) for request in found if request.scheduled_at == nine} == {
        ("stays", stays.version),
        ("changes", 2),
        ("comes", 1),
    }


async def _requests(log: EventLog) -> list[RunRequested]:
    return [event for stored in await fates(log) if isinstance(event := stored.event(), RunRequested)]


async def _at(log: EventLog, due: object, count: int) -> bool:
    return sum(request.scheduled_at == due for request in await _requests(log)) >= count
