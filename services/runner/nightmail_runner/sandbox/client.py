"""The sandbox as the runner uses it: a task and its input go in, a result and its files come out.

async with Sandbox() as sandbox:
    with MemoryFile.of(b"a,b\\n1,2\\n") as source, MemoryFile("csv") as csv:
        result = await sandbox.run(task, source, csv)
"""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import NamedTuple, Self

from nightmail_runner.sandbox import protocol
from nightmail_runner.sandbox.answer import invalid_answer, parse_answer
from nightmail_runner.sandbox.csv_check import STEP_BYTES, find_mismatch
from nightmail_runner.sandbox.exit_status import WAY_TO_END, OomKillCounter, describe_exit, out_of_memory
from nightmail_runner.sandbox.figure_check import find_figure_mismatch
from nightmail_runner.sandbox.memory import MemoryFile
from nightmail_runner.sandbox.result import Failed, SandboxResult, Succeeded
from nightmail_runner.sandbox.run_groups import RunGroups
from nightmail_runner.sandbox.task import Limits, Task
from nightmail_runner.sandbox.worker import Worker, WorkerEnded
from nightmail_runner.sandbox.worker_pool import WorkerPool

#: How long the fork server may take to report the exit of a killed worker. It takes a few milliseconds.
EXIT_WAIT_SECONDS = 10.0
#: A worker that has closed its socket either releases its memory before it exits, or its script closed the socket.
DYING_SECONDS = 1.0


class Outputs(NamedTuple):
    """The files that a worker writes to."""

    csv: MemoryFile
    xlsx: MemoryFile | None
    slices: MemoryFile | None
    figures: MemoryFile | None

    def files(self) -> list[MemoryFile]:
        return [file for file in self if file is not None]


class Sandbox:
    """Runs scripts, each in a worker process that was forked in advance.

    Scripts that draw charts have a fork server of their own, which has matplotlib imported and starts with the first of
    them. The isolation is the same.

    Args:
        prewarmed: how many workers of each fork server wait for a task: as many as runs are executed at once.
        protected: whether workers are isolated. Without isolation, a script can do what the runner's user can.
        groups: makes the workers' control groups; without it they have none.
    """

    def __init__(self, prewarmed: int = 1, *, protected: bool = True, groups: RunGroups | None = None) -> None:
        self.protected = protected
        self._prewarmed = prewarmed
        self._groups = groups or RunGroups(None)
        self._pool = WorkerPool(prewarmed, self._groups, protected=protected)
        self._chart_pool: WorkerPool | None = None
        self._pools = AsyncExitStack()
        self._oom_kills = OomKillCounter()

    async def __aenter__(self) -> Self:
        await self._pools.enter_async_context(self._pool)
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._pools.aclose()
        self._groups.close()

    @property
    def runtime(self) -> dict[str, str]:
        """The versions of `python` and `pandas` that scripts run on."""
        return self._pool.runtime

    async def started(self) -> None:
        """Return when the first worker is ready.

        Raises:
            SandboxRefused: this machine cannot isolate scripts.
        """
        await self._pool.started()

    def reason_not_ready(self) -> str | None:
        """Return None if scripts can be run, else the reason."""
        return self._pool.reason_not_ready()

    async def run(
        self,
        task: Task,
        source: MemoryFile,
        csv: MemoryFile,
        xlsx: MemoryFile | None = None,
        slices: MemoryFile | None = None,
        figures: MemoryFile | None = None,
        previous: MemoryFile | None = None,
        more: Sequence[MemoryFile] = (),
    ) -> SandboxResult:
        """Run a script on the bytes of `source`, a sealed file, and write its CSV to `csv`, which is sealed if it succeeds.

        `xlsx`, `slices` and `figures` are the files of a task that asks for them, and are sealed, too.
        `previous` is the CSV of the last delivered result, a sealed file, of a task that has one. `more` are the inputs of
        the task's further sources, sealed files in their order.

        When this returns or raises, no process of the script runs on. It raises nothing for what a script does.
        """
        pool = await self._started_chart_pool() if task.figures else self._pool
        try:
            worker = await pool.take_worker()
        except TimeoutError:
            return Failed("sandbox", "SandboxBroken", f"no worker process is available: {pool.reason_not_ready()}")
        try:
            inputs = [source, *more] if previous is None else [source, *more, previous]
            return await _execute(worker, task, inputs, Outputs(csv, xlsx, slices, figures), self._oom_kills)
        finally:
            worker.close()

    async def _started_chart_pool(self) -> WorkerPool:
        if self._chart_pool is None:
            self._chart_pool = WorkerPool(self._prewarmed, self._groups, protected=self.protected, charts=True)
            await self._pools.enter_async_context(self._chart_pool)
        return self._chart_pool


