"""The NATS subjects of events, and the job and event of a subject.

`jobs.<job>.<event>` and `runs.<job>.<event>`: the number of subjects grows with jobs, not with runs, and
`*.<job>.>` is everything about one job.
"""

from urllib.parse import unquote

from nightmail_common.contract.events import EVENTS, Event

ALL_EVENTS = ("jobs.>", "runs.>")
JOB_EVENTS = "jobs.>"
#: The queue groups of those who answer requests: one member answers each.
RUNNERS, MAILERS = "runners", "mailers"
#: The subject of a request for a dry run, which any runner answers. It is not in the log.
PREVIEW = "preview.run"
#: Every runner hears that the caller of a dry run has gone: the body is the run's id, which the request has as a header.
PREVIEW_CANCEL = "preview.cancel"
PREVIEW_ID = "Nightmail-Preview"
#: Headers of the request: the sample to run on, or the name under which to keep the input as a sample.
PREVIEW_SAMPLE, PREVIEW_KEEP_AS = "Nightmail-Sample", "Nightmail-Keep-As"
#: Header of the request: the answer has the whole result, as the event of a run would.
PREVIEW_WHOLE = "Nightmail-Whole"
#: The subject of a request to try a source, which any runner answers.
SOURCE_CHECK = "preview.source"
#: The subject of a request for the rendered mail of an outcome, which any mailer answers.
MAIL_RENDER = "preview.mail"
#: The subject of a request to mail the result of a dry run to one address, which any mailer answers with the server's reply.
MAIL_SEND = "preview.send"
#: The subject of a request to send a test mail, which any mailer answers with the steps of the SMTP session.
TEST_MAIL = "preview.test-mail"

#: Characters with a meaning in a NATS subject, and the percent sign that escapes them.
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
    """Return the job's name of a token; the inverse of `job_token`."""
    return unquote(token, errors="strict")


def subject_of(event: Event) -> str:
    return f"{event.family}.{job_token(event.job_name)}.{event.name}"


def events_named(name: str) -> str:
    """Return the subject filter of one kind of event of all jobs: `runs.*.run-requested`."""
    return f"{EVENTS[name].family}.*.{name}"


def events_of_job(job_name: str) -> tuple[str, str]:
    """Return the subject filters of all events of one job."""
    token = job_token(job_name)
    return (f"jobs.{token}.>", f"runs.{token}.>")
