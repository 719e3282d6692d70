"""What mails say, in the words of those who read them."""

import unicodedata
from datetime import datetime
from zoneinfo import ZoneInfo

from nightmail_common.contract.events import RunError, Stage, Trigger
from nightmail_common.contract.job import Job
from nightmail_common.contract.schedule import Schedule, ScheduleError

#: What failed, by stage; `{type}` is the source's or the file's.
STAGES: dict[Stage, str] = {
    "fetch": "The data could not be fetched.",
    "parse": "The data came, but could not be read as {file_type}.",
    "script": "The script failed.",
    "output": "What the script returned could not be made a CSV.",
    "runner": "The run did not come to its end.",
}
#: Lines of the script shown on each side of the one that failed.
LINES_AROUND = 2
#: Of a line that a user wrote or printed, and of an error's message: a mail is no place for more.
LINE_CHARACTERS = 400
MESSAGE_CHARACTERS = 2000


def local(moment: datetime, job: Job) -> datetime:
    return moment.astimezone(ZoneInfo(job.timezone))


def in_words(moment: datetime) -> str:
    """Return `Monday, 23 November 2026, 09:00 CET`."""
    return f"{moment:%A}, {moment.day} {moment:%B %Y, %H:%M %Z}"


def why_it_ran(trigger: Trigger, late: bool) -> str:
    if trigger == "manual":
        return "asked for by hand"
    return "late" if late else "on schedule"


def late(is_late: bool) -> str | None:
    """Return what a late run's mail says of that; None if it was on time."""
    if not is_late:
        return None
    return "This run is late: Nightmail was not running at its time. It stands for every run that was missed."


def size(size_bytes: int) -> str:
    """Return `12.3 MiB`, `310 KiB` or `80 bytes`."""
    if size_bytes >= 1024**2:
        return f"{size_bytes / 1024**2:,.1f} MiB"
    return f"{size_bytes / 1024:.0f} KiB" if size_bytes >= 1024 else f"{size_bytes} bytes"


def readable(value: object) -> object:
    """Return a text without control characters, which mail programs and terminals may obey; anything else as it is."""
    if not isinstance(value, str) or value.isprintable():
        return value
    kept = "".join(char for char in value if char in "\n\t" or unicodedata.category(char) not in {"Cc", "Cs"})
    return type(value)(kept)


def shortened(text: str, characters: int) -> str:
    return text if len(text) <= characters else text[: characters - 1] + "…"


def duration(milliseconds: float) -> str:
    """Return `40 ms`, `1.2 s` or `3 min 5 s`."""
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    if milliseconds < 60_000:
        return f"{milliseconds / 1000:.1f} s"
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    return f"{minutes} min {seconds} s"


def what_failed(error: RunError, job: Job) -> str:
    return STAGES[error.stage].format(file_type=job.data_source.file_type.upper())


def script_around(error: RunError, job: Job) -> list[tuple[int, str, bool]]:
    """Return the script's lines around the one that failed: number, text, whether it is the one."""
    lines = job.processing_script.splitlines()
    if error.line is None or not 1 <= error.line <= len(lines):
        return []
    first = max(1, error.line - LINES_AROUND)
    last = min(len(lines), error.line + LINES_AROUND)
    return [
        (number, shortened(lines[number - 1], LINE_CHARACTERS), number == error.line)
        for number in range(first, last + 1)
    ]


def next_due(job: Job, after: datetime) -> datetime | None:
    """Return when the job is due next, in its zone; None if that cannot be told."""
    try:
        return Schedule.parse(job.schedule_time, job.timezone).next_due(after)
    except (ScheduleError, ValueError):
        return None
