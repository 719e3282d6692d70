"""A control group for each worker, where the machine hands one over (cgroups(7), version 2).

It bounds what resource limits do not: memory of files and pipes, the kernel's own tables, the threads of one worker, and its
share of the processors. Everything in it is killed at once.

The kernel makes, fills and removes one group at a time, and to move a process it waits some 10 ms for all processors
(cgroup_mutex, percpu_down_write). So a worker moves itself, before its task comes, and the runner's event loop waits for nothing.
"""

import asyncio
import os
from contextlib import suppress
from itertools import count
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Self

import structlog

from nightmail_runner.sandbox.isolation.control_groups import NotDelegated, enable_controllers, runs_group

#: Processes and threads of a worker; pandas needs a handful.
MAX_THREADS = 128
#: On top of the memory of a run and its files: what a worker copies of the fork server's memory, its pipes, and the
#: kernel's tables.
OVERHEAD_BYTES = 256 * 1024**2

logger = structlog.get_logger()


class RunGroup:
    """The group of one worker.

    Raises:
        OSError: the kernel refuses it.
    """

    def __init__(self, path: Path, controllers: list[str]) -> None:
        self._path = path
        self._has_memory = "memory" in controllers
        path.mkdir()
        if self._has_memory:
            self._write("memory.oom.group", "1")
            with suppress(FileNotFoundError):  # a kernel that does not count swap
                self._write("memory.swap.max", "0")
        if "pids" in controllers:
            self._write("pids.max", str(MAX_THREADS))
        #: The process that writes `0` to this descriptor is moved to the group.
        self.entrance = os.open(path / "cgroup.procs", os.O_WRONLY | os.O_CLOEXEC)

    def limit_memory(self, size: int) -> None:
        """Bound the memory that the processes of this group use from now on, in bytes, on top of `OVERHEAD_BYTES`."""
        if self._has_memory:
            self._write("memory.max", str(size + OVERHEAD_BYTES))

    def has_run_out_of_memory(self) -> bool:
        """Return whether the kernel killed the group because it had reached its limit."""
        if not self._has_memory:
            return False
        events = dict(line.split() for line in (self._path / "memory.events").read_text().splitlines())
        return events["oom_kill"] != "0"

    def remove_soon(self) -> None:
        """Kill the remaining processes of the group, and remove it, in a thread."""
        asyncio.get_running_loop().run_in_executor(None, _remove, self._path)

    def _write(self, name: str, value: str) -> None:
        (self._path / name).write_text(value)


class RunGroups:
    """Makes the groups of the workers of one runner.

    Args:
        path: the group below which they are; None: the machine allows none.
        problem: why it allows none.
    """

    def __init__(self, path: Path | None, problem: str | None = None) -> None:
        self._path = path
        self._problem = problem
        self._controllers = [] if path is None else enable_controllers(path)
        self._numbers = count()

    @classmethod
    def of_this_process(cls) -> Self:
        """Return what makes the groups below a group of this process, if the machine allows it."""
        try:
            runs = runs_group()
            _remove_those_of_ended_runners(runs)
            groups = cls(Path(mkdtemp(dir=runs, prefix=f"{os.getpid()}-")))
        except (NotDelegated, OSError) as error:
            logger.info("run_groups_not_used", reason=str(error))
            return cls(None, str(error))
        logger.info("run_groups_used", bounds=groups.facts()["bounds"])
        return groups

    def facts(self) -> dict[str, Any]:
        """Return what the groups bound (`bounds`, of `control_groups.CONTROLLERS`), or why there are none (`problem`)."""
        return {"bounds": self._controllers, "problem": self._problem}

    async def create(self) -> RunGroup | None:
        """Return a new group; None where the machine allows none, or, with a line in the log, if the kernel refuses it."""
        if self._path is None or self._problem is not None:
            return None
        try:
            return await asyncio.to_thread(RunGroup, self._path / str(next(self._numbers)), self._controllers)
        except OSError as error:
            logger.warning("run_group_refused", error=str(error))
            return None

    def stop_creating(self, problem: str) -> None:
        """Create no more groups."""
        self._problem = problem
        logger.warning("run_group_refused", error=problem)

    def close(self) -> None:
        """Kill the remaining processes of the groups, and remove them."""
        if self._path is not None:
            _remove(self._path)


def _remove_those_of_ended_runners(runs: Path) -> None:
    for path in runs.iterdir():
        if path.is_dir() and not Path("/proc", path.name.partition("-")[0]).exists():
            _remove(path)


def _remove(path: Path) -> None:
    """Remove a group and those below it. One whose processes have not ended yet stays: the next runner removes it."""
    with suppress(OSError):
        if "populated 1" in (path / "cgroup.events").read_text():
            (path / "cgroup.kill").write_text("1")
        for group in path.iterdir():
            if group.is_dir():
                group.rmdir()
        path.rmdir()
