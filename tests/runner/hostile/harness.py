"""Runs hostile scripts in a process namespace and under a memory limit of its own, so that a hole does no damage.

Reads {name: [script, seconds]} from standard input; writes one line of JSON per script: how it ended, and how an honest script
ended right after it.
"""

import asyncio
import json
import os
import resource
import sys
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nightmail_common.contract.chart_detection import draws_charts
from nightmail_common.service.logging import set_up_logging
from nightmail_runner.parsing.options import ReadOptions
from nightmail_runner.sandbox.client import Sandbox
from nightmail_runner.sandbox.isolation import namespaces
from nightmail_runner.sandbox.memory import MemoryFile
from nightmail_runner.sandbox.result import Failed, SandboxResult, Succeeded
from nightmail_runner.sandbox.task import Limits, Task

#: Of all processes of this harness together where a control group can be created, else of each process.
MEMORY_BYTES = 3 * 1024**3
SANDBOXES = 4
DATA = b"region,amount\nnorth,10\nsouth,5\nnorth,7\n"
HONEST = "return data.groupby('region', as_index=False).amount.sum()"
HONEST_CHART = f"data.plot.bar(x='region', title='Sales')\n{HONEST}"
HONEST_CSV = b"region,amount\nnorth,17\nsouth,5\n"
TASK = Task(
    script=HONEST,
    read=ReadOptions("csv"),
    job_name="hostile",
    scheduled_at=datetime(2026, 1, 1, tzinfo=UTC),
    limits=Limits(timeout_seconds=60, memory_bytes=300 * 1024**2, output_bytes=32 * 1024**2),
)


def memory_group() -> Path | None:
    """Return a new control group with the limit (cgroup v2 or v1), or None where none can be created."""
    for folder, limit in (("/sys/fs/cgroup", "memory.max"), ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")):
        group = Path(folder) / f"nightmail-hostile-{os.getpid()}"
        with suppress(OSError):
            group.mkdir()
            with (group / limit).open("r+") as file:  # the file exists only in a control group
                file.write(str(MEMORY_BYTES))
            return group
        with suppress(OSError):
            group.rmdir()
    return None


async def run_all(scripts: dict[str, tuple[str, float]]) -> None:
    """Run the scripts in a few sandboxes at once: many only wait for their timeout."""
    waiting = list(scripts.items())
    await asyncio.gather(*(run_some(waiting) for _ in range(SANDBOXES)))


async def run_some(waiting: list[tuple[str, tuple[str, float]]]) -> None:
    async with Sandbox() as sandbox:
        with MemoryFile.of(DATA) as source:
            while waiting:
                name, (script, seconds) = waiting.pop()
                limits = replace(TASK.limits, timeout_seconds=seconds)
                charts = draws_charts(script)  # it runs on the second fork server, and so does the honest one after it
                result, _ = await run(sandbox, replace(TASK, script=script, limits=limits, figures=charts), source)
                started = time.monotonic()
                honest = replace(TASK, script=HONEST_CHART if charts else HONEST, figures=charts)
                following, csv = await run(sandbox, honest, source)
                seconds = time.monotonic() - started
                figures = len(following.figures) if isinstance(following, Succeeded) else 0
                unharmed = (csv, figures) == (HONEST_CSV, int(charts))
                print(
                    json.dumps(
                        summary(result) | {"name": name, "honest": unharmed or repr(following), "seconds": seconds}
                    ),
                    flush=True,
                )


async def run(sandbox: Sandbox, task: Task, source: MemoryFile) -> tuple[SandboxResult, bytes]:
    """Return how a script ended, and its CSV."""
    with MemoryFile("csv") as csv, MemoryFile("figures") as figures:
        result = await sandbox.run(task, source, csv, figures=figures if task.figures else None)
        return result, csv.read() if isinstance(result, Succeeded) else b""


def summary(result: SandboxResult) -> dict[str, Any]:
    if isinstance(result, Failed):
        return {"end": result.kind, "message": f"{result.type}: {result.message}", "log": result.log}
    return {"end": "succeeded", "message": "", "log": result.log}


def main() -> None:
    scripts = json.load(sys.stdin)
    set_up_logging("harness", "error", "console")  # to standard error
    group = memory_group()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    namespaces.enter()
    if (inside := os.fork()) == 0:
        if group is not None:
            (group / "cgroup.procs").write_text("0")
        asyncio.run(run_all(scripts))
        os._exit(0)
    _, status = os.waitpid(inside, 0)
    if group is not None:
        group.rmdir()
    raise SystemExit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
