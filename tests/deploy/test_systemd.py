"""The unit under a real systemd, in systemd-nspawn: start, a job and its mail, stop, reboot, restore as root, no Landlock, a hang.

It needs root, systemd-nspawn, mmdebstrap and Debian's package source; `make test-deploy` runs it.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from support.deadlines import scaled, wait_until
from support.installation import PYTHON, install_nightmail
from support.job_requests import job_request

ROOT = Path(__file__).parents[2]
LANDLOCK = "landlock_create_ruleset landlock_add_rule landlock_restrict_self"
DATA = "/var/lib/nightmail"
#: The unit's times, shortened: the supervisor reports every five seconds. With the first version of control groups, systemd
#: gets no notice in here that a killed group is empty, and waits for TimeoutStopSec before it restarts.
SHORTER = r"[Service]\nWatchdogSec=12\nTimeoutStopSec=20\n"
#: WatchdogSec, TimeoutAbortSec, TimeoutStopSec and RestartSec.
RESTART_SECONDS = 12 + 10 + 20 + 2

#: Runs in the machine: calls the API with the token of the service.
CALL = """
import json, sys, httpx
token = open("/var/lib/nightmail/admin-token").read().strip()
method, path, body = sys.argv[1:]
answer = httpx.request(method, "http://127.0.0.1:8080" + path, headers={"Authorization": "Bearer " + token},
                       json=json.loads(body), timeout=30)
