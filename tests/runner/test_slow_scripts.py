"""A script that is slow to parse holds no event loop: other runs, heartbeats and health checks go on beside it."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from nats.aio.client import Client

from nightmail_common.broker.input_store import InputStore
from nightmail_common.broker.log import EventLog
from nightmail_common.broker.results import ResultStore
from nightmail_common.contract.events import ResultReady, RunFailed, RunRequested
from nightmail_common.contract.job import Job
from nightmail_common.contract.limits import MAX_SCRIPT_BYTES
from nightmail_common.contract.script import DEFAULT_IMPORTS
from nightmail_common.service.script_reader import ScriptReader
from nightmail_runner.execute import RunExecutor, ScriptLimits
from nightmail_runner.kept_inputs import RunInputs
from nightmail_runner.last_delivered import LastDelivered
from nightmail_runner.sandbox.client import Sandbox
from nightmail_runner.sources.conditional import KeptAnswers
from nightmail_runner.template_times import TemplateTimes
from support.deadlines import scaled
from support.event_loop import measured_stalls
from support.http_source import open_fetcher

LIMITS = ScriptLimits(timeout_seconds=60, memory_bytes=1024**3, result_bytes=1024**2, rows=1000, columns=100)
#: CPU time of the loop's thread. Parsing the longest script there took 0.27 to 0.43 s.
MAX_STALL_SECONDS = scaled(0.15)

SLOW = "data.plot\nprevious\n" + "x = 1\n" * 21_000
assert MAX_SCRIPT_BYTES * 0.9 < len(SLOW) < MAX_SCRIPT_BYTES


#: The last lines of long scripts, and the error of each.
LAST_LINES = {"return pd.DataFrame({'a': [1]})": None, "import socket": "ImportNotAllowed", "return (": "SyntaxError"}


async def test_a_long_script_is_executed_while_the_event_loop_goes_on(
    own_sandbox: Sandbox, nats_client: Client, event_log: EventLog, make_job: Callable[..., Job], data_dir: Path
) -> None:
    results = ResultStore(nats_client.jetstream())
    async with open_fetcher(data_dir / "files") as fetcher:
        executor = RunExecutor(
            *(ScriptReader(DEFAULT_IMPORTS), fetcher, TemplateTimes(event_log)),
            *(KeptAnswers(event_log, InputStore(nats_client.jetstream())), own_sandbox, results),
            *(LastDelivered(event_log, results), LIMITS, 1024**2),
        )
        for last_line, failed in LAST_LINES.items():
            job = make_job().model_copy(update={"processing_script": SLOW + last_line})
            request = RunRequested(
                job_name=job.job_name, run_id=uuid4(), job=job, trigger="manual", scheduled_at=datetime.now(UTC)
            )
            with RunInputs() as inputs:
                async with measured_stalls() as stalls:
                    outcome = await executor.execute(request, inputs)
            if failed is None:
                assert isinstance(outcome, ResultReady), outcome
            else:
                assert isinstance(outcome, RunFailed)
                assert (outcome.error.stage, outcome.error.type, outcome.error.line) == ("script", failed, 21_003)
            assert stalls.longest_cpu_seconds < MAX_STALL_SECONDS
