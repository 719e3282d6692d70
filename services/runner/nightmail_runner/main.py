"""The runner: takes requested runs from the queue, fetches, runs the script in the sandbox, publishes the outcome."""

import os
import socket
from functools import partial

import uvloop

from nightmail_common.broker.delivery import SlotPolicy
from nightmail_common.broker.results import ResultStore
from nightmail_common.broker.streams import RUNNER_QUEUE
from nightmail_common.broker.work_queue import WorkQueue
from nightmail_common.contract.errors import CannotStart
from nightmail_common.contract.script import DEFAULT_IMPORTS
from nightmail_common.service.service import Service, run_service
from nightmail_common.service.settings import load
from nightmail_runner.execute import RunExecutor, ScriptLimits
from nightmail_runner.handler import DRAIN_SECONDS, HAND_BACK_SECONDS, RequestHandler
from nightmail_runner.metrics import observe_queue
from nightmail_runner.outcome import Outcomes
from nightmail_runner.preview import PreviewHandler
from nightmail_runner.sandbox.client import Sandbox, SandboxRefused
from nightmail_runner.settings import RunnerSettings
from nightmail_runner.sources.addresses import AddressCheckingTransport, AddressPolicy
from nightmail_runner.sources.fetch import Fetcher
from nightmail_runner.sources.source_secrets import SecretStore, source_secrets
from nightmail_runner.stops import Stops
from nightmail_runner.template_times import TemplateTimes

#: Left free in a message for its headers.
HEADERS_BYTES = 4096


def main() -> None:
    settings = load(RunnerSettings)
    run_service("runner", settings, partial(serve, settings), uvloop.new_event_loop)


async def serve(settings: RunnerSettings, service: Service) -> None:
    """Take runs and previews; after a stop, finish the runs that are on their way or hand them back."""
    slots = settings.runner_concurrency
    sandbox = await service.enter(Sandbox(slots, protected=settings.sandbox == "on"))
    service.health.add("sandbox", sandbox.reason_not_ready)
    transport = await service.enter(AddressCheckingTransport(AddressPolicy(settings.fetch_allow)))
    try:
        await sandbox.started()
    except SandboxRefused as error:
        raise CannotStart(f"scripts cannot be isolated on this machine: {error} (docs/sandbox.md)") from None
    await service.connected()

    js, log = service.client.jetstream(), service.log
    max_event_bytes = service.client.max_payload - HEADERS_BYTES
    files = settings.data_dir / "files"
    secrets = SecretStore(source_secrets())
    fetcher = Fetcher(transport, files, settings.max_input_bytes, settings.fetch_timeout, secrets)
    limits = ScriptLimits(
        settings.script_timeout, settings.script_memory, DEFAULT_IMPORTS.union(settings.script_imports)
    )
    executor = RunExecutor(fetcher, TemplateTimes(log), sandbox, ResultStore(js), limits, max_event_bytes)
    policy = SlotPolicy(slots, max_detached=slots)
    queue = WorkQueue(service.client, RUNNER_QUEUE, policy, DRAIN_SECONDS + HAND_BACK_SECONDS)
    runner = f"{socket.gethostname()}/{os.getpid()}"
    stops = Stops(log)
    await stops.load()
    service.background(stops.follow_cancellations(), "cancellations")
    service.background(stops.follow_deletions(), "deletions")
    queue.subscriber()(RequestHandler(queue, log, Outcomes(log, max_event_bytes), executor, stops, runner).handle)
    await queue.start()
    service.health.add("queue", queue.reason_not_ready)
    await PreviewHandler(executor).serve(service.client)
    service.background(queue.poll_depth(observe_queue), "queue depth")
    await service.until_stopped()

    await queue.stop(DRAIN_SECONDS)
