"""The sandbox as the runner sees it: a task and its input go in, an outcome comes out.

async with Sandbox() as sandbox:
    with MemoryFile.of(b"a,b\\n1,2\\n") as source:
        outcome = await sandbox.run(task, source)
"""

import asyncio
import socket
from collections import deque
from contextlib import suppress
from types import TracebackType
from typing import Self

import structlog

from nightmail_runner.sandbox import protocol
from nightmail_runner.sandbox.answer import failed, forged, succeeded
from nightmail_runner.sandbox.exit_status import MachineMemory, how_it_died
from nightmail_runner.sandbox.memory import MemoryFile
from nightmail_runner.sandbox.process import Process, RunEnded
from nightmail_runner.sandbox.server import ForkServerProcess
from nightmail_runner.sandbox.task import Failed, Outcome, Task

#: A fork server that dies young is not started again at once, or a machine without memory would do nothing else.
FIRST_RESTART_SECONDS = 0.1
LONGEST_RESTART_SECONDS = 5.0
#: How long a run waits for a process; a fork server is there within a second or two.
PROCESS_WAIT_SECONDS = 60.0
#: From the end of a process to the news of it from the fork server: a few milliseconds.
EXIT_WAIT_SECONDS = 10.0
#: A process that has closed its socket is dying, and gives back its memory meanwhile; or its script plays with us.
DYING_SECONDS = 1.0

logger = structlog.get_logger()


class SandboxRefused(Exception):
    """This machine cannot hold scripts; the message says what it lacks."""


class SandboxGone(Exception):
    """The fork server ended, and every run with it."""


class Sandbox:
    """Runs scripts, each in a process of its own that was forked before it was needed.

    Args:
        spares: how many processes wait for a task: as many as runs are worked on at once.
        protected: whether scripts are locked in. Without, a script can do whatever the runner's user can.
    """

    def __init__(self, spares: int = 1, *, protected: bool = True) -> None:
        self.protected = protected
        self._wanted_spares = spares
        self._spares: deque[Process] = deque()
        self._processes: dict[int, Process] = {}
        self._memory = MachineMemory()
        self._spare_came = asyncio.Condition()
        self._keeping: asyncio.Task[None] | None = None
        self._server: ForkServerProcess | None = None
        self._started = asyncio.Event()
        self._why_not_ready: str | None = "the fork server is starting"
        #: What scripts run on: the versions of `python` and `pandas`.
        self.runtime: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        self._keeping = asyncio.create_task(self._keep())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._keeping is not None
        self._keeping.cancel()
        with suppress(asyncio.CancelledError, SandboxRefused):
            await self._keeping

    async def started(self) -> None:
        """Return when the first process is there.

        Raises:
            SandboxRefused: there will be none on this machine.
        """
        assert self._keeping is not None
        starting = asyncio.create_task(self._started.wait())
        await asyncio.wait({starting, self._keeping}, return_when=asyncio.FIRST_COMPLETED)
        starting.cancel()
        if self._keeping.done():
            self._keeping.result()

    def why_not_ready(self) -> str | None:
        """Return None if scripts can be run, else the reason."""
        return self._why_not_ready

    async def run(self, task: Task, source: MemoryFile) -> Outcome:
        """Run a script on the bytes of `source`, a sealed file, and return what came of it.

        However it ends, nothing that the script started runs on. Never raises for what a script does.
        """
        try:
            process = await asyncio.wait_for(self._take(), PROCESS_WAIT_SECONDS)
        except TimeoutError:
            return Failed("sandbox", "SandboxBroken", f"no process to run the script in: {self._why_not_ready}", "")
        output = MemoryFile("csv")
        outcome: Outcome | None = None
        try:
            outcome = await _work(process, task, source, output, self._memory)
            return outcome
        finally:
            process.close()
            if outcome is None or isinstance(outcome, Failed):
                output.close()

    async def _take(self) -> Process:
        async with self._spare_came:
            await self._spare_came.wait_for(lambda: self._spares)
            process = self._spares.popleft()
        if self._server is not None:
            self._server.order()
        return process

    async def _keep(self) -> None:
        """Keep a fork server running."""
        wait = FIRST_RESTART_SECONDS
        loop = asyncio.get_running_loop()
        while True:
            since = loop.time()
            self._server = ForkServerProcess(protected=self.protected)
            try:
                await self._converse(self._server)
            except (OSError, protocol.BrokenMessage) as error:
                logger.warning("fork_server_not_understood", error=str(error))
            finally:
                self._server.end()
                self._server = None
                self._forget_processes()
            self._why_not_ready = "the fork server ended and is started again"
            if loop.time() - since > LONGEST_RESTART_SECONDS:
                wait = FIRST_RESTART_SECONDS
            logger.error("fork_server_ended", restart_in_seconds=wait)
            await asyncio.sleep(wait)
            wait = min(wait * 2, LONGEST_RESTART_SECONDS)

    async def _converse(self, server: ForkServerProcess) -> None:
        while received := await server.receive():
            message, descriptors = received
            if "child" in message:
                await self._add_spare(message["child"], descriptors)
            elif "exited" in message:
                self._note_exit(message["exited"], message["code"])
            elif "ready" in message:
                server.identified(*descriptors)
                self.runtime = message["ready"]
                logger.info("fork_server_ready", **self.runtime)
                for _ in range(self._wanted_spares):
                    server.order()
            else:
                raise SandboxRefused(message.get("refused"))

    async def _add_spare(self, pid: int, descriptors: list[int]) -> None:
        sock, output, pidfd = descriptors
        process = self._processes[pid] = Process(socket.socket(fileno=sock), output, pidfd)
        self._why_not_ready = None
        self._started.set()
        async with self._spare_came:
            self._spares.append(process)
            self._spare_came.notify()

    def _note_exit(self, pid: int, code: int) -> None:
        process = self._processes.pop(pid)
        process.exited.set_result(code)
        if process in self._spares:
            self._spares.remove(process)
            process.close()
            if self._server is not None:
                self._server.order()

    def _forget_processes(self) -> None:
        for process in self._processes.values():
            process.kill()
            process.exited.set_exception(SandboxGone())
            process.exited.exception()  # nobody may be waiting for it
        self._processes.clear()
        while self._spares:
            self._spares.popleft().close()


