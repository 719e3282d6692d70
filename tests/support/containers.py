"""The images, built by buildah, and the containers of compose.yaml, started by podman or by Debian's Docker."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.deadlines import scaled, wait_until

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())
SERVICES = ("api", "ticker", "runner", "mailer")
USER = 10001
TOKEN = "t" * 32
#: Engines that run as root raise these limits otherwise, which a machine that is a container itself refuses.
ULIMITS = ("--ulimit=nofile=20000", "--ulimit=nproc=4096")
#: podman alone mounts writable folders in a container that is read-only.
PODMAN_OPTIONS = ("--read-only-tmpfs=false",)
SETTINGS = {"NIGHTMAIL_ADMIN_TOKEN": TOKEN, "NIGHTMAIL_SECRET_KEY": "k" * 32, "RUN_AS": f"{USER}:{USER}"}
SUBNET = "10.123.0"
#: Compose's names are found by its DNS; here they are in each container's /etc/hosts.
ADDRESSES = {"mailpit": 1, "nats": 10, "api": 20, "mailer": 30, "ticker-1": 41, "ticker-2": 42}
ADDRESSES |= {f"runner-{number}": 50 + number for number in (1, 2, 3)}

#: Where the packages of `download_wheels` are while an image is built, and pip's configuration in the base image.
WHEELS = "/packages"
PIP_CONFIGURATION = f"[global]\nno-index = true\nfind-links = {WHEELS}\n"

#: Runs on the containers' network: calls the API.
CALL = f"""
import json, sys, httpx
method, path, body = sys.argv[1:]
answer = httpx.request(method, "http://{SUBNET}.{ADDRESSES["api"]}:8080" + path,
                       headers={{"Authorization": "Bearer {TOKEN}"}}, json=json.loads(body), timeout=30)
print(json.dumps([answer.status_code, answer.json()]))
"""


def resolved(text: str) -> str:
    """Return a value of compose.yaml with its variables replaced by their settings or defaults."""
    return re.sub(r"\$\{(\w+)(?::[-?]([^}]*))?\}", lambda found: SETTINGS.get(found[1], found[2] or ""), text)


class Engine:
    """buildah and podman on a store of their own, in a mount and a network namespace of their own.

    The second version of control groups is not mounted there: a machine with both versions cannot delegate it.

    Args:
        driver: how the store keeps images.
        wheels: the folder of packages from which pip installs in them.
    """

    def __init__(self, driver: str, wheels: Path) -> None:
        self._wheels = wheels
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

    def inside(self, *command: str | Path) -> list[str]:
        """Return a command that runs in the namespaces."""
        return ["nsenter", "--target", str(self._namespace.pid), "--mount", "--net", *map(str, command)]

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
            self.inside("buildah", *self._options, *arguments),
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
        configuration = self._store / "pip.conf"
        configuration.write_text(PIP_CONFIGURATION)
        self.buildah("copy", "--quiet", container, configuration, "/etc/pip.conf")
        # As in the official image, pip installs into the system.
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
        options += [f"--volume={self._wheels}:{WHEELS}:ro"]
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
        if made.returncode != 0:
            pytest.skip(f"podman cannot make a network here: {made.stderr.strip()[-200:]}")

    def up(self, name: str) -> None:
        """Start a container; `name` is a service of compose.yaml, with a number if it has replicas."""
        service = name.partition("-")[0]
        address = ["--network=nightmail", f"--ip={SUBNET}.{ADDRESSES[name]}"]
        options = ["--detach", "--name", name, *address, *PODMAN_OPTIONS, *self.as_compose_says(service)]
        started = self._engine.podman("run", *options)
        assert started.returncode == 0, f"{name}: {started.stderr}"
        self._names.append(name)

    def run(self, service: str, *command: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of a service of compose.yaml, as `docker compose run --rm` does."""
        network = "none" if COMPOSE["services"][service].get("network_mode") == "none" else "nightmail"
        options = ["--rm", f"--network={network}", *PODMAN_OPTIONS, *self.as_compose_says(service, *command)]
        return self._engine.podman("run", *options)

    def as_compose_says(self, service: str, *command: str) -> list[str]:
        """Return the options, the image and the command of a container."""
        compose = COMPOSE["services"][service]
        image = compose["image"] if "build" not in compose else f"localhost/{compose['image']}"
        options = ["--pull=never", f"--user={resolved(compose['user'])}", *ULIMITS]
        options += ["--read-only"] if compose["read_only"] else []
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

    def kill_all(self, service: str) -> None:
        """Kill the replicas of a service that are not dead yet."""
        self._engine.podman("kill", *(name for name in self._names if name.startswith(service)))

    def log(self, name: str) -> str:
        shown = self._engine.podman("logs", name)
        return shown.stdout + shown.stderr

    def check_health(self, name: str) -> None:
        """Run the container's health check in it; podman itself leaves that to systemd."""
        checked = self._engine.podman("exec", name, *health_check(name))
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


