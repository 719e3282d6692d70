"""The sandbox as the runner sees it: a task and its input go in, an outcome comes out.

async with Sandbox() as sandbox:
    with MemoryFile.of(b"a,b\\n1,2\\n") as source:
        outcome = await sandbox.run(task, source)
"""

import asyncio
import signal
import socket
import subprocess
import sys
from collections import deque
from contextlib import suppress
from types import TracebackType
from typing import Self

import structlog

from nightmail_runner.sandbox import protocol
from nightmail_runner.sandbox.answer import failed, succeeded
from nightmail_runner.sandbox.control import receive
from nightmail_runner.sandbox.memory import MemoryFile
from nightmail_runner.sandbox.process import Process, RunEnded
from nightmail_runner.sandbox.task import Failed, Outcome, Task

#: A fork server that dies young is not started again at once, or a machine without memory would do nothing else.
FIRST_RESTART_SECONDS = 0.1
LONGEST_RESTART_SECONDS = 5.0
#: How long a run waits for a process; a fork server is there within a second or two.
PROCESS_WAIT_SECONDS = 60.0
#: From the end of a process to the news of it from the fork server: a few milliseconds.
EXIT_WAIT_SECONDS = 10.0

#: What the fork server's libraries need to know before they are imported. Arrow's own allocator reserves a GiB of
#: addresses, which a limit on memory counts; threads of BLAS would not survive a fork.
ENVIRONMENT = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_ARENA_MAX": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "LANG": "C.UTF-8",
}

logger = structlog.get_logger()


class SandboxGone(Exception):
    """There is no process to run a script in, and there will not be one soon."""


class Sandbox:
    """Runs scripts, each in a process of its own that was forked before it was needed.

    Args:
        spares: how many processes wait for a task: as many as runs are worked on at once.
    """

    def __init__(self, spares: int = 1) -> None:
        self._wanted_spares = spares
        self._spares: deque[Process] = deque()
        self._processes: dict[int, Process] = {}
        self._spare_came = asyncio.Condition()
        self._keeping: asyncio.Task[None] | None = None
        self._control: socket.socket | None = None
        self._why_not_ready = "the fork server is starting"
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
        with suppress(asyncio.CancelledError):
            await self._keeping

    def why_not_ready(self) -> str | None:
        """Return None if a script can be run at once, else the reason."""
        return None if self._spares or self._control is not None else self._why_not_ready

    async def run(self, task: Task, source: MemoryFile) -> Outcome:
        """Run a script on the bytes of `source`, a sealed file, and return what came of it.

        However it ends, nothing that the script started runs on. Never raises for what a script does.
        """
        try:
            process = await asyncio.wait_for(self._take(), PROCESS_WAIT_SECONDS)
        except TimeoutError:
            return _gone(self._why_not_ready)
        output = MemoryFile("csv")
        outcome: Outcome | None = None
        try:
            outcome = await self._work(process, task, source, output)
            return outcome
        finally:
            process.close()
            if outcome is None or isinstance(outcome, Failed):
                output.close()

    async def _work(self, process: Process, task: Task, source: MemoryFile, output: MemoryFile) -> Outcome:
        asking = {
            "script": task.script,
            "file_type": task.file_type,
            "records_path": task.records_path,
            "job_name": task.job_name,
            "scheduled_at": task.scheduled_at.isoformat(),
            "limits": {"memory_bytes": task.limits.memory_bytes, "output_bytes": task.limits.output_bytes},
        }
        try:
            answer = await asyncio.wait_for(
                process.ask(asking, [source.descriptor, output.descriptor]), task.limits.timeout_seconds
            )
        except TimeoutError:
            seconds = f"{task.limits.timeout_seconds:g} s"
            return Failed("timeout", "Timeout", f"the run took longer than {seconds}", process.printed())
        except (RunEnded, protocol.BrokenMessage):
            return await self._post_mortem(process)
        process.kill()
        log = process.printed()
        if "rows" not in answer:
            return failed(answer, log)
        try:
            output.seal()
        except OSError:  # a mapping through which somebody can write; it goes with the process
            await asyncio.wait_for(process.exited, EXIT_WAIT_SECONDS)
            output.seal()
        return succeeded(answer, log, output)

    async def _post_mortem(self, process: Process) -> Failed:
        process.kill()
        try:
            code = await asyncio.wait_for(asyncio.shield(process.exited), EXIT_WAIT_SECONDS)
        except (TimeoutError, SandboxGone):
            return Failed("sandbox", "SandboxBroken", "the sandbox ended under the run", process.printed())
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended by itself with status {code}"
        return Failed("killed", "Killed", f"the script's process {how} before it gave a result", process.printed())

    async def _take(self) -> Process:
        async with self._spare_came:
            await self._spare_came.wait_for(lambda: self._spares)
            process = self._spares.popleft()
        self._order_spare()
        return process

    def _order_spare(self) -> None:
        if self._control is not None:
            with suppress(OSError):  # its end is noticed where its messages are read
                self._control.send(protocol.FORK)

    async def _keep(self) -> None:
        wait = FIRST_RESTART_SECONDS
        while True:
            started = asyncio.get_running_loop().time()
            error: Exception | None = None
            try:
                await self._serve()
            except (OSError, protocol.BrokenMessage) as raised:
                error = raised
            self._why_not_ready = "the fork server ended and is started again"
            if asyncio.get_running_loop().time() - started > LONGEST_RESTART_SECONDS:
                wait = FIRST_RESTART_SECONDS
            logger.error("fork_server_ended", error=str(error or ""), restart_in_seconds=wait)
            await asyncio.sleep(wait)
            wait = min(wait * 2, LONGEST_RESTART_SECONDS)

    async def _serve(self) -> None:
        """Run one fork server until it ends."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours:
            server = _start(theirs)
            ours.setblocking(False)
            try:
                await self._converse(ours)
            finally:
                self._control = None
                server.kill()
                server.wait()
                self._forget_processes()

    async def _converse(self, control: socket.socket) -> None:
        while received := await receive(control):
            message, descriptors = received
            if "ready" in message:
                self.runtime = message["ready"]
                self._control = control
                for _ in range(self._wanted_spares):
                    self._order_spare()
                logger.info("fork_server_ready", **self.runtime)
            elif "child" in message:
                await self._add_spare(message["child"], descriptors)
            elif "exited" in message:
                self._note_exit(message["exited"], message["code"])

    async def _add_spare(self, pid: int, descriptors: list[int]) -> None:
        sock, output, pidfd = descriptors
        process = self._processes[pid] = Process(pid, socket.socket(fileno=sock), output, pidfd)
        async with self._spare_came:
            self._spares.append(process)
            self._spare_came.notify()

    def _note_exit(self, pid: int, code: int) -> None:
        process = self._processes.pop(pid)
        if not process.exited.done():
            process.exited.set_result(code)
        if process in self._spares:
            self._spares.remove(process)
            process.close()
            self._order_spare()

    def _forget_processes(self) -> None:
        for process in self._processes.values():
            process.kill()
            if not process.exited.done():
                process.exited.set_exception(SandboxGone())
                process.exited.exception()  # nobody may be waiting for it
        self._processes.clear()
        while self._spares:
            self._spares.popleft().close()


def _gone(why: str) -> Failed:
    return Failed("sandbox", "SandboxBroken", f"no process to run the script in: {why}", "")


def _start(control: socket.socket) -> subprocess.Popen[bytes]:
    with control:
        return subprocess.Popen(
            [sys.executable, "-I", "-m", "nightmail_runner.sandbox.forkserver"],
            stdin=control.fileno(),
            env=ENVIRONMENT,
        )
