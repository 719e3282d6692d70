"""What the deployments run on: a Debian made by mmdebstrap, and the packages that are installed in it."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.deadlines import scaled
from support.installation import download_wheels

#: For systemd-nspawn, and as the base of the images.
PACKAGES = "systemd,dbus,python3,python3-venv,python3-pip,python-is-python3,ca-certificates"


@contextmanager
def made_once(tmp_path_factory: pytest.TempPathFactory, name: str) -> Iterator[tuple[Path, Path]]:
    """Give the path of something that the workers of pytest-xdist share, and a path at which the first of them makes it."""
    base = tmp_path_factory.getbasetemp()
    folder = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder / name, folder / f"part-{name}"


@pytest.fixture(scope="session")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a tarball of a minimal Debian 12 with Python."""
    if os.geteuid() != 0 or shutil.which("mmdebstrap") is None:
        pytest.skip("needs root and mmdebstrap")
    with made_once(tmp_path_factory, "debian.tar") as (tarball, part):
        if not tarball.exists():
            command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={PACKAGES}", "bookworm", str(part)]
            made = subprocess.run(command, capture_output=True, text=True, timeout=scaled(400), check=False)
            if made.returncode != 0:
                pytest.skip(f"mmdebstrap cannot make a base: {made.stderr.strip()[-200:]}")
            part.rename(tarball)
    return tarball


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the packages of an installation, for Debian's Python."""
    with made_once(tmp_path_factory, "wheels") as (folder, part):
        if not folder.exists():
            download_wheels(part)
            part.rename(folder)
    return folder
