"""The sandbox as the runner uses it: a task and its input go in, a result and its CSV come out.

async with Sandbox() as sandbox:
    with MemoryFile.of(b"a,b\\n1,2\\n") as source, MemoryFile("csv") as csv:
        result = await sandbox.run(task, source, csv)
"""

import asyncio
import socket
from collections import deque
from contextlib import suppress
from types import TracebackType
from typing import Self

import structlog

from nightmail_common.broker.backoff import Backoff
from nightmail_runner.sandbox import protocol
from nightmail_runner.sandbox.answer import invalid_answer, parse_answer
from nightmail_runner.sandbox.csv_check import STEP_BYTES, find_mismatch
from nightmail_runner.sandbox.exit_status import OomKillCounter, describe_exit
from nightmail_runner.sandbox.fork_server_process import ForkServerProcess
from nightmail_runner.sandbox.memory import MemoryFile
from nightmail_runner.sandbox.result import Failed, SandboxResult, Succeeded
from nightmail_runner.sandbox.task import Limits, Task
from nightmail_runner.sandbox.worker import Worker, WorkerEnded

#: Between restarts of the fork server: a machine that is short of memory must not restart it in a tight loop.
RESTART_BACKOFF = Backoff(first=0.2, longest=5.0)
#: How long a run waits for a worker. A fork server starts within a second or two.
WORKER_WAIT_SECONDS = 60.0
#: How long the fork server may take to report the exit of a killed worker. It takes a few milliseconds.
EXIT_WAIT_SECONDS = 10.0
#: A worker that has closed its socket either releases its memory before it exits, or its script closed the socket.
DYING_SECONDS = 1.0

logger = structlog.get_logger()


class SandboxRefused(Exception):
    """This machine cannot isolate scripts; the message names what is missing."""


class SandboxEnded(Exception):
    """The fork server ended, and with it every worker."""


class Sandbox:
    """Runs scripts, each in a worker process that was forked in advance.

    Args:
        prewarmed: how many workers wait for a task: as many as runs are executed at once.
        protected: whether workers are isolated. Without isolation, a script can do what the runner's user can.
    """

    def __init__(self, prewarmed: int = 1, *, protected: bool = True) -> None:
        self.protected = protected
        #: The versions of `python` and `pandas` that scripts run on.
        self.runtime: dict[str, str] = {}
        self._wanted_prewarmed = prewarmed
        self._prewarmed: deque[Worker] = deque()
        self._prewarmed_changed = asyncio.Condition()
        self._workers: dict[int, Worker] = {}
        self._oom_kills = OomKillCounter()
        self._server: ForkServerProcess | None = None
        self._supervisor: asyncio.Task[None] | None = None
        self._started = asyncio.Event()
        self._reason_not_ready: str | None = "the fork server is starting"

    async def __aenter__(self) -> Self:
        self._supervisor = asyncio.create_task(self._supervise())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._supervisor is not None
        self._supervisor.cancel()
        with suppress(asyncio.CancelledError, SandboxRefused):
            await self._supervisor

    async def started(self) -> None:
        """Return when the first worker is ready.

        Raises:
            SandboxRefused: this machine cannot isolate scripts.
        """
        assert self._supervisor is not None
        starting = asyncio.create_task(self._started.wait())
        await asyncio.wait({starting, self._supervisor}, return_when=asyncio.FIRST_COMPLETED)
        starting.cancel()
        if self._supervisor.done():
            self._supervisor.result()

    def reason_not_ready(self) -> str | None:
        """Return None if scripts can be run, else the reason."""
        return self._reason_not_ready

    async def run(
        self, task: Task, source: MemoryFile, csv: MemoryFile, xlsx: MemoryFile | None = None
    ) -> SandboxResult:
        """Run a script on the bytes of `source`, a sealed file, and write its CSV to `csv`, which is sealed if it succeeds.

        `xlsx` is the file for the xlsx of a task that asks for one, and is sealed, too.

        When this returns or raises, no process of the script runs on. It raises nothing for what a script does.
        """
        try:
            worker = await asyncio.wait_for(self._take_worker(), WORKER_WAIT_SECONDS)
        except TimeoutError:
            return Failed("sandbox", "SandboxBroken", f"no worker process is available: {self._reason_not_ready}")
        try:
            return await _execute(worker, task, source, [csv] if xlsx is None else [csv, xlsx], self._oom_kills)
        finally:
            worker.close()

    async def _take_worker(self) -> Worker:
        async with self._prewarmed_changed:
            await self._prewarmed_changed.wait_for(lambda: self._prewarmed)
            worker = self._prewarmed.popleft()
        if self._server is not None:
            self._server.request_worker()
        return worker

    async def _supervise(self) -> None:
        """Keep a fork server running."""
        failures = 0
        loop = asyncio.get_running_loop()
        while True:
            started_at = loop.time()
            self._server = ForkServerProcess(protected=self.protected)
            try:
                await self._handle_messages(self._server)
            except (OSError, protocol.InvalidMessage) as error:
                logger.warning("fork_server_message_invalid", error=str(error))
            finally:
                self._server.end()
                self._server = None
                self._discard_workers()
            self._reason_not_ready = "the fork server ended and is restarted"
            failures = 1 if loop.time() - started_at > RESTART_BACKOFF.longest else failures + 1
            wait = RESTART_BACKOFF.wait(failures)
            logger.error("fork_server_ended", restart_in_seconds=round(wait, 3))
            await asyncio.sleep(wait)

    async def _handle_messages(self, server: ForkServerProcess) -> None:
        while received := await server.receive():
            message, descriptors = received
            if "worker" in message:
                await self._add_worker(message["worker"], descriptors)
            elif "exited" in message:
                self._record_exit(message["exited"], message["code"])
            elif "ready" in message:
                server.set_pidfd(*descriptors)
                self.runtime = message["ready"]
                logger.info("fork_server_ready", **self.runtime)
                for _ in range(self._wanted_prewarmed):
                    server.request_worker()
            else:
                raise SandboxRefused(message.get("refused"))

    async def _add_worker(self, pid: int, descriptors: list[int]) -> None:
        sock, output, pidfd = descriptors
        worker = self._workers[pid] = Worker(socket.socket(fileno=sock), output, pidfd)
        self._reason_not_ready = None
        self._started.set()
        async with self._prewarmed_changed:
            self._prewarmed.append(worker)
            self._prewarmed_changed.notify()

    def _record_exit(self, pid: int, code: int) -> None:
        worker = self._workers.pop(pid)
        worker.exited.set_result(code)
        if worker in self._prewarmed:
            self._prewarmed.remove(worker)
            worker.close()
            if self._server is not None:
                self._server.request_worker()

    def _discard_workers(self) -> None:
        for worker in self._workers.values():
            worker.kill()
            worker.exited.set_exception(SandboxEnded())
            worker.exited.exception()  # retrieved: asyncio warns of an exception that no run waits for
        self._workers.clear()
        while self._prewarmed:
            self._prewarmed.popleft().close()


