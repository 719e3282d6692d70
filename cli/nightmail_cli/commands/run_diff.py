"""`nightmail runs diff`: what differs between the results of two runs, over REST."""

import csv
import io
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from nightmail_cli.client import Client, job_path
from nightmail_cli.commands.completion import run_ids
from nightmail_cli.option_checks import check_run_id
from nightmail_cli.output import AsJson, echo, fail, print_json

RunId = Annotated[
    str,
    typer.Argument(
        help="The run's id, or a unique beginning of it.",
        metavar="RUN_ID",
        autocompletion=run_ids,
        callback=check_run_id,
    ),
]


def diff(
    run_id: RunId,
    other: Annotated[
        str | None,
        typer.Argument(
            help="The run to compare with. [default: the job's last delivered run before it]",
            metavar="OTHER",
            autocompletion=run_ids,
        ),
    ] = None,
    key: Annotated[
        list[str] | None, typer.Option("--key", help="A column that identifies a row; repeat it for further ones.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what differs between two results.

    The changes are those from the earlier to the later run.
    """
    if other is not None:
        check_run_id(other)
    client = Client()
    run_id = client.run_id(run_id)
    other_id = _delivered_before(client, run_id) if other is None else client.run_id(other)
    params = {"key": _record(key)} if key else {}
    found = client.call("GET", f"/runs/{run_id}/diff/{other_id}", params=params).json()
    if as_json:
        print_json(found)
        return
    for line in _lines(found):
        echo(line)


def _delivered_before(client: Client, run_id: str) -> str:
    run = client.call("GET", f"/runs/{run_id}").json()
    before = client.pages(job_path(run["job_name"], "runs"), 1, status="delivered", until=run["requested_at"])
    found = next(before, None)
    if found is None:
        fail(f"no run of the job {run['job_name']!r} was delivered before this one: name the run to compare with")
    previous: str = found["run_id"]
    return previous


def _lines(found: dict[str, Any]) -> Iterator[str]:
    rows, columns = found["rows"], found["columns"]
    yield f"from the run {found['before']}"
    yield f"  to the run {found['after']}"
    counts = {"new": rows["added"], "gone": rows["removed"], "changed": rows["changed"]}
    counted = ", ".join(f"{each['count']:,} {what}" for what, each in counts.items())
    yield f"rows: {counted}, {rows['unchanged']:,} unchanged"
    for what, each in (("new", columns["added"]), ("gone", columns["removed"])):
        if each["count"]:
            yield f"columns {what}: {_record(each['items'])}"
    for sign, each in (("+", rows["added"]), ("-", rows["removed"])):
        yield from (f"{sign} {_record(row)}" for row in each["items"])
    for row in rows["changed"]["items"]:
        cells = "; ".join(f"{cell['column']}: {cell['before']} -> {cell['after']}" for cell in row["cells"])
        yield f"~ {_record(row['key'])}: {cells}"
    if hidden := sum(each["count"] - len(each["items"]) for each in counts.values()):
        yield f"and {hidden:,} more"


def _record(cells: list[str]) -> str:
    """Return cells as one record of CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(cells)
    return text.getvalue()