async def _execute(
    worker: Worker, task: Task, inputs: list[MemoryFile], outputs: Outputs, oom_kills: OomKillCounter
) -> SandboxResult:
    timeout_seconds = task.limits.timeout_seconds
    try:
        files = outputs.files()
        worker.limit_memory(task.limits.memory_bytes + len(files) * task.limits.output_bytes)
        descriptors = [file.descriptor for file in (*inputs, *files)]
        answer = await asyncio.wait_for(worker.execute(task, descriptors), timeout_seconds)
    except TimeoutError:
        line = await worker.current_line()
        worker.kill()
        return Failed("timeout", "Timeout", task.limits.describe_timeout(line), line=line, log=worker.log())
    except protocol.InvalidMessage as error:
        return invalid_answer(worker.log(), str(error))
    except WorkerEnded:
        return await _explain_end(worker, task.limits, oom_kills)
    worker.kill()
    result = parse_answer(answer, worker.log())
    if isinstance(result, Succeeded):
        for output in outputs.files():
            try:
                output.seal()
            except OSError:  # the worker has a writable mapping of it until it has exited
                await asyncio.wait({worker.exited}, timeout=EXIT_WAIT_SECONDS)
                output.seal()
        mismatch = await _find_mismatch(outputs, result, task.limits)
        if mismatch is not None:
            return invalid_answer(result.log, mismatch)
    return result


async def _find_mismatch(outputs: Outputs, result: Succeeded, limits: Limits) -> str | None:
    """Return why the files are not those of the answer, or None if they can be."""
    if any(output.size > limits.output_bytes for output in outputs.files()):
        return f"a file of the result has more than the {limits.output_bytes} bytes of NIGHTMAIL_MAX_RESULT_BYTES"
    figures, csv = outputs.figures, outputs.csv
    if figures is None and result.figures:
        return "the answer has figures, and the task has none"
    if figures is not None and (figures.size or result.figures):
        mismatch = await asyncio.to_thread(find_figure_mismatch, figures, result.figures)
        if mismatch is not None:
            return mismatch
    if csv.size <= STEP_BYTES:
        return find_mismatch(csv, result, limits)
    return await asyncio.to_thread(find_mismatch, csv, result, limits)


async def _explain_end(worker: Worker, limits: Limits, oom_kills: OomKillCounter) -> Failed:
    """Return why a worker closed its socket without an answer."""
    await asyncio.wait({worker.exited}, timeout=DYING_SECONDS)
    if not worker.exited.done():
        worker.kill()
        message = (
            f"the script's process closed its connection to the runner without a result and did not exit; {WAY_TO_END}"
        )
        return Failed("killed", "Killed", message, log=worker.log())
    if worker.exited.exception() is not None:
        return Failed("sandbox", "SandboxBroken", "the sandbox ended during the run", log=worker.log())
    if worker.has_run_out_of_memory:
        return out_of_memory(worker.log(), limits)
    return describe_exit(worker.exited.result(), worker.log(), limits, oom_kills)
