"""The log on three servers: no acknowledged event is lost when a server fails, and services reconnect by themselves."""

import asyncio
import itertools
import mailbox
import shutil
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import nats
import nats.errors
import pytest
from nats.js.api import ClusterInfo

from nightmail_common.broker import streams
from nightmail_common.broker.connection import connect, seed_file
from nightmail_common.broker.settings import BrokerSettings
from nightmail_common.broker.streams import DURABLES
from support.cluster_nodes import NODES, Cluster, Services
from support.deadlines import scaled, wait_until
from support.job_requests import job_request
from support.ports import free_port

TOKEN = "t" * 32
#: An election begins 4 to 9 s after the leader's last heartbeat (a constant of nats-server); the rest is a margin.
LONGEST_ELECTION_SECONDS = scaled(20.0)
#: A server hands its streams over on SIGTERM.
PLANNED_GAP_SECONDS = scaled(5.0)
SAMPLE = 10
STREAMS = (
    "EVENTS",
    "OBJ_RESULTS",
    "OBJ_FILES",
    "KV_MAILED",
    "KV_STREAKS",
    "KV_LEASES",
    "KV_TOKENS",
    "KV_SESSION_CODES",
)
_NO_ANSWER = httpx.Response(0)

Fault = Callable[[Cluster, int], None]


class Load:
    """Requests runs over REST, one after the other, and records the times of the accepted ones."""

    def __init__(self, url: str) -> None:
        self.accepted: dict[str, float] = {}
        self._url = url
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._request_runs)

    def start(self) -> None:
        self._thread.start()

    def _request_runs(self) -> None:
        with httpx.Client(headers={"Authorization": f"Bearer {TOKEN}"}, timeout=1) as http:
            for number in itertools.count():
                while not self._stop.is_set():
                    # Retry with the same key, so that a lost answer makes no difference.
                    try:
                        answer = http.post(f"{self._url}/jobs/load/run", headers={"Idempotency-Key": str(number)})
                    except httpx.TransportError:
                        continue
                    if answer.status_code == 202:
                        self.accepted.setdefault(answer.json()["run_id"], time.monotonic())
                        break
                    self._stop.wait(0.05)
                if self._stop.wait(0.05):
                    return

    def gap_since(self, start: float) -> float:
        """Return the longest time without an accepted request since `start`, after SAMPLE more requests."""
        seconds = LONGEST_ELECTION_SECONDS + 10
        wait_until(lambda: sum(at > start for at in self.accepted.values()) >= SAMPLE, "requests are accepted", seconds)
        times = [start, *sorted(at for at in list(self.accepted.values()) if at > start)]
        return max(later - earlier for earlier, later in itertools.pairwise(times))

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()


