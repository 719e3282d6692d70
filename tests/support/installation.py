"""An installation as deploy/install.sh makes it."""

import os
import shutil
import subprocess
from pathlib import Path

from support.deadlines import scaled

#: Debian's Python, which a machine that a test makes has, too.
PYTHON = "/usr/bin/python3"
_INSTALL = Path(__file__).parents[2] / "deploy/install.sh"
#: pip ends with this status if a package index breaks a download off: it repeats a request, but not a body (pypa/pip#12383).
_BROKEN_DOWNLOAD = 2
_ATTEMPTS = 3


def install_nightmail(folder: Path, python: str = PYTHON) -> None:
    """Install Nightmail in a folder. A virtual environment has its own path in it, so a machine needs it at the same path."""
    for attempt in range(1, _ATTEMPTS + 1):
        ended = subprocess.run(
            [_INSTALL, folder],
            env={**os.environ, "PYTHON": python},
            capture_output=True,
            text=True,
            timeout=scaled(300),
            check=False,
        )
        if ended.returncode != _BROKEN_DOWNLOAD or attempt == _ATTEMPTS:
            break
        shutil.rmtree(folder, ignore_errors=True)
    assert ended.returncode == 0, ended.stdout[-500:] + ended.stderr[-3000:]
