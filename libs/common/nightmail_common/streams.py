"""The stream and the buckets, declared once: every service makes sure of them when it starts."""

from datetime import timedelta

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

from nightmail_common.subjects import ALL_EVENTS

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

#: The name is in use with a different configuration.
_STREAM_NAME_IN_USE = 10058


async def declare(js: JetStreamContext, result_retention: timedelta) -> None:
    """Make sure that the stream and the buckets exist and are configured as here.

    Raises:
        nats.errors.Error: JetStream refuses or does not answer.
    """
    await _declare_stream(js)
    for bucket, ttl in ((MAILED, MAILED_TTL), (STREAKS, STREAKS_TTL), (LEASES, LEASE_TTL)):
        try:
            await js.key_value(bucket)
        except NotFoundError:
            await js.create_key_value(KeyValueConfig(bucket=bucket, ttl=ttl.total_seconds(), storage=StorageType.FILE))
    try:
        await js.object_store(RESULTS)
    except NotFoundError:
        await js.create_object_store(
            RESULTS, ObjectStoreConfig(ttl=result_retention.total_seconds(), storage=StorageType.FILE)
        )


async def _declare_stream(js: JetStreamContext) -> None:
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
    )
    try:
        await js.add_stream(config)
    except BadRequestError as error:
        if error.err_code != _STREAM_NAME_IN_USE:
            raise
        await js.update_stream(config)
