"""A control group of a test's own, in the kernel's real hierarchy."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import pytest

from nightmail_runner.sandbox.isolation import control_groups
from support.deadlines import wait_until


@contextmanager
def own_group() -> Iterator[Path]:
    """Yield a group with the controllers that this machine has for it; skip where none can be made. It is killed at the end."""
    try:
        _, root = control_groups.mount()
        control_groups.enable_controllers(root)
        group = root / f"nightmail-test-{uuid4().hex}"
        group.mkdir()
    except (control_groups.NotDelegated, OSError) as error:
        pytest.skip(f"no control group of its own: {error}")
    try:
        yield group
    finally:
        with suppress(FileNotFoundError):  # it is removed already
            (group / "cgroup.kill").write_text("1")
        wait_until(lambda: _is_removed(group), "the control group is removed")


def _is_removed(group: Path) -> bool:
    for folder, _, _ in os.walk(group, topdown=False):
        with suppress(OSError):  # it still has a process
            Path(folder).rmdir()
    return not group.exists()


def inside(group: Path, *command: str) -> list[str]:
    """Return a command that runs in a group, as its first process."""
    return ["sh", "-c", 'echo 0 >"$1/cgroup.procs"; shift; exec "$@"', "sh", str(group), *command]
