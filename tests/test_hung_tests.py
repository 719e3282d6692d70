"""A test run ends by itself: a hung test fails with its stack, a crashed worker ends the run."""

import os
import subprocess
import sys
from pathlib import Path

from support.deadlines import scaled

ROOT = Path(__file__).parents[1]
MAKEFILE = (ROOT / "Makefile").read_text()
#: Of the 150 seconds of a test.
FACTOR = "0.02"


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
