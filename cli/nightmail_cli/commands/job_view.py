"""A job as text for people: how it goes, then its definition as a job file."""

from collections.abc import Iterator
from typing import Any

from nightmail_cli.commands.job_file import job_to_yaml
from nightmail_cli.output import COLOURS, echo, format_time


def print_job(job: dict[str, Any]) -> None:
    """Print a job. What stands below the empty line is a job file that `apply` accepts."""
    echo(f"{job['job_name']}: ", nl=False)
    echo(job["status"], fg=COLOURS.get(job["status"]))
    for name, text in _facts(job):
        echo(f"{name:<8}  {text}")
    for warning in job["warnings"]:
        echo(f"warning: {warning['field']}: {warning['detail']}", fg="yellow")
    echo()
    echo(job_to_yaml(job), nl=False)


def _facts(job: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "next run", format_time(job["next_run"])
    last = job["last_run"]
    if last is not None:
        yield "last run", f"{last['status']} {format_time(last['requested_at'] or last['scheduled_at'])}"
    yield "version", f"{job['version']}, of {format_time(job['updated_at'])}"
    if job["unsubscribed"]:
        yield "no mail", f"{', '.join(job['unsubscribed'])}: they have unsubscribed"
