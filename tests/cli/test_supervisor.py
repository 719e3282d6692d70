"""The supervisor with real processes that end, hang and drain."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from nightmail_cli.local.prefork import Program, environment_descriptor
from nightmail_cli.local.supervisor import ProcessSpec, Supervisor
from support.deadlines import eventually, scaled
from support.ports import free_port


def python(code: str, *arguments: str) -> Program:
    return Program("python", environment_descriptor(dict(os.environ)), [sys.executable, "-c", code, *arguments])


LISTEN = """
import signal, socket, sys, time
listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
def drain(*_):
    with open(sys.argv[2], "a") as file:
        file.write(sys.argv[3] + "\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, drain)
while True:
    listening.accept()
"""


def listener(name: str, drained: Path, stop_rank: int) -> ProcessSpec:
    port = free_port()
    return ProcessSpec(name, python(LISTEN, str(port), str(drained), name), stop_rank, ready_port=port)


@asynccontextmanager
async def supervised(supervisor: Supervisor) -> AsyncIterator[None]:
    running = asyncio.create_task(supervisor.run("all is ready"))
    try:
        yield
    finally:
        supervisor.stop()
        await asyncio.wait_for(running, scaled(30))


def state(file: Path) -> dict[str, Any]:
    processes = json.loads(file.read_text())["processes"] if file.exists() else []
    return {process["name"]: process for process in processes}


async def test_it_prints_the_ready_message_once_and_drains_by_rank(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drained = tmp_path / "drained"
    specs = [listener("broker", drained, 2), listener("worker", drained, 1), listener("entrance", drained, 0)]
    output = ""
    async with supervised(Supervisor(specs, tmp_path / "state.json", prefix_lines=True)):

        def announced() -> bool:
            nonlocal output
            output += capsys.readouterr().out
            return "all is ready" in output

        await eventually(announced, "all is ready")
    assert drained.read_text().split() == ["entrance", "worker", "broker"]
    assert not (tmp_path / "state.json").exists()


async def test_a_killed_process_is_restarted_and_its_descendants_are_killed(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    parent = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'])"
    spec = ProcessSpec("parent", python(parent), 0, ready_port=1)
    async with supervised(Supervisor([spec], file, prefix_lines=True)):
        await eventually(lambda: state(file), "it runs")
        first = psutil.Process(state(file)["parent"]["pid"])
        [child] = await eventually(first.children, "it has started a child")
        first.send_signal(signal.SIGKILL)
        await eventually(lambda: state(file)["parent"]["pid"] != first.pid, "it is back")
        assert state(file)["parent"]["restarts"] == 1
        await eventually(lambda: _has_ended(child), "the first one's child is gone")


def _has_ended(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE  # its new parent has not reaped it yet
    except psutil.NoSuchProcess:
        return True


async def test_a_process_that_keeps_ending_is_restarted_with_backoff(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = ProcessSpec("dying", python("raise SystemExit(3)"), 0, ready_port=1)
    said = ""
    async with supervised(Supervisor([spec], tmp_path / "state.json", prefix_lines=True)):

        def thrice() -> bool:
            nonlocal said
            said += capsys.readouterr().err
            return said.count("ended with exit code 3") >= 3

        await eventually(thrice, "it died three times")
    waits = [
        float(line.rpartition(" in ")[2].removesuffix(" s")) for line in said.splitlines() if "restarting it" in line
    ]
    for wait, ceiling in zip(waits, (0.1, 0.2, 0.4), strict=False):
        assert ceiling / 2 - 0.005 <= wait <= ceiling + 0.005


async def test_a_process_that_ignores_sigterm_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nightmail_cli.local.supervisor.DRAIN_SECONDS", 0.3)
    port = free_port()
    code = (
        "import signal, socket; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        f"s = socket.create_server(('127.0.0.1', {port}));\nwhile True: s.accept()"
    )
    spec = ProcessSpec("stubborn", python(code), 0, ready_port=port)
    file = tmp_path / "state.json"
    async with supervised(Supervisor([spec], file, prefix_lines=True)):
        await eventually(lambda: state(file), "it runs")
        process = psutil.Process(state(file)["stubborn"]["pid"])
        await eventually(lambda: process.net_connections(), "it listens")
    assert not process.is_running()


async def test_lines_carry_the_process_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = "import time; print('a line', flush=True); print('x' * 3_000_000); print('after a long one', flush=True); time.sleep(60)"
    spec = ProcessSpec("talker", python(code), 0, ready_port=1)
    said = ""
    async with supervised(Supervisor([spec], tmp_path / "state.json", prefix_lines=True)):

        def heard() -> bool:
            nonlocal said
            said += capsys.readouterr().err
            return "after a long one" in said

        await eventually(heard, "its lines come")
    assert "talker a line\n" in said
    assert "talker after a long one\n" in said


async def test_a_state_file_that_cannot_be_written_is_written_later_and_stops_no_restart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nightmail_cli.local.supervisor.WATCH_SECONDS", 0.05)
    file, ran = tmp_path / "missing" / "state.json", tmp_path / "ran"
    code = "import sys, time; open(sys.argv[1], 'a').write('x'); time.sleep(0.05)"
    spec = ProcessSpec("dying", python(code, str(ran)), 0, ready_port=1)
    async with supervised(Supervisor([spec], file, prefix_lines=True)):
        await eventually(lambda: ran.exists() and len(ran.read_text()) >= 3, "it runs again and again")
        file.parent.mkdir()
        await eventually(lambda: state(file), "the state is written")
    said = capsys.readouterr().err
    assert said.count("cannot write") == 1
    assert f"cannot write {file}: No such file or directory" in said


HEALTH = """
import http.server, sys
from pathlib import Path
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(503 if Path(sys.argv[2]).exists() else 200)
        self.end_headers()
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


async def test_a_process_that_keeps_an_error_is_restarted_once_its_disk_takes_writes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nightmail_cli.local.supervisor.WATCH_SECONDS", 0.05)
    monkeypatch.setattr("nightmail_cli.local.supervisor.UNHEALTHY_SECONDS", 0.3)
    port, broken, store, file = free_port(), tmp_path / "broken", tmp_path / "store", tmp_path / "state.json"
    url = f"http://127.0.0.1:{port}/"
    spec = ProcessSpec(
        "broker", python(HEALTH, str(port), str(broken)), 0, ready_port=port, live_url=url, store=str(store)
    )
    said = ""

    def heard(text: str) -> bool:
        nonlocal said
        said += capsys.readouterr().err
        return text in said

    async with supervised(Supervisor([spec], file, prefix_lines=True)):
        await eventually(lambda: heard("GET / HTTP"), "it was healthy once")
        first = state(file)["broker"]["pid"]
        broken.touch()
        await eventually(lambda: heard(f"broker is not healthy: {store}: No such file or directory"), "the reason")
        assert state(file)["broker"]["pid"] == first
        store.mkdir()
        await eventually(lambda: heard("broker keeps an error and is restarted"), "it is restarted")
        broken.unlink()
        await eventually(lambda: state(file)["broker"]["restarts"] == 1, "it runs again")
    assert said.count("is not healthy") == 1


async def test_a_process_that_answers_nothing_is_restarted_and_one_that_does_not_listen_yet_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nightmail_cli.local.supervisor.WATCH_SECONDS", 0.05)
    monkeypatch.setattr("nightmail_cli.local.supervisor.HANG_PROBE_SECONDS", scaled(0.5))
    monkeypatch.setattr("nightmail_cli.local.supervisor.DRAIN_SECONDS", 0.5)
    port, file = free_port(), tmp_path / "state.json"
    starting = ProcessSpec(
        "starting", python("import time; time.sleep(600)"), 0, live_url=f"http://127.0.0.1:{free_port()}/"
    )
    url = f"http://127.0.0.1:{port}/"
    service = ProcessSpec(
        "service", python(HEALTH, str(port), str(tmp_path / "broken")), 0, ready_url=url, live_url=url
    )
    said = ""

    def heard(text: str) -> bool:
        nonlocal said
        said += capsys.readouterr().err
        return text in said

    async with supervised(Supervisor([starting, service], file, prefix_lines=True)):
        await eventually(lambda: heard("GET / HTTP"), "it answers")
        first = state(file)["service"]["pid"]
        (tmp_path / "broken").touch()  # 503 is an answer
        os.kill(first, signal.SIGSTOP)
        await eventually(lambda: state(file)["service"]["pid"] not in {None, first}, "another one runs")
        assert heard("service hangs: it answers no request, and is restarted")
        assert "service was ended by SIGKILL" in said
        before = said.count("GET / HTTP")
        await eventually(
            lambda: not heard("starting hangs") and said.count("GET / HTTP") > before + 20, "it answers 503"
        )
        assert {name: process["restarts"] for name, process in state(file).items()} == {"starting": 0, "service": 1}


async def test_the_last_lines_of_a_log_file_follow_an_unexpected_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "nats.log"
    log.write_text("a line of an earlier process\n")
    code = "import sys; open(sys.argv[1], 'a').write('[7] [INF] Server is ready\\n[7] [FTL] permission denied\\n'); sys.exit(1)"
    spec = ProcessSpec("nats", python(code, str(log)), 0, ready_port=1, log_file=str(log))
    said = ""

    def heard() -> bool:
        nonlocal said
        said += capsys.readouterr().err
        return "permission denied" in said

    async with supervised(Supervisor([spec], tmp_path / "state.json", prefix_lines=False)):
        await eventually(heard, "the line")
    lines = [json.loads(line) for line in said.splitlines()]
    assert "nats: [7] [FTL] permission denied" in [line["event"] for line in lines]
    assert all(line.keys() == {"event", "level", "timestamp", "service"} for line in lines)
    assert "earlier process" not in said
    assert "Server is ready" not in said


async def test_systemd_hears_when_the_essential_processes_are_ready_and_what_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nightmail_cli.local.supervisor.INTERVAL_SECONDS", 0.05)
    monkeypatch.setattr("nightmail_cli.local.supervisor.WATCH_SECONDS", 0.05)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        mailer = ProcessSpec("mailer", python("import time; time.sleep(600)"), 0, ready_port=free_port())
        api = replace(listener("api", tmp_path / "drained", 0), essential=True)
        heard: list[str] = []

        def hear(wanted: str) -> bool:
            with suppress(BlockingIOError):
                while True:
                    heard.append(manager.recv(4096).decode())
            return any(wanted in message for message in heard)

        async with supervised(Supervisor([api, mailer], tmp_path / "state.json", prefix_lines=True)):
            await eventually(lambda: hear("READY=1"), "the start has ended")
        assert hear("STOPPING=1")
    assert all("EXTEND_TIMEOUT_USEC=30000000" in message for message in heard if "not ready: api" in message)
    ready = next(message for message in heard if "READY=1" in message)
    assert ready.splitlines() == ["WATCHDOG=1", "STATUS=not ready: mailer", "READY=1"]