async def _work(process: Process, task: Task, source: MemoryFile, output: MemoryFile, memory: MachineMemory) -> Outcome:
    asking = {
        "script": task.script,
        "file_type": task.file_type,
        "records_path": task.records_path,
        "delimiter": task.delimiter,
        "encoding": task.encoding,
        "keep_formulas": task.keep_formulas,
        "job_name": task.job_name,
        "scheduled_at": task.scheduled_at.isoformat(),
        "limits": {
            "timeout_seconds": task.limits.timeout_seconds,
            "memory_bytes": task.limits.memory_bytes,
            "output_bytes": task.limits.output_bytes,
        },
    }
    try:
        answer = await asyncio.wait_for(
            process.ask(asking, [source.descriptor, output.descriptor]), task.limits.timeout_seconds
        )
    except TimeoutError:
        process.kill()
        message = f"the run took longer than {task.limits.timeout_seconds:g} s"
        return Failed("timeout", "Timeout", message, process.printed())
    except protocol.BrokenMessage:
        return forged(process.printed())
    except RunEnded:
        return await _post_mortem(process, memory)
    process.kill()
    log = process.printed()
    if "rows" not in answer:
        return failed(answer, log)
    try:
        output.seal()
    except OSError:  # a mapping through which somebody can write; it goes with the process
        await asyncio.wait({process.exited}, timeout=EXIT_WAIT_SECONDS)
        output.seal()
    return succeeded(answer, log, output)


async def _post_mortem(process: Process, memory: MachineMemory) -> Failed:
    """Return why a run closed its socket without an answer."""
    await asyncio.wait({process.exited}, timeout=DYING_SECONDS)
    if not process.exited.done():
        process.kill()
        message = "the script's process closed its connection to the runner and went on without giving a result"
        return Failed("killed", "Killed", message, process.printed())
    if process.exited.exception() is not None:
        return Failed("sandbox", "SandboxBroken", "the sandbox ended under the run", process.printed())
    return how_it_died(process.exited.result(), process.printed(), memory)
