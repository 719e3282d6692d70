"""Permissions on NATS: every user of `nightmail nats-config` tries every relevant subject on a real server."""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, nullcontext, suppress
from datetime import timedelta
from pathlib import Path

import nats
import nats.errors
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import KeyValueConfig
from structlog.testing import capture_logs

from nightmail_common.broker import streams
from nightmail_common.broker.connection import inbox_prefix, seed_file
from nightmail_common.broker.log import EventLog
from nightmail_common.broker.patches import PatchedClient
from nightmail_common.broker.streams import QUEUES, RUNNER_QUEUE, ensure_queue
from nightmail_common.contract.events import EVENTS
from support.deadlines import eventually, scaled, wait_until
from support.ports import free_port

NIGHTMAIL = str(Path(sys.executable).parent / "nightmail")
USERS = ("api", "ticker", "runner", "mailer", "auditor", "backup")
ALL = set(USERS)
LOG_READERS = {"api", "ticker", "mailer", "auditor"}
STREAMS = (
    "EVENTS",
    "OBJ_RESULTS",
    "OBJ_FILES",
    "OBJ_INPUTS",
    "OBJ_SAMPLES",
    "KV_MAILED",
    "KV_STREAKS",
    "KV_LEASES",
    "KV_SERVICES",
    "KV_TOKENS",
    "KV_SESSION_CODES",
)

#: What the API purges: what is deleted or an orphan, and the records of an erased job.
PURGED = {"KV_MAILED", "KV_STREAKS", "OBJ_FILES", "OBJ_INPUTS", "OBJ_RESULTS", "OBJ_SAMPLES"}

#: No user's subject; its refusal comes last.
LAST = "the.end"

#: The services that publish each event; an event without an entry is the API's.
SAYS = {
    "run-requested": {"api", "ticker"},
    "run-skipped": {"ticker", "runner", "mailer"},
    "run-started": {"runner"},
    "attempt-failed": {"runner"},
    "result-ready": {"runner"},
    "run-failed": {"runner"},
    "input-kept": {"runner"},
    "mail-sent": {"mailer"},
    "mail-failed": {"mailer"},
    "mail-skipped": {"mailer"},
    "mail-bounced": {"mailer"},
    "mail-deferred": {"mailer"},
}

