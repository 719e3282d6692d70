"""The runner's end of one run: its sockets, what it prints, and how it ends."""

import asyncio
import os
import signal
import socket
from contextlib import suppress
from typing import Any

from nightmail_runner.sandbox import protocol
from nightmail_runner.sandbox.child.output_capture import Printed

_READ_BYTES = 64 * 1024


class RunEnded(Exception):
    """The process closed its socket without an answer."""


class Process:
    """A child of the fork server that waits for a task, or works on one.

    It keeps reading what the process prints; a process that nobody needs any more is killed by `close`.
    """

    def __init__(self, sock: socket.socket, output: int, pidfd: int) -> None:
        #: Its exit code (negative: the signal that ended it), told by the fork server.
        self.exited: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._sock = sock
        self._output = output
        self._pidfd = pidfd
        self._printed = Printed()
        self._loop = asyncio.get_running_loop()
        sock.setblocking(False)
        os.set_blocking(output, False)
        self._loop.add_reader(output, self._read_output)

    async def ask(self, task: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
        """Hand a task over and return the answer.

        Raises:
            RunEnded: the process has ended, or has closed its socket.
            protocol.BrokenMessage: what it answered is no answer.
        """
        data = protocol.encode(task)
        try:
            sent = socket.send_fds(self._sock, [data], descriptors)
            await self._loop.sock_sendall(self._sock, data[sent:])
            length = protocol.length_of(await self._receive(protocol.LENGTH_BYTES))
            return protocol.decode(await self._receive(length))
        except (BrokenPipeError, ConnectionResetError):
            raise RunEnded from None

    def kill(self) -> None:
        """End the process and every thread of it, now."""
        if self._pidfd < 0:
            return
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def printed(self) -> str:
        """Return what it has printed. It printed all of it before it answered or ended; a pipe holds only so much."""
        self._read_output()
        return self._printed.text()

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
                raise RunEnded
            data += part
        return bytes(data)

    def _read_output(self) -> None:
        # At most what a pipe holds: a process that prints without end must not keep the loop from its other work.
        try:
            data = os.read(self._output, _READ_BYTES)
        except BlockingIOError:
            return
        if data:
            self._printed.add(data)
        else:
            self._loop.remove_reader(self._output)
