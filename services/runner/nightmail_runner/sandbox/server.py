"""The fork server's process, from the side of its client: started, spoken with, ended."""

import asyncio
import ctypes
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from typing import Any

from nightmail_runner.sandbox import protocol

#: What its libraries need to know before they are imported. Arrow's own allocator reserves a GiB of addresses, which a
#: limit on memory counts, and so do the arenas of malloc; threads of BLAS would not survive a fork. Huge pages, and a heap
#: that grows 16 MiB at a time so that it can have them, save a run a sixth of its time: most of that is page faults.
ENVIRONMENT = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1:glibc.malloc.top_pad=16777216",
    "MALLOC_ARENA_MAX": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
_MODULE = "nightmail_runner.sandbox.forkserver"
_PR_SET_CHILD_SUBREAPER = 36


class ForkServerProcess:
    """A fork server and the socket to it."""

    def __init__(self, *, protected: bool) -> None:
        # It may start a second process of itself inside of namespaces, and that one shall be our child, too.
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.setblocking(False)
        self._pidfd = -1
        options = [] if protected else ["--unprotected"]
        with theirs:
            self._started = subprocess.Popen(
                [sys.executable, "-I", "-m", _MODULE, *options], stdin=theirs.fileno(), env=ENVIRONMENT
            )

    def order(self) -> None:
        """Ask for one more process."""
        with suppress(OSError):  # its end is noticed where its messages are read
            self._control.send(protocol.FORK)

    async def receive(self) -> tuple[dict[str, Any], list[int]] | None:
        """Return its next message and the descriptors with it, or None when it has ended.

        Raises:
            protocol.BrokenMessage: it is no message.
        """
        while True:
            try:
                data, descriptors, _, _ = socket.recv_fds(
                    self._control, protocol.PACKET_BYTES, protocol.MAX_DESCRIPTORS
                )
            except BlockingIOError:
                await self._readable()
            except ConnectionResetError:
                return None
            else:
                return (protocol.decode(data[protocol.LENGTH_BYTES :]), descriptors) if data else None

    def identified(self, pidfd: int) -> None:
        """Note which process it is in the end, and reap the one that went before it into the namespaces, if any."""
        self._pidfd = pidfd
        self._started.poll()

    def end(self) -> None:
        """Kill it, and with it everything that it has forked."""
        self._control.close()
        if self._pidfd >= 0:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitid(os.P_PIDFD, self._pidfd, os.WEXITED)
            os.close(self._pidfd)
        self._started.kill()
        self._started.wait()

    async def _readable(self) -> None:
        loop = asyncio.get_running_loop()
        readable = asyncio.Event()
        loop.add_reader(self._control, readable.set)
        try:
            await readable.wait()
        finally:
            loop.remove_reader(self._control)