#: The users that may publish each subject; every other user is refused.
MAY_PUBLISH: dict[str, set[str]] = {
    **{f"{event.family}.a.{name}": SAYS.get(name, {"api"}) for name, event in EVENTS.items()},
    "runs.a.no-such-event": set(),
    "runs.run-requested": set(),
    "anything.else": set(),
    "preview.run": {"api"},
    "preview.cancel": {"api"},
    "preview.source": {"api"},
    "preview.mail": {"api"},
    "preview.send": {"api"},
    "preview.test-mail": {"api"},
    "$KV.MAILED.key": {"mailer"},
    "$KV.STREAKS.key": {"mailer"},
    "$KV.LEASES.ticker": {"ticker"},
    **{f"$KV.SERVICES.{service}.0": {service} for service in ("api", "ticker", "runner", "mailer")},
    "$KV.SERVICES.other.0": set(),
    "$KV.TOKENS.key": {"api"},
    "$KV.SESSION_CODES.key": {"api"},
    "$O.RESULTS.C.nuid": {"runner"},
    "$O.RESULTS.M.name": {"runner"},
    "$O.FILES.C.nuid": {"api"},
    "$O.FILES.M.name": {"api"},
    "$O.INPUTS.C.nuid": {"runner"},
    "$O.INPUTS.M.name": {"api", "runner"},
    "$O.SAMPLES.C.nuid": {"runner"},
    "$O.SAMPLES.M.name": {"api", "runner"},
    **{f"{inbox_prefix(user)}.reply": set() for user in USERS},
    **{f"$JS.API.STREAM.CREATE.{stream}": {"api"} for stream in STREAMS},
    **{f"$JS.API.STREAM.UPDATE.{stream}": {"api"} for stream in STREAMS},
    **{f"$JS.API.STREAM.DELETE.{stream}": set() for stream in STREAMS},
    **{f"$JS.API.STREAM.PURGE.{stream}": {"api"} if stream in PURGED else set() for stream in STREAMS},
    **{
        f"$JS.API.STREAM.MSG.DELETE.{stream}": {"api"} if stream in {"EVENTS", "OBJ_RESULTS", "OBJ_INPUTS"} else set()
        for stream in STREAMS
    },
    **{f"$JS.API.STREAM.SNAPSHOT.{stream}": {"backup"} for stream in STREAMS},
    "$JS.API.STREAM.RESTORE.OTHER": {"backup"},
    "$JS.API.STREAM.CREATE.OTHER": set(),
    "$JS.API.STREAM.LEADER.STEPDOWN.EVENTS": set(),
    "$JS.API.STREAM.MSG.GET.EVENTS": LOG_READERS,
    "$JS.API.STREAM.MSG.GET.OBJ_RESULTS": {"api", "runner", "mailer", "auditor"},
    "$JS.API.STREAM.MSG.GET.OBJ_FILES": {"api", "runner"},
    "$JS.API.STREAM.MSG.GET.OBJ_INPUTS": {"api", "runner"},
    "$JS.API.STREAM.MSG.GET.OBJ_SAMPLES": {"api", "runner"},
    "$JS.API.STREAM.MSG.GET.KV_MAILED": {"mailer"},
    "$JS.API.STREAM.MSG.GET.KV_STREAKS": {"mailer"},
    "$JS.API.STREAM.MSG.GET.KV_LEASES": {"api", "ticker", "auditor"},
    "$JS.API.STREAM.MSG.GET.KV_SERVICES": {"api"},
    "$JS.API.STREAM.MSG.GET.KV_TOKENS": {"api"},
    "$JS.API.DIRECT.GET.EVENTS": {"api", "auditor"},
    "$JS.API.CONSUMER.CREATE.EVENTS": set(),
    "$JS.API.CONSUMER.CREATE.EVENTS.reader": LOG_READERS,
    "$JS.API.CONSUMER.CREATE.EVENTS.reader.jobs.>": LOG_READERS,
    "$JS.API.CONSUMER.CREATE.EVENTS.reader.runs.a.*": LOG_READERS | {"runner"},
    "$JS.API.CONSUMER.CREATE.EVENTS.reader.jobs.*.job-deleted": LOG_READERS | {"runner"},
    "$JS.API.CONSUMER.MSG.NEXT.EVENTS.reader": LOG_READERS | {"runner"},
    "$JS.API.CONSUMER.CREATE.KV_TOKENS": set(),
    "$JS.API.CONSUMER.CREATE.OBJ_RESULTS": {"api", "runner", "mailer", "auditor"},
    "$JS.API.CONSUMER.CREATE.OBJ_FILES": set(),
    "$JS.API.CONSUMER.CREATE.OBJ_INPUTS": set(),
    "$JS.API.CONSUMER.DURABLE.CREATE.EVENTS.other": set(),
    "$JS.API.CONSUMER.LIST.EVENTS": set(),
    "$JS.API.CONSUMER.DELETE.EVENTS.reader": set(),
    "$JS.API.CONSUMER.CREATE.EVENTS.runner.runs.*.run-requested": {"runner"},
    "$JS.API.CONSUMER.CREATE.EVENTS.runner.jobs.>": set(),
    "$JS.API.CONSUMER.CREATE.EVENTS.runner": set(),
    "$JS.API.CONSUMER.CREATE.EVENTS.mailer": {"mailer"},
    "$JS.API.CONSUMER.CREATE.EVENTS.mailer.runs.>": {"mailer"},
    **{f"$JS.API.CONSUMER.MSG.NEXT.EVENTS.{service}": {service} for service in ("runner", "mailer")},
    **{f"$JS.ACK.EVENTS.{service}.1.1.1.1.0": {service} for service in ("runner", "mailer")},
    **{f"$JS.API.CONSUMER.DELETE.EVENTS.{service}": set() for service in ("runner", "mailer")},
    **{f"$JS.API.CONSUMER.PAUSE.EVENTS.{service}": set() for service in ("runner", "mailer")},
    "$JS.API.ACCOUNT.PURGE.A": set(),
    "$SYS.REQ.SERVER.PING": set(),
}

MAY_SUBSCRIBE: dict[str, set[str]] = {
    ">": set(),
    "*.>": set(),
    "jobs.>": {"auditor"},
    "runs.>": {"auditor"},
    "runs.*.result-ready": {"auditor"},
    "preview.run": {"runner"},
    "preview.cancel": {"runner"},
    "preview.source": {"runner"},
    "preview.mail": {"mailer"},
    "preview.send": {"mailer"},
    "preview.test-mail": {"mailer"},
    "$KV.>": set(),
    "$KV.TOKENS.>": {"api"},
    "$KV.MAILED.>": set(),
    "$O.RESULTS.>": set(),
    "$JS.API.>": set(),
    "$JS.ACK.>": set(),
    "$SYS.>": set(),
    "*.*.*": set(),
    **{f"{inbox_prefix(user)}.>": {user} for user in USERS},
}


