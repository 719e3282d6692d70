"""The runner's handle on one worker: its socket, its output and its exit status."""

import asyncio
import os
import re
import signal
import socket
from contextlib import suppress

from nightmail_common.contract.limits import MAX_SCRIPT_LINES, MAX_STACK_BYTES, MAX_STACK_SECONDS
from nightmail_common.contract.script import FILENAME
from nightmail_runner.sandbox import protocol
from nightmail_runner.sandbox.output_capture import OutputCapture
from nightmail_runner.sandbox.run_groups import RunGroup
from nightmail_runner.sandbox.task import Task

_READ_BYTES = 64 * 1024
#: A frame of the script in the output of faulthandler, which begins with the innermost one.
_SCRIPT_FRAME = re.compile(rb'^  File "%b", line ([0-9]{1,6}) in .*\n' % re.escape(FILENAME).encode(), re.MULTILINE)


class WorkerEnded(Exception):
    """The worker closed its socket without an answer."""


class Worker:
    """A child of the fork server that waits for its one task, or works on it.

    The runner reads the worker's output all the time; `close` kills the worker.

    Args:
        group: its control group, if it has one.
    """

    def __init__(self, sock: socket.socket, output: int, pidfd: int, group: RunGroup | None) -> None:
        #: The exit code, or minus the signal that ended the worker, as the fork server reports it.
        self.exited: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._sock = sock
        self._output = output
        self._pidfd = pidfd
        self.group = group
        #: Whether the kernel killed the worker because its control group had reached its limit; known when it has exited.
        self.has_run_out_of_memory = False
        self._capture = OutputCapture()
        self._loop = asyncio.get_running_loop()
        sock.setblocking(False)
        os.set_blocking(output, False)
        self._loop.add_reader(output, self._read_output)

    async def execute(self, task: Task, descriptors: list[int]) -> bytes:
        """Send a task and return the body of the answer, which is not validated yet.

        Raises:
            WorkerEnded: the worker has ended, or has closed its socket.
            protocol.InvalidMessage: the answer is too long.
        """
        data = protocol.encode(task.to_json())
        try:
            sent = socket.send_fds(self._sock, [data], descriptors)
            # A worker that has the whole task may have answered and exited, and takes nothing more.
            if sent < len(data):
                await self._loop.sock_sendall(self._sock, data[sent:])
            return await self._receive(protocol.body_length(await self._receive(protocol.LENGTH_BYTES)))
        except (BrokenPipeError, ConnectionResetError):
            raise WorkerEnded from None

    def limit_memory(self, size: int) -> None:
        """Bound the memory of the worker's control group, in bytes; without a group, resource limits are all there is."""
        if self.group is not None:
            self.group.limit_memory(size)

    async def current_line(self) -> int | None:
        """Return the script's line that a worker executes; None if it executes none, or does not say so in time."""
        data = bytearray()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(MAX_STACK_SECONDS):
                signal.pidfd_send_signal(self._pidfd, protocol.STACK_SIGNAL)
                while len(data) < MAX_STACK_BYTES and (part := await self._loop.sock_recv(self._sock, MAX_STACK_BYTES)):
                    data += part
                    if (found := _SCRIPT_FRAME.search(data)) is not None:
                        line = int(found[1])
                        return line if 1 <= line <= MAX_SCRIPT_LINES else None
        return None

    def record_exit(self, code: int) -> None:
        """Take note that the worker has exited, and remove its control group."""
        if self.group is not None:
            self.has_run_out_of_memory = self.group.has_run_out_of_memory()
            self.group.remove_soon()
        self.exited.set_result(code)

    def kill(self) -> None:
        """Kill the worker with all its threads."""
        if self._pidfd < 0:
            return
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def log(self) -> str:
        """Return the output so far. After the answer or the exit it is complete: the pipe holds at most one read more."""
        self._read_output()
        return self._capture.text()

    def close(self) -> None:
        self.kill()
        self._loop.remove_reader(self._output)
        self._sock.close()
        os.close(self._output)
        os.close(self._pidfd)
        self._pidfd = -1

    async def _receive(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            part = await self._loop.sock_recv(self._sock, min(size - len(data), _READ_BYTES))
            if not part:
                raise WorkerEnded
            data += part
        return bytes(data)

    def _read_output(self) -> None:
        # One read is at most what a pipe holds: endless output must not keep the event loop busy.
        try:
            data = os.read(self._output, _READ_BYTES)
        except BlockingIOError:
            return
        if data:
            self._capture.add(data)
        else:
            self._loop.remove_reader(self._output)
