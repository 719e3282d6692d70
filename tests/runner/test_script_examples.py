"""The examples of docs/scripts.md: each script gives what stands below it."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from nightmail_common.contract.chart_detection import draws_charts
from nightmail_common.contract.script import DEFAULT_IMPORTS, check_imports, reads_previous
from nightmail_runner.parsing.options import ReadOptions
from nightmail_runner.sandbox.client import Sandbox
from nightmail_runner.sandbox.memory import MemoryFile
from nightmail_runner.sandbox.result import Failed, Skipped, Succeeded
from nightmail_runner.sandbox.task import Limits, Task
from support.deadlines import scaled

_PAGE = (Path(__file__).parents[2] / "docs" / "scripts.md").read_text()
_BLOCKS = re.findall(r"```(\S+)(?: data)?\n(.*?)```", _PAGE, re.DOTALL)
_DATA = _BLOCKS[0][1]
_EXAMPLES = [(script, *_BLOCKS[number + 1]) for number, (kind, script) in enumerate(_BLOCKS) if kind == "python"]


def test_the_page_has_twenty_three_examples_and_some_errors() -> None:
    kinds = [kind for _, kind, _ in _EXAMPLES]
    counts = [kinds.count("csv") + kinds.count("skipped"), kinds.count("figures"), kinds.count("error")]
    assert counts == [21, 2, 3]


@pytest.mark.parametrize(("script", "kind", "shown"), _EXAMPLES)
@pytest.mark.asyncio(loop_scope="module")
async def test_an_example_gives_what_the_page_shows(sandbox: Sandbox, script: str, kind: str, shown: str) -> None:
    check_imports(script, DEFAULT_IMPORTS)
    task = Task(
        script=script,
        read=ReadOptions("csv"),
        job_name="daily sales",
        scheduled_at=datetime(2026, 1, 7, 9, tzinfo=UTC),
        reads_previous=reads_previous(script),
        figures=draws_charts(script),
        limits=Limits(timeout_seconds=scaled(20)),
    )
    with MemoryFile.of(_DATA.encode()) as source, MemoryFile("csv") as csv, MemoryFile("figures") as figures:
        result = await sandbox.run(task, source, csv, figures=figures if task.figures else None)
        if kind == "csv":
            assert isinstance(result, Succeeded), result
            assert csv.read().decode() == shown
        elif kind == "figures":
            assert isinstance(result, Succeeded), result
            assert [figure.alt for figure in result.figures] == shown.splitlines()
        elif kind == "skipped":
            assert isinstance(result, Skipped), result
            assert result.reason == shown.strip()
        else:
            assert isinstance(result, Failed), result
            assert shown.strip() in result.message