class ClusterSystem:
    """A cluster with the services on it."""

    def __init__(self, folder: Path) -> None:
        self.cluster = Cluster(folder)
        self.mailbox = folder / "mailbox"
        self.url = f"http://127.0.0.1:{free_port()}"
        smtp_port = str(free_port())
        self.services = Services(
            folder,
            {
                "NIGHTMAIL_NATS_URL": self.cluster.url,
                "NIGHTMAIL_NATS_CA": str(self.cluster.folder / "ca.pem"),
                "NIGHTMAIL_NATS_REPLICAS": "3",
                "NIGHTMAIL_DATA_DIR": str(folder / "data"),
            },
        )
        for node in NODES:
            self.cluster.start(node)
        (folder / "data" / "files").mkdir(parents=True)
        (folder / "data" / "files" / "sales.csv").write_text("region,amount\nnorth,1\nnorth,2\n")
        self.services.start(
            "catcher", "nightmail_cli.local.mail_catcher", "--port", smtp_port, "--mailbox", str(self.mailbox)
        )
        own = {
            "api": {"PORT": self.url.rpartition(":")[2], "ADMIN_TOKEN": TOKEN},
            "ticker": {},
            "runner": {},
            "mailer": {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": smtp_port},
        }
        for name, settings in own.items():
            seeds = str(self.cluster.seeds_of(name))
            self.services.start(name, f"nightmail_{name}", NATS_SEEDS=seeds, **settings)

    def call(self, method: str, path: str, **request: Any) -> httpx.Response | None:
        try:
            return httpx.request(
                method, self.url + path, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=scaled(10), **request
            )
        except httpx.TransportError:
            return None

    def state(self) -> tuple[int, bool]:
        """Return the leader of the log, and whether every node is current for every stream and durable consumer."""
        return asyncio.run(asyncio.wait_for(self._state(), scaled(15)))

    async def _state(self) -> tuple[int, bool]:
        context = ssl.create_default_context(cafile=self.cluster.folder / "ca.pem")
        client = await nats.connect(
            self.cluster.url.split(","),
            tls=context,
            nkeys_seed=str(seed_file(self.cluster.folder / "seeds", "auditor")),
            max_reconnect_attempts=-1,
            reconnect_time_wait=0.05,
            connect_timeout=1,
            error_cb=_ignore,
        )
        try:
            while True:
                js = client.jetstream(timeout=1)
                try:
                    clusters = [(await js.stream_info(stream)).cluster for stream in STREAMS]
                    clusters += [(await js.consumer_info("EVENTS", durable)).cluster for durable in DURABLES]
                except nats.errors.Error:
                    continue
                leader = clusters[0].leader if clusters[0] else None
                if leader:
                    return int(leader[-1]), all(map(_is_whole, clusters))
        finally:
            await client.close()

    def is_whole(self) -> bool:
        return self.state()[1]

    def mails(self) -> Counter[str]:
        return Counter(mail["X-Nightmail-Run"] for mail in mailbox.Maildir(self.mailbox, create=False))

    def delivered(self, job_name: str) -> set[str]:
        found: set[str] = set()
        cursor: str | None = ""
        while cursor is not None:
            page = self.call(
                "GET", f"/jobs/{job_name}/runs", params={"limit": 200} | ({"cursor": cursor} if cursor else {})
            )
            assert page is not None
            found |= {run["run_id"] for run in page.json()["items"] if run["status"] == "delivered"}
            cursor = page.json()["next_cursor"]
        return found

    def close(self) -> None:
        self.services.close()
        self.cluster.close()


def _is_whole(cluster: ClusterInfo | None) -> bool:
    others = (cluster and cluster.replicas) or []
    return len(others) == len(NODES) - 1 and all(other.current and not other.offline for other in others)


async def _ignore(_: Exception) -> None:
    """Ignore the client's reports of failed connection attempts."""


@pytest.fixture
def system(tmp_path: Path) -> Iterator[ClusterSystem]:
    if shutil.which("openssl") is None:
        pytest.skip("deploy/cluster/make.sh needs openssl")
    system = ClusterSystem(tmp_path)
    yield system
    system.close()


def kill(cluster: Cluster, node: int) -> None:
    cluster.kill(node)


def cut_off(cluster: Cluster, node: int) -> None:
    cluster.cut_off(node)


def stop(cluster: Cluster, node: int) -> None:
    cluster.terminate(node)


def recover(cluster: Cluster, node: int, fault: Fault) -> None:
    if fault is cut_off:
        cluster.heal(node)
    else:
        cluster.start(node)


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param([kill], id="killed"),
        pytest.param([cut_off, stop] + [kill] * 10, id="repeated", marks=pytest.mark.long),
    ],
)
def test_no_acknowledged_event_is_lost_when_the_leader_fails_and_services_reconnect(
    system: ClusterSystem, capsys: pytest.CaptureFixture[str], faults: list[Fault]
) -> None:
    job = job_request(job_name="load")
    wait_until(
        lambda: (answer := system.call("POST", "/jobs/create", json=job)) is not None and answer.status_code == 201,
        "the cluster stores a job",
        seconds=60,
    )
    wait_until(system.is_whole, "three servers have the log", seconds=30)
    load = Load(system.url)
    load.start()
    gaps: list[tuple[Fault, float]] = []
    try:
        load.gap_since(time.monotonic())
        for fault in faults:
            leader, _ = system.state()
            since = time.monotonic()
            fault(system.cluster, leader)
            gaps.append((fault, load.gap_since(since)))
            recover(system.cluster, leader, fault)
            wait_until(system.is_whole, "the server is current again", seconds=60)
    finally:
        load.stop()

    wait_until(lambda: load.accepted.keys() <= system.mails().keys(), "every accepted run is mailed", seconds=60)
    wait_until(lambda: load.accepted.keys() <= system.delivered("load"), "every accepted run is delivered", seconds=30)
    twice = [run_id for run_id, count in system.mails().items() if count > 1]
    how = "network namespaces" if system.cluster.network.has_namespaces else "loopback"
    listed = ", ".join(f"{fault.__name__} {seconds:.1f}" for fault, seconds in gaps)
    with capsys.disabled():
        print(
            f"\ncluster ({how}): {len(load.accepted)} runs accepted, 0 lost, {len(twice)} mailed twice; "
            f"seconds without an accepted request, by the fault of the leader: {listed}"
        )
    assert twice == []
    assert all(seconds < LONGEST_ELECTION_SECONDS for _, seconds in gaps)
    assert all(seconds < PLANNED_GAP_SECONDS for fault, seconds in gaps if fault is stop)
    assert system.cluster.refusals() == []


def test_no_service_is_ready_while_two_of_three_servers_are_dead(system: ClusterSystem) -> None:
    def ready() -> httpx.Response | None:
        return system.call("GET", "/health/ready")

    def status(expected: int) -> bool:
        answer = ready()
        return answer is not None and answer.status_code == expected

    wait_until(lambda: status(200), "the API is ready", seconds=60)
    system.cluster.kill(1)
    system.cluster.kill(2)
    wait_until(lambda: status(503), "the API is not ready", seconds=60)
    answer = ready()
    assert answer is not None
    assert "nats" in answer.text
    system.cluster.start(1)
    system.cluster.start(2)
    wait_until(lambda: status(200), "the API is ready again", seconds=60)


async def test_existing_streams_get_more_replicas_and_never_fewer(system: ClusterSystem) -> None:
    wait_until(
        lambda: (system.call("GET", "/health/ready") or _NO_ANSWER).status_code == 200, "it is ready", seconds=60
    )
    system.services.close()
    settings = BrokerSettings(
        nats_url=system.cluster.url,
        nats_ca=system.cluster.folder / "ca.pem",
        nats_seeds=system.cluster.folder / "seeds",
    )
    client = await connect(settings, "test", "api")
    js = client.jetstream(timeout=scaled(10))

    async def replicas() -> set[int | None]:
        return {(await js.stream_info(name)).config.num_replicas for name in STREAMS}

    async def ensure(number: int) -> None:
        await streams.ensure_streams(js, timedelta(days=30), number)
        await streams.add_replicas(js, STREAMS, number)

    try:
        assert await replicas() == {3}
        for name in STREAMS:
            await js.update_stream((await js.stream_info(name)).config.evolve(num_replicas=1))
        assert await replicas() == {1}
        await ensure(3)
        assert await replicas() == {3}
        await ensure(1)
        assert await replicas() == {3}
    finally:
        await client.close()
