"""Values as mails show them: times, sizes, durations, errors, excerpts."""

import unicodedata
from datetime import datetime
from zoneinfo import ZoneInfo

from nightmail_common.contract.events import ResultReady, RunError, Stage, Trigger
from nightmail_common.contract.job import Job
from nightmail_common.contract.text import shorten
from nightmail_common.contract.timetable import Timetable

#: What failed, by stage.
STAGES: dict[Stage, str] = {
    "fetch": "The data could not be fetched.",
    "parse": "The data was fetched, but could not be read as {file_type}.",
    "script": "The script failed.",
    "output": "The script's return value could not be written as CSV.",
    "runner": "The run did not finish.",
}
#: Lines of the script shown on each side of the one that failed.
CONTEXT_LINES = 2
#: The longest line of a script or a log, and the longest error message, that a mail shows in full.
LINE_CHARACTERS = 400
MESSAGE_CHARACTERS = 2000


def to_job_timezone(moment: datetime, job: Job) -> datetime:
    return moment.astimezone(ZoneInfo(job.timezone))


def format_datetime(moment: datetime) -> str:
    """Return `Monday, 23 November 2026, 09:00 CET`."""
    return f"{moment:%A}, {moment.day} {moment:%B %Y, %H:%M %Z}"


def format_since(moment: datetime, now: datetime) -> str:
    """Return `Monday 09:00` for a moment of the last six days, else `Monday, 16 November 2026, 09:00`; both in one zone."""
    if (now.date() - moment.date()).days < 7 and moment <= now:
        return f"{moment:%A %H:%M}"
    return f"{moment:%A}, {moment.day} {moment:%B %Y, %H:%M}"


def format_size(size_bytes: int) -> str:
    """Return `12.3 MiB`, `310 KiB` or `80 bytes`."""
    if size_bytes >= 1024**2:
        return f"{size_bytes / 1024**2:,.1f} MiB"
    return f"{size_bytes / 1024:.0f} KiB" if size_bytes >= 1024 else f"{size_bytes} bytes"


def format_duration(milliseconds: float) -> str:
    """Return `40 ms`, `1.2 s` or `3 min 5 s`."""
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    if milliseconds < 60_000:
        return f"{milliseconds / 1000:.1f} s"
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    return f"{minutes} min {seconds} s"


def describe_trigger(trigger: Trigger, late: bool) -> str:
    if trigger == "manual":
        return "started manually"
    return "late" if late else "on schedule"


def describe_lateness(late: bool) -> str | None:
    """Return the note in a late run's mail; None if the run was on time."""
    if not late:
        return None
    return "This run is late: Nightmail was not running at its time. It replaces every run that was missed."


def describe_changes(event: ResultReady, due: datetime) -> str | None:
    """Return `12 new, 3 gone, 5 changed since Monday 09:00`, in the job's zone; None if the job compares nothing."""
    if not event.job.compare_by:
        return None
    if event.changes is None:
        return "There is no earlier result to compare with."
    found = event.changes
    since = format_since(to_job_timezone(found.since, event.job), due)
    counts = {"new": found.added, "gone": found.removed, "changed": found.changed}
    said = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
    return f"{said} since {since}." if said else f"Nothing changed since {since}."


def describe_failure(error: RunError, job: Job) -> str:
    file_type = None if job.more_sources else job.data_source.file_type  # the message names the source
    return STAGES[error.stage].format(file_type="a table" if file_type is None else file_type.upper())


def remove_control_characters(value: object) -> object:
    """Return a text without the characters that mail programs and terminals may obey; any other value unchanged."""
    if not isinstance(value, str) or value.isprintable():
        return value
    kept = "".join(char for char in value if char in "\n\t" or unicodedata.category(char) not in {"Cc", "Cs"})
    return type(value)(kept)


def script_excerpt(error: RunError, job: Job) -> list[tuple[int, str, bool]]:
    """Return the script's lines around the one that failed: number, text, whether it is the one."""
    lines = job.processing_script.splitlines()
    if error.line is None or not 1 <= error.line <= len(lines):
        return []
    first = max(1, error.line - CONTEXT_LINES)
    last = min(len(lines), error.line + CONTEXT_LINES)
    return [
        (number, shorten(lines[number - 1], LINE_CHARACTERS), number == error.line) for number in range(first, last + 1)
    ]


def next_due(job: Job, after: datetime) -> datetime | None:
    """Return the job's next due time in its zone; None if its timetable is invalid or has no further one."""
    try:
        return Timetable.of(job).next_run(after)
    except ValueError:
        return None
