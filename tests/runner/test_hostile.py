"""Hostile scripts: each ends as expected, finds no hole, and does not affect the next run."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runner.hostile.answers import ANSWERS
from runner.hostile.case import Hostile
from runner.hostile.charts import CHARTS
from runner.hostile.files import FILES
from runner.hostile.kernel import KERNEL
from runner.hostile.limits import LIMITS
from runner.hostile.objects import OBJECTS
from support.deadlines import scaled

CORPUS: dict[str, Hostile] = FILES | KERNEL | LIMITS | ANSWERS | OBJECTS | CHARTS


#: After a hostile script, an honest one on the same runner has its result within this time.
HONEST_SECONDS = 5


def timeout_of(hostile: Hostile) -> float:
    """Return a script's timeout. One that ends by it takes all of it, whatever the machine's speed."""
    return hostile.timeout_seconds if "timeout" in hostile.ends else scaled(hostile.timeout_seconds)


@pytest.fixture(scope="module")
def results() -> dict[str, dict[str, Any]]:
    """Run the whole corpus in the harness; return the results by name."""
    harness = Path(__file__).parent / "hostile" / "harness.py"
    scripts = json.dumps({name: (hostile.text, timeout_of(hostile)) for name, hostile in CORPUS.items()})
    ended = subprocess.run(
        [sys.executable, harness], input=scripts, capture_output=True, text=True, timeout=scaled(120), check=False
    )
    assert ended.returncode == 0, ended.stderr
    return {result["name"]: result for result in map(json.loads, ended.stdout.splitlines())}


@pytest.mark.parametrize("name", CORPUS)
def test_a_hostile_script_finds_no_hole_and_does_not_affect_the_next_run(
    name: str, results: dict[str, dict[str, Any]]
) -> None:
    result = results[name]
    assert "HOLE" not in result["log"], result["log"]
    assert result["end"] in CORPUS[name].ends, result
    assert CORPUS[name].says in result["message"]
    assert result["honest"] is True, result
    assert result["seconds"] <= scaled(HONEST_SECONDS)


def test_the_corpus_is_large_enough() -> None:
    assert len(CORPUS) >= 113
