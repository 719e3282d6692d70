"""A runner goes on after requests, and events about its runs, that it cannot read."""

import json
from collections.abc import Callable

import httpx
from nats.aio.client import Client

from nightmail_common.broker.log import EventLog
from nightmail_common.contract.events import ResultReady, RunFailed
from nightmail_common.contract.subjects import job_token
from support.plain_http import NO_AUTHORITIES
from support.poison_events import poison_events
from support.runner_process import Request, RunnerProcess, outcome_of


async def test_an_honest_run_is_executed_among_poison_events(
    start_runner: Callable[..., RunnerProcess], request_run: Request, event_log: EventLog, nats_client: Client
) -> None:
    js = nats_client.jetstream()
    for poison in [event for event in poison_events("daily sales") if event.subject.startswith("runs.")][:300]:
        await js.publish(poison.subject, poison.data, headers={"ce-type": poison.headers["ce-type"]})
    runner = start_runner()
    await runner.ready()
    request = await request_run(retries=1, processing_script="return data.nothing")
    for name in ("attempt-failed", "result-ready", "run-failed", "run-cancelled"):
        body = json.dumps({"run_id": str(request.run_id), "job_name": 2**70}).encode()
        headers = {"ce-type": f"nightmail.{name}.v1"}
        await js.publish(f"runs.{job_token('daily sales')}.{name}", body, headers=headers)

    assert isinstance(await outcome_of(event_log, request), RunFailed)
    assert isinstance(await outcome_of(event_log, await request_run()), ResultReady)
    async with httpx.AsyncClient(verify=NO_AUTHORITIES) as client:
        metrics = (await client.get(f"http://127.0.0.1:{runner.health_port}/metrics")).text
    for consumer in ("runner", "history"):
        assert f'nightmail_unreadable_events_total{{queue="{consumer}"}}' in metrics