class BrokerWithUsers:
    """A nats-server with the users of `nightmail nats-config`, and every stream and bucket in it."""

    def __init__(self, folder: Path) -> None:
        self.url = f"nats://127.0.0.1:{free_port()}"
        self.seeds = folder / "seeds"
        self._folder = folder

    @asynccontextmanager
    async def connected(self, user: str) -> AsyncIterator[tuple[Client, list[str]]]:
        """Yield a user's connection, and the list of the server's refusals so far."""
        refused: list[str] = []

        async def note(error: Exception) -> None:
            refused.append(str(error))

        seed = str(seed_file(self.seeds, user))
        client = PatchedClient()  # its `flush` returns when the server has a subscription
        await client.connect(self.url, nkeys_seed=seed, inbox_prefix=inbox_prefix(user), error_cb=note)
        yield client, refused
        await client.close()

    def run(self) -> "subprocess.Popen[bytes]":
        authorization = self._folder / "authorization.conf"
        command = [NIGHTMAIL, "nats-config", "--seeds", str(self.seeds), "-o", str(authorization)]
        subprocess.run(command, check=True, timeout=scaled(30))
        port = self.url.rpartition(":")[2]
        config = self._folder / "nats.conf"
        config.write_text(
            f'host: 127.0.0.1\nport: {port}\njetstream {{ store_dir: "{self._folder}/store" }}\n'
            f"log_file: {json.dumps(str(self.log))}\ninclude {authorization.name}\n"
        )
        process = subprocess.Popen([Path(sys.executable).parent / "nats-server", "-c", config])
        wait_until(lambda: self.log.exists() and "Server is ready" in self.log.read_text(), "the server is ready")
        return process

    @property
    def log(self) -> Path:
        return self._folder / "nats.log"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerWithUsers]:
    broker = BrokerWithUsers(tmp_path_factory.mktemp("users"))
    process = broker.run()
    yield broker
    process.kill()
    process.wait()


@pytest.fixture
async def broker(server: BrokerWithUsers) -> BrokerWithUsers:
    async with server.connected("api") as (client, refused):
        js = client.jetstream()
        await streams.ensure_streams(js, timedelta(days=1))
        await js.create_key_value(KeyValueConfig(bucket="TOKENS"))
        assert refused == []
    return server


def about(refused: list[str], what: str) -> set[str]:
    """Return the refused subjects, which nats-py reports in lower case."""
    return {match[1] for text in refused if (match := re.search(rf'{what} to "([^"]+)"', text))}


@pytest.mark.parametrize("user", USERS)
async def test_a_user_publishes_its_own_subjects_and_no_others(broker: BrokerWithUsers, user: str) -> None:
    # The destructive subjects come last, because allowed requests take effect.
    subjects = sorted(MAY_PUBLISH, key=lambda subject: "PURGE" in subject)
    async with broker.connected(user) as (client, refused):
        for subject in [*subjects, LAST]:
            await client.publish(subject, b"")
        await eventually(lambda: LAST in about(refused, "publish"), "the server has seen all of them")
    forbidden = {subject.lower() for subject, users in MAY_PUBLISH.items() if user not in users}
    assert about(refused, "publish") - {LAST} == forbidden


@pytest.mark.parametrize("user", USERS)
async def test_a_user_subscribes_to_its_own_subjects_and_no_others(broker: BrokerWithUsers, user: str) -> None:
    async with broker.connected(user) as (client, refused):
        for subject in [*MAY_SUBSCRIBE, LAST]:
            await client.subscribe(subject)
        await eventually(lambda: LAST in about(refused, "subscription"), "the server has seen all of them")
    forbidden = {subject.lower() for subject, users in MAY_SUBSCRIBE.items() if user not in users}
    assert about(refused, "subscription") - {LAST} == forbidden


async def test_nobody_enters_without_a_seed(broker: BrokerWithUsers) -> None:
    with pytest.raises(nats.errors.Error, match=r"(?i)authorization"):
        await nats.connect(broker.url, allow_reconnect=False)


@pytest.mark.parametrize(
    ("user", "subject", "config"),
    [
        ("runner", "reader.runs.a.*", {"name": "reader", "filter_subject": "jobs.>"}),
        ("runner", "reader.runs.a.*", {"name": "reader", "filter_subjects": ["jobs.>"]}),
        ("runner", "reader.runs.a.*", {"name": "reader"}),
        ("runner", "runner.runs.*.run-requested", {"durable_name": "mailer", "name": "mailer"}),
        ("auditor", "reader", {"name": "mailer", "durable_name": "mailer"}),
    ],
)
async def test_a_request_whose_body_contradicts_its_subject_is_refused(
    broker: BrokerWithUsers, user: str, subject: str, config: dict[str, object]
) -> None:
    body = json.dumps({"stream_name": "EVENTS", "config": {"ack_policy": "explicit", **config}})
    async with broker.connected(user) as (client, _):
        reply = await client.request(f"$JS.API.CONSUMER.CREATE.EVENTS.{subject}", body.encode(), timeout=scaled(5))
    assert "error" in json.loads(reply.data)


