"""The ticker: turns due times into run requests."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from nightmail_common import streams
from nightmail_common.connection import connect
from nightmail_common.envelope import StoredEvent
from nightmail_common.health import Health
from nightmail_common.http_server import serve_http
from nightmail_common.log import EventLog
from nightmail_common.service import run_service
from nightmail_common.settings import load
from nightmail_common.subjects import JOB_EVENTS
from nightmail_ticker.fire import Requests
from nightmail_ticker.jobs import Jobs
from nightmail_ticker.missed import Served, catch_up, missed
from nightmail_ticker.settings import TickerSettings
from nightmail_ticker.slots import Slots

logger = structlog.get_logger()


def main() -> None:
    settings = load(TickerSettings)
    run_service("ticker", settings, partial(_serve, settings))


async def _serve(settings: TickerSettings, stop: asyncio.Event) -> None:
    health = Health()
    reading = "jobs are being read from the log"
    waiting: list[str] = [reading]
    health.add("jobs", lambda: waiting[0] if waiting else None)
    async with serve_http(health, settings.health_host, settings.health_port):
        working = asyncio.create_task(_tick(settings, health, waiting))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working


async def _tick(settings: TickerSettings, health: Health, waiting: list[str]) -> None:
    client = await connect(settings, "ticker")
    health.add_nats(client)
    await streams.declare(client.jetstream(), settings.result_retention)
    log = EventLog(client, "ticker", settings.run_retention)
    requests = Requests(log)
    scheduler = AsyncIOScheduler(timezone=UTC)
    slots = Slots(scheduler, requests.publish)
    jobs = Jobs()
    position = 0
    async for batch in log.replay((JOB_EVENTS,)):
        for stored in batch:
            jobs.apply(stored)
            position = stored.sequence
    scheduler.start()
    try:
        for job in jobs.active():
            slots.add(job)
        await catch_up(missed(jobs.active(), await Served(log).by_job(), datetime.now(UTC)), requests, log)
        waiting.clear()
        logger.info("ticker_ready", jobs=sum(1 for _ in jobs.active()))
        async for batch in log.follow((JOB_EVENTS,), after=position):
            for stored in batch:
                _change(slots, jobs, stored)
    finally:
        scheduler.shutdown(wait=False)
        await client.drain()


def _change(slots: Slots, jobs: Jobs, stored: StoredEvent) -> None:
    before, after = jobs.apply(stored)
    if before is not None:
        slots.remove(before)
    if after is not None:
        slots.add(after)
    logger.info("job_changed", job_name=stored.job_name, change=stored.name)
