"""A run that is cancelled, or whose job is deleted, stops: before it begins, while its script runs, while its result is stored."""

import asyncio
from collections.abc import Callable

import pytest
from nats.aio.client import Client

from nightmail_common.broker.log import EventLog
from nightmail_common.broker.streams import RESULTS
from nightmail_common.contract.envelope import run_message_id
from nightmail_common.contract.events import JobDeleted, ResultReady, RunCancelled, RunRequested, RunSkipped
from nightmail_runner.stops import CANCELLED, RunStopped, Stops
from support.deadlines import eventually, scaled
from support.runner_process import Request, RunnerProcess, events_of, outcome_of

StartRunner = Callable[..., RunnerProcess]

#: A script that never ends by itself.
ENDLESS = "import time\nwhile True:\n    time.sleep(0.05)"


async def cancel(log: EventLog, request: RunRequested) -> bool:
    """Publish what the API publishes; say whether the run was cancelled before it had an outcome."""
    event = RunCancelled(job_name=request.job_name, run_id=request.run_id, actor="admin")
    return not (await log.publish(event, message_id=run_message_id(request.run_id, "outcome"))).duplicate


async def delete_job(log: EventLog, request: RunRequested) -> None:
    job = request.job
    await log.publish(JobDeleted(job_name=job.job_name, job_id=job.job_id, actor="admin", job_version=job.version))


async def names_of(log: EventLog, request: RunRequested) -> list[str]:
    return [stored.name for stored in await events_of(log, request)]


async def wait_for(log: EventLog, request: RunRequested, name: str) -> None:
    async def happened() -> bool:
        return name in await names_of(log, request)

    await eventually(happened, f"the run has a {name}")


async def next_run_succeeds(log: EventLog, request_run: Request) -> None:
    """Wait until the runner, which has one slot, has executed another run."""
    assert isinstance(await outcome_of(log, await request_run(job_name="next")), ResultReady)


async def test_a_run_that_is_cancelled_in_the_queue_does_not_begin(
    start_runner: StartRunner, request_run: Request, event_log: EventLog
) -> None:
    request = await request_run()
    assert await cancel(event_log, request)
    start_runner(runner_concurrency="1")
    await next_run_succeeds(event_log, request_run)
    assert await names_of(event_log, request) == ["run-requested", "run-cancelled"]


async def test_a_run_that_is_cancelled_behind_another_does_not_begin(
    start_runner: StartRunner, request_run: Request, event_log: EventLog
) -> None:
    await start_runner(runner_concurrency="1").ready()
    busy = await request_run(job_name="busy", processing_script=ENDLESS)
    await wait_for(event_log, busy, "run-started")
    queued = await request_run(job_name="queued")
    assert await cancel(event_log, queued)
    assert await cancel(event_log, busy)
    await next_run_succeeds(event_log, request_run)
    assert await names_of(event_log, queued) == ["run-requested", "run-cancelled"]


async def test_a_script_under_way_is_killed_when_its_run_is_cancelled(
    start_runner: StartRunner, request_run: Request, event_log: EventLog
) -> None:
    await start_runner(runner_concurrency="1").ready()
    request = await request_run(processing_script=ENDLESS)
    await wait_for(event_log, request, "run-started")
    assert await cancel(event_log, request)
    await next_run_succeeds(event_log, request_run)  # the only slot is free: the endless script has ended
    assert await names_of(event_log, request) == ["run-requested", "run-started", "run-cancelled"]


async def test_a_run_is_either_cancelled_or_has_an_outcome_whenever_the_cancellation_comes(
    start_runner: StartRunner, request_run: Request, event_log: EventLog
) -> None:
    await start_runner(runner_concurrency="2").ready()
    for number in range(12):  # while it is queued, starts, runs, and while its result is stored
        request = await request_run(job_name=f"race {number}")
        await asyncio.sleep(number * 0.01)
        cancelled = await cancel(event_log, request)
        await next_run_succeeds(event_log, request_run)
        names = await names_of(event_log, request)
        ends = [name for name in names if name in {"run-cancelled", "result-ready", "run-failed"}]
        assert ends == ["run-cancelled" if cancelled else "result-ready"], names


async def test_a_large_result_that_is_stored_while_its_run_is_cancelled_has_no_event(
    start_runner: StartRunner, request_run: Request, event_log: EventLog, nats_client: Client
) -> None:
    await start_runner(runner_concurrency="1").ready()
    script = "return pd.DataFrame({'text': ['x' * 1000] * 40_000})"
    request = await request_run(processing_script=script)
    results = nats_client.jetstream()

    async def storing() -> bool:
        return (await results.stream_info(f"OBJ_{RESULTS}")).state.bytes > 0

    await eventually(storing, "the result is on its way into the store")
    cancelled = await cancel(event_log, request)
    await next_run_succeeds(event_log, request_run)
    assert ("result-ready" in await names_of(event_log, request)) is not cancelled


async def test_a_queued_run_of_a_deleted_job_is_skipped(
    start_runner: StartRunner, request_run: Request, event_log: EventLog
) -> None:
    request = await request_run()
    await delete_job(event_log, request)
    start_runner()
    outcome = await outcome_of(event_log, request)
    assert isinstance(outcome, RunSkipped)
    assert outcome.reason == "deleted"
    assert "run-started" not in await names_of(event_log, request)


async def test_a_script_under_way_is_killed_when_its_job_is_deleted(
    start_runner: StartRunner, request_run: Request, event_log: EventLog
) -> None:
    await start_runner(runner_concurrency="1").ready()
    request = await request_run(processing_script=ENDLESS)
    await wait_for(event_log, request, "run-started")
    await delete_job(event_log, request)
    outcome = await outcome_of(event_log, request)
    assert isinstance(outcome, RunSkipped)
    assert outcome.reason == "deleted"
    await next_run_succeeds(event_log, request_run)


async def test_a_run_that_loses_a_cancellation_is_ended_all_the_same(event_log: EventLog, request_run: Request) -> None:
    request = await request_run()
    stops = Stops(event_log)
    following = asyncio.create_task(stops.follow(CANCELLED))
    lost = 0

    async def lose_the_first() -> None:
        nonlocal lost
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                lost += 1
                if lost > 1:
                    raise

    running = asyncio.create_task(stops.run_unless_stopped(request, lose_the_first()))
    assert await cancel(event_log, request)
    with pytest.raises(RunStopped):
        await asyncio.wait_for(running, scaled(20))
    assert lost == 2
    following.cancel()
