"""The one backoff, and which errors of the broker it waits for."""

import asyncio
from collections.abc import Awaitable, Callable

import nats.errors
import pytest
from nats.js import JetStreamContext
from structlog.testing import capture_logs

from nightmail_common.broker.backoff import Backoff, retry_forever
from nightmail_common.broker.connection import connect
from nightmail_common.broker.errors import TRANSIENT_ERRORS
from nightmail_common.contract.errors import describe_error
from nightmail_common.service.settings import ServiceSettings
from support.deadlines import scaled
from support.nats_server import NatsServer

FAST = Backoff(first=0.001, longest=0.002)


@pytest.mark.parametrize(
    ("attempt", "ceiling"), [(1, 0.5), (2, 1.0), (3, 2.0), (5, 8.0), (6, 10.0), (1000, 10.0), (10**9, 10.0)]
)
def test_a_wait_doubles_up_to_the_longest_and_half_of_it_is_random(attempt: int, ceiling: float) -> None:
    waits = [Backoff(first=0.5, longest=10.0).wait(attempt) for _ in range(200)]
    assert all(ceiling / 2 <= wait <= ceiling for wait in waits)
    assert max(waits) - min(waits) > ceiling / 4


async def test_a_transient_error_is_retried_and_logged_once() -> None:
    attempts = 0

    async def succeed_at_the_fourth() -> str:
        nonlocal attempts
        attempts += 1
        if attempts < 4:
            raise nats.errors.TimeoutError
        return "stored"

    with capture_logs() as lines:
        assert await retry_forever(succeed_at_the_fourth, "the log", backoff=FAST) == "stored"
    assert attempts == 4
    assert [(line["event"], line["to"], line["error"]) for line in lines] == [
        ("waiting_for_broker", "the log", "nats: timeout")
    ]


async def too_large(js: JetStreamContext) -> None:
    await js.publish("news", b"x" * 2_000_000)


async def to_no_bucket(js: JetStreamContext) -> None:
    await js.key_value("NOWHERE")


async def from_no_object_store(js: JetStreamContext) -> None:
    await js.object_store("NOWHERE")


async def to_a_bad_stream(js: JetStreamContext) -> None:
    await js.add_stream(name="BAD", subjects=["$JS.>"])


async def from_no_consumer(js: JetStreamContext) -> None:
    await js.consumer_info("NOWHERE", "nobody")


@pytest.mark.parametrize("call", [too_large, to_no_bucket, from_no_object_store, to_a_bad_stream, from_no_consumer])
async def test_a_permanent_error_of_the_broker_is_raised_at_once(
    nats_server: NatsServer, call: Callable[[JetStreamContext], Awaitable[None]]
) -> None:
    client = await connect(ServiceSettings(nats_url=nats_server.url), "test")
    try:
        with pytest.raises(nats.errors.Error) as raised:
            await asyncio.wait_for(
                retry_forever(lambda: call(client.jetstream()), "the broker", backoff=FAST), scaled(20)
            )
        assert not isinstance(raised.value, TRANSIENT_ERRORS)
    finally:
        await client.close()


async def test_a_retry_ends_when_the_connection_is_closed_for_good(nats_server: NatsServer) -> None:
    client = await connect(ServiceSettings(nats_url=nats_server.url), "test")
    await client.close()
    with pytest.raises(nats.errors.ConnectionClosedError):
        await asyncio.wait_for(retry_forever(lambda: client.publish("news"), "the broker", backoff=FAST), scaled(20))


async def test_a_retry_ends_when_its_task_is_cancelled() -> None:
    async def fail() -> None:
        raise nats.errors.NoRespondersError

    retrying = asyncio.create_task(retry_forever(fail, "the broker", backoff=FAST))
    await asyncio.sleep(0)
    retrying.cancel()
    await asyncio.wait({retrying}, timeout=scaled(5))
    assert retrying.cancelled()


@pytest.mark.parametrize(
    ("error", "text"), [(ValueError("no such day"), "no such day"), (TimeoutError(), "TimeoutError")]
)
def test_an_error_without_a_message_is_described_by_its_class(error: Exception, text: str) -> None:
    assert describe_error(error) == text
