"""A requested run ends exactly once, whatever happens to its runner or to the broker."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import cast
from uuid import uuid4

import psutil
import pytest
from nats.aio.client import Client

from nightmail_common.broker.delivery import Ack, Delivery, SlotPolicy
from nightmail_common.broker.input_store import InputStore
from nightmail_common.broker.log import EventLog
from nightmail_common.broker.patches import PatchedClient
from nightmail_common.broker.streams import ACK_WAIT_SECONDS, RESULTS, RUNNER_QUEUE, STREAM, ensure_queue
from nightmail_common.broker.work_queue import WorkQueue
from nightmail_common.contract.events import AttemptFailed, InputKept, ResultReady, RunError, RunFailed, RunRequested
from nightmail_runner.execute import RunExecutor, Stopwatch, run_failed
from nightmail_runner.handler import MAX_FRESH_AGE, RequestHandler
from nightmail_runner.kept_inputs import InputKeeper
from nightmail_runner.outcome import History, Outcomes
from nightmail_runner.stops import Stops
from support.deadlines import eventually, scaled
from support.nats_server import NatsServer
from support.runner_process import Request, RunnerProcess, events_of, outcome_of

StartRunner = Callable[..., RunnerProcess]
SLOW = "import time\ntime.sleep(0.7)\nreturn data"


async def names_of(log: EventLog, request: RunRequested) -> list[str]:
    """Return the events of a run up to its outcome; the runner keeps its inputs after that."""
    return [stored.name for stored in await events_of(log, request) if stored.name != InputKept.name]


async def wait_for_start(log: EventLog, request: RunRequested, times: int = 1) -> None:
    async def done() -> bool:
        return (await names_of(log, request)).count("run-started") >= times

    await eventually(done, f"the run has started {times} times")


async def wait_for_acks(client: Client) -> None:
    async def done() -> bool:
        info = await client.jetstream().consumer_info(STREAM, RUNNER_QUEUE.durable)
        return (info.num_ack_pending, info.num_pending) == (0, 0)

    await eventually(done, "every request is acked")


async def test_a_run_whose_runner_is_killed_is_executed_by_another_runner(
    start_runner: StartRunner, request_run: Request, event_log: EventLog, nats_client: Client
) -> None:
    runner = start_runner()
    await runner.ready()
    request = await request_run(processing_script=SLOW)
    await wait_for_start(event_log, request)
    runner.kill()
    start_runner()

    assert isinstance(await outcome_of(event_log, request), ResultReady)
    await wait_for_acks(nats_client)
    assert (await names_of(event_log, request)).count("result-ready") == 1


async def test_a_run_longer_than_the_ack_wait_is_executed_once(
    start_runner: StartRunner, request_run: Request, event_log: EventLog
) -> None:
    await start_runner().ready()
    request = await request_run(processing_script=f"import time\ntime.sleep({ACK_WAIT_SECONDS + 1})\nreturn data")

    assert isinstance(await outcome_of(event_log, request), ResultReady)
    assert await names_of(event_log, request) == ["run-requested", "run-started", "result-ready"]


async def kill_fork_server(runner: RunnerProcess) -> None:
    """Kill the runner's fork server once it has a worker that runs a script beside the one that waits."""

    def working() -> psutil.Process | None:
        with suppress(psutil.Error):  # one ends while it is asked
            servers = psutil.Process(runner.process.pid).children()
            return next((server for server in servers if len(server.children()) >= 2), None)
        return None

    server: psutil.Process = await eventually(working, "a worker runs the script")
    server.kill()


async def test_a_run_whose_sandbox_died_is_tried_again(
    start_runner: StartRunner, request_run: Request, event_log: EventLog
) -> None:
    runner = start_runner()
    await runner.ready()
    request = await request_run(processing_script=SLOW)
    await wait_for_start(event_log, request)
    await kill_fork_server(runner)

    assert isinstance(await outcome_of(event_log, request), ResultReady)
    assert await names_of(event_log, request) == [
        "run-requested",
        "run-started",
        "attempt-failed",
        "run-started",
        "result-ready",
    ]


