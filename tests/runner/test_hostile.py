"""Hostile scripts: each ends as it has to, finds no hole, and leaves an honest run right after it unharmed."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runner.hostile.answers import ANSWERS
from runner.hostile.case import Hostile
from runner.hostile.files import FILES
from runner.hostile.kernel import KERNEL
from runner.hostile.limits import LIMITS
from runner.hostile.objects import OBJECTS
from support.deadlines import scaled

CORPUS: dict[str, Hostile] = FILES | KERNEL | LIMITS | ANSWERS | OBJECTS


@pytest.fixture(scope="module")
def ends() -> dict[str, dict[str, Any]]:
    """Run the whole corpus, one script after the other in one sandbox; return what came of each."""
    harness = Path(__file__).parent / "hostile" / "harness.py"
    scripts = json.dumps({name: (hostile.text, hostile.timeout_seconds) for name, hostile in CORPUS.items()})
    ended = subprocess.run(
        [sys.executable, harness], input=scripts, capture_output=True, text=True, timeout=scaled(120), check=False
    )
    assert ended.returncode == 0, ended.stderr
    return {end["name"]: end for end in map(json.loads, ended.stdout.splitlines())}


@pytest.mark.parametrize("name", CORPUS)
def test_a_hostile_script_finds_no_hole_and_the_next_run_is_unharmed(
    name: str, ends: dict[str, dict[str, Any]]
) -> None:
    end = ends[name]
    assert "HOLE" not in end["log"], end["log"]
    assert end["end"] in CORPUS[name].ends, end
    assert CORPUS[name].says in end["message"]
    assert end["honest"] is True, end


def test_the_corpus_is_large_enough() -> None:
    assert len(CORPUS) >= 100
