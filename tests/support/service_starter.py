"""Starts services for tests as `nightmail up` does: by fork, from a process that has imported them. Commands, too.

A Python that imports a service by itself takes 1 to 2 seconds of processor time, one that imports a command half a second, and
tests start hundreds. Each pytest process has one starter. It imports a service once, before it first forks it
(`nightmail_cli/local/prefork.py`). `common/test_service.py` and `cluster/test_cluster.py` start each service by its own command,
`python -m nightmail_...`; `e2e/test_command.py`, `e2e/test_up.py`, `e2e/test_control_groups.py`, `cli` and `deploy` start the
executable `nightmail`.
"""

import atexit
import functools
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from nightmail_cli.local import prefork
from support.commands import every_command

_TESTS = Path(__file__).parents[1]
_PACKET_BYTES = 65536
_SERVICES = ("nightmail_api.main", "nightmail_mailer.main", "nightmail_runner.main", "nightmail_ticker.main")
#: What commands import when they run.
_IMPORTED_BY_COMMANDS = (
    "anyio",
    "httpcore",
    "httpx",
    "idna",
    "nightmail_cli.commands.apply",
    "nightmail_cli.commands.gallery",
    "nightmail_cli.commands.pull",
    "nightmail_cli.doctor.broker_checks",
    "nightmail_cli.doctor.doctor",
    "nightmail_cli.local.up",
    "nightmail_client.blocking.client",
    "nightmail_client.records",
    "nightmail_common.contract.job_definition",
    "nightmail_common.contract.subject_template",
    "rich.progress",
    "rich.table",
)
#: What the fork of a module finds imported.
_IMPORTED = {
    "nightmail_api": ("nightmail_api.main",),
    "nightmail_mailer": ("nightmail_mailer.main",),
    "nightmail_runner": ("nightmail_runner.main",),
    "nightmail_ticker": ("nightmail_ticker.main",),
    "support.fast_ticker": ("nightmail_ticker.main",),
    "support.command": ("nightmail_cli.main", *_IMPORTED_BY_COMMANDS),
    "support.example_service": ("nightmail_common.service.service",),
    "support.forked_up": ("nightmail_cli.local.up", "nightmail_cli.local.mail_catcher", *_SERVICES),
}


class ServiceProcess:
    """A service that was forked. It has what tests use of `subprocess.Popen`."""

    def __init__(self, pid: int, pidfd: int, status: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._pidfd = pidfd
        self._status = status

    def poll(self) -> int | None:
        """Return the exit code, which is negative after a signal, or None while the process runs."""
        if self.returncode is None and select.select([self._status], [], [], 0)[0]:
            self._end()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code once the process has ended.

        Raises:
            subprocess.TimeoutExpired: it runs on.
        """
        if self.returncode is None and not select.select([self._status], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)
        if self.returncode is None:
            self._end()
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def _end(self) -> None:
        self.returncode = int(os.read(self._status, _PACKET_BYTES))
        os.close(self._status)
        os.close(self._pidfd)


def start_service(
    module: str, environment: Mapping[str, str], folder: Path, output: int | None = None
) -> ServiceProcess:
    """Run a module as a program with this environment in a folder.

    Args:
        output: the descriptor of both stdout and stderr; without one, it is that of stderr.
    """
    return _starter().start(module, environment, folder, 2 if output is None else output)


def run_command(
    arguments: Sequence[str], environment: Mapping[str, str], folder: Path, timeout: float
) -> "subprocess.CompletedProcess[str]":
    """Run a command of `nightmail` in a folder, as `subprocess.run` would.

    Raises:
        subprocess.TimeoutExpired: it did not end in time; it is killed.
    """
    with tempfile.NamedTemporaryFile() as output, tempfile.NamedTemporaryFile() as errors:
        settings = {"COMMAND_ARGUMENTS": json.dumps(arguments), "COMMAND_ERRORS": errors.name}
        process = start_service("support.command", {**environment, **settings}, folder, output.fileno())
        try:
            status = process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        texts = [Path(file.name).read_text() for file in (output, errors)]
    return subprocess.CompletedProcess(arguments, status, *texts)


@functools.cache
def _starter() -> "_Starter":
    return _Starter()


class _Starter:
    """The handle of a pytest process on its starter."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(_TESTS)}
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "support.service_starter"], stdin=theirs.fileno(), env=environment
            )
        atexit.register(self._end)

    def start(self, module: str, environment: Mapping[str, str], folder: Path, output: int) -> ServiceProcess:
        settings = prefork.environment_descriptor(dict(environment))
        status, theirs = os.pipe()
        try:
            request = json.dumps({"module": module, "folder": str(folder)}).encode()
            socket.send_fds(self._control, [request], [settings, output, theirs])
        finally:
            os.close(settings)
            os.close(theirs)
        answer, [pidfd], _, _ = socket.recv_fds(self._control, _PACKET_BYTES, 1)
        return ServiceProcess(int(answer), pidfd, status)

    def _end(self) -> None:
        """End the starter, which ends all its services, so that their processor time counts as this process' children's."""
        self._control.close()
        self._process.wait()


class _Forks:
    """The services that run, in the starter."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._poll = select.poll()
        self._poll.register(control, select.POLLIN)
        #: The process id and the status pipe of each service, by pidfd.
        self._running: dict[int, tuple[int, int]] = {}

    def serve(self) -> None:
        """Start what is asked for and report each exit, until the pytest process closes its end."""
        while True:
            for descriptor, _ in self._poll.poll():
                if descriptor != self._control.fileno():
                    self._reap(descriptor)
                    continue
                request, descriptors, _, _ = socket.recv_fds(self._control, _PACKET_BYTES, 3)
                if not request:
                    self._kill_all()
                    return
                self._fork(**json.loads(request), descriptors=descriptors)

    def _fork(self, module: str, folder: str, descriptors: list[int]) -> None:
        settings, output, status = descriptors
        for imported in _IMPORTED[module]:
            _import(imported)
        os.chdir(folder)
        pid = prefork.start(prefork.Program(module, settings, module=module), output)
        os.close(settings)
        os.close(output)
        pidfd = os.pidfd_open(pid)
        self._running[pidfd] = (pid, status)
        self._poll.register(pidfd, select.POLLIN)
        socket.send_fds(self._control, [str(pid).encode()], [pidfd])

    def _reap(self, pidfd: int) -> None:
        pid, report = self._running.pop(pidfd)
        self._poll.unregister(pidfd)
        _, status = os.waitpid(pid, 0)
        with suppress(BrokenPipeError):
            os.write(report, str(os.waitstatus_to_exitcode(status)).encode())
        os.close(report)
        os.close(pidfd)

    def _kill_all(self) -> None:
        for pidfd in list(self._running):
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            self._reap(pidfd)


@functools.cache
def _import(module: str) -> None:
    importlib.import_module(module)
    if module == "nightmail_cli.main":
        every_command()  # a command's module is imported when the command is asked for
    gc.collect()
    gc.freeze()  # a collection in a service would copy every page that it visits
    assert len([*Path("/proc/self/task").iterdir()]) == 1, f"{module} starts a thread, which no fork has"


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # pytest alone handles Ctrl+C
    prefork.preload()
    _Forks(socket.socket(fileno=0)).serve()
