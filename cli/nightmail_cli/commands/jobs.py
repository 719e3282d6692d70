"""`nightmail jobs`: create, change, show and run jobs, over REST."""

import shlex
import sys
from collections import Counter
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated, Any

import typer

from nightmail_cli.client import Client, job_path
from nightmail_cli.commands.changes import Change
from nightmail_cli.commands.completion import job_names
from nightmail_cli.commands.job_file import JobFileError, read_job
from nightmail_cli.commands.job_view import print_job
from nightmail_cli.commands.preview_view import print_preview
from nightmail_cli.commands.run_view import print_error, summary
from nightmail_cli.help import WholeHelp
from nightmail_cli.option_checks import check_choice
from nightmail_cli.output import (
    FAILED,
    AsJson,
    echo,
    fail,
    first_of,
    format_time,
    print_done,
    print_json,
    print_table,
)
from nightmail_cli.wait import SUCCEEDED, wait_for_end

app = typer.Typer(cls=WholeHelp, no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="The job's name.", metavar="NAME", autocompletion=job_names)]
JobFile = Annotated[Path, typer.Option("-f", "--file", help="A YAML or JSON file with the job.")]
ScriptFile = Annotated[Path | None, typer.Option(help="A file with the processing script.")]


@app.command("new")
def new(
    example: Annotated[
        str | None, typer.Argument(help="The example to begin with. [default: list them]", metavar="EXAMPLE")
    ] = None,
    to: Annotated[str | None, typer.Option(help="Your address, for the report.", metavar="ADDRESS")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="The job file. [default: EXAMPLE.yaml]")] = None,
    as_json: AsJson = False,
) -> None:
    """Begin with an example that runs offline."""
    from nightmail_cli.commands.gallery import begin, examples

    if example is None:
        found = examples()
        if as_json:
            print_json([{"name": one.name, "report": one.report} for one in found])
        else:
            print_table(("example", "report"), [(one.name, one.report) for one in found], empty="", whole="example")
            echo("\nnightmail jobs new EXAMPLE --to you@example.com writes the job file of one")
        return
    begun = begin(Client(), example, to, output)
    if as_json:
        print_json({"job_name": begun.job_name, "file": str(begun.file), "uploaded": list(begun.uploaded)})
        return
    for path in begun.uploaded:
        echo(f"uploaded {path}")
    echo(f"wrote {begun.file}; next:")
    echo(f"  nightmail jobs preview -f {shlex.quote(str(begun.file))}")
    echo(f"  nightmail jobs create -f {shlex.quote(str(begun.file))}")
    echo(f"  nightmail jobs run --wait {shlex.quote(begun.job_name)}")


@app.command("create")
def create(file: JobFile, script: ScriptFile = None, as_json: AsJson = False) -> None:
    """Create a job from a file."""
    created = Client().call("POST", "/jobs/create", json=_read(file, script)).json()
    line = f"created {created['job_name']!r}; it runs next at {format_time(created['next_run'])}"
    print_done(line, created, as_json=as_json)
    for warning in created["warnings"]:
        echo(f"warning: {warning['field']}: {warning['detail']}", err=True)


