"""`nightmail up` while its disk is full: everything goes on by itself when there is space again."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from e2e.conftest import Nightmail
from support.deadlines import wait_until

DISK_BYTES = 64 * 1024 * 1024
#: Less than the read model, the log and the broker write for one run.
BALLAST_STEP = 64 * 1024

pytestmark = pytest.mark.skipif(os.geteuid() != 0 or shutil.which("mount") is None, reason="mounting needs root")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "system"
    (folder / "data").mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "nightmail-disk-full", str(folder / "data")]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting is not permitted here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder / "data")], check=True)


def fill(folder: Path) -> Path:
    ballast = folder / "ballast"
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(BALLAST_STEP))
    return ballast


def requested(system: Nightmail, job_name: str) -> str | None:
    """Request a run; return its id, None if it is refused."""
    try:
        answer = system.call("POST", f"/jobs/{job_name}/run")
    except httpx.TransportError:
        return None
    return answer.json()["run_id"] if answer.status_code == 202 else None


@pytest.mark.parametrize("full_seconds", [0, pytest.param(60, marks=pytest.mark.long)])
def test_every_run_ends_after_a_full_disk_is_freed_and_nobody_restarts_anything(disk: Path, full_seconds: int) -> None:
    system = Nightmail(disk)
    system.start_as_a_user()
    try:
        (system.data_dir / "files" / "sales.csv").write_text("region,amount\nNorth,1\n")
        system.create(job_name="daily")
        accepted = [system.run("daily")]
        assert system.run_when(accepted[0], "delivered", "failed")["status"] == "delivered"
        ballast = fill(system.data_dir)

        def refused() -> bool:
            run = requested(system, "daily")
            accepted.extend([] if run is None else [run])
            return run is None and system.has_logged("nats is not healthy")

        wait_until(refused, "the log refuses a run, and the supervisor says why", 60)
        until = time.monotonic() + full_seconds
        wait_until(lambda: refused() and time.monotonic() > until, "the log still refuses runs", full_seconds + 30)
        assert system.has_logged(f"nats is not healthy: {system.data_dir / 'nats'}: No space left on device")
        ballast.unlink()
        wait_until(lambda: requested(system, "daily"), "the log takes runs again", 90)
        for run_id in accepted:
            assert system.run_when(run_id, "delivered", "failed", seconds=90)["status"] == "delivered"
        wait_until(lambda: system.command_line("status").returncode == 0, "every process is ready", 60)
    finally:
        print(system.log.read_text())
        assert system.stop() == 0
