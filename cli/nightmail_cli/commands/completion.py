"""What the shell completes: names of jobs, as the API knows them."""

import io
from contextlib import redirect_stderr

import typer

from nightmail_cli.client import Client

#: A shell waits for its completion; without an API that answers at once there is none.
TIMEOUT_SECONDS = 1.0
MOST = 50


def job_names(incomplete: str) -> list[str]:
    """Return the names of jobs that begin like this; none if the API cannot be asked."""
    try:
        with redirect_stderr(io.StringIO()):
            jobs = list(Client(TIMEOUT_SECONDS).pages("/jobs", MOST, q=incomplete or None))
    except (typer.Exit, SystemExit):
        return []
    return [job["job_name"] for job in jobs if job["job_name"].startswith(incomplete)]
