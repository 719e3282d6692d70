"""All images, built by buildah from the Dockerfile, and started by podman with what compose.yaml says about each container.

No registry is asked. The base image is Debian's Python under the name that the Dockerfile gives its base, NATS is the
nats-server of this environment on that base, and a catcher on the network's gateway stands for Mailpit.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.deadlines import scaled, wait_until
from support.job_requests import job_request

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())
SERVICES = ("api", "ticker", "runner", "mailer")
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
USER = 10001
TOKEN = "t" * 32
#: Engines that run as root raise these limits otherwise, which a machine that is a container itself refuses.
ULIMITS = ("--ulimit=nofile=20000", "--ulimit=nproc=4096")
SETTINGS = {"NIGHTMAIL_ADMIN_TOKEN": TOKEN, "NIGHTMAIL_SECRET_KEY": "k" * 32, "RUN_AS": f"{USER}:{USER}"}
SUBNET = "10.123.0"
#: Compose's names are found by its DNS; here they are in each container's /etc/hosts.
ADDRESSES = {"mailpit": 1, "nats": 10, "api": 20, "mailer": 30, "ticker-1": 41, "ticker-2": 42}
ADDRESSES |= {f"runner-{number}": 50 + number for number in (1, 2, 3)}

#: Runs on the containers' network: calls the API.
CALL = f"""
import json, sys, httpx
method, path, body = sys.argv[1:]
answer = httpx.request(method, "http://{SUBNET}.{ADDRESSES["api"]}:8080" + path,
                       headers={{"Authorization": "Bearer {TOKEN}"}}, json=json.loads(body), timeout=30)
