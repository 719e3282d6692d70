"""What the deployments run on: a Debian made by mmdebstrap."""

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
    """Return a tarball of a minimal Debian 12 with Python."""
    if os.geteuid() != 0 or shutil.which("mmdebstrap") is None:
        pytest.skip("needs root and mmdebstrap")
    tarball = tmp_path_factory.mktemp("debian") / "base.tar"
    command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={PACKAGES}", "bookworm", str(tarball)]
    made = subprocess.run(command, capture_output=True, text=True, timeout=scaled(400), check=False)
    if made.returncode != 0:
        pytest.skip(f"mmdebstrap cannot make a base: {made.stderr.strip()[-200:]}")
    return tarball
