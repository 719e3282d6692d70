"""The stream and the buckets, declared once: by the API, or by whoever is there when it is not."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import nats.errors
import structlog
from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    ConsumerInfo,
    DeliverPolicy,
    DiscardPolicy,
    KeyValueConfig,
    ObjectStoreConfig,
    RetentionPolicy,
    StorageType,
    StoreCompression,
    StreamConfig,
)
from nats.js.errors import BadRequestError, NotFoundError

from nightmail_common.broker.patches import raise_if_cancelled
from nightmail_common.broker.settings import BrokerSettings
from nightmail_common.contract.events import MailRequested, ResultReady, RunEvent, RunFailed, RunRequested
from nightmail_common.contract.subjects import ALL_EVENTS, events_named

STREAM = "EVENTS"
RESULTS = "RESULTS"
MAILED = "MAILED"
STREAKS = "STREAKS"
LEASES = "LEASES"
#: Covers the longest change of leader of a NATS cluster, and a broker that is down while a publisher retries.
DUPLICATE_WINDOW = timedelta(hours=1)
#: Longer than any redelivery: a mail's record outlives its event's last try.
MAILED_TTL = timedelta(days=14)
#: Longer than any schedule's pause: a yearly job's failure last year is still its last one.
STREAKS_TTL = timedelta(days=370)
#: A standby ticker takes over within this time of the leader's last renewal.
LEASE_TTL = timedelta(seconds=3)

#: So long a service waits for the API to declare; then it tries itself, for it may run on a broker of its own.
DECLARE_AFTER_SECONDS = 2.0
LOOK_SECONDS = 0.05

#: Without a heartbeat for this time a worker counts as dead, and its events are delivered to another.
ACK_WAIT_SECONDS = 4.0

#: The name is in use with a different configuration.
_STREAM_NAME_IN_USE = 10058
CONSUMER_NOT_FOUND = 10014

logger = structlog.get_logger()


@dataclass(frozen=True)
class Queue:
    """A durable consumer that the processes of a service share; it is named after the service.

    Args:
        max_ack_pending: how many events the broker has in flight for all processes together, those included that wait
            for their redelivery.
    """

    durable: str
    events: tuple[type[RunEvent], ...]
    max_ack_pending: int

    @property
    def subjects(self) -> list[str]:
        return [events_named(event.name) for event in self.events]

    def config(self) -> ConsumerConfig:
        """Return the consumer's configuration. A handler decides after how many deliveries an event is given up."""
        one = len(self.events) == 1
        return ConsumerConfig(
            name=self.durable,
            durable_name=self.durable,
            filter_subject=self.subjects[0] if one else None,
            filter_subjects=None if one else self.subjects,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=ACK_WAIT_SECONDS,
            max_deliver=-1,
            max_ack_pending=self.max_ack_pending,
        )


#: Each runner has only as many requests in flight as it has slots.
RUNNER_QUEUE = Queue("runner", (RunRequested,), max_ack_pending=10_000)
#: Mails that wait for their next attempt are in flight: a server that defers 100,000 of them must not stop the others.
MAILER_QUEUE = Queue("mailer", (ResultReady, RunFailed, MailRequested), max_ack_pending=1_000_000)
QUEUES = (RUNNER_QUEUE, MAILER_QUEUE)
DURABLES = tuple(queue.durable for queue in QUEUES)


async def ensure_queue(js: JetStreamContext, queue: Queue, after: int = 0) -> ConsumerInfo:
    """Make the durable consumer what the code says: create it, or update the one that exists.

    Args:
        after: a consumer that does not exist begins behind this sequence. An existing one keeps its start, which
            JetStream does not change.

    Raises:
        nats.errors.Error: JetStream does not answer, or the consumer has a setting that cannot be updated.
    """
    config = queue.config()
    try:
        existing = (await js.consumer_info(STREAM, queue.durable)).config
    except NotFoundError:
        if after:
            config = config.evolve(deliver_policy=DeliverPolicy.BY_START_SEQUENCE, opt_start_seq=after + 1)
        logger.info("queue_declared", queue=queue.durable, after=after)
    else:
        config = config.evolve(
            deliver_policy=existing.deliver_policy,
            opt_start_seq=existing.opt_start_seq,
            opt_start_time=existing.opt_start_time,
        )
    return await js.add_consumer(STREAM, config)