print(json.dumps([answer.status_code, answer.json()]))
"""

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(os.geteuid() != 0, reason="buildah and podman need root here"),
    pytest.mark.skipif(
        any(shutil.which(program) is None for program in ("buildah", "podman", "crun", "ip")),
        reason="no buildah, podman, crun or ip (Debian's packages buildah, podman, crun and iproute2)",
    ),
]


def resolved(text: str) -> str:
    """Return a value of compose.yaml with its variables replaced by their settings or defaults."""
    return re.sub(r"\$\{(\w+)(?::[-?]([^}]*))?\}", lambda found: SETTINGS.get(found[1], found[2] or ""), text)


class Engine:
    """buildah and podman on a store of their own, in a mount and a network namespace of their own.

    The second version of control groups is not mounted there: a machine with both versions cannot delegate it.
    """

    def __init__(self, driver: str) -> None:
        # podman takes a path of at most 50 characters for what it runs.
        self._store = store = Path(tempfile.mkdtemp(prefix="nightmail-"))
        self._options = ["--root", f"{store}/images", "--runroot", f"{store}/run", "--storage-driver", driver]
        self._networks = store / "networks"
        self._networks.mkdir(parents=True, exist_ok=True)
        shell = "umount /sys/fs/cgroup/unified 2>/dev/null; ip link set lo up && echo made && exec sleep infinity"
        self._namespace = subprocess.Popen(["unshare", "--mount", "--net", "sh", "-c", shell], stdout=subprocess.PIPE)
        assert self._namespace.stdout is not None
        if self._namespace.stdout.readline() != b"made\n":
            pytest.skip("a mount and a network namespace are refused here")

    def inside(self, *command: str | Path, network: bool = True) -> list[str]:
        """Return a command that runs in the namespaces; without `network` it reaches the package index."""
        options = ["--mount", "--net"] if network else ["--mount"]
        return ["nsenter", "--target", str(self._namespace.pid), *options, *map(str, command)]

    def podman(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        own = ["--cgroup-manager=cgroupfs", "--events-backend=none", f"--network-config-dir={self._networks}"]
        own += ["--runtime=crun", f"--tmpdir={self._store}/libpod"]
        return subprocess.run(
            self.inside("podman", *self._options, *own, *arguments),
            capture_output=True,
            text=True,
            timeout=scaled(120),
            check=False,
        )

    def buildah(self, *arguments: str | Path) -> str:
        ended = subprocess.run(
            self.inside("buildah", *self._options, *arguments, network=False),
            env={**os.environ, "BUILDAH_ISOLATION": "chroot"},
            capture_output=True,
            text=True,
            timeout=scaled(500),
            check=False,
        )
        assert ended.returncode == 0, ended.stdout[-500:] + ended.stderr[-3000:]
        return ended.stdout.strip()

    def make_bases(self, tarball: Path) -> None:
        """Commit the images that the Dockerfile and compose.yaml take from a registry."""
        [tag] = re.findall(r"^ARG PYTHON=(.*)$", (ROOT / "deploy/Dockerfile").read_text(), flags=re.MULTILINE)
        container = self.buildah("from", "scratch")
        self.buildah("add", "--quiet", container, tarball, "/")
        # The authorities that this machine trusts; and as in the official image, pip installs into the system.
        self.buildah("copy", "--quiet", container, CERTIFICATES, CERTIFICATES)
        self.buildah("run", container, "--", "sh", "-c", "rm -f /usr/lib/python3*/EXTERNALLY-MANAGED")
        self.buildah("commit", "--quiet", container, f"docker.io/library/python:{tag}")
        server = Path(sys.executable).parent / "nats-server"
        self.buildah("copy", "--quiet", container, server.resolve(), "/usr/local/bin/nats-server")
        self.buildah("config", "--entrypoint", '["nats-server"]', container)
        self.buildah(
            "commit", "--quiet", "--rm", container, f"docker.io/library/{COMPOSE['services']['nats']['image']}"
        )

    def build(self, target: str) -> None:
        options = ["--quiet", "--layers", "--pull-never", "--network=host", f"--target={target}"]
        file = ROOT / "deploy/Dockerfile"
        self.buildah("bud", *options, "--tag", f"localhost/nightmail-{target}", "--file", file, ROOT)

    def close(self) -> None:
        self._namespace.kill()
        self._namespace.wait()
        shutil.rmtree(self._store, ignore_errors=True)


class Containers:
    """The services of compose.yaml, in a folder with its `seeds`, `files`, `log` and `backups`, on one network."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self._engine = engine
        self.folder = folder
        self._names: list[str] = []
        for name in ("seeds", "files", "log", "backups"):
            (folder / name).mkdir()
            os.chown(folder / name, USER, USER)
        made = engine.podman("network", "create", "--subnet", f"{SUBNET}.0/24", "nightmail")
        assert made.returncode == 0, made.stderr

    def up(self, name: str) -> None:
        """Start a container; `name` is a service of compose.yaml, with a number if it has replicas."""
        service = name.partition("-")[0]
        address = ["--network=nightmail", f"--ip={SUBNET}.{ADDRESSES[name]}"]
        started = self._engine.podman("run", "--detach", "--name", name, *address, *self._as_compose_says(service))
        assert started.returncode == 0, f"{name}: {started.stderr}"
        self._names.append(name)

    def run(self, service: str, *command: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of a service of compose.yaml, as `docker compose run --rm` does."""
        network = "none" if COMPOSE["services"][service].get("network_mode") == "none" else "nightmail"
        return self._engine.podman("run", "--rm", f"--network={network}", *self._as_compose_says(service, *command))

    def _as_compose_says(self, service: str, *command: str) -> list[str]:
        compose = COMPOSE["services"][service]
        image = compose["image"] if "build" not in compose else f"localhost/{compose['image']}"
        options = ["--pull=never", f"--user={resolved(compose['user'])}", *ULIMITS]
        options += ["--read-only", "--read-only-tmpfs=false"] if compose["read_only"] else []
        options += [f"--cap-drop={one}" for one in compose["cap_drop"]]
        options += [f"--security-opt={one.removesuffix(':true')}" for one in compose["security_opt"]]
        options += [f"--tmpfs={mount}" for mount in compose.get("tmpfs", ())]
        options += [f"--pids-limit={compose['pids_limit']}"]
        options += [f"--memory={compose['mem_limit']}"] if "mem_limit" in compose else []
        for key, value in compose.get("environment", {}).items():
            options.append(f"--env={key}={resolved(str(value))}")
        options += [f"--volume={self.folder}/{one.removeprefix('./')}" for one in compose.get("volumes", ())]
        for one in compose.get("configs", ()):
            file = COMPOSE["configs"][one["source"]]["file"]
            base = self.folder if file.startswith("seeds/") else ROOT / "deploy"
            options.append(f"--volume={base / file}:{one['target']}:ro")
        for one in compose.get("secrets", ()):
            file = COMPOSE["secrets"][one["source"]]["file"]
            options.append(f"--volume={self.folder / file}:/run/secrets/{one['target']}:ro")
        if compose.get("network_mode") != "none":
            options += [f"--add-host={name}:{SUBNET}.{number}" for name, number in ADDRESSES.items()]
        return [*options, image, *(command or compose.get("command", ()))]

    def kill(self, name: str) -> None:
        assert self._engine.podman("kill", name).returncode == 0

    def log(self, name: str) -> str:
        shown = self._engine.podman("logs", name)
        return shown.stdout + shown.stderr

    def check_health(self, name: str) -> None:
        """Run the container's health check in it; podman itself leaves that to systemd."""
        kind, *command = COMPOSE["services"][name.partition("-")[0]]["healthcheck"]["test"]
        assert kind == "CMD"
        checked = self._engine.podman("exec", name, *command)
        assert checked.returncode == 0, f"{name}: {checked.stderr}"

    def call(self, method: str, path: str, body: Any = None) -> Any:
        python = self._engine.inside(sys.executable, "-c", CALL, method, path, json.dumps(body))
        ended = subprocess.run(python, capture_output=True, text=True, timeout=scaled(60), check=False)
        if ended.returncode != 0:
            return None
        status, answer = json.loads(ended.stdout)
        assert status < 300, answer
        return answer

    def close(self) -> None:
        for name in self._names:
            self._engine.podman("rm", "--force", "--time=5", name)
        self._engine.podman("network", "rm", "--force", "nightmail")


@pytest.fixture(scope="module")
def engine(debian: Path) -> Iterator[Engine]:
    """Return the engine with every image."""
    # `vfs` works everywhere and copies the whole image at each step.
    for driver in ("overlay", "vfs"):
        engine = Engine(driver)
        try:
            engine.make_bases(debian)
            break
        except AssertionError as error:
            engine.close()
            reason = str(error).strip()[-200:]
    else:
        pytest.skip(f"buildah cannot make a base image here: {reason}")
    try:
        for target in (*SERVICES, "cli"):
            engine.build(target)
        yield engine
    finally:
        engine.close()


@pytest.fixture(scope="module")
def system(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Containers]:
    """Return all services, ready, each with the user and the permissions that `setup` made for it."""
    folder = tmp_path_factory.mktemp("compose")
    for one in (folder, *folder.parents[:2]):
        one.chmod(0o755)  # the containers' user reads below it
    containers = Containers(engine, folder)
    (folder / "files/sales.csv").write_text("region,amount\nNorth,1\n")
    catcher = ["-m", "nightmail_cli.local.mail_catcher", "--host", "0.0.0.0", "--port", "1025"]  # noqa: S104 (in a network namespace of its own)
    with subprocess.Popen(engine.inside(sys.executable, *catcher, "--mailbox", folder / "mailbox")) as mailpit:
        try:
            made = containers.run("setup")
            assert made.returncode == 0, made.stderr
            for name in ADDRESSES.keys() - {"mailpit", "runner-3"}:
                containers.up(name)
            wait_until(lambda: _replicas(containers) == 2, "every service is ready", 90)
            yield containers
        finally:
            containers.close()
            mailpit.terminate()


def _replicas(containers: Containers) -> int:
    """Return the number of runners if every service is ready."""
    services = {one["name"]: one for one in (containers.call("GET", "/system") or {"services": []})["services"]}
    ready = all(name in services and services[name]["ready"] for name in SERVICES)
    return len(services["runner"]["replicas"]) if ready else 0


def _mails(folder: Path) -> list[str]:
    mails = [message_from_bytes(file.read_bytes()) for file in (folder / "mailbox/new").iterdir()]
    return [str(mail["Message-ID"]) for mail in mails]


@pytest.mark.parametrize("target", [*SERVICES, "cli"])
def test_the_folder_of_data_is_in_the_image_with_its_mode(engine: Engine, target: str) -> None:
    """Debian 12's Docker takes a tmpfs' mode from there (runc before 1.1.8), and not from the option."""
    options = ["--rm", "--pull=never", "--network=none", "--entrypoint=stat", *ULIMITS]
    shown = engine.podman("run", *options, f"localhost/nightmail-{target}", "--format=%a %u:%g", "/data")
    assert (shown.stdout.strip(), shown.returncode) == (f"1777 {USER}:{USER}", 0), shown.stderr


def test_every_container_is_healthy_and_doctor_finds_no_fault(system: Containers) -> None:
    for name in ("api", "ticker-1", "ticker-2", "runner-1", "runner-2", "mailer"):
        system.check_health(name)
    found = system.run("cli", "doctor")
    assert found.returncode == 0, found.stdout + found.stderr
    status = system.run("cli", "status")
    assert status.returncode == 0, status.stdout + status.stderr


def test_runs_go_on_while_runners_are_killed_and_added(system: Containers) -> None:
    slow = "import time\ntime.sleep(4)\nreturn data"
    system.call("POST", "/jobs/create", job_request(job_name="slow", processing_script=slow))
    first = system.call("POST", "/jobs/slow/run")["run_id"]

    def at_work() -> str | None:
        return next((one for one in ("runner-1", "runner-2") if f'"run_id": "{first}"' in system.log(one)), None)

    victim: str = wait_until(at_work, "a runner has begun", 30)
    system.kill(victim)
    wait_until(lambda: _status(system, first) == "delivered", "the other runner ends the run", 60)
    [other] = {"runner-1", "runner-2"} - {victim}
    assert f'"run_id": "{first}"' in system.log(other)

    system.up("runner-3")
    wait_until(lambda: _replicas(system) >= 2, "the new runner is ready", 60)
    system.kill(other)
    second = system.call("POST", "/jobs/slow/run")["run_id"]
    wait_until(lambda: _status(system, second) == "delivered", "the new runner ends the run", 60)
    assert f'"run_id": "{second}"' in system.log("runner-3")
    assert len(_mails(system.folder)) == len(set(_mails(system.folder))) == 2


def test_doctor_in_a_container_says_that_the_broker_is_away(system: Containers) -> None:
    system.kill("nats")
    found = system.run("cli", "doctor", "--json")
    assert (found.returncode, "Traceback" in found.stderr) == (1, False)
    [broker] = [one for one in json.loads(found.stdout)["checks"] if one["name"] == "nats"]
    assert broker["state"] == "problem"
    assert broker["detail"].startswith("nats://nats:4222: ")


def _status(system: Containers, run_id: str) -> str:
    run = system.call("GET", f"/runs/{run_id}")
    return str(run["status"]) if run else ""
