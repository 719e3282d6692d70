"""Shell completion of job names, from the API."""

import io
from contextlib import redirect_stderr

import typer

from nightmail_cli.client import Client

#: The shell blocks while it waits for completions.
TIMEOUT_SECONDS = 1.0
MAX_NAMES = 50


def job_names(incomplete: str) -> list[str]:
    """Return the job names with this prefix; none if the API does not answer."""
    try:
        with redirect_stderr(io.StringIO()):
            jobs = list(Client(TIMEOUT_SECONDS).pages("/jobs", MAX_NAMES, q=incomplete or None))
    except (typer.Exit, SystemExit):
        return []
    return [job["job_name"] for job in jobs if job["job_name"].startswith(incomplete)]
