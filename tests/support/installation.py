"""An installation as deploy/install.sh makes it, for a machine that has this machine's Python."""

import os
import subprocess
from pathlib import Path

from support.deadlines import scaled

PYTHON = "/usr/bin/python3"
_INSTALL = Path(__file__).parents[2] / "deploy/install.sh"


def install_nightmail(folder: Path) -> None:
    """Install Nightmail in a folder. A virtual environment has its own path in it, so the machine needs it at the same path."""
    subprocess.run(
        [_INSTALL, folder],
        env={**os.environ, "PYTHON": PYTHON},
        capture_output=True,
        timeout=scaled(300),
        check=True,
    )