print(json.dumps([answer.status_code, answer.json()]))
"""

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(os.geteuid() != 0, reason="systemd-nspawn needs root"),
    pytest.mark.skipif(shutil.which("systemd-nspawn") is None, reason="no systemd-nspawn (package systemd-container)"),
]


class Machine:
    """A Debian that boots in systemd-nspawn, with Nightmail as a unit."""

    def __init__(self, root: Path, installation: Path) -> None:
        self._root = root
        self._installation = installation
        self._process: subprocess.Popen[bytes] | None = None
        self._leader = 0

    def boot(self, *, landlock: bool) -> None:
        nspawn = ["systemd-nspawn", "--directory", str(self._root), "--boot", "--register=no", "--keep-unit"]
        nspawn += ["--private-network", f"--bind-ro={self._installation}", "--console=pipe"]
        nspawn += [f"--system-call-filter={LANDLOCK}"] if landlock else []
        # A machine with both versions of control groups: systemd cannot mount the unified one a second time.
        shell = 'umount /sys/fs/cgroup/unified 2>/dev/null; exec "$@"'
        command = ["unshare", "--mount", "sh", "-c", shell, "sh", *nspawn]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_until(self._is_up, "the machine has booted", 90)

    def _is_up(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, "systemd-nspawn has ended"
        found = [child.pid for child in psutil.Process(self._process.pid).children() if child.name() == "systemd"]
        self._leader = found[0] if found else 0
        return bool(found) and self.run("systemctl", "is-system-running").stdout.strip() in {"running", "degraded"}

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        inside = ["nsenter", "--target", str(self._leader), "--all", *command]
        return subprocess.run(
            inside,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            capture_output=True,
            text=True,
            timeout=scaled(150),
            check=False,
        )

    def do(self, *command: str) -> str:
        ended = self.run(*command)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def call(self, method: str, path: str, body: Any = None) -> Any:
        status, answer = json.loads(self.do("/opt/nightmail/bin/python", "-c", CALL, method, path, json.dumps(body)))
        assert status < 300, answer
        return answer

    def property(self, name: str) -> str:
        return self.do("systemctl", "show", "nightmail", f"--property={name}", "--value").strip()

    def journal(self) -> str:
        return self.do("journalctl", "--unit", "nightmail", "--boot", "--output", "cat", "--no-pager")

    def status_of(self, run_id: str) -> str:
        return str(self.call("GET", f"/runs/{run_id}")["status"])

    def power_off(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.run("systemctl", "poweroff")
            try:
                self._process.wait(timeout=scaled(60))
            except subprocess.TimeoutExpired:
                self._process.terminate()
                self._process.wait(timeout=scaled(60))


@pytest.fixture(scope="module")
def machine(debian: Path, wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    root = tmp_path_factory.mktemp("machine") / "root"
    root.mkdir()
    subprocess.run(["tar", "--extract", "--file", debian, "--directory", root], check=True)
    version = subprocess.run([f"{root}{PYTHON}", "--version"], capture_output=True, text=True, check=False).stdout
    own = subprocess.run([PYTHON, "--version"], capture_output=True, text=True, check=False).stdout
    if version != own:
        pytest.skip(f"this machine's {PYTHON} is not that of the base, with which the installation runs")
    installation = Path(f"/opt/nightmail-test-{os.getpid()}")
    machine = Machine(root, installation)
    try:
        install_nightmail(installation, wheels)
        (root / "opt/nightmail").symlink_to(installation)
        shutil.copy(ROOT / "deploy/systemd/nightmail.service", root / "etc/systemd/system/nightmail.service")
        try:
            machine.boot(landlock=False)
        except AssertionError as error:
            pytest.skip(f"systemd does not boot in systemd-nspawn here: {error}")
        yield machine
    finally:
        machine.power_off()
        shutil.rmtree(installation, ignore_errors=True)


def test_without_landlock_the_start_ends_and_says_in_one_line_why_no_runner_is_ready(machine: Machine) -> None:
    machine.do("systemctl", "start", "nightmail")
    wait_until(lambda: "runner-1" in machine.property("StatusText"), "the status names the runners", 30)
    assert "error: scripts cannot be isolated on this machine: Landlock is refused" in machine.journal()
    assert "Traceback" not in machine.journal()
    machine.do("systemctl", "stop", "nightmail")
    assert machine.property("Result") == "success"
    machine.power_off()


def test_a_job_is_mailed_and_a_run_goes_on_after_a_stop_and_a_reboot(machine: Machine) -> None:
    machine.boot(landlock=True)
    machine.do("systemctl", "enable", "--now", "nightmail")
    assert machine.property("ActiveState") == "active"
    wait_until(lambda: machine.property("StatusText") == "ready", "every process is ready", 60)
    machine.do("sh", "-c", f"printf 'region,amount\\nNorth,1\\n' > {DATA}/files/sales.csv")
    machine.call("POST", "/jobs/create", job_request(job_name="daily"))
    run_id = machine.call("POST", "/jobs/daily/run")["run_id"]
    wait_until(lambda: machine.status_of(run_id) == "delivered", "the run is mailed", 60)

    slow = "import time\ntime.sleep(8)\nreturn data"
    machine.call("POST", "/jobs/create", job_request(job_name="slow", processing_script=slow))
    run_id = machine.call("POST", "/jobs/slow/run")["run_id"]
    wait_until(lambda: machine.status_of(run_id) == "running", "the run has started", 60)
    machine.do("systemctl", "stop", "nightmail")
    assert machine.property("Result") == "success"
    machine.power_off()
    machine.boot(landlock=True)
    wait_until(lambda: machine.property("ActiveState") == "active", "the unit starts at boot", 90)
    wait_until(lambda: machine.status_of(run_id) == "delivered", "the run is mailed after the reboot", 90)


def test_a_restore_by_root_starts_again(machine: Machine) -> None:
    nightmail = ("env", f"NIGHTMAIL_DATA_DIR={DATA}", "/opt/nightmail/bin/nightmail")
    machine.do(*nightmail, "backup", "/var/backups/nightmail")
    machine.do("systemctl", "stop", "nightmail")
    machine.do(*nightmail, "restore", "/var/backups/nightmail")
    machine.do("systemctl", "start", "nightmail")
    wait_until(lambda: machine.property("StatusText") == "ready", "every process is ready", 60)
    run_id = machine.call("POST", "/jobs/daily/run")["run_id"]
    wait_until(lambda: machine.status_of(run_id) == "delivered", "the run is mailed", 60)


def test_a_supervisor_that_hangs_is_restarted(machine: Machine) -> None:
    folder = "/run/systemd/system/nightmail.service.d"
    machine.do(
        "sh", "-c", f"mkdir -p {folder} && printf '{SHORTER}' > {folder}/shorter.conf && systemctl daemon-reload"
    )
    machine.do("systemctl", "restart", "nightmail")
    before = machine.property("MainPID")
    assert before != "0", "the unit runs"
    machine.do("sh", "-c", f"kill -STOP {before}")
    wait_until(lambda: machine.property("MainPID") not in {before, "0"}, "the watchdog restarts it", RESTART_SECONDS)
    wait_until(lambda: machine.property("StatusText") == "ready", "every process is ready", 60)
