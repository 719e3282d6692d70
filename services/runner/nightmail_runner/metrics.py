"""What a runner counts, for Prometheus."""

import asyncio
from contextlib import suppress

from nats.js import JetStreamContext
from prometheus_client import Counter, Gauge, Histogram

from nightmail_common.events import Timings
from nightmail_common.streams import STREAM
from nightmail_common.work_queue import BROKER_ERRORS

#: From the few milliseconds of a small table to what SCRIPT_TIMEOUT lets a long one take.
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
#: Between two looks at the queue; Prometheus asks every 15 to 60 seconds.
QUEUE_LOOK_SECONDS = 5.0

RUN_SECONDS = Histogram("nightmail_runner_run_seconds", "How long runs took, by stage.", ["stage"], buckets=_BUCKETS)
SANDBOX_OUTCOMES = Counter("nightmail_runner_sandbox_outcomes", "How scripts ended in the sandbox.", ["outcome"])
SLOTS_BUSY = Gauge("nightmail_runner_slots_busy", "Runs that this runner works on.")
QUEUE_WAITING = Gauge("nightmail_runner_queue_waiting", "Requested runs that no runner has taken yet.")


def observe(timings: Timings) -> None:
    """Note where a run's time went, as far as it came."""
    for stage, milliseconds in (
        ("fetch", timings.fetch_ms),
        ("parse", timings.parse_ms),
        ("script", timings.script_ms),
        ("output", timings.output_ms),
        ("total", timings.total_ms),
    ):
        if milliseconds is not None:
            RUN_SECONDS.labels(stage).observe(milliseconds / 1000)


async def watch_queue(js: JetStreamContext, durable: str) -> None:
    """Look again and again how many requests wait."""
    while True:
        with suppress(*BROKER_ERRORS):  # the last known depth stands until the broker is back
            QUEUE_WAITING.set((await js.consumer_info(STREAM, durable)).num_pending or 0)
        await asyncio.sleep(QUEUE_LOOK_SECONDS)
