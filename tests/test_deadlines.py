"""A test run ends by itself: time-outs scale, a hung test fails with its stack, a crashed worker ends the run."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

from conftest import LONGEST_FILES
from support.deadlines import poll_interval, scaled

ROOT = Path(__file__).parents[1]
MAKEFILE = (ROOT / "Makefile").read_text()
#: Literal time-outs up to this many seconds are probes inside a polling loop, or the subject of the test.
LONGEST_PROBE_SECONDS = 3
#: A call that reads a clock, in the text of an expression.
CLOCK = re.compile(r"\btime\.(monotonic|perf_counter|process_time|time)\(\)")
#: A part of the 150 seconds of a test.
FACTOR = "0.02"


def literal_timeouts(path: Path) -> list[int]:
    """Return the lines of calls with a numeric time-out above LONGEST_PROBE_SECONDS."""
    lines = []
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        values = [keyword.value for keyword in node.keywords if keyword.arg == "timeout"]
        if ast.unparse(node.func) in {"asyncio.timeout", "asyncio.wait_for"}:
            values += node.args[-1:]
        numbers = [value.value for value in values if isinstance(value, ast.Constant)]
        lines += [
            node.lineno for number in numbers if isinstance(number, int | float) and number > LONGEST_PROBE_SECONDS
        ]
    return lines


def test_every_time_out_of_a_test_scales() -> None:
    found = {str(path.relative_to(ROOT)): literal_timeouts(path) for path in (ROOT / "tests").rglob("*.py")}
    assert {path: lines for path, lines in found.items() if lines} == {}, "use support.deadlines.scaled"


def literal_limits(path: Path) -> list[int]:
    """Return the lines that compare a measured time, as `time.monotonic() - begun`, with a number."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Compare)
        and isinstance(node.ops[0], ast.Lt | ast.LtE)
        and isinstance(node.comparators[0], ast.Constant)
        and CLOCK.search(ast.unparse(node.left))
    ]


def test_every_limit_of_a_measured_time_scales() -> None:
    found = {str(path.relative_to(ROOT)): literal_limits(path) for path in (ROOT / "tests").rglob("*.py")}
    assert {path: lines for path, lines in found.items() if lines} == {}, "use support.deadlines.scaled"


def run_pytest(folder: Path, **files: str) -> "subprocess.CompletedProcess[str]":
    """Run test files with this repository's configuration, conftest.py and options of `make test`."""
    paths = [folder / f"test_{name}.py" for name in files]
    for path, text in zip(paths, files.values(), strict=True):
        path.write_text(text)
    [line] = [line for line in MAKEFILE.splitlines() if "-m pytest -n" in line]
    options = line.partition("-m pytest ")[2].replace("$(ARGS)", "").split()
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "conftest", "-c", ROOT / "pyproject.toml", *options, *paths],
        env=os.environ | {"PYTHONPATH": str(ROOT / "tests"), "TEST_TIME_FACTOR": FACTOR},
        capture_output=True,
        text=True,
        timeout=scaled(60),
        check=False,
    )


def test_a_hung_test_fails_with_its_stack_and_the_run_goes_on(tmp_path: Path) -> None:
    hangs = "import asyncio\nasync def test_hangs(): await asyncio.Event().wait()\ndef test_after(): pass\n"
    ended = run_pytest(tmp_path, hangs=hangs, other="def test_other(): pass\n")
    assert ended.returncode == 1
    assert "Timeout (>3.0s) from pytest-timeout" in ended.stdout
    assert "in run_forever" in ended.stdout
    assert "1 failed, 2 passed" in ended.stdout


def test_a_crashed_worker_ends_the_run_with_a_failure(tmp_path: Path) -> None:
    crashes = "import os\ndef test_crashes(): os._exit(1)\n"
    ended = run_pytest(tmp_path, crashes=crashes, more="def test_more(): pass\n", other="def test_other(): pass\n")
    assert ended.returncode == 1
    assert "crashed while running" in ended.stdout


def test_the_files_that_begin_first_exist() -> None:
    assert [name for name in LONGEST_FILES if not (ROOT / "tests" / name).is_file()] == []


def test_a_condition_that_takes_long_is_checked_less_often() -> None:
    assert [poll_interval(waited) for waited in (0, 0.3, 1, 60)] == [0.02, 0.02, 0.05, 0.1]
