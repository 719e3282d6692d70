"""`nightmail jobs`: create, change, show and run jobs, over REST."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from nightmail_cli.client import Client, job_path, problem
from nightmail_cli.job_file import JOB_FILES, JobFileError, read_job
from nightmail_cli.output import AsJson, fail, print_fields, print_json, print_table
from nightmail_cli.runs import ENDED_WELL, STILL_GOING, summary

app = typer.Typer(no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="The job's name.", metavar="NAME")]
POLL_SECONDS = 0.1
#: What the API adds to a job; the rest is what its owner wrote.
ANSWER_ONLY = frozenset({"status", "version", "created_at", "updated_at", "last_run", "next_run", "job_id"})


@app.command("create")
def create(
    file: Annotated[Path, typer.Option("-f", "--file", help="A YAML or JSON file with the job.")],
    script: Annotated[Path | None, typer.Option(help="A file with the processing script.")] = None,
    as_json: AsJson = False,
) -> None:
    """Create a job from a file."""
    job = _read(file)
    if script is not None:
        try:
            job["processing_script"] = script.read_text(encoding="utf-8")
        except OSError as error:
            fail(f"{script}: {error.strerror}")
    created = Client().call("POST", "/jobs/create", json=job).json()
    if as_json:
        print_json(created)
    else:
        typer.echo(f"created {created['job_name']!r}; it runs next at {created['next_run']}")


@app.command("list")
def list_jobs(
    query: Annotated[str | None, typer.Option("-q", "--query", help="Part of the name.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List the jobs."""
    jobs = list(Client().pages("/jobs", limit, q=query))
    if as_json:
        print_json(jobs)
        return
    rows = (
        (job["job_name"], job["status"], job["schedule_time"], job["timezone"], job["next_run"], _last(job))
        for job in jobs
    )
    print_table(("job", "status", "schedule", "zone", "next run", "last run"), rows, empty="there are no jobs")


@app.command("show")
def show(name: Name, as_json: AsJson = False) -> None:
    """Show one job."""
    job = Client().call("GET", job_path(name)).json()
    print_json(job) if as_json else print_fields(job)


@app.command("delete")
def delete(name: Name) -> None:
    """Delete a job; its history stays."""
    Client().call("DELETE", job_path(name))
    typer.echo(f"deleted {name!r}")


@app.command("pause")
def pause(name: Name) -> None:
    """Stop a job from firing."""
    Client().call("POST", job_path(name, "pause"))
    typer.echo(f"paused {name!r}")


@app.command("resume")
def resume(name: Name) -> None:
    """Let a paused job fire again."""
    job = Client().call("POST", job_path(name, "resume")).json()
    typer.echo(f"resumed {name!r}; it runs next at {job['next_run']}")


@app.command("run")
def run(
    name: Name,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the run has ended; exit 1 if it failed.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run a job now."""
    client = Client()
    run_id = client.call("POST", job_path(name, "run")).json()["run_id"]
    if not wait:
        print_json({"run_id": run_id}) if as_json else typer.echo(run_id)
        return
    ended = _wait(client, run_id, quiet=as_json)
    print_json(ended) if as_json else typer.echo(summary(ended))
    if ended["status"] not in ENDED_WELL:
        raise typer.Exit(1)


@app.command("apply")
def apply(
    folder: Annotated[Path, typer.Option("-f", "--file", help="A folder of job files, or one file.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and change nothing.")] = False,
) -> None:
    """Create and update jobs so that the service has what the files say."""
    paths = sorted(path for pattern in JOB_FILES for path in folder.glob(pattern)) if folder.is_dir() else [folder]
    if not paths:
        fail(f"there are no job files ({', '.join(JOB_FILES)}) in {folder}")
    client = Client()
    failures = 0
    for path in paths:
        job = _read(path)
        action, line = _plan(client, job)
        typer.echo(f"{path.name}: {line}")
        if action is None or dry_run:
            continue
        answer = client.try_call(*action, json=job)
        if answer.is_error:
            typer.echo(f"error: {path.name}: {problem(answer)}", err=True)
            failures += 1
    if failures:
        raise typer.Exit(1)


def _plan(client: Client, job: dict[str, Any]) -> tuple[tuple[str, str] | None, str]:
    name = str(job.get("job_name", ""))
    answer = client.try_call("GET", job_path(name)) if name else None
    if answer is None or answer.status_code == 404:
        return ("POST", "/jobs/create"), f"create {name!r}"
    if answer.is_error:
        fail(problem(answer))
    there = {field: value for field, value in answer.json().items() if field not in ANSWER_ONLY}
    changed = sorted(field for field, value in job.items() if not _same(there.get(field), value))
    if not changed:
        return None, f"{name!r} is up to date"
    return ("PUT", job_path(name)), f"update {name!r}: {', '.join(changed)}"


def _same(there: Any, here: Any) -> bool:
    if isinstance(there, dict) and isinstance(here, dict):
        return all(_same(there.get(field), value) for field, value in here.items())
    return bool(there == here)


def _wait(client: Client, run_id: str, *, quiet: bool) -> dict[str, Any]:
    said = None
    while True:
        run: dict[str, Any] = client.call("GET", f"/runs/{run_id}").json()
        if run["status"] != said and not quiet:
            said = run["status"]
            typer.echo(f"{run_id} {said}", err=True)
        if run["status"] not in STILL_GOING:
            return run
        time.sleep(POLL_SECONDS)


def _read(path: Path) -> dict[str, Any]:
    try:
        return read_job(path)
    except JobFileError as error:
        fail(str(error))


def _last(job: dict[str, Any]) -> str:
    last = job["last_run"]
    return "-" if last is None else f"{last['status']} {last['scheduled_at']}"
