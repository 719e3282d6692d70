"""The stream and the buckets, declared once: by the API, or by whoever is there when it is not."""

import asyncio
from datetime import timedelta

import nats.errors
import structlog
from nats.js import JetStreamContext
from nats.js.api import (
    DiscardPolicy,
    KeyValueConfig,
    ObjectStoreConfig,
    RetentionPolicy,
    StorageType,
    StoreCompression,
    StreamConfig,
)
from nats.js.errors import BadRequestError, NotFoundError

from nightmail_common.broker.cancellation import end_if_cancelled
from nightmail_common.broker.settings import BrokerSettings
from nightmail_common.contract.subjects import ALL_EVENTS

STREAM = "EVENTS"
RESULTS = "RESULTS"
MAILED = "MAILED"
STREAKS = "STREAKS"
LEASES = "LEASES"
#: The shared queues of the log: the durable consumers, named after the service that works them off.
DURABLES = ("runner", "mailer")

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

#: The name is in use with a different configuration.
_STREAM_NAME_IN_USE = 10058

logger = structlog.get_logger()


async def available(js: JetStreamContext, settings: BrokerSettings) -> None:
    """Return once the stream and the buckets are there, however long that takes.

    The API declares them. Where there is none, any service may, as far as its NATS user is allowed to.
    """
    loop = asyncio.get_running_loop()
    declare_at = loop.time() + DECLARE_AFTER_SECONDS
    while True:
        end_if_cancelled()
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
