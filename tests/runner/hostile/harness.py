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

from nightmail_common.service.logging import set_up_logging
from nightmail_runner.parsing.options import ReadOptions
from nightmail_runner.sandbox.client import Sandbox
from nightmail_runner.sandbox.isolation import namespaces
from nightmail_runner.sandbox.memory import MemoryFile
from nightmail_runner.sandbox.result import Failed, SandboxResult
from nightmail_runner.sandbox.task import Limits, Task

#: Of all processes of this harness together where a control group can be created, else of each process.
MEMORY_BYTES = 3 * 1024**3
SANDBOXES = 4
DATA = b"region,amount\nnorth,10\nsouth,5\nnorth,7\n"
HONEST = "return data.groupby('region', as_index=False).amount.sum()"
HONEST_CSV = b"region,amount\nnorth,17\nsouth,5\n"
TASK = Task(
    script=HONEST,
    read=ReadOptions("csv"),
    job_name="hostile",
    scheduled_at=datetime(2026, 1, 1, tzinfo=UTC),
    limits=Limits(timeout_seconds=10, memory_bytes=300 * 1024**2, output_bytes=32 * 1024**2),
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
                with MemoryFile("csv") as hostile_csv, MemoryFile("csv") as csv:
                    result = await sandbox.run(replace(TASK, script=script, limits=limits), source, hostile_csv)
                    started = time.monotonic()
                    following = await sandbox.run(TASK, source, csv)
                    seconds = time.monotonic() - started
                    unharmed = not isinstance(following, Failed) and csv.read() == HONEST_CSV
                print(
                    json.dumps(
                        summary(result) | {"name": name, "honest": unharmed or repr(following), "seconds": seconds}
                    ),
                    flush=True,
                )


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
