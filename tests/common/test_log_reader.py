"""Reading the log while it is written, cut off and told to stop."""

import asyncio
from collections.abc import Callable

from nats.aio.client import Client

from nightmail_common.events import JobCreated
from nightmail_common.job import Job
from nightmail_common.log import EventLog

MakeJob = Callable[..., Job]


async def test_a_follower_ends_when_cancelled_at_whatever_moment_an_event_comes(
    event_log: EventLog, make_job: MakeJob
) -> None:
    for ticks in range(60):
        seen = asyncio.Event()
        following = asyncio.create_task(_follow(event_log, seen, await event_log.last_sequence()))
        await _create(event_log, make_job, f"first {ticks}")
        await asyncio.wait_for(seen.wait(), 10)
        creating = asyncio.create_task(_create(event_log, make_job, f"second {ticks}"))
        for _ in range(ticks):
            await asyncio.sleep(0)
        following.cancel()
        await asyncio.wait({following}, timeout=5)
        assert following.cancelled(), f"cancelled {ticks} turns of the loop behind the publishing"
        await creating


async def test_a_follower_ends_when_cancelled_behind_a_closed_connection(
    nats_client: Client, event_log: EventLog, make_job: MakeJob
) -> None:
    seen = asyncio.Event()
    following = asyncio.create_task(_follow(event_log, seen, 0))
    await _create(event_log, make_job, "first")
    await asyncio.wait_for(seen.wait(), 10)
    await nats_client.close()
    following.cancel()
    await asyncio.wait({following}, timeout=5)
    assert following.cancelled()


async def _follow(log: EventLog, seen: asyncio.Event, after: int) -> None:
    async for _ in log.follow(after=after):
        seen.set()


async def _create(log: EventLog, make_job: MakeJob, name: str) -> None:
    job = make_job(job_name=name)
    await log.publish(JobCreated(job_name=name, job_id=job.job_id, job=job, version=1, actor="test"))
