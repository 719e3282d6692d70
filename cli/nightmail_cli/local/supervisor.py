"""The supervisor: runs processes, restarts those that end, with backoff, and drains all of them in order.

`nightmail up` writes a `Plan` and replaces itself by this module (`python -m nightmail_cli.local.supervisor DESCRIPTOR`).
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
from pathlib import Path

from nightmail_cli.local.prefork import Program, preload, start
from nightmail_common.broker.backoff import Backoff

#: From the end of a process to its restart.
RESTART_BACKOFF = Backoff(first=0.1, longest=5.0)
#: A process that stays up this long resets the backoff.
STABLE_AFTER_SECONDS = 10.0
#: The time to drain before a process is killed.
DRAIN_SECONDS = 20.0
READY_POLL_SECONDS = 0.05
HTTP_TIMEOUT_SECONDS = 2.0
LONGEST_LINE_BYTES = 1024 * 1024

_COLOURS = (36, 32, 33, 35, 34, 96, 92, 93, 95, 94)


@dataclass(frozen=True)
class ProcessSpec:
    """One process to keep running.

    `stop_rank`: processes of a lower rank are drained first. The process is ready when `ready_url` answers 200, or
    without a URL when `ready_port` accepts a connection.
    """

    name: str
    program: Program
    stop_rank: int
    ready_url: str | None = None
    ready_port: int | None = None


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

    def stop(self) -> None:
        """Begin to drain; `run` returns when all processes have ended."""
        self._stopping.set()

    async def run(self, ready_message: str) -> None:
        """Run all processes until `stop`; print the message once when all are ready for the first time."""
        keeping = {process.spec.name: asyncio.create_task(self._keep(process)) for process in self._processes}
        announcing = asyncio.create_task(self._announce(ready_message))
        await self._stopping.wait()
        announcing.cancel()
        for rank in sorted({process.spec.stop_rank for process in self._processes}):
            draining = [process for process in self._processes if process.spec.stop_rank == rank]
            await asyncio.gather(*(self._drain(process, keeping[process.spec.name]) for process in draining))
        self._state_file.unlink(missing_ok=True)

    async def _keep(self, process: _Process) -> None:
        failures = 0
        while not self._stopping.is_set():
            started = time.monotonic()
            status = await self._run_once(process)
            if self._stopping.is_set():
                return
            failures = 1 if time.monotonic() - started > STABLE_AFTER_SECONDS else failures + 1
            wait = RESTART_BACKOFF.wait(failures)
            self._report(f"{process.spec.name} {_describe_exit(status)}; restarting it in {wait:.2f} s")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), wait)
            process.restarts += 1

    async def _run_once(self, process: _Process) -> int:
        reading, writing = os.pipe()
        process.pid = start(process.spec.program, writing)
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
            print(text, file=sys.stderr, flush=True)

    async def _drain(self, process: _Process, keeping: "asyncio.Task[None]") -> None:
        _signal(process.pid, signal.SIGTERM)
        done, _ = await asyncio.wait({keeping}, timeout=DRAIN_SECONDS)
        if not done:
            self._report(f"{process.spec.name} did not end within {DRAIN_SECONDS:.0f} s and is killed")
            _signal(process.pid, signal.SIGKILL)
            await keeping

    async def _announce(self, message: str) -> None:
        for process in self._processes:
            while not await _is_ready(process.spec):  # noqa: ASYNC110 (only polling shows readiness)
                await asyncio.sleep(READY_POLL_SECONDS)
        print(message, flush=True)

    def _write_state(self) -> None:
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
        beside.write_text(json.dumps({"pid": os.getpid(), "processes": state}))
        beside.rename(self._state_file)

    def _report(self, text: str) -> None:
        print(f"{'up':<{self._width}} {text}" if self._prefix_lines else json.dumps({"event": text}), file=sys.stderr)


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


async def _is_ready(spec: ProcessSpec) -> bool:
    if spec.ready_url is not None:
        return (await http_status(spec.ready_url)) == 200
    assert spec.ready_port is not None
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(HTTP_TIMEOUT_SECONDS):
            _, writer = await asyncio.open_connection("127.0.0.1", spec.ready_port)
            writer.close()
            return True
    return False


async def http_status(url: str) -> int | None:
    """Return the status of a GET request, or None if there is no answer in time."""
    host, _, path = url.removeprefix("http://").partition("/")
    name, _, port = host.rpartition(":")
    with suppress(OSError, TimeoutError, ValueError, IndexError):
        async with asyncio.timeout(HTTP_TIMEOUT_SECONDS):
            reader, writer = await asyncio.open_connection(name.strip("[]"), int(port))
            try:
                writer.write(f"GET /{path} HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
                return int((await reader.readline()).split()[1])
            finally:
                writer.close()
    return None


async def _supervise(plan: Plan) -> None:
    supervisor = Supervisor(plan.processes, Path(plan.state_file), prefix_lines=plan.prefix_lines)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, supervisor.stop)
    await supervisor.run(plan.ready_message)


def main() -> None:
    """Supervise the plan in an inherited descriptor."""
    with os.fdopen(int(sys.argv[1])) as file:
        plan = Plan.from_json(file.read())
    preload()
    asyncio.run(_supervise(plan))


if __name__ == "__main__":
    main()
