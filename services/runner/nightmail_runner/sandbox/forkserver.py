"""The fork server: a Python with pandas imported that does nothing but fork, once per run and ahead of need.

It is started by `client` as a fresh process with an empty environment, so that no secret was ever in its memory. On its
standard input it has the control socket, its one descriptor. To each `FORK` it answers with a `child`: the socket of
that run, the reading end of what the run prints, and a pidfd; later it tells how the child `exited`.
"""

import gc
import os
import platform
import select
import signal
import socket
from typing import NoReturn

import pandas

from nightmail_runner.sandbox import child, protocol

CONTROL_DESCRIPTOR = 0


class ForkServer:
    def __init__(self, control: socket.socket) -> None:
        self._control = control
        #: Of each living child: its process id by its pidfd.
        self._children: dict[int, int] = {}

    def serve(self) -> None:
        """Fork as told, until the control socket closes; what still runs then is killed."""
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        try:
            while True:
                for descriptor, _ in poll.poll():
                    if descriptor != self._control.fileno():
                        poll.unregister(descriptor)
                        self._reap(descriptor)
                    elif self._control.recv(len(protocol.FORK)):
                        poll.register(self._fork(), select.POLLIN)
                    else:
                        return
        finally:
            for pidfd in self._children:
                signal.pidfd_send_signal(pidfd, signal.SIGKILL)

    def _fork(self) -> int:
        ours, theirs = socket.socketpair()
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            become_child(ours, writing)
        pidfd = os.pidfd_open(pid)
        protocol.send(self._control, {"child": pid}, [theirs.fileno(), reading, pidfd])
        self._children[pidfd] = pid
        for sock in (ours, theirs):
            sock.close()
        os.close(reading)
        os.close(writing)
        return pidfd

    def _reap(self, pidfd: int) -> None:
        pid, status, usage = os.wait4(self._children.pop(pidfd), 0)
        os.close(pidfd)
        code = os.waitstatus_to_exitcode(status)
        protocol.send(self._control, {"exited": pid, "code": code, "peak_bytes": usage.ru_maxrss * 1024})


def become_child(sock: socket.socket, output: int) -> NoReturn:
    """Turn a fork of this process into a run: its socket and its output are all that it has open."""
    status = 1
    try:
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.dup2(sock.detach(), child.SOCKET_DESCRIPTOR)
        os.closerange(child.SOCKET_DESCRIPTOR + 1, os.sysconf("SC_OPEN_MAX"))
        empty = os.open(os.devnull, os.O_RDONLY)
        os.dup2(empty, 0)
        os.close(empty)
        child.run(socket.socket(fileno=child.SOCKET_DESCRIPTOR))
        status = 0
    finally:
        os._exit(status)


def main() -> None:
    control = socket.socket(fileno=os.dup(CONTROL_DESCRIPTOR))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.clear()
    child.warm_up()
    gc.collect()
    gc.freeze()
    runtime = {"python": platform.python_version(), "pandas": pandas.__version__}
    protocol.send(control, {"ready": runtime})
    ForkServer(control).serve()


if __name__ == "__main__":
    main()
