"""Shell completion: names of jobs and ids of runs from the API, ids of caught mails, statuses and event types."""

import io
from collections.abc import Sequence
from contextlib import redirect_stderr
from typing import Any, get_args

import typer

from nightmail_cli.client import Client

#: The shell blocks while it waits for completions.
TIMEOUT_SECONDS = 1.0
MAX_ITEMS = 50
#: The API searches for run ids by at least so many digits.
LEAST_PREFIX_CHARS = 4
MAIL_OUTCOMES = ("accepted", "refused", "uncertain", "waiting", "bounced")


def job_names(incomplete: str) -> list[str]:
    """Return the job names with this prefix; none if the API does not answer."""
    found = _items("/jobs", q=incomplete or None)
    return [job["job_name"] for job in found if job["job_name"].startswith(incomplete)]


def run_ids(incomplete: str) -> list[tuple[str, str]]:
    """Return the newest runs whose ids have this prefix, each with its job and status."""
    enough = incomplete if len(incomplete) >= LEAST_PREFIX_CHARS else None
    runs = _items("/runs", id_prefix=enough)
    return [
        (run["run_id"], f"{run['job_name']}, {run['status']}") for run in runs if run["run_id"].startswith(incomplete)
    ]


def run_statuses(incomplete: str) -> list[str]:
    from nightmail_common.contract.run import RunStatus  # takes long to import

    return _beginning(incomplete, get_args(RunStatus))


def mail_outcomes(incomplete: str) -> list[str]:
    return _beginning(incomplete, MAIL_OUTCOMES)


def caught_mails(incomplete: str) -> list[tuple[str, str]]:
    """Return the ids of the caught mails with this prefix, each with its subject."""
    from nightmail_cli.local.mailbox import caught_mails as caught
    from nightmail_cli.location import data_folder

    try:
        mails = caught(data_folder())
    except OSError:
        return []
    return [(mail.id, mail.header("Subject")) for mail in mails[:MAX_ITEMS] if mail.id.startswith(incomplete)]


def _items(path: str, **query: str | None) -> list[dict[str, Any]]:
    """Return the first items of a list of the API; none if it does not answer."""
    try:
        with redirect_stderr(io.StringIO()):
            return list(Client(TIMEOUT_SECONDS).pages(path, MAX_ITEMS, **query))
    except (typer.Exit, SystemExit):
        return []


def _beginning(incomplete: str, words: Sequence[str]) -> list[str]:
    return [word for word in words if word.startswith(incomplete)]
