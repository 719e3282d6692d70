"""How a service ends, as a process."""

import os
import signal
import socket
import subprocess
import sys

import pytest

from support.deadlines import scaled

CODE = """
import asyncio
from nightmail_common.service import service
from nightmail_common.service.settings import ServiceSettings

service.DRAIN_SECONDS = 0.5

async def serve(stop):
    print("serving", flush=True)
    await stop.wait()
    await asyncio.sleep({drains_for})

service.run_service("example", ServiceSettings(), serve)
"""


def stop_one_that_drains_for(seconds: float) -> tuple[int, str]:
    process = subprocess.Popen(
        [sys.executable, "-c", CODE.format(drains_for=seconds)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "serving\n"
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=scaled(20))
    return process.returncode, said


def test_a_service_that_is_told_to_stop_drains_and_ends_well() -> None:
    status, said = stop_one_that_drains_for(0.01)
    assert status == 0
    assert "service_stopped" in said


def test_a_drain_that_does_not_end_is_cut_short() -> None:
    status, said = stop_one_that_drains_for(600)
    assert status == 1
    assert "drain_cut_short" in said


def test_a_broker_that_does_not_answer_ends_a_service_in_one_line() -> None:
    code = """
import asyncio
import nats.errors
from nightmail_common.service.service import run_service
from nightmail_common.service.settings import ServiceSettings

async def ask():
    raise nats.errors.TimeoutError

async def serve(stop):
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(ask())

run_service("example", ServiceSettings(), serve)
"""
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=scaled(30), check=False
    )
    assert ended.returncode == 1
    assert "broker_did_not_answer" in ended.stderr
    assert "nats: timeout" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(("service", "setting"), [("ticker", "HEALTH_PORT"), ("api", "PORT")])
def test_a_port_that_is_taken_ends_the_start_with_a_line_that_names_its_setting(service: str, setting: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = subprocess.run(
            [sys.executable, "-m", f"nightmail_{service}"],
            env={**os.environ, f"NIGHTMAIL_{setting}": str(port)},
            capture_output=True,
            text=True,
            timeout=scaled(30),
            check=False,
        )
    assert ended.returncode == 1
    errors = [line for line in ended.stderr.splitlines() if "service_starting" not in line]
    assert errors == [f"error: setting NIGHTMAIL_{setting}: cannot listen on 127.0.0.1:{port}: Address already in use"]