async def test_a_run_whose_sandbox_dies_three_times_ends_as_failed(
    start_runner: StartRunner, request_run: Request, event_log: EventLog
) -> None:
    runner = start_runner()
    await runner.ready()
    request = await request_run(processing_script="import time\ntime.sleep(60)\nreturn data")
    for attempt in (1, 2, 3):
        await wait_for_start(event_log, request, attempt)
        await kill_fork_server(runner)

    outcome = await outcome_of(event_log, request)

    assert isinstance(outcome, RunFailed)
    assert (outcome.error.stage, outcome.error.type) == ("runner", "SandboxBroken")
    assert (await names_of(event_log, request)).count("attempt-failed") == 2


async def deliver_unanswered(client: Client, times: int) -> None:
    """Take the one request from the queue and nak it, so that it counts as a delivery whose runner died."""
    js = client.jetstream()
    await ensure_queue(js, RUNNER_QUEUE)
    subscription = await js.pull_subscribe_bind(RUNNER_QUEUE.durable, STREAM)
    for _ in range(times):
        [message] = await subscription.fetch(1, timeout=scaled(5))
        await message.nak()
    await subscription.unsubscribe()


@pytest.mark.parametrize(
    ("history", "delivery", "faults"),
    [
        (History(started=frozenset({1})), 2, 1),
        (History(started=frozenset({1})), 3, 1),  # the broker offered it to another runner, which left it
        (History(started=frozenset({1, 3})), 5, 2),
        (History(started=frozenset({1, 2}), over=frozenset({1})), 3, 1),  # handed back, then killed
        (History(started=frozenset({1, 2}), over=frozenset({1}), broken=1), 3, 2),
        (History(), 4, 3),  # each runner died before it could say that it began
    ],
)
def test_faults_are_counted_from_the_attempts_that_began(history: History, delivery: int, faults: int) -> None:
    assert history.faults(delivery) == faults


async def test_a_request_that_killed_three_runners_ends_as_run_failed_at_its_fourth_delivery(
    start_runner: StartRunner, request_run: Request, event_log: EventLog, nats_client: Client
) -> None:
    request = await request_run()
    await deliver_unanswered(nats_client, times=3)
    start_runner()

    outcome = await outcome_of(event_log, request)

    assert isinstance(outcome, RunFailed)
    assert (outcome.error.stage, outcome.error.type) == ("runner", "RunnerKilled")


async def test_a_redelivered_request_with_an_outcome_in_the_log_is_only_acked(
    start_runner: StartRunner, request_run: Request, event_log: EventLog, nats_client: Client
) -> None:
    await start_runner().ready()
    request = await request_run()
    outcome = await outcome_of(event_log, request)
    await wait_for_acks(nats_client)
    second = await request_run(job_name="second")
    await outcome_of(event_log, second)
    # Redelivers the requests, as a broker that lost an ack does.
    await nats_client.jetstream().delete_consumer(STREAM, RUNNER_QUEUE.durable)
    await deliver_unanswered(nats_client, times=1)

    await wait_for_acks(nats_client)

    assert isinstance(outcome, ResultReady)
    assert (await names_of(event_log, request)).count("result-ready") == 1


async def test_runs_go_on_after_the_queue_was_deleted_by_hand_and_none_is_repeated(
    start_runner: StartRunner, request_run: Request, event_log: EventLog, nats_client: Client
) -> None:
    await start_runner().ready()
    before = await request_run(job_name="before")
    await outcome_of(event_log, before)
    await wait_for_acks(nats_client)

    await nats_client.jetstream().delete_consumer(STREAM, RUNNER_QUEUE.durable)
    after = await request_run(job_name="after")

    assert isinstance(await outcome_of(event_log, after), ResultReady)
    await wait_for_acks(nats_client)
    assert (await names_of(event_log, before)).count("result-ready") == 1


async def test_an_old_request_that_is_delivered_as_if_for_the_first_time_is_not_run_again(
    request_run: Request, event_log: EventLog, nats_client: Client
) -> None:
    """A durable consumer that was deleted while no service ran counts deliveries from 1 again."""
    request = await request_run()
    queue = WorkQueue(PatchedClient(), RUNNER_QUEUE, SlotPolicy(1), stop_seconds=1.0)
    outcomes = Outcomes(event_log, max_event_bytes=100_000)
    await outcomes.publish(run_failed(request, RunError(stage="script", type="KeyError", message="'a'"), Stopwatch()))
    executor = cast("RunExecutor", None)  # it must not be asked
    keeper = InputKeeper(InputStore(nats_client.jetstream()), event_log, max_bytes=0)
    handler = RequestHandler(queue, event_log, outcomes, executor, keeper, Stops(event_log), "here")
    old = Delivery(number=1, sequence=1, time=datetime.now(UTC) - 2 * MAX_FRESH_AGE, release_slot=lambda: None)

    assert await handler.handle(request, old) == Ack()


