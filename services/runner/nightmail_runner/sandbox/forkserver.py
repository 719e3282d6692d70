"""The fork server: a Python with pandas imported that does nothing but fork, once per run and ahead of need.

`client` starts it as a fresh process with an empty environment, so that no secret was ever in its memory. Its standard
input is the control socket. To each `FORK` it answers with a `child`: the socket of that run, the reading end of what
the run prints, and a pidfd; later it tells how the child `exited`.
"""

import gc
import os
import platform
import select
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from nightmail_runner.sandbox import protocol
from nightmail_runner.sandbox.isolation import lockdown, namespaces

UNPROTECTED = "--unprotected"
CONTROL_DESCRIPTOR = 0
#: What is open in a run besides its standard input and output: its socket.
RUN_SOCKET_DESCRIPTOR = 3
#: When memory is short the kernel shall end a run, or this process, rather than anything else on the machine.
OOM_SCORE = 500
#: Processes and threads of all runs of this fork server together; pandas needs a handful.
MAX_PROCESSES = 512
#: Between two tries of a fork while there are no processes to be had.
FORK_RETRY_MS = 20


class ForkServer:
    """Forks when it is told to.

    Args:
        fork: as `os.fork`.
        become_run: makes a fork a run on its socket and the writing end of its output.
    """

    def __init__(
        self, control: socket.socket, fork: Callable[[], int], become_run: Callable[[socket.socket, int], NoReturn]
    ) -> None:
        self._control = control
        self._os_fork = fork
        self._become_run = become_run
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
        with ours, theirs:
            pid = self._patient_fork()
            if pid == 0:
                self._become_run(ours, writing)
            pidfd = os.pidfd_open(pid)
            self._children[pidfd] = pid
            protocol.send(self._control, {"child": pid}, [theirs.fileno(), reading, pidfd])
        os.close(reading)
        os.close(writing)
        return pidfd

    def _patient_fork(self) -> int:
        """Fork; a run that has used up the processes of us all is killed by its runner when its time is over."""
        runner_gone = select.poll()
        runner_gone.register(self._control, 0)
        while True:
            try:
                return self._os_fork()
            except OSError:
                if runner_gone.poll(FORK_RETRY_MS):
                    raise

    def _reap(self, pidfd: int) -> None:
        pid, status = os.waitpid(self._children.pop(pidfd), 0)
        os.close(pidfd)
        protocol.send(self._control, {"exited": pid, "code": os.waitstatus_to_exitcode(status)})


def main() -> None:
    """Start from nothing, in this order: namespaces, which want a single thread; the imports; the walls."""
    control = socket.socket(fileno=os.dup(CONTROL_DESCRIPTOR))
    protected = UNPROTECTED not in sys.argv
    os.environ.clear()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        fork = _enter_namespaces() if protected else os.fork
        become_run = _warm_up(protected)
        if protected:
            lockdown.lock_down_server()
    except lockdown.CannotLockDown as error:
        protocol.send(control, {"refused": str(error)})
        return
    own = os.pidfd_open(os.getpid())
    protocol.send(control, {"ready": _runtime()}, [own])
    os.close(own)
    with suppress(ConnectionError):  # the runner is gone, and so are we
        ForkServer(control, fork, become_run).serve()


def _enter_namespaces() -> Callable[[], int]:
    """Go on in namespaces of our own if the kernel lets us; return how to fork there."""
    lockdown.check_kernel()
    with open("/proc/self/oom_score_adj", "w") as score:  # noqa: PTH123 pathlib costs its import
        score.write(str(OOM_SCORE))
    if not namespaces.enter():
        lockdown.drop_capabilities()
        return os.fork
    if os.fork() != 0:
        os._exit(0)  # who was born before the namespace stays outside of it
    namespaces.limit_processes(MAX_PROCESSES)
    return namespaces.ProcessNamespaces().fork


def _warm_up(protected: bool) -> Callable[[socket.socket, int], NoReturn]:
    from nightmail_runner.sandbox.child import execute as child  # imports pandas, and with it threads

    child.warm_up()
    nothing = os.open(os.devnull, os.O_RDONLY)
    first_of_its_namespace = lockdown.RunFilter(1)
    gc.collect()
    gc.freeze()  # a collection in a child would copy every page that it looks at

    def become_run(sock: socket.socket, output: int) -> NoReturn:
        status = 1
        try:
            os.dup2(nothing, 0)
            os.dup2(output, 1)
            os.dup2(output, 2)
            os.dup2(sock.detach(), RUN_SOCKET_DESCRIPTOR)
            os.closerange(RUN_SOCKET_DESCRIPTOR + 1, os.sysconf("SC_OPEN_MAX"))
            own = socket.socket(fileno=RUN_SOCKET_DESCRIPTOR)
            if protected:
                pid = os.getpid()
                (first_of_its_namespace if pid == 1 else lockdown.RunFilter(pid)).lock_down()
            child.run(own)
            status = 0
        finally:
            os._exit(status)

    return become_run


def _runtime() -> dict[str, str]:
    return {"python": platform.python_version(), "pandas": sys.modules["pandas"].__version__}


if __name__ == "__main__":
    main()
