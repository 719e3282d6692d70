"""The shapes of the answers, as OpenAPI documents them."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from nightmail_api.tokens import Role
from nightmail_common.events import MailAnswer, MailKind, RunError, Timings, Trigger
from nightmail_common.job import Job
from nightmail_common.run import RunStatus

EXAMPLE_JOB: dict[str, Any] = {
    "job_name": "daily sales",
    "schedule_time": "0 9 * * 1-5",
    "timezone": "Europe/Paris",
    "data_source": {"source_type": "api", "location": "https://example.com/sales.csv", "file_type": "csv"},
    "processing_script": "return data.groupby('region', as_index=False).amount.sum()",
    "consumer_emails": ["reports@example.com"],
}


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
    """A job: what its owner decided, and what became of it. `next_run` is null while it is paused."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": EXAMPLE_JOB
            | {
                "description": "",
                "timeout_seconds": None,
                "on_missed": "run_once",
                "max_lateness_seconds": 86400,
                "overlap": "allow",
                "retries": 0,
                "subject": None,
                "notify_on_failure": True,
                "job_id": "4f6ac7a4-6f2e-4b4e-9a5e-0f8f3a0b8f0e",
                "version": 1,
                "created_at": "2026-11-23T15:48:00Z",
                "updated_at": "2026-11-23T15:48:00Z",
                "status": "active",
                "last_run": None,
                "next_run": "2026-11-24T09:00:00+01:00",
            }
        }
    )

    status: Literal["active", "paused"]
    last_run: LastRun | None
    next_run: datetime | None


class FieldChange(BaseModel):
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


class SchedulePreview(BaseModel):
    """When a schedule is due, in its zone."""

    schedule_time: str
    timezone: str
    description: str = Field(examples=["At 09:00, Monday through Friday"])
    next_runs: list[datetime]


class Token(BaseModel):
    name: str
    role: Role
    created_at: datetime
    created_by: str


class TokenMade(Token):
    """`token` is shown here and never again."""

    token: str


class TokenList(BaseModel):
    items: list[Token]


class Live(BaseModel):
    status: Literal["live"]


class Ready(BaseModel):
    """`dependencies` says `ok` or why not, for each."""

    status: Literal["ready", "not ready"]
    dependencies: dict[str, str]
