"""Event lists, event streams and `nightmail events tail` show every event of the log, hostile ones too, and go on."""

import asyncio
import json
import sys
from contextlib import suppress
from typing import Any

import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext

from api.conftest import Replica
from api.test_event_stream import Subscriber, subscribe
from nightmail_common.broker.log import EventLog
from support.deadlines import scaled
from support.nats_server import NatsServer
from support.poison_events import poison_events


async def store_poison(js: JetStreamContext, seed: int) -> dict[int, str]:
    """Store poison events; return the type of each by its sequence."""
    stored = {}
    for poison in poison_events("poisoned", seed):
        ack = await js.publish(poison.subject, poison.data, headers=dict(poison.headers))
        stored[ack.seq] = poison.name
    return stored


async def check(log: EventLog, seen: list[dict[str, Any]], poison: dict[int, str]) -> None:
    """Check that events are in order, and all that the log has: the API deletes those that follow a `job-erased`."""
    sequences = [event["seq"] for event in seen]
    assert sequences == sorted(set(sequences))
    assert seen[-1]["type"] == "job-created"
    kept = {event.sequence async for batch in log.replay() for event in batch}
    assert len(kept) > 0.9 * len(poison)
    shown = {event["seq"]: event["type"] for event in seen[:-1]}
    assert poison | shown == poison
    assert (kept & set(poison)) <= set(shown)


async def test_lists_show_every_poison_event(api: Replica, event_log: EventLog) -> None:
    poison = await store_poison(event_log._js, 0)
    await api.create()
    for query in ({}, {"include": "results"}):
        listed: list[dict[str, Any]] = []
        while page := (
            await api.http.get("/events", params={"after": listed[-1]["seq"] if listed else 0, "limit": 200, **query})
        ).json()["items"]:
            listed += page
        await check(event_log, listed, poison)
    backwards = (await api.http.get("/events", params={"before": 2**62, "limit": 1000, "actor": "somebody"})).json()
    assert backwards["items"] == []


async def test_streams_go_on_past_poison_events(api: Replica, event_log: EventLog) -> None:
    async with (
        subscribe(api, after=0) as all_events,
        subscribe(api, omit="results") as live,
        subscribe(api, job_name="daily sales") as of_job,
        subscribe(api, after=0, run_id="00000000-0000-4000-8000-000000000000") as of_run,
    ):
        poison = await store_poison(event_log._js, 0)
        await api.create()
        for answer in (all_events, live):
            stream = Subscriber(answer.aiter_lines())
            seen = [await stream.next()]
            while seen[-1]["job_name"] != "daily sales":
                seen.append(await stream.next())
            await check(event_log, seen, poison)
        assert (await Subscriber(of_job.aiter_lines()).next())["type"] == "job-created"
        assert of_run.status_code == 200


@pytest.mark.parametrize("as_json", [True, False], ids=["json", "text"])
async def test_the_tail_prints_every_poison_event_and_goes_on(
    nats_server: NatsServer, nats_client: Client, event_log: EventLog, as_json: bool
) -> None:
    poison = await store_poison(event_log._js, 0)
    tail = await asyncio.create_subprocess_exec(
        *(
            sys.executable,
            "-m",
            "nightmail_cli.main",
            "events",
            "tail",
            "--from-start",
            *(["--json"] if as_json else []),
        ),
        env={"NIGHTMAIL_NATS_URL": nats_server.url, "PATH": "/usr/bin:/bin", "PYTHONUNBUFFERED": "1"},
        stdout=asyncio.subprocess.PIPE,
        limit=4 * 1024**2,
    )
    assert tail.stdout is not None
    try:
        async with asyncio.timeout(scaled(20)):
            lines = [(await tail.stdout.readline()).decode() for _ in poison]
            await nats_client.jetstream().publish("jobs.honest.job-created", b"{}")
            last = (await tail.stdout.readline()).decode()
    finally:
        with suppress(ProcessLookupError):
            tail.kill()
        await tail.wait()
    if as_json:
        assert {event["seq"]: event["type"] for event in map(json.loads, lines)} == poison
    else:
        assert {int(line.split()[0]): line.split()[2] for line in lines} == poison
    assert "honest" in last
