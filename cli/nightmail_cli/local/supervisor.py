"""The supervisor: runs processes, restarts those that end, with backoff, and drains all of them in order.

`nightmail up` writes a `Plan` and replaces itself by this module (`python -m nightmail_cli.local DESCRIPTOR`).
"""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from nightmail_cli.local.prefork import Program, preload, start
from nightmail_cli.local.probes import hangs, http_status, is_ready, write_problem
from nightmail_cli.local.service_manager import INTERVAL_SECONDS, ServiceManager
from nightmail_common.broker.backoff import Backoff
from nightmail_runner.sandbox.isolation.control_groups import NotDelegated, take_over

#: From the end of a process to its restart.
RESTART_BACKOFF = Backoff(first=0.1, longest=5.0)
#: A process that stays up this long resets the backoff.
STABLE_AFTER_SECONDS = 10.0
#: The time to drain before a process is killed.
DRAIN_SECONDS = 20.0
READY_POLL_SECONDS = 0.05
#: Between two looks at the health of a broker and at a state file that could not be written.
WATCH_SECONDS = 2.0
#: A broker that is not healthy for this long keeps its error until it is restarted.
UNHEALTHY_SECONDS = 6.0
#: A service that answers none of this many probes in a row hangs: after a minute, as for the liveness probe in Kubernetes.
HANG_PROBES = 6
HANG_PROBE_SECONDS = 10.0
#: The last lines of the broker's log are shown after an unexpected end.
LAST_LINES = 5
LAST_BYTES = 8 * 1024
LONGEST_LINE_BYTES = 1024 * 1024

_COLOURS = (36, 32, 33, 35, 34, 96, 92, 93, 95, 94)


@dataclass(frozen=True)
class ProcessSpec:
    """One process to keep running.

    `stop_rank`: processes of a lower rank are drained first. The process is ready when `ready_url` answers 200, or
    without a URL when `ready_port` accepts a connection. A process whose `live_url` answers nothing is restarted; one with
    a folder `store` is restarted when it answers 503, once the folder takes writes. The last lines of `log_file` are
    printed after an unexpected end. A start under systemd waits for the `essential` ones: a mailer whose SMTP server is
    away must not fail it.
    """

    name: str
    program: Program
    stop_rank: int
    ready_url: str | None = None
    ready_port: int | None = None
    live_url: str | None = None
    store: str | None = None
    log_file: str | None = None
    essential: bool = False


@dataclass(frozen=True)
class Plan:
    """The processes, the path of the state file, and the message to print when all are ready."""

    processes: list[ProcessSpec]
    state_file: str
    prefix_lines: bool
    ready_message: str

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Plan":
        plan = json.loads(text)
        specs = [ProcessSpec(**spec | {"program": Program(**spec["program"])}) for spec in plan["processes"]]
        return cls(**plan | {"processes": specs})


@dataclass
class _Process:
    spec: ProcessSpec
    colour: int
    restarts: int = 0
    pid: int | None = None


