"""The ticker: turns due times into run requests."""

import asyncio
from contextlib import suppress
from functools import partial
from uuid import uuid4

import nats.errors

from nightmail_common.broker import streams
from nightmail_common.broker.connection import connect
from nightmail_common.broker.log import EventLog
from nightmail_common.service.health import Health
from nightmail_common.service.http_server import serve_http
from nightmail_common.service.service import run_service
from nightmail_common.service.settings import load
from nightmail_ticker.clock import Clock
from nightmail_ticker.lease import Lease
from nightmail_ticker.settings import TickerSettings
from nightmail_ticker.ticker import Ticker

STOP_SECONDS = 3.0
DRAIN_SECONDS = 1.0


def main() -> None:
    run(Clock())


def run(clock: Clock) -> None:
    """Run the service on a clock; tests have one that goes faster."""
    settings = load(TickerSettings)
    run_service("ticker", settings, partial(_serve, settings, clock))


async def _serve(settings: TickerSettings, clock: Clock, stop: asyncio.Event) -> None:
    health = Health()
    waiting: list[str] = ["jobs are being read from the log"]
    health.add("jobs", lambda: waiting[0] if waiting else None)
    async with serve_http(health, settings.health_host, settings.health_port):
        working = asyncio.create_task(_tick(settings, clock, health, waiting))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        working.cancel()
        # A wait that ends just as it is cancelled can lose the cancellation (CPython 3.11); the loop's end cancels again.
        await asyncio.wait({working}, timeout=STOP_SECONDS)
        if working.done() and not working.cancelled():
            working.result()


async def _tick(settings: TickerSettings, clock: Clock, health: Health, waiting: list[str]) -> None:
    client = await connect(settings, "ticker", "ticker")
    health.add_nats(client)
    try:
        js = client.jetstream()
        await streams.available(js, settings)
        lease = Lease(await js.key_value(streams.LEASES), str(uuid4()))
        ticker = Ticker(EventLog(client, "ticker", settings.run_retention), lease, clock)
        positions = await ticker.load()
        waiting.clear()
        await ticker.run(*positions)
    finally:
        # A connection whose broker is gone never drains.
        with suppress(nats.errors.Error, OSError, TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                await client.drain()
