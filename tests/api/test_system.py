"""`GET /system`: the services as they announce themselves, what waits, and what is wrong."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

import pytest
from nats.aio.client import Client

from api.conftest import ON_BOTH_DATABASES, MakeReplica, Replica
from api.test_access import make_token
from nightmail_api.system.services import check_smtp
from nightmail_common.broker import streams
from nightmail_common.broker.log import EventLog
from nightmail_common.service.service import Service
from nightmail_common.service.settings import ServiceSettings
from support.deadlines import eventually
from support.nats_server import NatsServer


async def system(api: Replica) -> dict[str, Any]:
    answer = await api.http.get("/system")
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    return report


async def system_when(replica: Replica, what: str, **replicas: int) -> dict[str, Any]:
    """Return the report once services have so many replicas that are ready."""
    report: dict[str, Any] = {}

    async def found() -> bool:
        report.clear()
        report.update(await system(replica))
        ready = {one["name"]: sum(each["ready"] for each in one["replicas"]) for one in report["services"]}
        return all(ready[name] == count for name, count in replicas.items())

    await eventually(found, what)
    return report


def service(report: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in report["services"] if one["name"] == name)


def check(report: dict[str, Any], name: str) -> list[tuple[str, str]]:
    return [(one["state"], one["detail"]) for one in report["checks"] if one["name"] == name]


def _given(value: Any) -> Any:
    return value


@asynccontextmanager
async def running(name: str, url: str, **facts: Any) -> AsyncIterator[Service]:
    """Run a service that announces itself and does nothing else."""
    async with Service(ServiceSettings(nats_url=url), name) as made:
        for fact, value in facts.items():
            made.facts[fact] = partial(_given, value)
        await made.connected()
        waiting = asyncio.create_task(made.until_stopped())
        yield made
        made.stop("the test ends")
        await waiting


@ON_BOTH_DATABASES
async def test_every_service_is_listed_with_its_replicas_until_it_ends(api: Replica, nats_server: NatsServer) -> None:
    async with running("runner", nats_server.url, slots=2), running("runner", nats_server.url, slots=2):
        report = await system_when(api, "two runners are ready", runner=2, api=1)
        runner = service(report, "runner")
        assert (runner["ready"], runner["version"]) == (True, report["version"])
        assert [one["facts"] for one in runner["replicas"]] == [{"slots": 2}] * 2
        assert runner["replicas"][0]["dependencies"] == {"nats": "ok"}
        assert service(report, "mailer") == {
            "name": "mailer",
            "ready": False,
            "version": None,
            "backlog": None,
            "replicas": [],
        }
        assert report["state"] == "problem"
        assert check(report, "services") == [("problem", "no ticker runs"), ("problem", "no mailer runs")]
        assert check(report, "ticker") == [("problem", "no ticker leads")]
        assert report["smtp"] is None
    report = await system_when(api, "both have withdrawn", runner=0)
    assert service(report, "runner")["replicas"] == []


async def test_a_service_that_is_not_ready_says_why(api: Replica, nats_server: NatsServer) -> None:
    smtp = {"server": "mail.example.com:587", "security": "starttls", "sender": "reports@example.com"}
    async with running("mailer", nats_server.url, smtp=smtp) as mailer:
        reason: list[str | None] = [None]
        mailer.health.add("smtp", lambda: reason[0])
        report = await system_when(api, "the mailer is ready", mailer=1)
        assert report["smtp"] == smtp | {"catcher": False, "reachable": True, "reason": None}
        reason[0] = "refused: 535 wrong password"
        report = await system_when(api, "the mailer is not ready", mailer=0)
        assert report["smtp"] == smtp | {"catcher": False, "reachable": False, "reason": "refused: 535 wrong password"}
        assert check(report, "smtp") == [("problem", "mail.example.com:587: refused: 535 wrong password")]
        same = check_smtp(report["smtp"] | {"reason": "mail.example.com:587: refused: 535 wrong password"})
        assert same is not None
        assert same.detail == "mail.example.com:587: refused: 535 wrong password"
        assert all(not text.startswith("mailer ") for _, text in check(report, "services"))  # it is said once
        mailer.health.add("queue", lambda: "no answer")

        async def of_the_queue() -> bool:
            said = [text for _, text in check(await system(api), "services") if text.startswith("mailer ")]
            return [text.partition(" is not ready: ")[2] for text in said] == ["queue: no answer"]

        await eventually(of_the_queue, "the other reason of the mailer is said")


@pytest.mark.parametrize(
    ("facts", "detail"),
    [
        (
            [{"bounds": ["memory", "pids", "cpu"], "problem": None}],
            "one for each run, which is killed as a whole and bounds memory, pids, cpu",
        ),
        (
            [{"bounds": [], "problem": None}],
            "one for each run, which is killed as a whole and bounds nothing, as the machine hands over no controller",
        ),
        (
            [
                {"bounds": ["memory"], "problem": None},
                {"bounds": [], "problem": "/sys/fs/cgroup has other processes, too"},
            ],
            "none for each run, which has its resource limits only: /sys/fs/cgroup has other processes, too (docs/sandbox.md)",
        ),
    ],
)
async def test_the_control_groups_of_runs_are_as_the_runners_say(
    api: Replica, nats_server: NatsServer, facts: list[dict[str, Any]], detail: str
) -> None:
    async with AsyncExitStack() as runners:
        for each in facts:
            await runners.enter_async_context(running("runner", nats_server.url, run_groups=each))
        report = await system_when(api, "the runners are ready", runner=len(facts))
    assert check(report, "control groups") == [("ok", detail)]


async def test_the_backlog_of_a_queue_and_a_changed_consumer_are_shown(
    api: Replica, nats_client: Client, event_log: EventLog
) -> None:
    js = nats_client.jetstream()
    config = streams.RUNNER_QUEUE.config()
    await js.add_consumer(streams.STREAM, config.evolve(max_deliver=3))
    await api.create(job_name="waits")
    assert (await api.http.post("/jobs/waits/run")).status_code == 202

    async def waits() -> bool:
        return bool(service(await system(api), "runner")["backlog"] == 1)

    await eventually(waits, "one run waits")
    assert check(await system(api), "runners") == [
        ("problem", "1 events waiting or in progress, and no runner pulls them")
    ]
    pull = await js.pull_subscribe_bind("runner", streams.STREAM)
    await pull.fetch(1)

    async def changed() -> bool:
        [(state, detail)] = check(await system(api), "runners")
        return state == "problem" and "another max_deliver" in detail

    await eventually(changed, "the changed consumer is a problem")


async def test_an_unreadable_event_is_counted_and_named(api: Replica, nats_client: Client) -> None:
    assert check(await system(api), "unreadable events") == [("ok", "none")]
    stored = await nats_client.jetstream().publish("jobs.a.no-such-event", b"{}")

    async def found() -> bool:
        return bool((await system(api))["unreadable"]["count"] == 1)

    await eventually(found, "the event is counted")
    report = await system(api)
    [item] = report["unreadable"]["items"]
    assert (item["sequence"], item["subject"]) == (stored.seq, "jobs.a.no-such-event")
    assert item["reason"]
    assert check(report, "unreadable events")[0][0] == "warning"


async def test_a_viewer_may_read_it_and_it_has_no_secret(make_replica: MakeReplica) -> None:
    api = await make_replica(secret_key="a-secret-key-of-the-tests")
    async with api.client(await make_token(api, "dashboard", "viewer")) as viewer:
        answer = await viewer.get("/system")
    assert answer.status_code == 200
    assert "a-secret-key" not in answer.text


async def test_it_answers_while_the_broker_is_away(api: Replica, nats_server: NatsServer) -> None:
    await system(api)
    nats_server.kill()
    try:

        async def away() -> bool:
            return [state for state, _ in check(await system(api), "nats")] == ["problem"]

        await eventually(away, "the broker is a problem")
        # Without the broker nobody knows which services run: that none does would be a guess.
        assert check(await system(api), "services") == []
    finally:
        nats_server.start()


async def test_a_broker_that_lost_its_store_is_reported_as_such(make_replica: MakeReplica, event_log: EventLog) -> None:
    replica = await make_replica()
    for stream in await event_log._js.streams_info():
        assert stream.config.name is not None
        await event_log._js.delete_stream(stream.config.name)
    found: dict[str, Any] = {}

    async def is_reported() -> bool:
        found.update({one["name"]: one for one in (await system(replica))["checks"]})
        return bool(found["log"]["state"] == "problem")

    await eventually(is_reported, "the log is missing")
    assert found["log"]["detail"] == "there is no stream EVENTS"
    assert "restore a backup" in found["log"]["fix"]
    assert found["nats"]["state"] == "ok"