@app.command("list")
def list_jobs(
    query: Annotated[str | None, typer.Option("-q", "--query", help="Part of the name.")] = None,
    status: Annotated[str | None, typer.Option(help="Only jobs of this status: active, paused.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="The maximum number of items.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List the jobs."""
    check_choice(status, ("active", "paused"), "--status")
    jobs = first_of(Client().pages("/jobs", limit + 1, q=query, status=status), limit)
    if as_json:
        print_json(jobs)
        return
    rows = (
        (
            job["job_name"],
            job["status"],
            _schedules(job),
            job["timezone"],
            format_time(job["next_run"]),
            _last(job),
        )
        for job in jobs
    )
    columns = ("job", "status", "schedule", "zone", "next run", "last run")
    print_table(columns, rows, empty="there are no jobs", optional=("zone", "schedule", "last run"))


@app.command("show")
def show(name: Name, as_json: AsJson = False) -> None:
    """Show one job."""
    job = Client().call("GET", job_path(name)).json()
    print_json(job) if as_json else print_job(job)


@app.command("delete")
def delete(
    name: Name,
    erase: Annotated[
        bool, typer.Option("--erase", help="Also erase its history, results and addresses. This cannot be undone.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Delete a job; its history stays, unless `--erase` is given."""
    Client().call("DELETE", job_path(name), params={"erase": "true"} if erase else None)
    done = "erased" if erase else "deleted"
    print_done(f"{done} {name!r}", {"job_name": name, "status": done}, as_json=as_json)


@app.command("pause")
def pause(name: Name, as_json: AsJson = False) -> None:
    """Pause a job: its due times give no runs."""
    client = Client()
    before = client.call("GET", job_path(name)).json()
    job = client.call("POST", job_path(name, "pause")).json()
    said = f"{name!r} is paused already" if before["status"] == "paused" else f"paused {name!r}"
    print_done(said, job, as_json=as_json)


@app.command("resume")
def resume(name: Name, as_json: AsJson = False) -> None:
    """Resume a paused job."""
    client = Client()
    before = client.call("GET", job_path(name)).json()
    job = client.call("POST", job_path(name, "resume")).json()
    said = f"{name!r} is active already" if before["status"] == "active" else f"resumed {name!r}"
    print_done(f"{said}; it runs next at {format_time(job['next_run'])}", job, as_json=as_json)


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
        print_done(run_id, {"run_id": run_id}, as_json=as_json)
        return
    ended = wait_for_end(client, run_id, quiet=as_json)
    print_done(summary(ended), ended, as_json=as_json)
    if not as_json and ended["error"] is not None:
        print_error(ended["error"], err=True)
        echo(
            f"nightmail runs show {run_id} shows the run, nightmail runs log {run_id} what the script printed", err=True
        )
    if ended["status"] not in SUCCEEDED:
        raise typer.Exit(FAILED)


@app.command("preview")
def preview(
    file: JobFile,
    script: ScriptFile = None,
    send_to: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Mail the result once, to you only.")] = None,
    as_json: AsJson = False,
) -> None:
    """Run a job without saving it. Its recipients get no mail.

    The data is fetched and the script runs. Exit 1 if that fails, or the server does not accept the mail of --send-to.
    """
    job = _read(file, script) | ({} if send_to is None else {"send_to": send_to})
    answer = Client().call("POST", "/jobs/preview", json=job).json()
    print_json(answer) if as_json else print_preview(answer)
    is_sent = send_to is None or (answer["sent"] or {}).get("outcome") == "accepted"
    if answer.get("error") is not None or not is_sent:
        raise typer.Exit(FAILED)


@app.command("versions")
def versions(
    name: Name,
    limit: Annotated[int, typer.Option(min=1, help="The maximum number of items.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Show the versions of a job, newest first.

    Each with its time, its author and what changed.
    """
    found = first_of(Client().pages(job_path(name, "versions"), limit + 1), limit)
    if as_json:
        print_json(found)
        return
    for one in found:
        back_to = "" if one["rolled_back_to"] is None else f", as version {one['rolled_back_to']}"
        echo(f"version {one['version']}  {format_time(one['time'])}  {one['actor']}{back_to}", fg="cyan")
        for change in one["changes"]:
            Change(change["field"], change["before"], change["after"]).show()


@app.command("rollback")
def rollback(
    name: Name,
    version: Annotated[int, typer.Argument(min=1, help="The version to restore.", metavar="VERSION")],
    as_json: AsJson = False,
) -> None:
    """Restore the definition of an earlier version, as a new version.

    A job that has this definition already keeps its version.
    """
    client = Client()
    before = client.call("GET", job_path(name)).json()
    job = client.call("POST", job_path(name, "rollback"), json={"version": version}).json()
    said = f"version {job['version']} of {name!r} restores version {version}"
    if job["version"] == before["version"]:
        said = f"nothing changed: version {job['version']} of {name!r}, its newest, has the definition of version {version}"
    print_done(said, job, as_json=as_json)


@app.command("apply")
def apply(
    source: Annotated[Path, typer.Option("-f", "--file", help="A folder of job files, or one file.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and change nothing.")] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Also delete the jobs that have no file.")] = False,
    as_json: AsJson = False,
) -> None:
    """Create and update jobs so that the service matches the files."""
    from nightmail_cli.commands.apply import make_plan  # the job's definition takes long to import

    client = Client()
    plan = make_plan(client, source, prune=prune)
    if not as_json:
        for step in plan:
            step.show()
        count = Counter(step.action for step in plan)
        echo(", ".join(f"{count[action]} {action}" for action in ("create", "update", "delete", "unchanged")))
    if not dry_run:
        for step in plan:
            step.execute(client)
    if as_json:
        print_json([step.as_json() for step in plan])
    for step in plan:
        for warning in step.warnings:
            echo(f"warning: {step.job_name!r}: {warning['field']}: {warning['detail']}", err=True)
    failed = [step for step in plan if step.error is not None]
    for step in failed:
        echo(f"error: {step.action} {step.job_name!r}: {step.error}", err=True)
    if failed:
        raise typer.Exit(FAILED)


@app.command("pull")
def pull(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="The jobs. [default: all of them]", metavar="NAME", autocompletion=job_names),
    ] = None,
    output: Annotated[Path, typer.Option("-o", "--output", help="The folder of the job files.")] = Path("jobs"),
    as_json: AsJson = False,
) -> None:
    """Write jobs to files that `apply` accepts unchanged."""
    from nightmail_cli.commands.pull import pull as pull_jobs

    pulled = pull_jobs(Client(), names or [], output)
    if as_json:
        print_json([{"job_name": one.job_name, "file": str(one.file), "action": one.action} for one in pulled])
        return
    for one in pulled:
        echo(f"{one.action:<9} {one.file}  ({one.job_name})")


@app.command("edit")
def edit(name: Name, as_json: AsJson = False) -> None:
    """Edit a job in $EDITOR, and preview it.

    A preview follows each time that the editor is closed; then the job is saved, edited again, or not changed.
    With --json, print the job as it is then; the preview is printed on stderr.
    """
    from nightmail_cli.commands.edit import edit as edit_job

    if not as_json:
        edit_job(Client(), name)
        return
    with redirect_stdout(sys.stderr):
        job = edit_job(Client(), name)
    print_json(job)


def _read(path: Path, script: Path | None) -> dict[str, Any]:
    try:
        job = read_job(path)
        if script is not None:
            job["processing_script"] = script.read_text(encoding="utf-8")
    except JobFileError as error:
        fail(str(error))
    except OSError as error:
        fail(f"{script}: {error.strerror}")
    except UnicodeDecodeError:
        fail(f"{script}: not UTF-8 text")
    return job


def _schedules(job: dict[str, Any]) -> str:
    first = () if job["schedule_time"] is None else (job["schedule_time"],)
    return "; ".join(dict.fromkeys((*first, *job["schedules"])))


def _last(job: dict[str, Any]) -> str:
    last = job["last_run"]
    return "-" if last is None else f"{last['status']} {format_time(last['scheduled_at'])}"
