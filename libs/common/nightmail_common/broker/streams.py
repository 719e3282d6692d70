"""The stream, the buckets and the durable consumers as JetStream keeps them: declared here, and reconciled at each start."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

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
from nats.js.kv import KeyValue

from nightmail_common.broker.errors import BROKER_ERRORS
from nightmail_common.broker.patches import raise_if_cancelled
from nightmail_common.broker.settings import BrokerSettings
from nightmail_common.contract.errors import describe_error
from nightmail_common.contract.events import MailRequested, ResultReady, RunEvent, RunFailed, RunRequested
from nightmail_common.contract.limits import SAMPLE_SECONDS
from nightmail_common.contract.subjects import ALL_EVENTS, events_named

STREAM = "EVENTS"
RESULTS = "RESULTS"
FILES = "FILES"
INPUTS = "INPUTS"
SAMPLES = "SAMPLES"
MAILED = "MAILED"
STREAKS = "STREAKS"
LEASES = "LEASES"
#: The key of the lease of the ticker that leads.
LEASE_KEY = "ticker"
SERVICES = "SERVICES"
#: Covers the longest leader election of a NATS cluster, and a broker that is down while a publisher retries.
DUPLICATE_WINDOW = timedelta(hours=1)
#: Longer than any redelivery: the record of a mail outlives the last delivery of its event.
MAILED_TTL = timedelta(days=14)
#: Longer than any schedule's pause: a yearly job's failure last year is still its last one.
STREAKS_TTL = timedelta(days=370)
#: A standby ticker takes over within this time of the leader's last renewal.
LEASE_TTL = timedelta(seconds=3)
#: A process that is killed counts as running for this time; a disk that syncs for seconds makes no process disappear.
SERVICES_TTL = timedelta(seconds=15)

#: A service waits this long for the API to create the streams, then tries itself: it may run without the API.
ENSURE_AFTER_SECONDS = 5.0
POLL_INTERVAL_SECONDS = 0.05

#: Without a heartbeat for this time a worker counts as dead, and its events are delivered to another.
ACK_WAIT_SECONDS = 4.0

#: The name is in use with a different configuration.
_STREAM_NAME_IN_USE = 10058
CONSUMER_NOT_FOUND = 10014
STREAM_NOT_FOUND = 10059

#: The settings of a durable consumer by which somebody could withhold events from its workers.
_RECONCILED = (
    "filter_subject",
    "filter_subjects",
    "deliver_subject",
    "ack_policy",
    "ack_wait",
    "max_deliver",
    "max_ack_pending",
    "backoff",
    "headers_only",
    "inactive_threshold",
    "rate_limit_bps",
    "pause_until",
)

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

    def matches(self, existing: ConsumerConfig) -> bool:
        """Return whether an existing durable consumer selects and redelivers events as `config` says."""
        return not self.differing(existing)

    def differing(self, existing: ConsumerConfig) -> list[str]:
        """Return the settings in which an existing durable consumer differs from `config`.

        An optional setting without a value is absent, zero or an empty list, depending on the version of the broker.
        """
        wanted = self.config()
        return [name for name in _RECONCILED if (getattr(wanted, name) or None) != (getattr(existing, name) or None)]


#: Each runner has only as many requests in flight as it has slots.
RUNNER_QUEUE = Queue("runner", (RunRequested,), max_ack_pending=10_000)
#: Mails that wait for their next attempt are in flight: a server that defers 100,000 of them must not stop the others.
MAILER_QUEUE = Queue("mailer", (ResultReady, RunFailed, MailRequested), max_ack_pending=1_000_000)
QUEUES = (RUNNER_QUEUE, MAILER_QUEUE)
DURABLES = tuple(queue.durable for queue in QUEUES)


async def ensure_queue(js: JetStreamContext, queue: Queue, after: int = 0) -> ConsumerInfo:
    """Create the durable consumer, or update the existing one to this configuration.

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


