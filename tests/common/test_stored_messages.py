"""An event has the same time whichever way it is read from the log."""

import json
import random
from datetime import UTC, datetime, timedelta

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from nightmail_common.broker.batch import Message
from nightmail_common.broker.log import EventLog
from nightmail_common.broker.stored_messages import AckSubject, broker_time, from_direct_get

SECOND = 1_000_000_000
#: 2000 to 2100.
NANOSECONDS = [random.Random(11).randrange(946_684_800 * SECOND, 4_102_444_800 * SECOND) for _ in range(20_000)]
EDGES = [0, 999, 1000, 999_999, 1_000_000, 1_499_999, 1_500_000, 999_999_999]


def rfc_3339(nanoseconds: int) -> str:
    """Return a time as Go's RFC3339Nano does: no zeros at the end of a second's fraction."""
    seconds, fraction = divmod(nanoseconds, SECOND)
    whole = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}.{fraction:09}".rstrip("0").rstrip(".") + "Z"


def test_nanoseconds_and_rfc_3339_give_the_same_time_cut_to_microseconds() -> None:
    for nanoseconds in [*NANOSECONDS, *(1_700_000_000 * SECOND + edge for edge in EDGES)]:
        time = broker_time(str(nanoseconds))
        assert time == broker_time(rfc_3339(nanoseconds))
        assert (time - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1) == nanoseconds // 1000


async def test_a_consumer_a_direct_get_and_a_get_from_the_leader_agree_on_an_events_time(
    nats_client: Client, event_log: EventLog
) -> None:
    await event_log.publish_batch([Message(f"runs.job{number}.run-started", b"{}", {}) for number in range(200)])
    async for batch in event_log.replay():
        for read in batch:
            wanted = json.dumps({"seq": read.sequence}).encode()
            direct = from_direct_get(await nats_client.request("$JS.API.DIRECT.GET.EVENTS", wanted))
            leader = await event_log.last_event(read.subject)
            assert leader is not None
            assert read.time == direct.time == leader.time
            assert read.sequence == direct.sequence == leader.sequence


@pytest.mark.parametrize(
    "subject",
    [
        "$JS.ACK.EVENTS.runner.3.17.5.1700000000123456789.2",
        "$JS.ACK._.hash.EVENTS.runner.3.17.5.1700000000123456789.2",
        "$JS.ACK.hub.hash.EVENTS.runner.3.17.5.1700000000123456789.2.token",
    ],
)
async def test_every_form_of_an_ack_subject_is_read(nats_client: Client, subject: str) -> None:
    assert AckSubject.of(Msg(nats_client, reply=subject)) == AckSubject("runner", 3, 17, 5, "1700000000123456789", 2)
