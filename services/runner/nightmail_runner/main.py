"""The runner: takes requested runs from the queue, fetches, runs the script in the sandbox, publishes the outcome."""

import asyncio
import os
import socket
import sys
from functools import partial

import httpx
import uvloop
from nats.aio.client import Client

from nightmail_common.broker import streams
from nightmail_common.broker.connection import connect
from nightmail_common.broker.log import EventLog
from nightmail_common.broker.results import ResultStore
from nightmail_common.broker.work_queue import Broker, look_at_queue
from nightmail_common.service.health import Health
from nightmail_common.service.http_server import serve_http
from nightmail_common.service.service import run_service
from nightmail_common.service.settings import load
from nightmail_runner.execute import RunExecutor, ScriptLimits
from nightmail_runner.handler import DRAIN_SECONDS, DURABLE, HAND_BACK_SECONDS, Consumer
from nightmail_runner.metrics import observe_queue
from nightmail_runner.outcome import Outcomes
from nightmail_runner.preview import Previews
from nightmail_runner.sandbox.client import Sandbox, SandboxRefused
from nightmail_runner.settings import RunnerSettings
from nightmail_runner.sources.addresses import AddressCheckingTransport, AddressPolicy
from nightmail_runner.sources.fetch import Fetcher
from nightmail_runner.sources.source_secrets import source_secrets

NAME = "runner"
#: Left free in a message for its headers.
HEADERS_BYTES = 4096


def main() -> None:
    settings = load(RunnerSettings)
    try:
        run_service(NAME, settings, partial(serve, settings), uvloop.new_event_loop)
    except SandboxRefused as error:
        print(f"error: scripts cannot be isolated on this machine: {error} (docs/sandbox.md)", file=sys.stderr)
        raise SystemExit(1) from None


async def serve(settings: RunnerSettings, stop: asyncio.Event) -> None:
    """Take runs until told to stop; then finish what runs."""
    health = Health()
    async with (
        serve_http(health, settings.health_host, settings.health_port),
        Sandbox(settings.runner_concurrency, protected=settings.sandbox == "on") as sandbox,
    ):
        health.add("sandbox", sandbox.why_not_ready)
        health.add("nats", lambda: "not taking runs yet")
        connecting = asyncio.create_task(_connect(settings))
        stopping = asyncio.create_task(stop.wait())
        await sandbox.started()
        await asyncio.wait({connecting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not connecting.done():
            connecting.cancel()
            return
        client = connecting.result()
        await _take_runs(settings, client, sandbox, health, stop)
        await client.close()


async def _connect(settings: RunnerSettings) -> Client:
    client = await connect(settings, NAME, NAME)
    await streams.available(client.jetstream(), settings)
    return client


async def _take_runs(
    settings: RunnerSettings, client: Client, sandbox: Sandbox, health: Health, stop: asyncio.Event
) -> None:
    max_event_bytes = client.max_payload - HEADERS_BYTES
    log = EventLog(client, NAME, settings.run_retention)
    limits = ScriptLimits(settings.script_timeout, settings.script_memory, frozenset(settings.script_imports))
    transport = AddressCheckingTransport(AddressPolicy(settings.fetch_allow))
    async with httpx.AsyncClient(transport=transport, timeout=settings.fetch_timeout) as http:
        files = settings.data_dir / "files"
        fetcher = Fetcher(http, files, settings.max_input_bytes, settings.fetch_timeout, source_secrets())
        executor = RunExecutor(fetcher, sandbox, ResultStore(client.jetstream()), limits, max_event_bytes)
        runner, slots = f"{socket.gethostname()}/{os.getpid()}", settings.runner_concurrency
        consumer = Consumer(log, Outcomes(log, max_event_bytes), executor, runner, slots)
        broker = Broker(client, DRAIN_SECONDS + HAND_BACK_SECONDS)
        consumer.queue.subscribe(broker, slots)
        await broker.start()
        await Previews(executor).serve(client)
        health.add_nats(client)
        watching = asyncio.create_task(look_at_queue(client.jetstream(), DURABLE, observe_queue))
        await stop.wait()
        watching.cancel()
        asyncio.get_running_loop().call_later(DRAIN_SECONDS, consumer.queue.give_up)
        await consumer.queue.stop(broker)
        await broker.stop()
