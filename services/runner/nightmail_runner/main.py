"""The runner: takes requested runs from the queue, fetches, runs the script in the sandbox, publishes the outcome."""

import os
import socket
from functools import partial

import uvloop

from nightmail_common.broker.delivery import SlotPolicy
from nightmail_common.broker.responder import HEADERS_BYTES
from nightmail_common.broker.results import ResultStore
from nightmail_common.broker.streams import RUNNER_QUEUE
from nightmail_common.broker.work_queue import WorkQueue
from nightmail_common.contract.limits import MAX_SOURCE_CHECK_SECONDS
from nightmail_common.service.service import Service, run_service
from nightmail_common.service.settings import load
from nightmail_runner.bootstrap import (
    build_executor,
    build_fetcher,
    build_keeper,
    build_samples,
    load_stops,
    start_sandbox,
    warn_of_missing_imports,
)
from nightmail_runner.handler import DRAIN_SECONDS, HAND_BACK_SECONDS, RequestHandler
from nightmail_runner.metrics import observe_queue
from nightmail_runner.outcome import Outcomes
from nightmail_runner.preview import PreviewHandler
from nightmail_runner.settings import RunnerSettings
from nightmail_runner.source_check import source_checks


def main() -> None:
    settings = load(RunnerSettings)
    run_service("runner", settings, partial(serve, settings), uvloop.new_event_loop)


async def serve(settings: RunnerSettings, service: Service) -> None:
    """Take runs and previews; after a stop, finish the runs in progress or hand them back."""
    warn_of_missing_imports(settings.script_imports)
    sandbox = await start_sandbox(settings, service)
    service.facts["slots"] = lambda: settings.runner_concurrency
    await service.connected()
    log, max_event_bytes = service.log, service.client.max_payload - HEADERS_BYTES
    fetcher = await build_fetcher(settings, service)
    executor = build_executor(settings, service, fetcher, sandbox, max_event_bytes)
    stops = await load_stops(service)
    runner = f"{socket.gethostname()}/{os.getpid()}"
    policy = SlotPolicy(settings.runner_concurrency, max_detached=settings.runner_concurrency)
    queue = WorkQueue(service.client, RUNNER_QUEUE, policy, DRAIN_SECONDS + HAND_BACK_SECONDS)
    outcomes, keeper = Outcomes(log, max_event_bytes), build_keeper(settings, service)
    queue.subscribe(RequestHandler(queue, log, outcomes, executor, keeper, stops, runner).handle)
    await queue.start()
    service.health.add("queue", queue.reason_not_ready)
    previews = PreviewHandler(
        executor, build_samples(settings, service), ResultStore(service.client.jetstream()), max_event_bytes
    )
    await previews.serve(service.client)
    checks = source_checks(fetcher, settings.script_timeout)
    await checks.serve(service.client)
    service.background(queue.poll_depth(observe_queue), "queue depth")
    await service.until_stopped()

    await previews.stop()
    await checks.stop(MAX_SOURCE_CHECK_SECONDS)
    await queue.stop(DRAIN_SECONDS)