class Supervisor:
    """Keeps processes running until `stop`.

    Args:
        specs: the processes.
        state_file: the path of the list of running processes (JSON), for `nightmail status`.
        prefix_lines: prefix each line with the process's name, in colour on a terminal.
    """

    def __init__(self, specs: Sequence[ProcessSpec], state_file: Path, *, prefix_lines: bool) -> None:
        self._processes = [_Process(spec, _COLOURS[number % len(_COLOURS)]) for number, spec in enumerate(specs)]
        self._state_file = state_file
        self._prefix_lines = prefix_lines
        self._width = max(len(spec.name) for spec in specs)
        self._stopping = asyncio.Event()
        self._manager = ServiceManager(os.environ)
        #: The reason why the state file is not current, None if it is.
        self._state_error: str | None = None

    def stop(self) -> None:
        """Begin to drain; `run` returns when all processes have ended."""
        self._stopping.set()

    async def run(self, ready_message: str) -> None:
        """Run all processes until `stop`; print the message once when all are ready for the first time."""
        keeping = {process.spec.name: asyncio.create_task(self._keep(process)) for process in self._processes}
        watching = [
            asyncio.create_task(self._announce(ready_message)),
            asyncio.create_task(self._retry_state()),
            asyncio.create_task(self._report_to_manager()),
            *(
                asyncio.create_task(self._restart_hung(process) if process.spec.store is None else self._watch(process))
                for process in self._processes
                if process.spec.live_url
            ),
        ]
        await self._stopping.wait()
        for task in watching:
            task.cancel()
        self._manager.report_stop()
        for rank in sorted({process.spec.stop_rank for process in self._processes}):
            draining = [process for process in self._processes if process.spec.stop_rank == rank]
            await asyncio.gather(*(self._drain(process, keeping[process.spec.name]) for process in draining))
        self._state_file.unlink(missing_ok=True)

    async def _keep(self, process: _Process) -> None:
        failures = 0
        while not self._stopping.is_set():
            started = time.monotonic()
            logged = _size(process.spec.log_file)
            status = None
            try:
                status = await self._run_once(process)
                end = _describe_exit(status)
            except OSError as error:  # no process, no descriptor: the machine is at a limit
                end = f"cannot be started: {error.strerror}"
            if self._stopping.is_set():
                return
            failures = 1 if time.monotonic() - started > STABLE_AFTER_SECONDS else failures + 1
            wait = RESTART_BACKOFF.wait(failures)
            self._report(f"{process.spec.name} {end}; restarting it in {wait:.2f} s", "warning")
            for line in _last_lines(process.spec.log_file, logged) if status else ():
                self._report(f"{process.spec.name}: {line}", "warning")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), wait)
            process.restarts += 1

    async def _run_once(self, process: _Process) -> int:
        reading, writing = os.pipe()
        try:
            process.pid = start(process.spec.program, writing)
        except OSError:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        self._write_state()
        lines = asyncio.StreamReader(limit=LONGEST_LINE_BYTES)
        pipe, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(lines), os.fdopen(reading, "rb", buffering=0)
        )
        copying = asyncio.create_task(self._copy_lines(process, lines))
        status = await _exit_of(process.pid)
        # Kill its descendants: they could keep the pipe open.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.pid = None
        await asyncio.wait({copying}, timeout=1)
        copying.cancel()
        pipe.close()
        return status

    async def _copy_lines(self, process: _Process, lines: asyncio.StreamReader) -> None:
        while True:
            try:
                line = await lines.readline()
            except ValueError:
                continue  # the line exceeds the limit; the rest of it follows
            if not line:
                return
            text = line.decode(errors="replace").rstrip("\n")
            if self._prefix_lines:
                name = f"{process.spec.name:<{self._width}}"
                text = f"\x1b[{process.colour}m{name}\x1b[0m {text}" if sys.stderr.isatty() else f"{name} {text}"
            _print_line(text)

    async def _drain(self, process: _Process, keeping: "asyncio.Task[None]") -> None:
        _signal(process.pid, signal.SIGTERM)
        done, _ = await asyncio.wait({keeping}, timeout=DRAIN_SECONDS)
        if not done:
            self._report(f"{process.spec.name} did not end within {DRAIN_SECONDS:.0f} s and is killed", "warning")
            _signal(process.pid, signal.SIGKILL)
            await keeping

    async def _announce(self, message: str) -> None:
        for process in self._processes:
            while not await is_ready(process.spec.ready_url, process.spec.ready_port):  # noqa: ASYNC110 (only polling shows readiness)
                await asyncio.sleep(READY_POLL_SECONDS)
        print(message, flush=True)

    async def _report_to_manager(self) -> None:
        started = False
        while self._manager.listens:
            specs = [process.spec for process in self._processes]
            ready = await asyncio.gather(*(is_ready(spec.ready_url, spec.ready_port) for spec in specs))
            waiting = [spec for spec, its_ready in zip(specs, ready, strict=True) if not its_ready]
            started = started or not any(spec.essential for spec in waiting)
            self._manager.report([spec.name for spec in waiting], started=started)
            await asyncio.sleep(INTERVAL_SECONDS if started else WATCH_SECONDS)

    async def _watch(self, process: _Process) -> None:
        """Restart a process that keeps an error: nats-server keeps one of its disk after there is space again."""
        assert process.spec.live_url is not None
        unhealthy_since, reported = None, False
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            status = await http_status(process.spec.live_url)
            # One that takes no connections still reads its store; one that does not answer may be overloaded.
            if status != 503 or not await is_ready(process.spec.ready_url, process.spec.ready_port):
                unhealthy_since, reported = None, False
                continue
            unhealthy_since = unhealthy_since or time.monotonic()
            if time.monotonic() - unhealthy_since < UNHEALTHY_SECONDS:
                continue
            if (problem := write_problem(process.spec.store)) is not None:
                if not reported:
                    self._report(f"{process.spec.name} is not healthy: {process.spec.store}: {problem}", "error")
                reported = True
                continue
            self._report(f"{process.spec.name} keeps an error and is restarted", "warning")
            await self._end(process)
            unhealthy_since, reported = None, False

    async def _restart_hung(self, process: _Process) -> None:
        """Restart a process that takes connections and answers none: while a ticker hangs, no job is due."""
        assert process.spec.live_url is not None
        silent = 0
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            pid = process.pid
            hung = await hangs(process.spec.live_url, HANG_PROBE_SECONDS)
            silent = silent + 1 if hung and process.pid == pid else 0
            if silent == HANG_PROBES:
                self._report(f"{process.spec.name} hangs: it answers no request, and is restarted", "warning")
                await self._end(process)
                silent = 0

    async def _end(self, process: _Process) -> None:
        """End a process, which `_keep` then restarts."""
        pid = process.pid
        _signal(pid, signal.SIGTERM)
        deadline = time.monotonic() + DRAIN_SECONDS
        while process.pid == pid and time.monotonic() < deadline:  # noqa: ASYNC110 (`_keep` reaps it)
            await asyncio.sleep(READY_POLL_SECONDS)
        if process.pid == pid:
            _signal(pid, signal.SIGKILL)

    def _write_state(self) -> None:
        """Write the state file; if the disk refuses it, `_retry_state` writes it later."""
        state = [
            {
                "name": process.spec.name,
                "pid": process.pid,
                "restarts": process.restarts,
                "ready_url": process.spec.ready_url,
                "ready_port": process.spec.ready_port,
            }
            for process in self._processes
        ]
        beside = self._state_file.with_suffix(".new")
        try:
            beside.write_text(json.dumps({"pid": os.getpid(), "processes": state}))
            beside.rename(self._state_file)
        except OSError as error:
            if self._state_error is None:
                text = f"cannot write {self._state_file}: {error.strerror}; nightmail status shows older processes"
                self._report(text, "error")
            self._state_error = error.strerror or "no reason"
        else:
            self._state_error = None

    async def _retry_state(self) -> None:
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            if self._state_error is not None:
                self._write_state()

    def _report(self, text: str, level: str = "info") -> None:
        now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        if self._prefix_lines:
            _print_line(f"{'up':<{self._width}} {now} [{level:<9}] {text}")
        else:
            _print_line(json.dumps({"event": text, "level": level, "timestamp": now, "service": "up"}))


