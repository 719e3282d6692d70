"""All images, built by buildah from the Dockerfile, and started by podman with what compose.yaml says about each container.

No registry is asked. The base image is Debian's Python under the name that the Dockerfile gives its base, NATS is the
nats-server of this environment on that base, and a catcher on the network's gateway stands for Mailpit.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path

import pytest

from support.containers import ADDRESSES, SERVICES, ULIMITS, USER, Containers, Docker, Engine
from support.deadlines import wait_until
from support.job_requests import job_request

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(os.geteuid() != 0, reason="buildah and podman need root here"),
    pytest.mark.skipif(
        any(shutil.which(program) is None for program in ("buildah", "podman", "crun", "ip")),
        reason="no buildah, podman, crun or ip (Debian's packages buildah, podman, crun and iproute2)",
    ),
]


@pytest.fixture(scope="module")
def engine(debian: Path, wheels: Path) -> Iterator[Engine]:
    """Return the engine with every image."""
    # `vfs` works everywhere and copies the whole image at each step.
    for driver in ("overlay", "vfs"):
        engine = Engine(driver, wheels)
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


@pytest.mark.skipif(shutil.which("dockerd") is None, reason="no dockerd (Debian's package docker.io)")
def test_debians_docker_runs_a_job_and_its_api_can_write_its_data(engine: Engine, system: Containers) -> None:
    docker = Docker(engine)
    try:
        docker.up(system, "runner")
        wait_until(lambda: _runner_of(system, docker), "Docker's runner is ready", 60)
        system.kill_all("runner")
        system.call("POST", "/jobs/create", job_request(job_name="in Docker"))
        run = system.call("POST", "/jobs/in Docker/run")["run_id"]
        wait_until(lambda: _status(system, run) == "delivered", "Docker's runner ends the run", 60)
        assert f'"run_id": "{run}"' in docker.log("runner")
        docker.up(system, "api")
        docker.check_health("api")
    finally:
        docker.close()


def test_doctor_in_a_container_says_that_the_broker_is_away(system: Containers) -> None:
    system.kill("nats")
    found = system.run("cli", "doctor", "--json")
    assert (found.returncode, "Traceback" in found.stderr) == (1, False)
    [broker] = [one for one in json.loads(found.stdout)["checks"] if one["name"] == "nats"]
    assert broker["state"] == "problem"
    assert broker["detail"].startswith("nats://nats:4222: ")


def _runner_of(system: Containers, docker: Docker) -> bool:
    return '"event": "service_ready"' in docker.log("runner") and _replicas(system) >= 2


def _status(system: Containers, run_id: str) -> str:
    run = system.call("GET", f"/runs/{run_id}")
    return str(run["status"]) if run else ""
