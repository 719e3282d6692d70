"""One ticker holds the lease at a time, in terms; a term that has ended publishes nothing."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import nats
import pytest
from nats.aio.client import Client
from nats.js.kv import KeyValue

from nightmail_common.broker import streams
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.job import Job
from nightmail_ticker.lease import Lease
from support.deadlines import eventually, scaled
from support.lossy_proxy import Fault, LossyProxy
from support.nats_server import NatsServer
from support.ports import free_port
from support.service_starter import start_service
from support.tickers import (
    ShiftedClock,
    count_due_time_events,
    create,
    due_time_events,
    leads,
    publishing,
    requests,
    running_ticker,
)

MakeJob = Callable[..., Job]
#: The message by which the lease is acquired and renewed.
LEASE_SUBJECT = "$KV.LEASES.ticker"
#: The lease lasts 3 s from a renewal, and the next one is sent after 1 s: this is behind the end of the lease.
DUE_AFTER_LOSS = timedelta(seconds=2.3)
#: An answer to a renewal that is sent when the lease ends arrives after the due time.
SLOW_ANSWER_SECONDS = 0.6
#: These outlast two renewals and the tries to acquire the lease again: it lapses for two seconds and more.
LAPSE: tuple[Fault, ...] = ("request",) * 5


@pytest.fixture
async def bucket(nats_client: Client, event_log: EventLog) -> KeyValue:
    return await nats_client.jetstream().key_value(streams.LEASES)


@pytest.fixture
async def proxy(nats_server: NatsServer, event_log: EventLog) -> AsyncIterator[LossyProxy]:
    async with LossyProxy(nats_server.port, LEASE_SUBJECT).serving() as proxy:
        yield proxy


@pytest.fixture
async def lossy_client(proxy: LossyProxy) -> AsyncIterator[Client]:
    client = await nats.connect(proxy.url)
    yield client
    await client.close()


def new_lease(bucket: KeyValue) -> Lease:
    return Lease(bucket, str(uuid4()))


async def test_a_standby_takes_over_within_five_seconds_and_the_old_term_has_ended(bucket: KeyValue) -> None:
    old = await new_lease(bucket).acquire()
    suspended = time.monotonic()  # it is not renewed
    new = await new_lease(bucket).acquire()
    assert time.monotonic() - suspended < scaled(5)
    assert new.active
    assert not old.active


async def test_a_standby_takes_over_at_once_when_the_lease_is_released(bucket: KeyValue) -> None:
    leader = new_lease(bucket)
    await leader.release(await leader.acquire())
    released = time.monotonic()
    assert (await new_lease(bucket).acquire()).active
    assert time.monotonic() - released < scaled(1)


async def test_a_term_that_has_ended_cannot_be_extended(bucket: KeyValue) -> None:
    term = await new_lease(bucket).acquire()
    term.end()
    term.extend(time.monotonic() + 60)
    assert not term.active


async def test_a_lost_answer_does_not_end_a_term(proxy: LossyProxy, lossy_client: Client) -> None:
    lease = new_lease(await lossy_client.jetstream().key_value(streams.LEASES))
    proxy.plan("answer")
    term = await lease.acquire()
    assert term.active, "the key that it stored before the answer was lost is its own"


async def test_a_term_that_has_ended_publishes_nothing(
    nats_client: Client, event_log: EventLog, make_job: MakeJob
) -> None:
    clock = ShiftedClock()
    await create(event_log, make_job(schedule_time="* * * * *"))
    clock.jump_behind_next_minute()
    async with publishing(nats_client, clock) as parts:
        parts.term.end()
        await parts.publish_due()
        await parts.reconciler.catch_up(parts.term)
    assert await due_time_events(event_log) == []


@pytest.mark.parametrize("lost", ["request", "answer"])
async def test_a_daily_job_gets_its_event_when_a_renewal_is_lost_and_the_next_answer_is_slow(
    event_log: EventLog, make_job: MakeJob, proxy: LossyProxy, lossy_client: Client, lost: Fault
) -> None:
    clock = ShiftedClock()
    await create(event_log, make_job(schedule_time="@daily", timezone="UTC"))
    midnight = clock.midnight(days=1)
    # The first message acquires the lease, the second one is the first renewal.
    proxy.plan(0.0, lost, SLOW_ANSWER_SECONDS)
    async with running_ticker(lossy_client, clock):
        await eventually(lambda: proxy.applied == 2, "the lost renewal")
        clock.set_to(midnight - DUE_AFTER_LOSS)
        (event,) = await eventually(lambda: due_time_events(event_log), "the event of the due time")
        await eventually(lambda: clock.now() > midnight + timedelta(seconds=5), "a second event would be stored by now")
        assert await due_time_events(event_log) == [event]
    assert event.name == "run-requested"


async def test_a_due_time_between_two_terms_is_published_at_the_start_of_the_second_one(
    event_log: EventLog, make_job: MakeJob, proxy: LossyProxy, lossy_client: Client
) -> None:
    clock = ShiftedClock()
    await create(event_log, make_job(schedule_time="@daily", timezone="UTC"))
    midnight = clock.midnight(days=1)
    async with running_ticker(lossy_client, clock):
        await eventually(leads, "the first term")
        proxy.plan(*LAPSE)
        await eventually(lambda: not leads(), "its end")
        clock.set_to(midnight + timedelta(seconds=1))
        await eventually(lambda: count_due_time_events(event_log), "the event of the due time")
        assert leads()
        (request,) = await requests(event_log)
    assert (request.scheduled_at, request.late) == (midnight, False)


async def test_a_ticker_waits_for_the_bucket_of_leases_which_no_backup_has(
    nats_server: NatsServer, nats_client: Client, bucket: KeyValue, tmp_path: Path
) -> None:
    js = nats_client.jetstream()
    ttl = (await bucket.status()).ttl
    await js.delete_key_value(streams.LEASES)
    settings = {"NIGHTMAIL_NATS_URL": nats_server.url, "NIGHTMAIL_HEALTH_PORT": str(free_port())}
    log = tmp_path / "ticker.log"
    with log.open("wb") as output:
        environment = os.environ | settings | {"NIGHTMAIL_DATA_DIR": str(tmp_path)}
        process = start_service("nightmail_ticker", environment, tmp_path, output.fileno())
    try:
        await eventually(lambda: "open the bucket of leases" in log.read_text(), "the ticker waits")
        assert process.poll() is None
        await js.create_key_value(bucket=streams.LEASES, ttl=ttl)
        await eventually(lambda: "lease_acquired" in log.read_text(), "the ticker leads")
    finally:
        process.terminate()
        assert await asyncio.to_thread(process.wait, scaled(20)) == 0