def _print_line(text: str) -> None:
    """Print to stderr. A line that a full disk or a closed terminal refuses is dropped: the processes go on."""
    with suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def _size(path: str | None) -> int:
    with suppress(OSError):
        return 0 if path is None else Path(path).stat().st_size
    return 0


def _last_lines(path: str | None, start: int) -> list[str]:
    """Return the last lines that a file has after a position, without those of no consequence."""
    if path is None:
        return []
    try:
        with Path(path).open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            start = start if start <= size else 0  # it was rotated
            file.seek(max(start, size - LAST_BYTES))
            lines = file.read().decode(errors="replace").splitlines()
            return [line for line in lines if " [INF] " not in line][-LAST_LINES:]
    except OSError:
        return []


async def _exit_of(pid: int) -> int:
    """Wait until a process has ended, and return its exit code (negative: the signal that ended it)."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    descriptor = os.pidfd_open(pid)
    loop.add_reader(descriptor, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
    _, status = os.waitpid(pid, os.WNOHANG)  # noqa: ASYNC222 (it has ended)
    return os.waitstatus_to_exitcode(status)


def _signal(pid: int | None, number: signal.Signals) -> None:
    # Only this thread reaps, so the id cannot belong to another process yet.
    if pid is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _describe_exit(status: int) -> str:
    return f"ended with exit code {status}" if status >= 0 else f"was ended by {signal.Signals(-status).name}"


async def _supervise(plan: Plan) -> None:
    supervisor = Supervisor(plan.processes, Path(plan.state_file), prefix_lines=plan.prefix_lines)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, supervisor.stop)
    await supervisor.run(plan.ready_message)


def main() -> None:
    """Supervise the plan in an inherited descriptor."""
    with os.fdopen(int(sys.argv[1])) as file:
        plan = Plan.from_json(file.read())
    with suppress(NotDelegated):  # the runners say in their log that their runs have no control groups, and why
        take_over()
    preload()
    asyncio.run(_supervise(plan))
