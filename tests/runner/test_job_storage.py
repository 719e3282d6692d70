"""What the stored results of a job may have together."""

from collections.abc import Callable

import httpx

from nightmail_common.broker.log import EventLog
from nightmail_common.contract.events import ResultReady, RunFailed
from support.plain_http import NO_AUTHORITIES
from support.runner_process import Request, RunnerProcess, outcome_of

LARGE = "print('made')\nreturn pd.DataFrame({'text': ['x' * 300_000]})"


async def test_a_job_that_has_stored_too_much_fails_and_leaves_room_for_others(
    start_runner: Callable[..., RunnerProcess], request_run: Request, event_log: EventLog
) -> None:
    runner = start_runner(max_job_result_bytes="500kB")
    await runner.ready()
    first = await outcome_of(event_log, await request_run(job_name="large", processing_script=LARGE))
    assert isinstance(first, ResultReady), first
    second = await outcome_of(event_log, await request_run(job_name="large", processing_script=LARGE))
    assert isinstance(second, RunFailed), second
    assert (second.error.stage, second.error.type, second.log) == ("output", "JobStorageFull", "made\n")
    assert "NIGHTMAIL_MAX_JOB_RESULT_BYTES" in second.error.message
    other = await outcome_of(event_log, await request_run(job_name="other", processing_script=LARGE))
    assert isinstance(other, ResultReady), other
    small = await outcome_of(event_log, await request_run(job_name="large", processing_script="return data"))
    assert isinstance(small, ResultReady), small
    async with httpx.AsyncClient(verify=NO_AUTHORITIES) as client:
        metrics = (await client.get(f"http://127.0.0.1:{runner.health_port}/metrics")).text
    assert "nightmail_runner_results_refused_total 1.0" in metrics
