"""`nightmail runs`: list, show and cancel runs, their logs and results, over REST."""

import csv
import io
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from nightmail_cli.client import Client
from nightmail_cli.output import AsJson, echo, fail, format_time, print_fields, print_json, print_table

app = typer.Typer(no_args_is_help=True)
RunId = Annotated[str, typer.Argument(help="The run's id.", metavar="RUN_ID")]


@app.command("list")
def list_runs(
    job: Annotated[str | None, typer.Option(help="Only runs of this job.")] = None,
    status: Annotated[str | None, typer.Option(help="Only runs of this status.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="The maximum number of items.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List runs, newest first."""
    runs = list(Client().pages("/runs", limit, job_name=job, status=status))
    if as_json:
        print_json(runs)
        return
    rows = (
        (run["run_id"], run["job_name"], run["status"], run["trigger"], format_time(run["scheduled_at"]), run["rows"])
        for run in runs
    )
    columns = ("run", "job", "status", "trigger", "scheduled for", "rows")
    print_table(columns, rows, empty="there are no runs", whole="run")


@app.command("show")
def show(run_id: RunId, as_json: AsJson = False) -> None:
    """Show one run with its timeline."""
    run = Client().call("GET", f"/runs/{run_id}").json()
    if as_json:
        print_json(run)
        return
    timeline = run.pop("timeline")
    print_fields(run)
    for event in timeline:
        echo(f"    {event['time']}  {event['type']}")


@app.command("cancel")
def cancel(run_id: RunId, as_json: AsJson = False) -> None:
    """Cancel a queued or running run: its script is killed, and nothing of it is mailed."""
    answer = Client().call("POST", f"/runs/{run_id}/cancel").json()
    if as_json:
        print_json(answer)
    else:
        echo(f"{run_id} cancelled")


@app.command("log")
def log(run_id: RunId, as_json: AsJson = False) -> None:
    """Print the run's log: the output of its script."""
    text = Client().call("GET", f"/runs/{run_id}/log").text
    if as_json:
        print_json({"run_id": run_id, "log": text})
    else:
        echo(text, nl=False)


@app.command("result")
def result(
    run_id: RunId,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Write to this file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print the run's CSV, or write it to a file."""
    client = Client()
    answer = client.call("GET", f"/runs/{run_id}/result")
    if as_json:
        text = io.StringIO(answer.content.decode("utf-8-sig"), newline="")
        columns, *rows = csv.reader(text, delimiter=_delimiter(client, run_id))
        print_json({"run_id": run_id, "columns": columns, "rows": rows})
    elif output is None and sys.stdout.isatty():
        echo(answer.content.decode(errors="replace"), nl=False)
    elif output is None:
        sys.stdout.buffer.write(answer.content)
    else:
        try:
            output.write_bytes(answer.content)
        except OSError as error:
            fail(f"{output}: {error.strerror}")


def _delimiter(client: Client, run_id: str) -> str:
    """Return the delimiter of a run's CSV, which its event says; the job may be deleted since then."""
    events = client.call("GET", "/events", params={"run_id": run_id, "type": "result-ready"}).json()["items"]
    delimiter: str = events[0]["data"]["job"].get("csv", {"delimiter": ","})["delimiter"]
    return delimiter


def summary(run: dict[str, Any]) -> str:
    """Return the outcome of a run in one line."""
    if run["error"] is not None:
        return f"{run['status']} at {run['error']['stage']}: {run['error']['type']}: {run['error']['message']}"
    if run["status"] == "cancelled":
        return "cancelled"
    if run["skipped"] is not None:
        return f"{run['status']} ({run['skipped']['reason']}): {run['skipped']['detail']}"
    return f"{run['status']}, {run['rows']} rows"
