"""The answers of the API as types. Each is a dict, as it came: times are ISO 8601 texts."""

from typing import Any, Literal, NotRequired, TypedDict

RunStatus = Literal["requested", "running", "processed", "delivered", "failed", "undelivered", "skipped", "cancelled"]
#: A run with one of these statuses is still under way.
UNFINISHED: frozenset[RunStatus] = frozenset({"requested", "running", "processed"})

#: A job as a user writes it, with the fields of the API.
JobRequest = dict[str, Any]


class ErrorRecord(TypedDict):
    """Why a run or preview failed: where, and what."""

    stage: Literal["fetch", "parse", "script", "output", "runner"]
    type: str
    message: str
    traceback: str | None


class LastRunRecord(TypedDict):
    """The last run of a job."""

    run_id: str
    status: RunStatus
    trigger: Literal["schedule", "manual"]
    scheduled_at: str
    requested_at: str | None
    started_at: str | None
    finished_at: str | None
    rows: int | None
    error: ErrorRecord | None


class WarningRecord(TypedDict):
    """What is legal in a job and probably wrong."""

    field: str
    detail: str


class JobRecord(TypedDict):
    """A job. Fields that are not listed here are in the dict as well (docs: the fields of a job)."""

    job_name: str
    schedules: list[str]
    schedule_time: str | None
    timezone: str
    calendar: dict[str, Any] | None
    data_source: dict[str, Any]
    processing_script: str
    consumer_emails: list[str]
    version: int
    status: Literal["active", "paused"]
    created_at: str
    updated_at: str
    last_run: LastRunRecord | None
    next_run: str | None
    warnings: NotRequired[list[WarningRecord]]


class MailRecord(TypedDict):
    """A mail to one recipient, with the server's last answer."""

    run_id: str
    job_name: str
    kind: Literal["result", "failure"]
    split_value: str | None
    recipient: str
    outcome: str
    answer: str
    message_id: str
    time: str
    since: str | None
    next_attempt: str | None


class TimelineRecord(TypedDict):
    """One event of a run."""

    type: str
    time: str
    sequence: int


class InputRecord(TypedDict):
    """What a run has read from a source."""

    source: str
    file_type: str
    bytes: int
    sha256: str
    kept: bool


class RunRecord(LastRunRecord):
    """A run as lists have it."""

    job_name: str
    job_version: int
    late: bool
    skipped: dict[str, str] | None
    mails: list[dict[str, Any]]
    timings: dict[str, float | None] | None


class RunDetails(RunRecord):
    """A run with its timeline and where its numbers come from.

    `job_id` tells the job from a later one of its name. `timezone` is that of the version of the job that ran; None if this
    version is not known.
    """

    job_id: str
    timezone: str | None
    actor: str | None
    runner: str | None
    attempts: int
    columns: list[str] | None
    bytes: int | None
    input_sha256: str | None
    more_inputs_sha256: dict[str, str]
    script_sha256: str | None
    result_sha256: str | None
    runtime: dict[str, str] | None
    notes: list[dict[str, str]]
    inputs: list[InputRecord]
    timeline: list[TimelineRecord]


class PreviewRecord(TypedDict):
    """The outcome of a dry run: columns, row count and first rows, or the error."""

    columns: list[str] | None
    text_columns: list[int] | None
    rows: int | None
    first_rows: list[list[str]] | None
    notes: list[dict[str, str]]
    error: ErrorRecord | None
    skipped: str | None
    sent: dict[str, str] | None
    sample_id: str | None
    log: str
    timings: dict[str, float | None] | None


class ResentMailRecord(TypedDict):
    """A mail that is sent again, to the recipients who did not get it."""

    run_id: str
    request_id: str
    recipients: list[str]


class VersionRecord(TypedDict):
    """A version of a job, and what it changed."""

    version: int
    sequence: int
    time: str
    actor: str
    rolled_back_to: int | None
    changes: list[dict[str, Any]]


class EventRecord(TypedDict):
    """An event of the log."""

    seq: int
    time: str
    type: str
    job_name: str
    run_id: str | None
    source: str
    data: dict[str, Any]


class FileRecord(TypedDict):
    """An uploaded file, which jobs read by its `path`."""

    path: str
    size: int
    sha256: str
    modified_at: str
    read_by: NotRequired[list[str]]


class SummaryRecord(TypedDict):
    """A job without its script: its last 12 runs, the newest first, and the usual number of rows."""

    job_name: str
    status: Literal["active", "paused"]
    last_run: LastRunRecord | None
    next_run: str | None
    fates: list[dict[str, Any]]
    usual_rows: int | None
    failing: bool


class VersionWithJobRecord(VersionRecord):
    """A version of a job, and the job as it was."""

    job: dict[str, Any]


class RowsRecord(TypedDict):
    """Rows of a result; `total` counts all of them."""

    columns: list[dict[str, str]]
    rows: list[list[Any]]
    total: int


class SliceRecord(TypedDict):
    """A slice of a result that is split: one report of its own."""

    value: str
    rows: int
    recipients: list[str]
    size: int
    sha256: str


class CodeRecord(TypedDict):
    """A code that signs the holder in to the console once."""

    code: str
    expires_at: str


class SlotRecord(TypedDict):
    """A due time and what became of it; `empty`: a delivered run without a row, mailed to nobody."""

    job_name: str
    due: str
    fate: str
    run_id: str | None
    late_seconds: float | None
    empty: bool


class DayRecord(TypedDict):
    """What became of the runs and mails of a day in UTC: of one job, or of all (`job_name` None)."""

    day: str
    job_name: str | None
    runs: dict[str, int]
    rows: int
    bytes: int
    mails: dict[str, int]


class SchedulePreviewRecord(TypedDict):
    """The due times of a job with these fields, in its zone, and in words."""

    schedules: list[str]
    schedule_time: str | None
    timezone: str
    calendar: dict[str, Any] | None
    description: str
    next_runs: list[str]
    notes: list[dict[str, str]]


class CallerRecord(TypedDict):
    """Whose token it is, and what it permits."""

    name: str
    role: Literal["viewer", "editor", "admin"]
    may: list[str]
    expires_at: str | None


class TokenRecord(TypedDict):
    """A token; `token` itself is only in the answer that creates it."""

    name: str
    role: Literal["viewer", "editor", "admin"]
    created_at: str
    created_by: str
    expires_at: str | None
    token: NotRequired[str]


class ServiceRecord(TypedDict):
    """A service with its replicas; `backlog` counts the events that wait for it or are in progress."""

    name: str
    ready: bool
    version: str | None
    backlog: int | None
    replicas: list[dict[str, Any]]


class FindingRecord(TypedDict):
    """The result of a check, and how to fix what it found."""

    name: str
    state: Literal["ok", "warning", "problem"]
    detail: str
    fix: str | None


class SystemRecord(TypedDict):
    """The state of the whole system."""

    state: Literal["ok", "warning", "problem"]
    time: str
    version: str
    services: list[ServiceRecord]
    smtp: dict[str, Any] | None
    log: dict[str, int | None]
    unreadable: dict[str, Any]
    checks: list[FindingRecord]
