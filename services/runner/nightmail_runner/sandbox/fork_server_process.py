"""The runner's handle on the fork server: starts it, exchanges messages with it, ends it."""

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
from nightmail_runner.sandbox.run_groups import RunGroup

#: How malloc works. Huge pages, with a heap that grows by 16 MiB so that it can have them, save a sixth of a run's time, which
#: is mostly page faults. Freed memory of up to 32 MiB at once stays in the heap, and up to 64 MiB at its end: malloc raises its
#: limits to these by itself, but only step by step. To give back what each block of a large CSV needs, and to take it again,
#: made 640,000 page faults for 500 MB.
_MALLOC = {"hugetlb": 1, "top_pad": 16 * 1024**2, "mmap_threshold": 32 * 1024**2, "trim_threshold": 64 * 1024**2}
#: Read by libraries when they are imported. Arrow's own allocator and malloc's arenas reserve a GiB of addresses, which
#: RLIMIT_AS counts; BLAS threads do not survive a fork.
ENVIRONMENT = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "GLIBC_TUNABLES": ":".join(f"glibc.malloc.{name}={value}" for name, value in _MALLOC.items()),
    "MALLOC_ARENA_MAX": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
_MODULE = "nightmail_runner.sandbox.forkserver"
_PR_SET_CHILD_SUBREAPER = 36


class ForkServerProcess:
    """A fork server and its control socket.

    Args:
        protected: whether its workers are isolated.
        charts: whether it imports matplotlib.
    """

    def __init__(self, *, protected: bool, charts: bool) -> None:
        # The fork server continues as a second process inside its namespaces. The first one exits, and this process
        # becomes the parent of the second.
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.setblocking(False)
        self._pidfd = -1
        options = [*([] if protected else ["--unprotected"]), *(["--charts"] if charts else [])]
        with theirs:
            self._started = subprocess.Popen(
                [sys.executable, "-I", "-m", _MODULE, *options], stdin=theirs.fileno(), env=ENVIRONMENT
            )

    def request_worker(self, group: RunGroup | None) -> None:
        """Ask for one more worker, which comes as a message, and enters the group if there is one."""
        entrance = [] if group is None else [group.entrance]
        with suppress(OSError):  # `receive` reports the end of the fork server
            socket.send_fds(self._control, [protocol.FORK], entrance)
        for descriptor in entrance:
            os.close(descriptor)

    async def receive(self) -> tuple[dict[str, Any], list[int]] | None:
        """Return the next message and its descriptors, or None when the fork server has ended.

        Raises:
            protocol.InvalidMessage: the bytes are not a message.
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

    def set_pidfd(self, pidfd: int) -> None:
        """Take the pidfd of the process that serves, and reap the one that entered the namespaces before it, if any."""
        self._pidfd = pidfd
        self._started.poll()

    def end(self) -> None:
        """Kill the fork server and all its workers."""
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
