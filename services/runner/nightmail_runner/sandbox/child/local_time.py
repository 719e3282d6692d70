"""The local time of a worker: that of the job's zone, so that `date.today()` in a script is the day of the due time."""

import os
import time
import zoneinfo
from importlib.util import find_spec
from pathlib import Path


def find_zone_files() -> None:
    """Name the folder of the zone files for libc, which by itself reads only /usr/share/zoneinfo.

    Images without that folder have the package `tzdata`. Call it in the fork server, before the isolation layers.
    """
    package = find_spec("tzdata")
    packaged = [f"{Path(package.origin).parent}/zoneinfo"] if package is not None and package.origin else []
    if folder := next(filter(os.path.isdir, [*zoneinfo.TZPATH, *packaged]), None):
        os.putenv("TZDIR", folder)  # os.environ stays empty for scripts


def set_local_zone(name: str) -> None:
    """Make a zone the local one of this process: a worker, which executes one run."""
    os.putenv("TZ", name)
    time.tzset()