class Docker:
    """Debian's Docker in the namespaces of the engine whose images it loads; its containers use the network of the namespace."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._folder = folder = Path(tempfile.mkdtemp(prefix="nightmail-"))
        self._names: list[str] = []
        places = [f"--data-root={folder}/data", f"--exec-root={folder}/run", f"--pidfile={folder}/pid"]
        network = ["--iptables=false", "--bridge=none", f"--host=unix://{folder}/socket"]
        options = ["--storage-driver=vfs", "--exec-opt=native.cgroupdriver=cgroupfs"]
        with (folder / "log").open("wb") as log:
            self._daemon = subprocess.Popen(
                engine.inside("dockerd", *places, *network, *options), stdout=log, stderr=log
            )
        wait_until(
            lambda: self._docker("version").returncode == 0 or self._daemon.poll() is not None, "dockerd is ready", 60
        )
        if self._daemon.poll() is not None:
            reason = (folder / "log").read_text().strip()[-200:]
            shutil.rmtree(folder, ignore_errors=True)
            pytest.skip(f"dockerd does not start here: {reason}")

    def _docker(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            self._engine.inside("docker", f"--host=unix://{self._folder}/socket", *arguments),
            capture_output=True,
            text=True,
            timeout=scaled(300),
            check=False,
        )

    def up(self, system: Containers, service: str) -> None:
        """Start a container of a service of compose.yaml, from the image of the engine."""
        image = f"localhost/nightmail-{service}"
        file = str(self._folder / f"{service}.tar")
        saved = self._engine.podman("save", "--quiet", "--format=docker-archive", f"--output={file}", image)
        assert saved.returncode == 0, saved.stderr
        loaded = self._docker("load", "--quiet", "--input", file)
        assert loaded.returncode == 0, loaded.stderr
        options = ["--detach", "--network=host", "--name", service, *system.as_compose_says(service)]
        started = self._docker("run", *options)
        assert started.returncode == 0, started.stderr
        self._names.append(service)

    def log(self, name: str) -> str:
        shown = self._docker("logs", name)
        return shown.stdout + shown.stderr

    def check_health(self, name: str) -> None:
        """Wait until the container's health check passes in it."""
        command = ("exec", name, *health_check(name))
        wait_until(lambda: self._docker(*command).returncode == 0, f"{name} is healthy: {self.log(name)}", 60)

    def close(self) -> None:
        if self._names:
            self._docker("rm", "--force", *self._names)
        self._daemon.terminate()
        self._daemon.wait(scaled(30))
        shutil.rmtree(self._folder, ignore_errors=True)


def health_check(name: str) -> list[str]:
    """Return the command of a container's health check."""
    kind, *command = COMPOSE["services"][name.partition("-")[0]]["healthcheck"]["test"]
    assert kind == "CMD"
    return list(command)
