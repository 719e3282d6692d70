"""The fork server: a Python process with pandas imported that forks one worker per run, in advance.

`fork_server_process` starts it as a fresh process with an empty environment, so no secret was ever in its memory. Its
standard input is the control socket. It answers each `FORK` with a `worker` message: the worker's socket, the reading end
of its output, and a pidfd. When the worker has exited it sends an `exited` message. A `FORK` may carry the descriptor
of the control group that the worker enters.
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
from nightmail_runner.sandbox.library_pages import release_library_pages

UNPROTECTED = "--unprotected"
#: Import matplotlib, too, for scripts that draw charts.
CHARTS = "--charts"
CONTROL_DESCRIPTOR = 0
#: The socket of a worker, which has nothing else open but its standard streams.
WORKER_SOCKET_DESCRIPTOR = 3
#: oom_score_adj: when memory is short the kernel kills a worker, or this process, before anything else on the machine.
OOM_SCORE = 500
#: The exit status of a worker whose socket closed before its task came. With 0 it has sent an answer, or its script has exited.
WITHOUT_TASK = 3
#: The exit status of a worker that could not enter its control group.
WITHOUT_GROUP = 4
#: Processes and threads of all workers of this fork server together; pandas needs a handful.
MAX_PROCESSES = 512
#: Between two attempts to fork while the limit of processes is reached.
FORK_RETRY_MS = 20


class ForkServer:
    """Forks workers on request.

    Args:
        fork: as `os.fork`.
        become_worker: called in the fork, with its socket, the writing end of its output, and the descriptor by which it
            enters its control group, or None.
    """

    def __init__(
        self,
        control: socket.socket,
        fork: Callable[[], int],
        become_worker: Callable[[socket.socket, int, int | None], NoReturn],
    ) -> None:
        self._control = control
        self._os_fork = fork
        self._become_worker = become_worker
        #: The process id of each running worker, by pidfd.
        self._workers: dict[int, int] = {}

    def serve(self) -> None:
        """Handle requests until the control socket closes, then kill all workers."""
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        try:
            while True:
                for descriptor, _ in poll.poll():
                    if descriptor != self._control.fileno():
                        poll.unregister(descriptor)
                        self._reap(descriptor)
                        continue
                    request, descriptors, _, _ = socket.recv_fds(self._control, len(protocol.FORK), 1)
                    if not request:
                        return
                    poll.register(self._fork(*descriptors), select.POLLIN)
        finally:
            for pidfd in self._workers:
                signal.pidfd_send_signal(pidfd, signal.SIGKILL)

    def _fork(self, group: int | None = None) -> int:
        ours, theirs = socket.socketpair()
        reading, writing = os.pipe()
        with ours, theirs:
            pid = self._fork_with_retry()
            if pid == 0:
                self._become_worker(ours, writing, group)
            pidfd = os.pidfd_open(pid)
            self._workers[pidfd] = pid
            protocol.send(self._control, {"worker": pid}, [theirs.fileno(), reading, pidfd])
        os.close(reading)
        os.close(writing)
        if group is not None:
            os.close(group)
        return pidfd

    def _fork_with_retry(self) -> int:
        """Fork. A script that has used up all processes is killed by the runner at its timeout, so retrying ends."""
        runner_gone = select.poll()
        runner_gone.register(self._control, 0)
        while True:
            try:
                return self._os_fork()
            except OSError:
                if runner_gone.poll(FORK_RETRY_MS):
                    raise

    def _reap(self, pidfd: int) -> None:
        pid, status = os.waitpid(self._workers.pop(pidfd), 0)
        os.close(pidfd)
        protocol.send(self._control, {"exited": pid, "code": os.waitstatus_to_exitcode(status)})


def main() -> None:
    """Enter the namespaces, which needs a single thread, then import pandas, then install the isolation layers."""
    control = socket.socket(fileno=os.dup(CONTROL_DESCRIPTOR))
    protected, charts = UNPROTECTED not in sys.argv, CHARTS in sys.argv
    os.environ.clear()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        fork = _enter_namespaces() if protected else os.fork
        become_worker = _prewarm(protected=protected, charts=charts)
        if protected:
            lockdown.lock_down_server()
    except lockdown.IsolationUnavailable as error:
        protocol.send(control, {"refused": str(error)})
        return
    own = os.pidfd_open(os.getpid())
    runtime = {"python": platform.python_version(), "pandas": sys.modules["pandas"].__version__}
    protocol.send(control, {"ready": runtime}, [own])
    os.close(own)
    with suppress(ConnectionError):  # the runner has ended
        ForkServer(control, fork, become_worker).serve()


def _enter_namespaces() -> Callable[[], int]:
    """Continue in new namespaces if the kernel allows them; return the fork function to use there."""
    lockdown.check_kernel()
    with open("/proc/self/oom_score_adj", "w") as score:  # noqa: PTH123 pathlib costs its import
        score.write(str(OOM_SCORE))
    if not namespaces.enter():
        lockdown.drop_capabilities()
        return os.fork
    if os.fork() != 0:
        os._exit(0)  # the process that unshares stays outside of the new process namespace; its children are inside
    namespaces.limit_processes(MAX_PROCESSES)
    return namespaces.ProcessNamespaces().fork


def _prewarm(*, protected: bool, charts: bool) -> Callable[[socket.socket, int, int | None], NoReturn]:
    from nightmail_runner.sandbox.child import execute  # imports pandas, which starts threads

    execute.prewarm_fork_server(charts=charts)
    dev_null = os.open(os.devnull, os.O_RDONLY)
    filter_of_pid_1 = lockdown.WorkerFilter(1)
    gc.collect()
    gc.freeze()  # a collection in a worker would copy every page that it visits
    release_library_pages()

    def become_worker(sock: socket.socket, output: int, group: int | None) -> NoReturn:
        status = WITHOUT_GROUP
        try:
            if group is not None:
                os.write(group, b"0")
            status = 1
            os.dup2(dev_null, 0)
            os.dup2(output, 1)
            os.dup2(output, 2)
            os.dup2(sock.detach(), WORKER_SOCKET_DESCRIPTOR)
            os.closerange(WORKER_SOCKET_DESCRIPTOR + 1, os.sysconf("SC_OPEN_MAX"))
            own = socket.socket(fileno=WORKER_SOCKET_DESCRIPTOR)
            if protected:
                pid = os.getpid()
                (filter_of_pid_1 if pid == 1 else lockdown.WorkerFilter(pid)).install()
            status = 0 if execute.serve_task(own) else WITHOUT_TASK
        finally:
            os._exit(status)

    return become_worker


if __name__ == "__main__":
    main()
