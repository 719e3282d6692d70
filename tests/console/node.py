"""Node and the packages of the console's build. Their tests are skipped where there is no npm."""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from support.deadlines import scaled

SOURCE = Path(__file__).parents[2] / "console"


class Npm:
    """Runs a program in the console's folder, after installing the packages of its lock once."""

    def __init__(self) -> None:
        if shutil.which("npm") is None:
            pytest.skip("npm is not installed")
        # Several workers of pytest-xdist may come here at once: one installs, the others wait for it.
        with (SOURCE / "package-lock.json").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (SOURCE / "node_modules" / ".package-lock.json").exists():
                self("npm", "ci", "--silent")

    def __call__(self, *command: str, **environment: str) -> str:
        """Return what the program prints; a failure fails the test with it."""
        ended = subprocess.run(
            command,
            cwd=SOURCE,
            env=os.environ | environment,
            capture_output=True,
            text=True,
            timeout=scaled(120),
            check=False,
        )
        if ended.returncode != 0:
            pytest.fail(f"{' '.join(command)}:\n{ended.stdout}\n{ended.stderr}")
        return ended.stdout
