"""The Prometheus metrics of a runner."""

from typing import Literal, get_args

from nats.js.api import ConsumerInfo
from prometheus_client import Counter, Gauge, Histogram

from nightmail_common.contract.events import Timings
from nightmail_runner.sandbox.result import FailureKind

#: From the few milliseconds of a small table to the default of SCRIPT_TIMEOUT.
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)

RUN_SECONDS = Histogram("nightmail_runner_run_seconds", "How long runs took, by stage.", ["stage"], buckets=_BUCKETS)
SANDBOX_OUTCOMES = Counter("nightmail_runner_sandbox_outcomes", "Results of scripts in the sandbox.", ["outcome"])
# Exported from 0: an alert on its increase sees the first one.
for _outcome in ("succeeded", "skipped", *get_args(FailureKind)):
    SANDBOX_OUTCOMES.labels(_outcome)
RESULTS_REFUSED = Counter(
    "nightmail_runner_results_refused", "Results that were not stored because their job has stored too many bytes."
)
SLOTS_BUSY = Gauge("nightmail_runner_slots_busy", "Runs that this runner is executing.")
QUEUE_WAITING = Gauge("nightmail_runner_queue_waiting", "Requested runs that wait for a runner.")


#: `shared`: its bytes were stored before. `failed`: the store did not take it.
KeptAs = Literal["stored", "shared", "too_large", "failed"]
INPUTS = Counter("nightmail_runner_inputs", "Inputs of runs, by how they are kept.", ["kept_as"])
for _kept_as in get_args(KeptAs):  # exported from 0: an alert on its increase sees the first one
    INPUTS.labels(_kept_as)


def observe(timings: Timings) -> None:
    """Record the timings of the stages that a run reached."""
    for stage, milliseconds in (
        ("fetch", timings.fetch_ms),
        ("parse", timings.parse_ms),
        ("script", timings.script_ms),
        ("output", timings.output_ms),
        ("total", timings.total_ms),
    ):
        if milliseconds is not None:
            RUN_SECONDS.labels(stage).observe(milliseconds / 1000)


def observe_queue(info: ConsumerInfo) -> None:
    """Record the length of the queue."""
    QUEUE_WAITING.set(info.num_pending or 0)
