"""The processes of a sandbox: what ends them, what they need of the kernel, and that runs leave nothing behind."""

import asyncio
import gc
import os
import select
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from typing import Any

import psutil
import pytest

from nightmail_runner.sandbox.child.execute import serve_task
from nightmail_runner.sandbox.client import Sandbox
from nightmail_runner.sandbox.memory import MemoryFile
from nightmail_runner.sandbox.result import Failed
from runner.test_sandbox import DATA, TASK, csv_of, run
from support.deadlines import eventually, scaled


async def test_a_fork_server_that_dies_is_restarted_and_its_run_fails(own_sandbox: Sandbox) -> None:
    await own_sandbox.started()
    running = asyncio.create_task(run(own_sandbox, "import time\ntime.sleep(60)"))
    [server] = await eventually(fork_servers, "the fork server runs")
    await eventually(lambda: len(server.children()) >= 2, "a run has started")
    server.send_signal(signal.SIGKILL)

    result, _ = await running

    assert isinstance(result, Failed)
    assert result.kind == "sandbox"
    assert await csv_of(own_sandbox, TASK.script) == b"region,amount\nnorth,17\nsouth,5\n"


def fork_servers() -> list[psutil.Process]:
    """Return the fork servers of this process, without their workers."""
    found = []
    for child in psutil.Process().children():
        # A child of an earlier test may end meanwhile, or may have ended without being waited for: no command line.
        with suppress(psutil.NoSuchProcess):
            if "forkserver" in " ".join(child.cmdline()):
                found.append(child)
    return found


async def test_many_runs_leak_no_descriptor_process_or_memory(own_sandbox: Sandbox) -> None:
    runs = int(os.environ.get("MANY_RUNS", "100"))
    own = psutil.Process()
    with MemoryFile.of(DATA) as source:

        async def some(times: int) -> None:
            for number in range(times):
                with MemoryFile("csv") as csv:
                    await own_sandbox.run(replace(TASK, script="1 / 0") if number % 5 == 0 else TASK, source, csv)
            gc.collect()

        await some(30)
        [server] = fork_servers()
        before = (own.num_fds(), own.memory_info().rss, server.num_fds(), server.memory_info().rss)
        await some(runs)
        await eventually(lambda: len(server.children()) == 1, "only the prewarmed worker remains")
        after = (own.num_fds(), own.memory_info().rss, server.num_fds(), server.memory_info().rss)
    assert after[0] <= before[0] + 2
    assert after[2] <= before[2] + 2
    assert after[1] < before[1] + 4_000_000
    assert after[3] < before[3] + 4_000_000


async def test_an_answer_counts_although_its_worker_exits_before_the_runner_reads_it(
    own_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A short script on a busy machine: the worker has ended when the runner goes on."""
    send = socket.send_fds

    def send_and_wait(sock: socket.socket, *arguments: Any) -> int:
        sent = send(sock, *arguments)
        if sock.type != socket.SOCK_STREAM:  # the fork server's
            return sent
        closing = select.poll()
        closing.register(sock, select.POLLRDHUP)
        assert closing.poll(scaled(20) * 1000)
        return sent

    monkeypatch.setattr(socket, "send_fds", send_and_wait)
    assert await csv_of(own_sandbox, TASK.script) == b"region,amount\nnorth,17\nsouth,5\n"


async def test_closing_a_sandbox_ends_its_processes() -> None:
    async with Sandbox() as sandbox:
        await sandbox.started()
        [server] = fork_servers()
        assert server.is_running()
    await eventually(lambda: not server.is_running(), "the fork server is gone")


def test_a_worker_whose_socket_closes_before_its_task_does_not_end_as_one_that_has_answered() -> None:
    ours, theirs = socket.socketpair()
    theirs.close()
    with ours:
        assert not serve_task(ours)


@pytest.mark.parametrize("missing", ["landlock_create_ruleset", "seccomp"])
def test_a_kernel_without_an_isolation_layer_is_refused_in_one_line(missing: str) -> None:
    without = (
        "import errno, os, sys, seccompy\n"
        "denied = seccompy.Filter(seccompy.Action.ALLOW)\n"
        f"denied.errno({missing!r}, errno.ENOSYS)\n"
        "denied.load()\n"
        "os.execv(sys.executable, [sys.executable, '-m', 'nightmail_runner'])\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", without],
        env={"NIGHTMAIL_NATS_URL": "nats://127.0.0.1:1", "NIGHTMAIL_LOG_LEVEL": "error"},
        capture_output=True,
        text=True,
        timeout=scaled(30),
        check=False,
    )
    assert ended.returncode == 1
    [line] = ended.stderr.splitlines()
    assert line.startswith("error: scripts cannot be isolated on this machine: this kernel")


def test_a_worker_imports_nothing_that_only_costs_start_up_time_and_memory() -> None:
    code = "import sys; from nightmail_runner.sandbox.child import execute; print(*(name for name in sys.modules if sys.modules[name]))"
    printed = subprocess.run(
        [sys.executable, "-c", code], check=True, timeout=scaled(30), capture_output=True, text=True
    ).stdout
    modules = set(printed.split())
    assert {"pandas", "pyarrow.parquet", "xlsxwriter"} <= modules
    assert not modules & {"pydantic", "http.client", "urllib.request", "pyarrow._s3fs", "matplotlib"}


def test_a_fork_server_keeps_no_pages_of_libraries_that_only_their_loader_has_read() -> None:
    """Code and constants are there when they are needed again: pandas computes and writes as before."""
    code = """
import re
import pandas
from nightmail_runner.sandbox.library_pages import release_library_pages

def of_files():
    with open("/proc/self/status") as status:
        return int(re.search("RssFile:\\s*([0-9]+)", status.read())[1])

before = of_files()
release_library_pages()
after = of_files()
table = pandas.DataFrame({"a": [1, 2, 2], "b": ["x", "y", "y"]}).groupby("b").sum()
assert table.to_csv() == "b,a\\nx,1\\ny,4\\n"
assert after < before / 2, (before, after)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=scaled(30))
