"""The control group that is Nightmail's own (cgroups(7), version 2; https://systemd.io/CGROUP_DELEGATION).

A group whose controllers are on for its subgroups may have no process in it. So `take_over` makes two groups below the one
in which this process was started: `services`, to which it moves the process, and `runs`, which has a group for each run.
"""

import os
from contextlib import suppress
from pathlib import Path

SERVICES, RUNS = "services", "runs"
#: What the group of a run can bound, as far as the machine hands it over. `cgroup.kill` needs no controller.
CONTROLLERS = ("memory", "pids", "cpu")
#: cpu.weight of the services; that of all runs together is 100, the kernel's default.
SERVICES_CPU_WEIGHT = 1000


class NotDelegated(Exception):
    """The control group of this process is not its own; the message says why."""


def runs_group() -> Path:
    """Return the group below which each run gets one. It is made unless the supervisor has made it.

    Raises:
        NotDelegated: this process may not divide its control group.
    """
    group = own_group()
    if group.name != SERVICES:
        return take_over()
    runs = group.parent / RUNS
    if not os.access(runs, os.W_OK):
        raise NotDelegated(f"user {os.getuid()} may not write to {runs}")
    return runs


def take_over() -> Path:
    """Divide the control group of this process, which has to be the only one in it; return the group of the runs.

    Raises:
        NotDelegated: this process may not divide its control group.
    """
    group = own_group()
    if not os.access(group / "cgroup.procs", os.W_OK) or not os.access(group, os.W_OK):
        raise NotDelegated(f"user {os.getuid()} may not write to {group}")
    if (group / "cgroup.procs").read_text().split() != [str(os.getpid())]:
        raise NotDelegated(f"{group} has other processes, too")
    services, runs = group / SERVICES, group / RUNS
    try:
        services.mkdir(exist_ok=True)
        (services / "cgroup.procs").write_text("0")
        controllers = enable_controllers(group)
        runs.mkdir(exist_ok=True)
        enable_controllers(runs)
        if "cpu" in controllers:
            (services / "cpu.weight").write_text(str(SERVICES_CPU_WEIGHT))
    except OSError as error:
        with suppress(OSError):  # as it was
            (group / "cgroup.procs").write_text("0")
        raise NotDelegated(f"{group} cannot be divided: {error.strerror}") from None
    return runs


def enable_controllers(group: Path) -> list[str]:
    """Turn on, for the subgroups of a group, those of `CONTROLLERS` that it has; return them."""
    available = (group / "cgroup.controllers").read_text().split()
    controllers = [name for name in CONTROLLERS if name in available]
    (group / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in controllers))
    return controllers


def own_group() -> Path:
    """Return the folder of this process's control group.

    Raises:
        NotDelegated: there is none.
    """
    root, mount_point = mount()
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
        path = next(line.removeprefix("0::") for line in lines if line.startswith("0::"))
        return mount_point / Path(path).relative_to(root)
    except (OSError, StopIteration, ValueError):
        raise NotDelegated(f"{mount_point} does not have the control group of this process") from None


def mount() -> tuple[str, Path]:
    """Return which group is mounted as the root of the control groups, and where (proc_pid_mountinfo(5))."""
    for line in reversed(Path("/proc/self/mountinfo").read_text().splitlines()):
        fields, _, file_system = line.partition(" - ")
        if file_system.split()[0] == "cgroup2":
            root, mount_point = fields.split()[3:5]
            return root, Path(mount_point)
    raise NotDelegated("version 2 of control groups is not mounted")
