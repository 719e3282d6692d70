"""Checks of the machine for `nightmail doctor`: Python, kernel, memory, data folder, disk, ports."""

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
from contextlib import suppress
from pathlib import Path

from pydantic import ByteSize

from nightmail_common.broker.checks import Check

MIN_PYTHON = (3, 11)
MIN_FREE_BYTES = 1024**3
#: Below this share of free space a growing log fills the disk within days.
LOW_FREE_SHARE = 0.1
#: An idle system takes 300 MB; a run and its input come on top.
MIN_MEMORY_BYTES = 512 * 1024**2
#: Every acknowledged event waits for one sync: 20 ms allow fifty events a second outside of batches.
SLOW_SYNC_MS = 20.0
#: At 250 ms, creating a job over REST takes a second, and the ticker may lose its lease.
MAX_SYNC_MS = 250.0
SYNCS = 15
#: The first Landlock ABI with a signal scope (Linux 6.12); seccomp replaces it on older kernels.
SIGNAL_SCOPE_ABI = 6
SECRET_FILES = ("admin-token", "secret-key", "nats.conf", "nats.env", "nats-seeds", "nats-seeds/*.nk")


def format_bytes(size: int) -> str:
    return ByteSize(size).human_readable(separator=" ")


def python() -> Iterator[Check]:
    version = platform.python_version()
    if sys.version_info < MIN_PYTHON:
        yield Check("python", "problem", version, "install Python 3.11 or newer: make install PYTHON=python3.11")
    else:
        yield Check("python", "ok", f"{version} on {platform.machine()}")


def sandbox(*, switched_on: bool) -> Iterator[Check]:
    """Check whether the kernel supports the sandbox."""
    import landlockpy  # only this check needs it

    from nightmail_runner.sandbox.isolation.lockdown import IsolationUnavailable, check_kernel, optional_layers

    if not switched_on:
        fix = "set NIGHTMAIL_SANDBOX=on (docs/sandbox.md)"
        yield Check("sandbox", "warning", "off: scripts run without isolation", fix)
        return
    try:
        check_kernel()
    except IsolationUnavailable as error:
        fix = "run the runners where the kernel has Landlock and seccomp (docs/sandbox.md lists what a container must allow)"
        yield Check("sandbox", "problem", str(error), fix)
        return
    abi = landlockpy.abi_version()
    signals = "" if abi >= SIGNAL_SCOPE_ABI else "; seccomp restricts signals"
    yield Check("sandbox", "ok", ", ".join([f"Landlock ABI {abi}{signals}", "seccomp", *optional_layers()]))


def memory(runners: int, script_memory: int) -> Iterator[Check]:
    """Check whether the concurrent runs fit into the memory of this machine or container."""
    limit, source = _memory_limit()
    wanted = MIN_MEMORY_BYTES + runners * script_memory
    detail = f"{format_bytes(limit)} {source}"
    if limit < MIN_MEMORY_BYTES:
        yield Check("memory", "problem", detail, f"give it {format_bytes(MIN_MEMORY_BYTES)} or more")
    elif limit < wanted:
        fix = f"lower NIGHTMAIL_SCRIPT_MEMORY or --runners, or give it {format_bytes(wanted)}"
        yield Check("memory", "warning", f"{detail}; {runners} scripts may take {format_bytes(wanted)} together", fix)
    else:
        yield Check("memory", "ok", detail)


def _memory_limit() -> tuple[int, str]:
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit = min(_cgroup_limits(Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")), default=total)
    return (limit, "for this container") if limit < total else (total, "in this machine")


def _cgroup_limits(cgroup_file: Path, root: Path) -> Iterator[int]:
    """Yield the memory limits of this process's control group and those above it (cgroups(7), both versions)."""
    try:
        lines = cgroup_file.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, group = line.split(":", 2)
        if not controllers:
            folder, name = root, "memory.max"
        elif "memory" in controllers.split(","):
            folder, name = root / "memory", "memory.limit_in_bytes"
        else:
            continue
        path = Path(group.lstrip("/"))
        # A container sees its own group as the root, while the path may be that of the machine.
        for place in (path, *path.parents):
            with suppress(OSError, ValueError):  # `max` is no limit
                yield int((folder / place / name).read_text())


def data_folder(folder: Path) -> Iterator[Check]:
    """Check the data folder: write access, the modes of its secrets, free space, the time of a sync."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            sync_ms = _sync_ms(file.fileno())
    except OSError as error:
        fix = f"make {folder} writable for user {os.getuid()}, or set NIGHTMAIL_DATA_DIR"
        yield Check("data folder", "problem", f"{folder}: {error.strerror}", fix)
        return
    yield Check("data folder", "ok", str(folder))
    yield from _secrets(folder)
    yield _disk(folder)
    detail = f"{sync_ms:.1f} ms: at most {1000 / sync_ms:,.0f} acknowledged events a second outside of batches"
    fix = "put NIGHTMAIL_DATA_DIR on a local SSD: every acknowledged event waits for the disk"
    if sync_ms > MAX_SYNC_MS:
        yield Check("disk sync", "problem", detail, fix)
    elif sync_ms > SLOW_SYNC_MS:
        yield Check("disk sync", "warning", detail, fix)
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
        fix = f"chmod 600 {names} (700 for a folder), and replace the secrets"
        yield Check("secrets", "problem", f"others can read {names}", fix)
    elif found:
        yield Check("secrets", "ok", "only their owner can read them")


def _disk(folder: Path) -> Check:
    disk = shutil.disk_usage(folder)
    detail = f"{format_bytes(disk.free)} of {format_bytes(disk.total)} free"
    fix = "free space, or lower NIGHTMAIL_RUN_RETENTION and NIGHTMAIL_RESULT_RETENTION; a full disk stops every run"
    if disk.free < MIN_FREE_BYTES:
        return Check("disk", "problem", detail, fix)
    if disk.free < LOW_FREE_SHARE * disk.total:
        return Check("disk", "warning", detail, fix)
    return Check("disk", "ok", detail)


def port(name: str, host: str, number: int, setting: str) -> Check:
    """Check whether a port is free."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, number), family=family).close()
    except OSError as error:
        fix = f"stop the program that listens on it (ss -ltnp), or choose another port: {setting}"
        return Check(name, "problem", f"{host}:{number}: {error.strerror}", fix)
    return Check(name, "ok", f"{host}:{number} is free")