@pytest.mark.parametrize("user", USERS)
async def test_a_queue_is_declared_by_its_own_service_and_by_no_other_user(broker: BrokerWithUsers, user: str) -> None:
    for queue in QUEUES:
        async with broker.connected(queue.durable) as (owner, _):
            await ensure_queue(owner.jetstream(), queue)
    async with broker.connected(user) as (client, _):
        for queue in QUEUES:
            with nullcontext() if queue.durable == user else pytest.raises(nats.errors.TimeoutError):
                await ensure_queue(client.jetstream(timeout=0.5), queue)


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("request_name", ["CREATE.EVENTS", "CREATE.EVENTS.reader", "DURABLE.CREATE.EVENTS.runner"])
async def test_no_request_of_another_user_rewrites_a_queue(
    broker: BrokerWithUsers, user: str, request_name: str
) -> None:
    config = RUNNER_QUEUE.config().evolve(max_ack_pending=1).as_dict()
    async with broker.connected("runner") as (runner, _), broker.connected(user) as (client, _):
        await ensure_queue(runner.jetstream(), RUNNER_QUEUE)
        for names in ({}, {"name": None}, {"durable_name": None}):
            body = json.dumps({"stream_name": "EVENTS", "config": {**config, **names}}).encode()
            with suppress(nats.errors.TimeoutError):
                await client.request(f"$JS.API.CONSUMER.{request_name}", body, timeout=0.3)
        now = await runner.jetstream().consumer_info("EVENTS", "runner")
        assert now.config.max_ack_pending == RUNNER_QUEUE.max_ack_pending


async def test_the_runner_answers_a_preview_where_the_api_listens(broker: BrokerWithUsers) -> None:
    async with broker.connected("runner") as (runner, refused), broker.connected("api") as (api, _):

        async def answer(message: Msg) -> None:
            await message.respond(b"a preview")

        await runner.subscribe("preview.run", "runners", answer)
        await runner.flush()
        reply = await api.request("preview.run", b"", timeout=scaled(5))
        assert reply.data == b"a preview"
        assert refused == []


async def test_a_service_without_permission_to_create_streams_waits_for_the_api(broker: BrokerWithUsers) -> None:
    from nightmail_common.service.settings import ServiceSettings

    async with broker.connected("mailer") as (client, refused):
        await streams.wait_for_streams(client.jetstream(), ServiceSettings())
        assert refused == []


async def test_a_service_waits_for_the_api_without_asking_for_what_only_the_api_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nightmail_common.service.settings import ServiceSettings

    monkeypatch.setattr(streams, "ENSURE_AFTER_SECONDS", 0.1)
    broker = BrokerWithUsers(tmp_path)
    process = broker.run()
    try:
        async with broker.connected("mailer") as (client, refused), broker.connected("api") as (api, _):
            settings = ServiceSettings(nats_seeds=broker.seeds)
            with capture_logs() as lines:
                waiting = asyncio.create_task(streams.wait_for_streams(client.jetstream(), settings))
                await eventually(lambda: bool(lines), "the service says what it waits for")
            await streams.ensure_streams(api.jetstream(), timedelta(days=1))
            await asyncio.wait_for(waiting, scaled(10))
        assert [line["error"] for line in lines] == ["the stream EVENTS does not exist; the API creates it"]
        assert refused == []
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("user", sorted(LOG_READERS))
async def test_a_reader_of_the_log_reads_it(broker: BrokerWithUsers, user: str) -> None:
    async with broker.connected(user) as (client, refused):
        log = EventLog(client, "test", timedelta(days=1))
        async for batch in log.replay():
            assert batch
        assert refused == []


def test_only_the_owner_can_read_seeds_and_a_second_call_keeps_them(tmp_path: Path) -> None:
    def make(*options: str) -> str:
        command = [NIGHTMAIL, "nats-config", "--seeds", str(tmp_path / "seeds"), *options]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=scaled(30)).stdout

    printed = make()
    made = {path.name: path.read_text() for path in (tmp_path / "seeds").iterdir()}
    assert made.keys() == {f"{user}.nk" for user in USERS}
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in (tmp_path / "seeds").iterdir())
    assert not any(seed in printed for seed in made.values())
    answer = json.loads(make("--json"))
    assert {user["nkey"] for user in answer["authorization"]["users"]} == set(re.findall(r'"nkey": "(U\w+)"', printed))
    assert {path.name: path.read_text() for path in (tmp_path / "seeds").iterdir()} == made


def test_a_folder_with_an_invalid_seed_is_reported_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "api.nk").write_text("not a seed")
    command = [NIGHTMAIL, "nats-config", "--seeds", str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=scaled(30), check=False)
    assert ended.returncode == 1
    assert ended.stderr == f"error: {tmp_path}/api.nk is not a seed\n"