async def test_a_failing_run_is_retried_as_often_as_its_job_says(
    start_runner: StartRunner, request_run: Request, event_log: EventLog
) -> None:
    await start_runner().ready()
    request = await request_run(processing_script="1 / 0", retries=1)

    outcome = await outcome_of(event_log, request)

    assert isinstance(outcome, RunFailed)
    assert outcome.error.type == "ZeroDivisionError"
    assert await names_of(event_log, request) == [
        "run-requested",
        "run-started",
        "attempt-failed",
        "run-started",
        "run-failed",
    ]


async def test_a_stopped_runner_finishes_short_runs_and_hands_back_long_ones(
    start_runner: StartRunner, request_run: Request, event_log: EventLog
) -> None:
    runner = start_runner(runner_concurrency="2")
    await runner.ready()
    short = await request_run(processing_script=SLOW)
    long = await request_run(processing_script="import time\ntime.sleep(60)\nreturn data", job_name="long")
    await wait_for_start(event_log, short)
    await wait_for_start(event_log, long)

    since = time.monotonic()
    assert runner.stop() == 0

    assert time.monotonic() - since < scaled(10)
    assert (await names_of(event_log, short))[-1] == "result-ready"
    [*_, last] = await events_of(event_log, long)
    handed_back = last.event()
    assert isinstance(handed_back, AttemptFailed)
    assert handed_back.error.type == "RunnerStopped"
    start_runner()
    await wait_for_start(event_log, long, times=2)


async def test_an_outcome_is_published_when_an_unavailable_broker_returns(
    start_runner: StartRunner, request_run: Request, event_log: EventLog, nats_server: NatsServer
) -> None:
    await start_runner().ready()
    request = await request_run(processing_script=SLOW)
    await wait_for_start(event_log, request)
    nats_server.kill()
    try:
        await asyncio.sleep(1)  # the run ends while there is no broker
    finally:
        nats_server.start()

    assert isinstance(await outcome_of(event_log, request), ResultReady)


async def test_a_large_result_is_stored_in_the_object_store(
    start_runner: StartRunner, request_run: Request, event_log: EventLog, nats_client: Client
) -> None:
    await start_runner().ready()
    request = await request_run(processing_script="return pd.DataFrame({'text': ['x' * 1000] * 1000})")

    outcome = await outcome_of(event_log, request)

    assert isinstance(outcome, ResultReady)
    assert (outcome.csv.data, outcome.csv.bucket) == (None, RESULTS)
    assert outcome.csv.object_name is not None
    assert outcome.csv.object_name.startswith(f"daily%20sales/{request.run_id}/")
    bucket = await nats_client.jetstream().object_store(RESULTS)
    stored = (await bucket.get(outcome.csv.object_name)).data
    assert stored == b"text\n" + (b"x" * 1000 + b"\n") * 1000
    assert outcome.csv.size == len(stored)


async def test_an_event_never_exceeds_the_brokers_max_payload(
    start_runner: StartRunner, request_run: Request, event_log: EventLog, nats_client: Client
) -> None:
    await start_runner().ready()
    padding = "#" + "\N{LATIN SMALL LETTER E WITH ACUTE}" * 60_000 + "\n"
    print_much = "print('\\x01' * 300_000)\n"
    request = await request_run(
        processing_script=padding + print_much + "return pd.DataFrame({'text': ['x' * 1000] * 250})"
    )

    outcome = await outcome_of(event_log, request)

    assert isinstance(outcome, ResultReady)
    assert outcome.csv.bucket == RESULTS


async def test_a_runner_takes_only_as_many_requests_as_it_has_slots(
    start_runner: StartRunner, request_run: Request, event_log: EventLog, nats_client: Client
) -> None:
    await start_runner(runner_concurrency="2").ready()
    requests = [await request_run(processing_script=SLOW, job_name=f"job {uuid4()}") for _ in range(6)]
    await wait_for_start(event_log, requests[0])

    info = await nats_client.jetstream().consumer_info(STREAM, RUNNER_QUEUE.durable)
    assert info.num_ack_pending is not None
    assert info.num_ack_pending <= 2
    for request in requests:
        assert isinstance(await outcome_of(event_log, request), ResultReady)