async def _execute(
    worker: Worker, task: Task, source: MemoryFile, outputs: list[MemoryFile], oom_kills: OomKillCounter
) -> SandboxResult:
    timeout_seconds = task.limits.timeout_seconds
    try:
        descriptors = [file.descriptor for file in (source, *outputs)]
        answer = await asyncio.wait_for(worker.execute(task, descriptors), timeout_seconds)
    except TimeoutError:
        worker.kill()
        return Failed("timeout", "Timeout", f"the run took longer than {timeout_seconds:g} s", log=worker.log())
    except protocol.InvalidMessage as error:
        return invalid_answer(worker.log(), str(error))
    except WorkerEnded:
        return await _explain_end(worker, oom_kills)
    worker.kill()
    result = parse_answer(answer, worker.log())
    if isinstance(result, Succeeded):
        for output in outputs:
            try:
                output.seal()
            except OSError:  # the worker has a writable mapping of it until it has exited
                await asyncio.wait({worker.exited}, timeout=EXIT_WAIT_SECONDS)
                output.seal()
        mismatch = await _find_mismatch(outputs, result, task.limits)
        if mismatch is not None:
            return invalid_answer(result.log, mismatch)
    return result


async def _find_mismatch(outputs: list[MemoryFile], result: Succeeded, limits: Limits) -> str | None:
    csv = outputs[0]
    if any(output.size > limits.output_bytes for output in outputs):
        return f"a file of the result has more than the {limits.output_bytes} bytes of MAX_RESULT_BYTES"
    if csv.size <= STEP_BYTES:
        return find_mismatch(csv, result, limits)
    return await asyncio.to_thread(find_mismatch, csv, result, limits)


async def _explain_end(worker: Worker, oom_kills: OomKillCounter) -> Failed:
    """Return why a worker closed its socket without an answer."""
    await asyncio.wait({worker.exited}, timeout=DYING_SECONDS)
    if not worker.exited.done():
        worker.kill()
        message = "the script's process closed its connection to the runner without a result and did not exit"
        return Failed("killed", "Killed", message, log=worker.log())
    if worker.exited.exception() is not None:
        return Failed("sandbox", "SandboxBroken", "the sandbox ended during the run", log=worker.log())
    return describe_exit(worker.exited.result(), worker.log(), oom_kills)