async def wait_for_streams(js: JetStreamContext, settings: BrokerSettings) -> None:
    """Return once the stream and the buckets exist, however long that takes.

    The API creates them. Without it, a service creates them itself after a while, unless it has a user of
    `nightmail nats-config`: of these, only the API's may.
    """
    loop = asyncio.get_running_loop()
    ensure_at = loop.time() + ENSURE_AFTER_SECONDS
    logged = False
    while True:
        raise_if_cancelled()
        try:
            with suppress(NotFoundError):
                await js.stream_info(STREAM)  # created last
                return
            if loop.time() >= ensure_at:
                ensure_at = loop.time() + ENSURE_AFTER_SECONDS
                if settings.nats_seeds is None:
                    await ensure_streams(js, settings.result_retention, settings.nats_replicas)
                elif not logged:
                    logger.info("waiting_for_streams", error=f"the stream {STREAM} does not exist; the API creates it")
                    logged = True
        except BROKER_ERRORS as error:
            logger.info("waiting_for_streams", error=describe_error(error))
        await asyncio.sleep(POLL_INTERVAL_SECONDS)


async def ensure_streams(js: JetStreamContext, result_retention: timedelta, replicas: int = 1) -> None:
    """Create or update the stream and the result store, and create the buckets that do not exist.

    Args:
        result_retention: how long results are kept, existing ones included.
        replicas: on how many servers of a cluster each stream or bucket is kept. Existing ones that have fewer are changed,
            those that have more keep their number.

    Raises:
        nats.errors.Error: JetStream refuses or does not answer.
    """
    for bucket, ttl in ((MAILED, MAILED_TTL), (STREAKS, STREAKS_TTL), (LEASES, LEASE_TTL), (SERVICES, SERVICES_TTL)):
        await ensure_bucket(js, bucket, ttl.total_seconds(), replicas)
    await _ensure_results(js, result_retention.total_seconds(), replicas)
    for bucket, seconds in ((FILES, None), (INPUTS, None), (SAMPLES, SAMPLE_SECONDS)):
        try:
            await js.stream_info(f"OBJ_{bucket}")
        except NotFoundError:
            await js.create_object_store(
                bucket, ObjectStoreConfig(storage=StorageType.FILE, replicas=replicas, ttl=seconds)
            )
    await _ensure_log(js, replicas)
    buckets = (f"KV_{name}" for name in (MAILED, STREAKS, LEASES, SERVICES))
    objects = (f"OBJ_{name}" for name in (RESULTS, FILES, INPUTS, SAMPLES))
    await add_replicas(js, (STREAM, *buckets, *objects), replicas)


async def ensure_bucket(js: JetStreamContext, name: str, ttl_seconds: float | None, replicas: int) -> KeyValue:
    """Return a key-value bucket, and create it if it does not exist.

    Raises:
        nats.errors.Error: JetStream refuses or does not answer.
    """
    try:
        return await js.key_value(name)
    except NotFoundError:
        config = KeyValueConfig(bucket=name, ttl=ttl_seconds, storage=StorageType.FILE, replicas=replicas)
        return await js.create_key_value(config)


async def add_replicas(js: JetStreamContext, names: Iterable[str], replicas: int) -> None:
    """Keep existing streams on so many servers, if they are on fewer.

    Raises:
        nats.errors.Error: JetStream refuses or does not answer.
    """
    if replicas == 1:
        return
    for name in names:
        config = (await js.stream_info(name)).config
        if (config.num_replicas or 1) < replicas:
            await js.update_stream(config.evolve(num_replicas=replicas))


async def _ensure_results(js: JetStreamContext, ttl_seconds: float, replicas: int) -> None:
    try:
        existing = (await js.stream_info(f"OBJ_{RESULTS}")).config
    except NotFoundError:
        config = ObjectStoreConfig(ttl=ttl_seconds, storage=StorageType.FILE, replicas=replicas)
        await js.create_object_store(RESULTS, config)
        return
    if existing.max_age != ttl_seconds:
        # JetStream refuses a duplicate window that is longer than the messages' age limit.
        window = min(existing.duplicate_window or 0, ttl_seconds)
        await js.update_stream(existing.evolve(max_age=ttl_seconds, duplicate_window=window))


async def _ensure_log(js: JetStreamContext, replicas: int) -> None:
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
        existing = await js.stream_info(STREAM)
        await js.update_stream(config.evolve(num_replicas=existing.config.num_replicas))
