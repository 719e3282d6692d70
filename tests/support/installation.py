"""An installation as deploy/install.sh makes it, and the packages that machines and images of tests are made of."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from support.deadlines import scaled

#: Debian's Python, which a machine that a test makes has, too.
PYTHON = "/usr/bin/python3"
_DEBIANS_VERSION = "3.11"
_DEPLOY = Path(__file__).parents[2] / "deploy"
#: pip ends with this status if a package index breaks a download off: it repeats a request, but not a body (pypa/pip#12383).
_BROKEN_DOWNLOAD = 2
_ATTEMPTS = 3


def install_nightmail(folder: Path, wheels: Path | None = None) -> None:
    """Install Nightmail in a folder: for Debian's Python from `wheels`, or for any Python from the package index.

    A virtual environment has its own path in it, so a machine needs it at the same path.
    """
    settings = {"PYTHON": "python3"}
    if wheels is not None:
        settings = {"PYTHON": PYTHON, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels)}
    _run_with_downloads([_DEPLOY / "install.sh", folder], **settings)


def download_wheels(folder: Path) -> None:
    """Download what an installation needs for Debian's Python: one download for all machines and images."""
    pip: list[str | Path] = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", folder]
    pip += ["--no-deps", f"--python-version={_DEBIANS_VERSION}"]
    locks: list[str | Path] = ["-r", _DEPLOY / "locks/build.lock", "-r", _DEPLOY / "locks/cli.lock"]
    _run_with_downloads([*pip, "--require-hashes", *locks])
    # nkeys has no wheel; pip builds one with these, which no lock pins.
    _run_with_downloads([*pip, "setuptools", "wheel"])


def _run_with_downloads(command: Sequence[str | Path], **environment: str) -> None:
    """Run a command, and run it again if one of its downloads breaks off."""
    for attempt in range(1, _ATTEMPTS + 1):
        ended = subprocess.run(
            command,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=scaled(600),
            check=False,
        )
        if ended.returncode != _BROKEN_DOWNLOAD or attempt == _ATTEMPTS:
            break
    assert ended.returncode == 0, ended.stdout[-500:] + ended.stderr[-3000:]
