"""The workers of one fork server: prewarmed, taken for one task each, replaced."""

import asyncio
import os
import socket
from collections import deque
from contextlib import suppress
from typing import Self

import structlog

from nightmail_common.broker.backoff import Backoff
from nightmail_runner.sandbox import protocol
from nightmail_runner.sandbox.fork_server_process import ForkServerProcess
from nightmail_runner.sandbox.forkserver import WITHOUT_GROUP
from nightmail_runner.sandbox.run_groups import RunGroup, RunGroups
from nightmail_runner.sandbox.worker import Worker

#: Between restarts of the fork server: a machine that is short of memory must not restart it in a tight loop.
RESTART_BACKOFF = Backoff(first=0.2, longest=5.0)
#: How long a run waits for a worker. A fork server starts within a second or two.
WORKER_WAIT_SECONDS = 60.0

logger = structlog.get_logger()


class SandboxRefused(Exception):
    """This machine cannot isolate scripts; the message names what is missing."""


class SandboxEnded(Exception):
    """The fork server ended, and with it every worker."""


class WorkerPool:
    """A fork server, which is restarted when it ends, and the workers that it has forked in advance.

    Args:
        prewarmed: how many workers wait for a task: as many as runs are executed at once.
        protected: whether workers are isolated.
        charts: whether the fork server has matplotlib imported.
        groups: makes the workers' control groups.
    """

    def __init__(self, prewarmed: int, groups: RunGroups, *, protected: bool, charts: bool = False) -> None:
        #: The versions of `python` and `pandas` that scripts run on.
        self.runtime: dict[str, str] = {}
        self._protected = protected
        self._charts = charts
        self._groups = groups
        #: The groups of the workers that were asked for, in the order in which the fork server answers.
        self._requested: deque[RunGroup | None] = deque()
        self._requests: set[asyncio.Task[None]] = set()
        self._wanted_prewarmed = prewarmed
        self._prewarmed: deque[Worker] = deque()
        self._prewarmed_changed = asyncio.Condition()
        self._workers: dict[int, Worker] = {}
        self._server: ForkServerProcess | None = None
        self._supervisor: asyncio.Task[None] | None = None
        self._started = asyncio.Event()
        self._reason_not_ready: str | None = "the fork server is starting"

    async def __aenter__(self) -> Self:
        self._supervisor = asyncio.create_task(self._supervise())
        return self

    async def __aexit__(self, *_error: object) -> None:
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

    async def take_worker(self) -> Worker:
        """Return a worker once one is ready; the caller closes it.

        Raises:
            TimeoutError: none was ready in time.
        """
        return await asyncio.wait_for(self._take_prewarmed(), WORKER_WAIT_SECONDS)

    async def _take_prewarmed(self) -> Worker:
        async with self._prewarmed_changed:
            await self._prewarmed_changed.wait_for(lambda: self._prewarmed)
            worker = self._prewarmed.popleft()
        self._request_worker()
        return worker

    def _request_worker(self) -> None:
        request = asyncio.create_task(self._make_request(self._server))
        self._requests.add(request)
        request.add_done_callback(self._requests.discard)

    async def _make_request(self, server: ForkServerProcess | None) -> None:
        if server is None:
            return
        group = await self._groups.create()
        if server is self._server:
            self._requested.append(group)
            server.request_worker(group)
        elif group is not None:  # that fork server has ended meanwhile
            os.close(group.entrance)
            group.remove_soon()

    async def _supervise(self) -> None:
        """Keep a fork server running."""
        failures = 0
        loop = asyncio.get_running_loop()
        while True:
            started_at = loop.time()
            self._server = ForkServerProcess(protected=self._protected, charts=self._charts)
            try:
                await self._handle_messages(self._server)
            except (OSError, protocol.InvalidMessage) as error:
                logger.warning("fork_server_message_invalid", error=str(error))
            finally:
                self._server.end()
                self._server = None
                groups = self._discard_workers()
            self._reason_not_ready = "the fork server ended and is restarted"
            failures = 1 if loop.time() - started_at > RESTART_BACKOFF.longest else failures + 1
            wait = RESTART_BACKOFF.wait(failures)
            logger.error("fork_server_ended", restart_in_seconds=round(wait, 3))
            await asyncio.sleep(wait)
            for group in groups:
                group.remove_soon()

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
                logger.info("fork_server_ready", charts=self._charts, **self.runtime)
                for _ in range(self._wanted_prewarmed):
                    self._request_worker()
            else:
                raise SandboxRefused(message.get("refused"))

    async def _add_worker(self, pid: int, descriptors: list[int]) -> None:
        sock, output, pidfd = descriptors
        group = self._requested.popleft()
        worker = self._workers[pid] = Worker(socket.socket(fileno=sock), output, pidfd, group)
        self._reason_not_ready = None
        self._started.set()
        async with self._prewarmed_changed:
            self._prewarmed.append(worker)
            self._prewarmed_changed.notify()

    def _record_exit(self, pid: int, code: int) -> None:
        worker = self._workers.pop(pid)
        worker.record_exit(code)
        if worker in self._prewarmed:
            self._prewarmed.remove(worker)
            worker.close()
            if code == WITHOUT_GROUP:
                self._groups.stop_creating("the kernel does not move a worker to its control group")
            self._request_worker()

    def _discard_workers(self) -> list[RunGroup]:
        """Give up every worker; return the control groups, which are empty once the kernel has ended the workers."""
        groups = [*self._requested, *(worker.group for worker in self._workers.values())]
        for worker in self._workers.values():
            worker.kill()
            worker.exited.set_exception(SandboxEnded())
            worker.exited.exception()  # retrieved: asyncio warns of an exception that no run waits for
        self._workers.clear()
        self._requested.clear()
        while self._prewarmed:
            self._prewarmed.popleft().close()
        return [group for group in groups if group is not None]
