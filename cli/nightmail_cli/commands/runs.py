"""`nightmail runs`: list, show and cancel runs, their logs and results, over REST."""

import csv
import io
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from nightmail_cli.client import Client, job_path
from nightmail_cli.commands.completion import job_names, run_ids, run_statuses
from nightmail_cli.commands.run_diff import RunId, diff
from nightmail_cli.commands.run_view import print_run, short_ids
from nightmail_cli.help import WholeHelp
from nightmail_cli.option_checks import check_choice, check_run_id, check_time
from nightmail_cli.output import (
    AsJson,
    echo,
    fail,
    first_of,
    format_time,
    print_done,
    print_json,
    print_json_line,
    print_table,
    write_content,
)

app = typer.Typer(cls=WholeHelp, no_args_is_help=True)
#: How long `watch` waits before it asks again a read model that is behind the event it has just printed.
BEHIND_SECONDS = 0.05


@app.command("list")
def list_runs(
    job: Annotated[str | None, typer.Option(help="Only runs of this job.", autocompletion=job_names)] = None,
    status: Annotated[
        str | None, typer.Option(help="Only runs of this status, such as failed.", autocompletion=run_statuses)
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Only runs that were requested at this time or later (ISO 8601 with offset).")
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="Only runs that were requested before this time (ISO 8601 with offset).")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="The maximum number of items.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List runs, newest first."""
    if status is not None:  # the list of them takes long to import
        check_choice(status, run_statuses(""), "--status")
    check_time(since, "--since")
    check_time(until, "--until")
    path = "/runs" if job is None else job_path(job, "runs")
    runs = first_of(Client().pages(path, limit + 1, status=status, since=since, until=until), limit)
    if as_json:
        print_json(runs)
        return
    ids = short_ids([run["run_id"] for run in runs])
    rows = (
        (
            ids[run["run_id"]],
            run["job_name"],
            run["status"],
            run["trigger"],
            format_time(run["scheduled_at"]),
            run["rows"],
        )
        for run in runs
    )
    columns = ("run", "job", "status", "trigger", "due", "rows")
    print_table(columns, rows, empty="there are no runs", whole="run", optional=("trigger",))


@app.command("show")
def show(run_id: RunId, as_json: AsJson = False) -> None:
    """Show one run: its outcome, error, mails and timeline."""
    client = Client()
    run = client.call("GET", f"/runs/{client.run_id(run_id)}").json()
    print_json(run) if as_json else print_run(run)


@app.command("watch")
def watch(
    run_id: Annotated[
        str | None,
        typer.Argument(
            help="Watch this run until it ends. [default: all runs]", metavar="RUN_ID", autocompletion=run_ids
        ),
    ] = None,
    job: Annotated[str | None, typer.Option(help="Only runs of this job.", autocompletion=job_names)] = None,
    as_json: AsJson = False,
) -> None:
    """Print what happens to runs, as it happens, until interrupted."""
    from nightmail_cli.commands.run_events import follow, print_event

    client = Client()
    whole = None if run_id is None else client.run_id(check_run_id(run_id))
    if job is not None:
        client.call("GET", job_path(job))
    try:
        for event in follow(client, job, whole, None if whole is None else 0):
            print_json_line(event) if as_json else print_event(event)
            if whole is not None and _is_last(event, client, whole):
                return
    except KeyboardInterrupt:
        raise typer.Exit from None


def _is_last(event: dict[str, Any], client: Client, run_id: str) -> bool:
    """Return whether the run has ended with this event. The read model can be a moment behind the event stream."""
    from nightmail_cli.commands.run_events import WORDS
    from nightmail_client.records import UNFINISHED  # the client takes long to import

    while (run := client.call("GET", f"/runs/{run_id}").json())["timeline"][-1]["sequence"] < event["seq"]:
        time.sleep(BEHIND_SECONDS)
    shown = [entry["sequence"] for entry in run["timeline"] if entry["type"] in WORDS]
    return run["status"] not in UNFINISHED and event["seq"] >= shown[-1]


@app.command("cancel")
def cancel(run_id: RunId, as_json: AsJson = False) -> None:
    """Cancel a queued or running run.

    Its script is killed, and nothing of it is mailed.
    """
    client = Client()
    answer = client.call("POST", f"/runs/{client.run_id(run_id)}/cancel").json()
    print_done(f"{answer['run_id']} cancelled", answer, as_json=as_json)


@app.command("resend")
def resend(
    run_id: Annotated[
        str | None,
        typer.Argument(help="The run's id, or a unique beginning of it.", metavar="RUN_ID", autocompletion=run_ids),
    ] = None,
    to: Annotated[
        list[str] | None, typer.Option("--to", help="Only to this recipient of the run; may be repeated.")
    ] = None,
    split_value: Annotated[
        str | None, typer.Option(help="Only the slice of this value, of a result that is split.")
    ] = None,
    undelivered_since: Annotated[
        str | None,
        typer.Option(
            help="Instead of one run: all mails that were refused at this time or later (ISO 8601 with offset)."
        ),
    ] = None,
    job: Annotated[
        str | None, typer.Option(help="With --undelivered-since: only of this job.", autocompletion=job_names)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Mail the result or failure of runs again.

    Of one run, or of all runs whose mail did not reach a recipient since a time.
    """
    if (
        (run_id is None) == (undelivered_since is None)
        or (job and run_id)
        or ((to or split_value) and undelivered_since)
    ):
        raise typer.BadParameter("name a run (with --to, --split-value), or --undelivered-since (with --job)")
    check_time(undelivered_since, "--undelivered-since")
    client = Client()
    if run_id is not None:
        check_run_id(run_id)
        body = {"recipients": to or None, "split_value": split_value}
        answer = client.call("POST", f"/runs/{client.run_id(run_id)}/resend", json=body).json()
        print_done(
            f"the mail is requested again; `nightmail runs show {run_id}` lists what became of it",
            answer,
            as_json=as_json,
        )
        return
    items: list[dict[str, Any]] = []
    wanted = {"undelivered_since": undelivered_since, "job_name": job, "cursor": None}
    while True:
        answer = client.call("POST", "/runs/resend", json=wanted).json()
        items += answer["items"]
        wanted["cursor"] = answer["next_cursor"]
        if wanted["cursor"] is None:
            break
    recipients = sum(len(item["recipients"]) for item in items)
    print_done(f"requested {len(items)} mails to {recipients} recipients", items, as_json=as_json)


@app.command("log")
def log(run_id: RunId, as_json: AsJson = False) -> None:
    """Print the run's log: the output of its script."""
    client = Client()
    run_id = client.run_id(run_id)
    text = client.call("GET", f"/runs/{run_id}/log").text
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
    run_id = client.run_id(run_id)
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


app.command("diff")(diff)


@app.command("input")
def read_input(
    run_id: RunId,
    source: Annotated[str, typer.Option(help="The source; `data` is the job's data_source.")] = "data",
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Write to this file. [default: stdout]")] = None,
    as_json: AsJson = False,
) -> None:
    """Print what a run has read, byte by byte, or write it to a file.

    With --json, print its size and its SHA-256 instead.
    """
    client = Client()
    run_id = client.run_id(run_id)
    content = client.call("GET", f"/runs/{run_id}/input", params={"source": source}).content
    write_content(content, output, {"run_id": run_id, "source": source}, as_json=as_json)


@app.command("figures")
def figures(
    run_id: RunId,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write the PNGs into this folder, which is created.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the charts of a run, or write them to a folder."""
    client = Client()
    run_id = client.run_id(run_id)
    found = client.call("GET", f"/runs/{run_id}").json()["figures"]
    if output is not None:
        try:
            output.mkdir(parents=True, exist_ok=True)
            for number in range(1, len(found) + 1):
                png = client.call("GET", f"/runs/{run_id}/figures/{number}").content
                (output / f"figure-{number}.png").write_bytes(png)
        except OSError as error:
            fail(f"{output}: {error.strerror}")
    if as_json:
        print_json(found)
        return
    rows = [(one["name"], f"{one['width']} x {one['height']}", one["alt"]) for one in found]
    print_table(("NAME", "PIXELS", "SHOWS"), rows, empty="the run has no charts")


def _delimiter(client: Client, run_id: str) -> str:
    """Return the delimiter of a run's CSV, which its event says; the job may be deleted since then."""
    events = client.call("GET", "/events", params={"run_id": run_id, "type": "result-ready"}).json()["items"]
    delimiter: str = events[0]["data"]["job"].get("csv", {"delimiter": ","})["delimiter"]
    return delimiter
