"""The control group of each run: what it bounds, and what happens where there is none. The kernel is the real one."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from nightmail_runner.sandbox import run_groups
from nightmail_runner.sandbox.client import Sandbox
from nightmail_runner.sandbox.isolation import control_groups
from nightmail_runner.sandbox.memory import MemoryFile
from nightmail_runner.sandbox.result import Failed
from nightmail_runner.sandbox.run_groups import MAX_THREADS, RunGroup, RunGroups
from runner.test_sandbox import DATA, TASK, csv_of, run
from support.control_groups import inside, own_group
from support.deadlines import eventually, scaled

GROUPS_OF_THIS_PROCESS = (
    "from nightmail_runner.sandbox.run_groups import RunGroups; print(RunGroups.of_this_process().facts())"
)


@pytest.fixture
def group() -> Iterator[Path]:
    with own_group() as group:
        control_groups.enable_controllers(group)
        yield group


def requires(controller: str, group: Path) -> None:
    if controller not in RunGroups(group).facts()["bounds"]:
        pytest.skip(f"this machine hands over no {controller} controller in version 2 of control groups")


def processes(group: Path) -> dict[str, list[str]]:
    """Return the processes of each subgroup."""
    return {path.name: (path / "cgroup.procs").read_text().split() for path in group.iterdir() if path.is_dir()}


async def test_a_worker_is_alone_in_a_group_that_goes_with_it(group: Path) -> None:
    async with Sandbox(groups=RunGroups(group)) as sandbox:
        await sandbox.started()
        await eventually(
            lambda: [len(found) for found in processes(group).values()] == [1], "a worker waits in its group"
        )
        [first] = processes(group)
        running = asyncio.create_task(run(sandbox, "import time\ntime.sleep(60)", timeout_seconds=scaled(2)))
        await eventually(lambda: len(processes(group)) == 2, "the next worker waits in another one")
        assert first in processes(group)
        result, _ = await running
        assert isinstance(result, Failed)
        await eventually(lambda: len(processes(group)) == 1 and first not in processes(group), "the group is gone")
        assert await csv_of(sandbox, TASK.script) == b"region,amount\nnorth,17\nsouth,5\n"
    assert processes(group.parent).get(group.name) is None


async def test_what_is_in_a_group_is_killed_as_a_whole(group: Path) -> None:
    made = RunGroup(group / "1", [])
    os.close(made.entrance)
    sleeping = [await asyncio.create_subprocess_exec(*inside(group / "1", "sleep", "600")) for _ in range(3)]
    await eventually(lambda: len(processes(group)["1"]) == 3, "all are in the group")
    made.remove_soon()
    assert [await asyncio.wait_for(process.wait(), scaled(10)) for process in sleeping] == [-9] * 3


async def test_a_run_that_exceeds_the_memory_of_its_group_fails_as_one_without_memory(
    group: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requires("memory", group)
    # Far less than the resource limit, so that the group is what ends the run.
    memory = TASK.limits.memory_bytes + TASK.limits.output_bytes
    monkeypatch.setattr(run_groups, "OVERHEAD_BYTES", 256 * 1024**2 - memory)
    async with Sandbox(groups=RunGroups(group)) as sandbox:
        with MemoryFile.of(DATA) as source, MemoryFile("csv") as csv:
            task = replace(TASK, script="filled = np.ones(100_000_000)\nreturn data")
            result = await sandbox.run(task, source, csv)
        assert isinstance(result, Failed)
        assert result.kind == "out_of_memory"
        assert "more memory than its limit of 1024 MiB; the runner's setting NIGHTMAIL_SCRIPT_MEMORY" in result.message
        assert await csv_of(sandbox, TASK.script) == b"region,amount\nnorth,17\nsouth,5\n"


async def test_the_memory_of_the_files_of_a_run_counts(group: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    requires("memory", group)
    monkeypatch.setattr(
        run_groups, "OVERHEAD_BYTES", -TASK.limits.memory_bytes - TASK.limits.output_bytes + 200_000_000
    )
    script = "import os\nblock = b'x' * 1_000_000\nfor _ in range(250):\n    os.write(5, block)\nreturn data"
    async with Sandbox(groups=RunGroups(group)) as sandbox:
        result, _ = await run(sandbox, script)
    assert isinstance(result, Failed)
    assert result.kind == "out_of_memory"


async def test_a_run_has_so_many_threads_and_no_more(group: Path) -> None:
    requires("pids", group)
    script = (
        "import threading, time\n"
        "started = 0\n"
        "try:\n"
        "    while True:\n"
        "        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
        "        started += 1\n"
        "except RuntimeError:\n"
        "    raise ValueError(started)\n"
    )
    async with Sandbox(groups=RunGroups(group)) as sandbox:
        with MemoryFile.of(DATA) as source, MemoryFile("csv") as csv:
            limits = replace(TASK.limits, memory_bytes=8 * 1024**3)
            result = await sandbox.run(replace(TASK, script=script, limits=limits), source, csv)
    assert isinstance(result, Failed)
    assert MAX_THREADS / 2 < int(result.message) < MAX_THREADS


async def test_a_worker_that_cannot_enter_its_group_is_replaced_by_one_without(
    group: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Closed(RunGroup):
        """A group whose entrance refuses every write."""

        def __init__(self, path: Path, controllers: list[str]) -> None:
            super().__init__(path, controllers)
            os.close(self.entrance)
            self.entrance = os.open("/dev/full", os.O_WRONLY)

    monkeypatch.setattr(run_groups, "RunGroup", Closed)
    groups = RunGroups(group)
    async with Sandbox(groups=groups) as sandbox:
        await eventually(lambda: groups.facts()["problem"], "the refusal is seen")
        assert await csv_of(sandbox, TASK.script) == b"region,amount\nnorth,17\nsouth,5\n"
    assert groups.facts()["problem"] == "the kernel does not move a worker to its control group"


def test_a_runner_alone_in_its_group_divides_it_and_others_below_it_share_the_division(group: Path) -> None:
    def facts(place: Path) -> str:
        command = inside(place, sys.executable, "-c", GROUPS_OF_THIS_PROCESS)
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=scaled(30)).stdout

    with own_group() as whole:
        first = facts(whole)
        assert "'problem': None" in first
        assert sorted(path.name for path in whole.iterdir() if path.is_dir()) == ["runs", "services"]
        [left] = (whole / "runs").glob("*-*")
        assert facts(whole / "services").splitlines()[-1] == first.splitlines()[-1]
        assert left not in (whole / "runs").glob("*-*"), "the groups of a runner that has ended are removed"


def test_a_runner_that_shares_its_group_leaves_it_alone() -> None:
    with own_group() as group, subprocess.Popen(inside(group, "sleep", "600")) as other:
        while not (group / "cgroup.procs").read_text():
            assert other.poll() is None
        command = inside(group, sys.executable, "-c", GROUPS_OF_THIS_PROCESS)
        found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=scaled(30)).stdout
        other.kill()
    assert f"'problem': '{group} has other processes, too'" in found
