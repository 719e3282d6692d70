"""Hostile jobs on a running system: nothing gets out, and the honest jobs beside them are delivered in time.

`tests/runner/test_hostile.py` runs the same corpus in the sandbox alone, with each run of the suite.
"""

import ast
import os
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from e2e.conftest import DataServer, Nightmail
from runner.test_hostile import CORPUS, HONEST_SECONDS
from support.deadlines import scaled, wait_until
from support.job_requests import schedule_in_half_a_year

pytestmark = pytest.mark.long

DATA = b"region,amount\nnorth,10\nsouth,5\nnorth,7\n"
ENDED = ("delivered", "failed", "undelivered", "skipped")
#: A job beside a hostile one each second is delivered within this time.
SOAK_SECONDS = 10
SECOND = timedelta(seconds=1)


class _Calls(ast.NodeTransformer):
    """Writes imports as calls of `__import__`: the API refuses imports by their statement, before any wall is met."""

    def visit_Import(self, node: ast.Import) -> list[ast.stmt]:
        lines = [
            f"{name.asname} = __import__('importlib').import_module({name.name!r})"
            if name.asname
            else f"{name.name.partition('.')[0]} = __import__({name.name!r})"
            for name in node.names
        ]
        return ast.parse("\n".join(lines)).body

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt | list[ast.stmt]:
        if node.level or any(name.name == "*" for name in node.names):
            return node
        module = f"__import__('importlib').import_module({node.module!r})"
        lines = [f"{name.asname or name.name} = getattr({module}, {name.name!r})" for name in node.names]
        return ast.parse("\n".join(lines)).body


def with_calls(script: str) -> str:
    """Return a script without import statements; one that is no Python stays as it is."""
    try:
        return ast.unparse(_Calls().visit(ast.parse(f"def script():\n pass\n{script}"))).partition("pass\n")[2]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return script


class Attack:
    """A system with a job for each hostile script, and honest jobs."""

    def __init__(self, system: Nightmail, source: DataServer) -> None:
        self.system = system
        data = {"source_type": "api", "location": source.serve("/data.csv", DATA), "file_type": "csv"}
        self._fields = {"schedule_time": schedule_in_half_a_year(), "data_source": data}
        self.tried: list[str] = []
        for name, hostile in CORPUS.items():
            body = {"job_name": name, "processing_script": with_calls(hostile.text), "timeout_seconds": 1}
            body |= self._fields | {"consumer_emails": ["hostile@example.com"], "timezone": "UTC"}
            answer = system.call("POST", "/jobs", json=body)
            assert answer.status_code in {201, 400}, answer.text
            if answer.status_code == 201:
                self.tried.append(name)
        # A script that the API refuses has met no wall: it does not count as tried.
        assert len(self.tried) >= 0.9 * len(CORPUS)

    def make_honest(self, number: int) -> str:
        name = f"honest {number}"
        self.system.create(job_name=name, timezone="UTC", **self._fields)
        return name

    def no_hole(self, run_ids: dict[str, str]) -> None:
        """Check that each hostile run has ended, and that none of them found a hole."""
        for run_id, name in run_ids.items():
            self.system.run_when(run_id, *ENDED, seconds=60)
            log = self.system.call("GET", f"/runs/{run_id}/log").text
            assert "HOLE" not in log, (name, log)


def delivery_seconds(run: dict[str, Any]) -> float:
    """Return the time from the request of a run to its mail."""
    times = {event["type"]: datetime.fromisoformat(event["time"]) for event in run["timeline"]}
    return (times["mail-sent"] - times["run-requested"]) / SECOND


@pytest.fixture
def attack(tmp_path: Path, source: DataServer) -> Iterator[Attack]:
    system = Nightmail(tmp_path)
    system.start()
    yield Attack(system, source)
    assert system.stop() == 0


@pytest.fixture(scope="module")
def source() -> Iterator[DataServer]:
    source = DataServer()
    yield source
    source.close()


@pytest.mark.timeout(scaled(1800))
def test_after_each_hostile_job_an_honest_one_on_the_same_runner_is_delivered(
    attack: Attack, capsys: pytest.CaptureFixture[str]
) -> None:
    honest, hostile, taken = attack.make_honest(0), {}, {}
    for name in attack.tried:
        run_id = attack.system.run(name)
        hostile[run_id] = name
        attack.system.run_when(run_id, *ENDED, seconds=60)
        run = attack.system.run_when(attack.system.run(honest), *ENDED)
        assert run["status"] == "delivered", (name, run)
        taken[name] = delivery_seconds(run)
    attack.no_hole(hostile)
    with capsys.disabled():
        print(f"\n  {len(attack.tried)} of {len(CORPUS)} scripts tried, slowest {max(taken.values()):.2f} s")
    assert {name: seconds for name, seconds in taken.items() if seconds > scaled(HONEST_SECONDS)} == {}


@pytest.mark.timeout(0)
def test_honest_jobs_are_delivered_while_a_hostile_one_runs_each_second(
    attack: Attack, capsys: pytest.CaptureFixture[str]
) -> None:
    seconds = 60 * float(os.environ.get("SOAK_MINUTES", "10"))
    names, honest_names = cycle(attack.tried), cycle([attack.make_honest(number) for number in range(5)])
    hostile: dict[str, str] = {}
    honest: list[str] = []
    begun = time.monotonic()
    while (elapsed := time.monotonic() - begun) < seconds:
        while len(hostile) < elapsed:  # one each second, also after a slow request
            name = next(names)
            hostile[attack.system.run(name)] = name
        honest.append(attack.system.run(next(honest_names)))
        time.sleep(1)  # the load, not a wait
    wait_until(lambda: attack.system.run_when(honest[-1], *ENDED), "the last honest run has ended", 60)
    runs = [attack.system.run_when(run_id, *ENDED, seconds=60) for run_id in honest]
    taken = sorted(delivery_seconds(run) for run in runs if run["status"] == "delivered")
    with capsys.disabled():
        print(
            f"\n  {len(hostile)} hostile and {len(honest)} honest runs in {seconds:.0f} s: {len(honest) - len(taken)} lost, "
            f"median {taken[len(taken) // 2]:.2f} s, slowest {taken[-1]:.2f} s"
        )
    attack.no_hole(hostile)
    assert [run for run in runs if run["status"] != "delivered"] == []
    assert taken[-1] <= scaled(SOAK_SECONDS)
