"""What the deployments run on: a Debian made by mmdebstrap."""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from support.deadlines import scaled

#: For systemd-nspawn, and as the base of the images.
PACKAGES = "systemd,dbus,python3,python3-venv,python3-pip,python-is-python3,ca-certificates"


@pytest.fixture(scope="session")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a tarball of a minimal Debian 12 with Python, which the workers of pytest-xdist share."""
    if os.geteuid() != 0 or shutil.which("mmdebstrap") is None:
        pytest.skip("needs root and mmdebstrap")
    base = tmp_path_factory.getbasetemp()
    folder = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    tarball = folder / "debian.tar"
    with (folder / "debian.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not tarball.exists():
            part = folder / "debian.part.tar"
            command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={PACKAGES}", "bookworm", str(part)]
            made = subprocess.run(command, capture_output=True, text=True, timeout=scaled(400), check=False)
            if made.returncode != 0:
                pytest.skip(f"mmdebstrap cannot make a base: {made.stderr.strip()[-200:]}")
            part.rename(tarball)
    return tarball
