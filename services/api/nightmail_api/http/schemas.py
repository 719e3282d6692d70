"""The shapes of the answers, as OpenAPI documents them."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel

from nightmail_api.access.tokens import Role
from nightmail_common.contract.events import MailAnswer, MailKind, RunError, Timings, Trigger
from nightmail_common.contract.job import Job
from nightmail_common.contract.run import RunStatus


class LastRun(BaseModel):
    """When a job ran last and how that ended."""

    run_id: UUID
    status: RunStatus
    trigger: Trigger
    scheduled_at: datetime
    requested_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    rows: int | None
    error: RunError | None


class JobAnswer(Job):
    """A job: what its owner decided, and what became of it. `next_run` is null while it is paused.

    `unsubscribed` are the recipients who left; they get no more of its mail.
    """

    status: Literal["active", "paused"]
    last_run: LastRun | None
    next_run: datetime | None
    unsubscribed: list[str]


class PreviewAnswer(BaseModel):
    """What a dry run gave: columns, how many rows and the first of them as in the CSV; or the error and nothing of these."""

    columns: list[str] | None
    rows: int | None
    first_rows: list[list[str]] | None
    error: RunError | None
    log: str
    timings: Timings | None


class FieldChange(BaseModel):
    """A field of a job and what a version made of it."""

    field: str
    before: Any
    after: Any


class Version(BaseModel):
    """A version of a job: `sequence` is its event's, `rolled_back_to` the version whose content it has again."""

    version: int
    sequence: int
    time: datetime
    actor: str
    rolled_back_to: int | None
    changes: list[FieldChange]


class VersionWithJob(Version):
    """A version and the whole job as it was."""

    job: Job


class VersionPage(BaseModel):
    """`next_cursor` as `cursor` asks for the next page; null at the end."""

    items: list[Version]
    next_cursor: str | None


class MailOutcome(BaseModel):
    """What the mail server said for one recipient."""

    kind: MailKind
    address: str
    outcome: MailAnswer
    answer: str
    message_id: str


class Run(BaseModel):
    """A run. `mails` has the latest outcome per recipient and kind of mail."""

    run_id: UUID
    job_name: str
    job_version: int
    trigger: Trigger
    scheduled_at: datetime
    late: bool
    status: RunStatus
    requested_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    rows: int | None
    error: RunError | None
    mails: list[MailOutcome]
    timings: Timings | None


class TimelineEntry(BaseModel):
    """One event of a run: its place in the log, and the log's own time."""

    type: str
    time: datetime
    sequence: int


class RunWithTimeline(Run):
    """A run and what happened to it, in order."""

    timeline: list[TimelineEntry]


class JobPage(BaseModel):
    """`next_cursor` as `cursor` asks for the next page; null at the end."""

    items: list[JobAnswer]
    next_cursor: str | None


class RunPage(BaseModel):
    """`next_cursor` as `cursor` asks for the next page; null at the end."""

    items: list[Run]
    next_cursor: str | None


class RunAccepted(BaseModel):
    """The run that was asked for; how it goes is at `GET /runs/{run_id}`."""

    run_id: UUID


class EventItem(BaseModel):
    """An event of the log. `seq` is its place, `time` the broker's own timestamp."""

    seq: int
    time: datetime
    type: str
    job_name: str
    run_id: UUID | None
    source: str
    data: dict[str, Any]


class EventList(BaseModel):
    """Events, oldest first; `after` with the last `seq` asks for the next ones."""

    items: list[EventItem]


class ScheduleNote(BaseModel):
    """A due time that daylight saving time moves out of a gap, or whose wall time comes twice."""

    time: datetime
    dst: Literal["moved", "repeated"]
    text: str


class SchedulePreview(BaseModel):
    """When a schedule is due, in its zone."""

    schedule_time: str
    timezone: str
    description: str
    next_runs: list[datetime]
    notes: list[ScheduleNote]


class Token(BaseModel):
    """A token without the token itself. `expires_at` null: never."""

    name: str
    role: Role
    created_at: datetime
    created_by: str
    expires_at: datetime | None


class TokenMade(Token):
    """`token` is shown here and never again."""

    token: str


class TokenList(BaseModel):
    """All tokens, by name."""

    items: list[Token]


class Live(BaseModel):
    """The process answers."""

    status: Literal["live"]


class Ready(BaseModel):
    """`dependencies` says `ok` or why not, for each."""

    status: Literal["ready", "not ready"]
    dependencies: dict[str, str]
