"""The example jobs run offline on the data that comes with them, and give the report that they promise."""

import csv
import io
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from nightmail_cli.commands.job_file import read_job
from nightmail_common.contract.chart_detection import draws_charts
from nightmail_common.contract.job import DataSource
from nightmail_common.contract.job_definition import JobDefinition
from nightmail_runner.parsing.options import ReadOptions
from nightmail_runner.sandbox.client import Sandbox
from nightmail_runner.sandbox.memory import MemoryFile
from nightmail_runner.sandbox.result import Succeeded
from runner.test_sandbox import TASK

EXAMPLES = Path(__file__).parents[2] / "examples"
CHARTS = {"seattle-weather": ["Bar chart: Rain per month. Vertical axis: mm."]}
#: The number of rows, the values of the second column, those of the first one with its name, or the whole table.
EXPECTED: dict[str, int | set[str] | list[str] | list[list[str]]] = {
    "missing-days": [["day", "weekday"], ["2026-10-14", "Wednesday"], ["2026-11-09", "Monday"]],
    "duplicate-orders": ["order_id", "0010039", "0010119", "0010199"],
    "new-orders": {"2026-11-24"},
    "top-customers": 10,
    "penguins": 6,
    "orders-and-unpaid": 12,
}
DUE = datetime(2026, 11, 25, 6, tzinfo=UTC)


def read_options(source: DataSource) -> ReadOptions:
    return ReadOptions(source.file_type or "arrow", types=source.types or {})


async def report(sandbox: Sandbox, name: str) -> list[list[str]]:
    """Return the CSV of an example, header first."""
    job = JobDefinition.model_validate(read_job(EXAMPLES / "jobs" / f"{name}.yaml"))
    task = replace(
        TASK,
        script=job.processing_script,
        read=read_options(job.data_source),
        more={name: read_options(source) for name, source in job.more_sources.items()},
        job_name=job.job_name,
        scheduled_at=DUE,
        figures=draws_charts(job.processing_script),
    )
    with ExitStack() as files, MemoryFile("csv") as output, MemoryFile("figures") as figures:
        data, *more = (
            files.enter_context(MemoryFile.of((EXAMPLES / "data" / source.location).read_bytes()))
            for source in job.sources.values()
        )
        result = await sandbox.run(task, data, output, figures=figures if task.figures else None, more=more)
        assert isinstance(result, Succeeded), result
        assert (result.notes, result.output_notes) == ((), ())
        assert [figure.alt for figure in result.figures] == CHARTS.get(name, [])
        return list(csv.reader(io.StringIO(output.read().decode())))


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", sorted(path.stem for path in (EXAMPLES / "jobs").glob("*.yaml")))
async def test_an_example_runs_on_the_data_that_comes_with_it_and_finds_what_it_holds(
    sandbox: Sandbox, name: str
) -> None:
    table = await report(sandbox, name)
    header, *rows = table
    assert header
    assert rows
    match EXPECTED.get(name):
        case int() as count:
            assert len(rows) == count
        case set() as days:
            assert {row[1] for row in rows} == days
        case [str(), *_] as first_cells:
            assert [row[0] for row in table] == first_cells
        case list() as whole:
            assert table == whole


def test_the_expected_examples_exist() -> None:
    assert all((EXAMPLES / "jobs" / f"{name}.yaml").exists() for name in EXPECTED)
