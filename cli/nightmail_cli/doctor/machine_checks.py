"""What a machine must have for Nightmail, for `nightmail doctor`: Python, kernel, memory, disk, ports, settings."""

import os
import platform
import shutil
import socket
import stat
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import ByteSize

State = Literal["ok", "warning", "problem"]

LEAST_PYTHON = (3, 11)
LEAST_FREE_BYTES = 1024**3
#: Below this share of the disk a growing log has days, not weeks.
LOW_FREE_SHARE = 0.1
#: An idle system takes 300 MB; a run and its input come on top.
LEAST_MEMORY_BYTES = 512 * 1024**2
#: Every acknowledged event waits for one sync: at 20 ms the log takes fifty a second outside of batches.
SLOW_SYNC_MS = 20.0
#: At 250 ms a job created over REST takes a second, and a lease may be lost.
TOO_SLOW_SYNC_MS = 250.0
SYNCS = 15
#: Landlock's ABI that keeps signals in, too (Linux 6.12); seccomp does it below.
SIGNAL_SCOPE_ABI = 6
SECRET_FILES = ("admin-token", "secret-key", "nats.conf", "nats.env", "nats-seeds", "nats-seeds/*.nk")


@dataclass(frozen=True)
class Check:
    """One thing that was looked at. `mend` says what to do about it, unless it is `ok`."""

    name: str
    state: State
    detail: str
    mend: str | None = None


def in_words(size: int) -> str:
    return ByteSize(size).human_readable(separator=" ")


def python() -> Iterator[Check]:
    version = platform.python_version()
    if sys.version_info < LEAST_PYTHON:
        yield Check("python", "problem", version, "install Python 3.11 or newer: make install PYTHON=python3.11")
    else:
        yield Check("python", "ok", f"{version} on {platform.machine()}")


def sandbox(*, switched_on: bool) -> Iterator[Check]:
    """Look whether scripts can be locked in here."""
    import landlockpy  # with the checks of the kernel, only this needs them

    from nightmail_runner.sandbox.isolation.lockdown import IsolationUnavailable, check_kernel

    if not switched_on:
        yield Check(
            "sandbox", "warning", "off: scripts run without walls", "set NIGHTMAIL_SANDBOX=on (docs/sandbox.md)"
        )
        return
    try:
        check_kernel()
    except IsolationUnavailable as error:
        mend = "run the runners where the kernel has Landlock and seccomp (docs/sandbox.md says what to allow)"
        yield Check("sandbox", "problem", str(error), mend)
        return
    abi = landlockpy.abi_version()
    signals = "" if abi >= SIGNAL_SCOPE_ABI else "; seccomp keeps signals in"
    yield Check("sandbox", "ok", f"Landlock ABI {abi}{signals}, seccomp")


def memory(runners: int, script_memory: int) -> Iterator[Check]:
    """Look whether the runs that may go on at once fit into what this machine, or its container, has."""
    limit, source = _memory_limit()
    wanted = LEAST_MEMORY_BYTES + runners * script_memory
    detail = f"{in_words(limit)} {source}"
    if limit < LEAST_MEMORY_BYTES:
        yield Check("memory", "problem", detail, f"give it {in_words(LEAST_MEMORY_BYTES)} or more")
    elif limit < wanted:
        mend = f"lower NIGHTMAIL_SCRIPT_MEMORY or --runners, or give it {in_words(wanted)}"
        yield Check("memory", "warning", f"{detail}; {runners} scripts may take {in_words(wanted)} together", mend)
    else:
        yield Check("memory", "ok", detail)


def _memory_limit() -> tuple[int, str]:
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
    except OSError:
        limit = "max"
    return (total, "in this machine") if limit == "max" or int(limit) >= total else (int(limit), "for this container")


def data_folder(folder: Path) -> Iterator[Check]:
    """Look at the data folder: that it can be written, who reads its secrets, how much fits, how long a sync takes."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            sync_ms = _sync_ms(file.fileno())
    except OSError as error:
        mend = f"make {folder} a folder that user {os.getuid()} may write to, or set NIGHTMAIL_DATA_DIR"
        yield Check("data folder", "problem", f"{folder}: {error.strerror}", mend)
        return
    yield Check("data folder", "ok", str(folder))
    yield from _secrets(folder)
    yield _disk(folder)
    detail = f"{sync_ms:.1f} ms: at most {1000 / sync_ms:,.0f} acknowledged events a second outside of batches"
    mend = "put NIGHTMAIL_DATA_DIR on a local SSD: every acknowledged event waits for the disk"
    if sync_ms > TOO_SLOW_SYNC_MS:
        yield Check("disk sync", "problem", detail, mend)
    elif sync_ms > SLOW_SYNC_MS:
        yield Check("disk sync", "warning", detail, mend)
    else:
        yield Check("disk sync", "ok", detail)


def _sync_ms(descriptor: int) -> float:
    took = []
    for _ in range(SYNCS):
        os.write(descriptor, bytes(4096))
        started = time.perf_counter()
        os.fsync(descriptor)
        took.append(time.perf_counter() - started)
    return max(statistics.median(took) * 1000, 0.001)


def _secrets(folder: Path) -> Iterator[Check]:
    found = [path for name in SECRET_FILES for path in sorted(folder.glob(name))]
    open_ones = [path for path in found if stat.S_IMODE(path.stat().st_mode) & 0o077]
    if open_ones:
        names = " ".join(str(path) for path in open_ones)
        yield Check(
            "secrets",
            "problem",
            f"others can read {names}",
            f"chmod 600 {names} (700 for a folder), and make them anew",
        )
    elif found:
        yield Check("secrets", "ok", "only their owner can read them")


def _disk(folder: Path) -> Check:
    disk = shutil.disk_usage(folder)
    detail = f"{in_words(disk.free)} of {in_words(disk.total)} free"
    mend = "free some, or lower NIGHTMAIL_RUN_RETENTION and NIGHTMAIL_RESULT_RETENTION; a full disk stops every run"
    if disk.free < LEAST_FREE_BYTES:
        return Check("disk", "problem", detail, mend)
    if disk.free < LOW_FREE_SHARE * disk.total:
        return Check("disk", "warning", detail, mend)
    return Check("disk", "ok", detail)


def port(name: str, host: str, number: int, setting: str) -> Check:
    """Look whether a port can be listened on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, number), family=family).close()
    except OSError as error:
        mend = f"stop what listens there (ss -ltnp), or choose another port: {setting}"
        return Check(name, "problem", f"{host}:{number}: {error.strerror}", mend)
    return Check(name, "ok", f"{host}:{number} is free")
