"""How a job's name and an event's name make a NATS subject, both ways.

`jobs.<job>.<event>` and `runs.<job>.<event>`: the number of subjects grows with jobs, not with runs, and
`*.<job>.>` is everything about one job.
"""

from urllib.parse import unquote

from nightmail_common.contract.events import EVENTS, Event

ALL_EVENTS = ("jobs.>", "runs.>")
JOB_EVENTS = "jobs.>"
#: A request for a dry run: any runner answers. Not in the log.
PREVIEW = "preview.run"

#: What has a meaning in a NATS subject, and the percent sign that escapes it.
_RESERVED = frozenset(".*>%")


def job_token(job_name: str) -> str:
    """Return a job's name as one subject token: percent-encoded where NATS forbids a character."""
    return "".join(
        "".join(f"%{byte:02X}" for byte in char.encode())
        if char in _RESERVED or not char.isprintable() or char.isspace()
        else char
        for char in job_name
    )


def job_name_of(token: str) -> str:
    """Return the job's name that `job_token` made the token of."""
    return unquote(token, errors="strict")


def subject_of(event: Event) -> str:
    return f"{event.family}.{job_token(event.job_name)}.{event.name}"


def events_named(name: str) -> str:
    """Return the subject filter of one kind of event, of whatever job: `runs.*.run-requested`."""
    return f"{EVENTS[name].family}.*.{name}"


def events_of_job(job_name: str) -> tuple[str, str]:
    """Return the subject filters of everything about one job."""
    token = job_token(job_name)
    return (f"jobs.{token}.>", f"runs.{token}.>")