async def available(js: JetStreamContext, settings: BrokerSettings) -> None:
    """Return once the stream and the buckets are there, however long that takes.

    The API declares them. Where there is none, any service may, as far as its NATS user is allowed to.
    """
    loop = asyncio.get_running_loop()
    declare_at = loop.time() + DECLARE_AFTER_SECONDS
    while True:
        raise_if_cancelled()
        try:
            if await _exist(js):
                return
            if loop.time() >= declare_at:
                declare_at = loop.time() + DECLARE_AFTER_SECONDS
                await declare(js, settings.result_retention, settings.nats_replicas)
        except (nats.errors.Error, OSError) as error:
            logger.info("streams_not_there_yet", error=str(error) or type(error).__name__)
        await asyncio.sleep(LOOK_SECONDS)


async def declare(js: JetStreamContext, result_retention: timedelta, replicas: int = 1) -> None:
    """Make sure that the stream and the buckets exist, and that the log and what is kept of results are as said here.

    Args:
        result_retention: how long results are kept from now on, those that are there included.
        replicas: on how many servers of a cluster each is kept; what exists keeps the number that it has.

    Raises:
        nats.errors.Error: JetStream refuses or does not answer.
    """
    for bucket, ttl in ((MAILED, MAILED_TTL), (STREAKS, STREAKS_TTL), (LEASES, LEASE_TTL)):
        try:
            await js.key_value(bucket)
        except NotFoundError:
            await js.create_key_value(
                KeyValueConfig(bucket=bucket, ttl=ttl.total_seconds(), storage=StorageType.FILE, replicas=replicas)
            )
    await _declare_results(js, result_retention.total_seconds(), replicas)
    await _declare_stream(js, replicas)


async def _exist(js: JetStreamContext) -> bool:
    """Say whether the log is there: it is declared last."""
    try:
        await js.stream_info(STREAM)
    except NotFoundError:
        return False
    return True


async def _declare_results(js: JetStreamContext, ttl_seconds: float, replicas: int) -> None:
    try:
        there = (await js.stream_info(f"OBJ_{RESULTS}")).config
    except NotFoundError:
        config = ObjectStoreConfig(ttl=ttl_seconds, storage=StorageType.FILE, replicas=replicas)
        await js.create_object_store(RESULTS, config)
        return
    if there.max_age != ttl_seconds:
        # No duplicate can be recognised for longer than there is something to compare it with.
        window = min(there.duplicate_window or 0, ttl_seconds)
        await js.update_stream(there.evolve(max_age=ttl_seconds, duplicate_window=window))


async def _declare_stream(js: JetStreamContext, replicas: int) -> None:
    config = StreamConfig(
        name=STREAM,
        description="Nightmail's event log: queue, audit trail and source of truth",
        subjects=list(ALL_EVENTS),
        retention=RetentionPolicy.LIMITS,
        discard=DiscardPolicy.NEW,
        storage=StorageType.FILE,
        compression=StoreCompression.S2,
        duplicate_window=DUPLICATE_WINDOW.total_seconds(),
        allow_atomic=True,
        allow_msg_ttl=True,
        allow_direct=True,
        num_replicas=replicas,
    )
    try:
        await js.add_stream(config)
    except BadRequestError as error:
        if error.err_code != _STREAM_NAME_IN_USE:
            raise
        there = await js.stream_info(STREAM)
        await js.update_stream(config.evolve(num_replicas=there.config.num_replicas))
