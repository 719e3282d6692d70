"""What a process writes to its log, as JSON for machines and on the console for people."""

import json
import re
import socket
import subprocess
import sys
from typing import Any

import pytest

from support.deadlines import scaled

RUN_ID = "0190aaaa-bbbb-7ccc-8ddd-eeeeffff0000"

CODE = f"""
import logging, threading, warnings
import structlog
from nightmail_common.service.logging import set_up_logging
from structlog.contextvars import bound_contextvars

set_up_logging("runner", "info", "LOG_FORMAT")
logger = structlog.get_logger()
logger.debug("too_fine")
logger.info("run_taken", attempt=2, answer="550 no\\x1b[2J", text="two\\nlines", name="café")
with bound_contextvars(run_id="{RUN_ID}", job_name="daily sales"):
    logger.warning("in_a_run")
    logging.getLogger("library").warning("logged by %s", "a library")
    logging.getLogger("httpx").info("GET https://example.com/?key=secret")
    logging.getLogger("mcp.server.mcpserver.server").info("Tool failed: secret@example.com is no address")
logger.info("after_the_run")
try:
    1 / 0
except ZeroDivisionError:
    logger.exception("broke")
thread = threading.Thread(target=logger.info, args=("in_a_thread",))
thread.start()
thread.join()
warnings.warn("deprecated", stacklevel=1)
"""


def log_of_a_process(log_format: str) -> str:
    ended = subprocess.run(
        [sys.executable, "-c", CODE.replace("LOG_FORMAT", log_format)],
        capture_output=True,
        text=True,
        timeout=scaled(30),
        check=True,
    )
    assert ended.stdout == ""
    return ended.stderr


@pytest.fixture(scope="module")
def json_lines() -> list[dict[str, Any]]:
    return [json.loads(line) for line in log_of_a_process("json").splitlines()]


@pytest.fixture(scope="module")
def console_lines() -> list[str]:
    return log_of_a_process("console").splitlines()


def event(lines: list[dict[str, Any]], name: str) -> dict[str, Any]:
    [line] = [line for line in lines if name in line["event"]]
    return line


def test_every_json_line_has_a_time_a_level_the_service_and_its_instance(json_lines: list[dict[str, Any]]) -> None:
    for line in json_lines:
        assert line["timestamp"].endswith("Z")
        assert line["level"] in {"info", "warning", "error"}
        assert line["service"] == "runner"
        assert re.fullmatch(rf"{re.escape(socket.gethostname())}/\d+", line["instance"])  # tells two runners apart


def test_fields_are_top_level_keys_of_a_json_line(json_lines: list[dict[str, Any]]) -> None:
    line = event(json_lines, "run_taken")
    assert (line["attempt"], line["text"], line["name"]) == (2, "two\nlines", "café")


@pytest.mark.parametrize("name", ["in_a_run", "logged by a library"])
def test_every_line_of_a_run_has_run_id_and_job_name_also_those_of_libraries(
    json_lines: list[dict[str, Any]], name: str
) -> None:
    line = event(json_lines, name)
    assert (line["run_id"], line["job_name"]) == (RUN_ID, "daily sales")


def test_lines_after_a_run_have_no_run_id(json_lines: list[dict[str, Any]]) -> None:
    assert {"run_id", "job_name"}.isdisjoint(event(json_lines, "after_the_run"))


def test_an_exception_is_one_json_line_with_its_traceback(json_lines: list[dict[str, Any]]) -> None:
    traceback = event(json_lines, "broke")["exception"]
    assert traceback.startswith("Traceback (most recent call last):\n")
    assert traceback.endswith("ZeroDivisionError: division by zero")


def test_a_warning_of_python_is_a_line_like_any_other(json_lines: list[dict[str, Any]]) -> None:
    assert event(json_lines, "UserWarning: deprecated")["level"] == "warning"


def test_lines_below_the_level_and_details_of_libraries_are_dropped(json_lines: list[dict[str, Any]]) -> None:
    assert not any("too_fine" in line["event"] or "secret" in line["event"] for line in json_lines)


def test_a_console_line_has_the_event_and_its_fields(console_lines: list[str]) -> None:
    [line] = [line for line in console_lines if "in_a_run" in line]
    assert "[warning" in line
    assert f"job_name='daily sales' run_id={RUN_ID}" in line


def test_control_characters_do_not_reach_the_terminal(console_lines: list[str]) -> None:
    [line] = [line for line in console_lines if "run_taken" in line]
    assert r"550 no\x1b[2J" in line
    assert r"text='two\nlines'" in line
    assert "name=café" in line
    assert all(line.isprintable() for line in console_lines)
