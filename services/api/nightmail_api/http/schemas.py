"""The shapes of the responses, as OpenAPI documents them, with their examples."""

from datetime import datetime
from typing import Any, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from nightmail_api.access.tokens import Role
from nightmail_api.http.change_schemas import FigureOfRun, RunChanges
from nightmail_common.contract.events import (
    MailKind,
    Note,
    RunError,
    SkipReason,
    Timings,
    Trigger,
)
from nightmail_common.contract.job import Calendar, Job
from nightmail_common.contract.kept_input import InputType
from nightmail_common.contract.mail_outcomes import MailAnswer
from nightmail_common.contract.result_parts import Runtime
from nightmail_common.contract.run import RunStatus

Item = TypeVar("Item")
MailOutcomeName = Literal[MailAnswer, "waiting", "bounced"]

_RUN_ID = "3f1d3c0e-6a52-5d7e-9b8e-0f6c1c7a9d21"
_TIME = "2026-11-23T08:00:00.066Z"
TIMINGS_EXAMPLE = {"fetch_ms": 41.2, "parse_ms": 1.9, "script_ms": 3.4, "output_ms": 0.8, "total_ms": 52.6}

#: A job as a user writes it.
JOB_EXAMPLE: dict[str, Any] = {
    "job_name": "daily sales",
    "schedule_time": "0 9 * * 1-5",
    "timezone": "Europe/Paris",
    "data_source": {"source_type": "api", "location": "https://example.com/sales.csv", "file_type": "csv"},
    "processing_script": "return data.groupby('region', as_index=False).amount.sum()",
    "consumer_emails": ["reports@example.com"],
}
_JOB = JOB_EXAMPLE | {
    "job_id": "4f6ac7a4-6f2e-4b4e-9a5e-0f8f3a0b8f0e",
    "version": 1,
    "created_at": "2026-11-23T15:48:00Z",
    "updated_at": "2026-11-23T15:48:00Z",
}


def _add_job_examples(schema: dict[str, Any]) -> None:
    for field, example in _JOB.items():
        schema["properties"][field]["examples"] = [example]


class ItemPage(BaseModel, Generic[Item]):
    """One page of a list."""

    items: list[Item]
    next_cursor: str | None = Field(
        examples=["WyIyMDI2LTExLTIzIl0"], description="The `cursor` of the next page; null on the last one."
    )


class JobWarning(BaseModel):
    """What is legal in a job and probably wrong. It refuses nothing."""

    field: str = Field(examples=["schedule_time"])
    detail: str = Field(examples=["the job does not run within a year; its next run is on 2028-02-29"])


class LastRun(BaseModel):
    """The last run of a job and its outcome."""

    run_id: UUID = Field(examples=[_RUN_ID])
    status: RunStatus = Field(examples=["delivered"])
    trigger: Trigger = Field(examples=["schedule"])
    scheduled_at: datetime = Field(examples=["2026-11-23T08:00:00Z"])
    requested_at: datetime | None = Field(examples=["2026-11-23T08:00:00.004Z"])
    started_at: datetime | None = Field(examples=["2026-11-23T08:00:00.009Z"])
    finished_at: datetime | None = Field(examples=[_TIME])
    rows: int | None = Field(examples=[4])
    error: RunError | None = Field(examples=[None])


class JobResponse(Job):
    """A job with its status and last run. `next_run` is null while it is paused.

    `schedule_description` says its due times in words, as `GET /schedules/preview` does.
    `unsubscribed` are the recipients who unsubscribed; they receive no more of its mail.
    """

    model_config = ConfigDict(json_schema_extra=_add_job_examples)

    status: Literal["active", "paused"]
    last_run: LastRun | None
    next_run: datetime | None = Field(examples=["2026-11-24T09:00:00+01:00"])
    schedule_description: str = Field(examples=["At 09:00, Monday through Friday"])
    unsubscribed: list[str] = Field(examples=[[]])
    warnings: list[JobWarning] = Field(examples=[[]])


class FieldChange(BaseModel):
    """A field of a job, before and after a version."""

    field: str = Field(examples=["schedule_time"])
    before: Any = Field(examples=["0 9 * * 1-5"])
    after: Any = Field(examples=["30 8 * * 1-5"])


class Version(BaseModel):
    """A version of a job. `sequence` is that of its event; `rolled_back_to` the version whose content it restores."""

    version: int = Field(examples=[2])
    sequence: int = Field(examples=[57])
    time: datetime = Field(examples=["2026-11-23T16:02:11Z"])
    actor: str = Field(examples=["maria"])
    rolled_back_to: int | None = Field(examples=[None])
    changes: list[FieldChange]


class VersionWithJob(Version):
    """A version, and the whole job in that version."""

    job: Job = Field(examples=[_JOB | {"version": 2, "schedule_time": "30 8 * * 1-5"}])


class VersionPage(ItemPage[Version]):
    """A page of versions."""


class MailOutcome(BaseModel):
    """The last answer of the mail server for one recipient. `next_attempt` is that of a mail that waits for it."""

    kind: MailKind = Field(examples=["result"])
    address: str = Field(examples=["reports@example.com"])
    outcome: MailOutcomeName = Field(examples=["accepted"])
    answer: str = Field(examples=["250 2.0.0 Ok: queued"])
    message_id: str = Field(examples=["<3f1d3c0e.result@mail.example.com>"])
    split_value: str | None = Field(default=None, examples=["north"], description="The slice that the mail has.")
    next_attempt: datetime | None = Field(default=None, examples=["2026-11-23T09:00:00Z"])


class Skip(BaseModel):
    """Why a due time got no run, or a run no mail: `script` if the script called `skip`, `unchanged` if its result did not."""

    reason: SkipReason = Field(examples=["script"])
    detail: str = Field(examples=["no sales yesterday"])


class Run(LastRun):
    """A run. `mails` contains the latest outcome per recipient, kind of mail and slice."""

    job_name: str = Field(examples=["daily sales"])
    job_version: int = Field(examples=[1])
    late: bool = Field(examples=[False])
    skipped: Skip | None = Field(examples=[None])
    mails: list[MailOutcome]
    timings: Timings | None = Field(examples=[TIMINGS_EXAMPLE])


class TimelineEntry(BaseModel):
    """One event of a run: its sequence in the log, and the broker's timestamp."""

    type: str = Field(examples=["result-ready"])
    time: datetime = Field(examples=[_TIME])
    sequence: int = Field(examples=[43])


class InputOfRun(BaseModel):
    """What a run has read from a source; `kept` says whether `GET /runs/{run_id}/input` still has it."""

    source: str = Field(examples=["data"])
    file_type: InputType = Field(examples=["csv"])
    bytes: int = Field(examples=[41])
    sha256: str = Field(examples=["6f1ed002ab5595859014ebf0951522d9f3e5d0a1b8a9f0c0d7e4c5a1b2c3d4e5"])
    kept: bool = Field(examples=[True])


class RunWithTimeline(Run):
    """A run and its events, in order.

    `notes` are the decisions that a stage took about the data: a short record that was filled, an encoding that was
    detected. `attempts` counts the runners that began the run. The digests are SHA-256 of the source's bytes, the script
    and the CSV. `job_id` tells the job from a later one of its name. `timezone` is that of the version that ran; null if
    this version is not known.
    """

    job_id: UUID = Field(examples=["3f1d3c0e-6a52-5d7e-9b8e-0f6c1c7a9d21"])
    timezone: str | None = Field(examples=["Europe/Paris"])
    actor: str | None = Field(examples=["maria"])
    runner: str | None = Field(examples=["host-1/4711"])
    attempts: int = Field(examples=[1])
    columns: list[str] | None = Field(examples=[["region", "amount"]])
    bytes: int | None = Field(examples=[41])
    more_inputs_sha256: dict[str, str] = Field(examples=[{}])
    input_sha256: str | None = Field(examples=["6f1ed002ab5595859014ebf0951522d9f3e5d0a1b8a9f0c0d7e4c5a1b2c3d4e5"])
    script_sha256: str | None = Field(examples=["2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"])
    result_sha256: str | None = Field(examples=["fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9"])
    runtime: Runtime | None = Field(examples=[{"python": "3.11.7", "pandas": "3.1.1"}])
    notes: list[Note] = Field(examples=[[{"stage": "parse", "text": "line 7 had fewer fields than the header"}]])
    figures: list[FigureOfRun] = Field(examples=[[]])
    inputs: list[InputOfRun] = Field(description="Known as soon as the runner has kept them, behind the outcome.")
    slices: int | None = Field(examples=[None], description="How many slices the result is split into.")
    changes: RunChanges | None = Field(description="Null without `compare_by`, and if there was no earlier result.")
    timeline: list[TimelineEntry]


class JobPage(ItemPage[JobResponse]):
    """A page of jobs."""


class RunPage(ItemPage[Run]):
    """A page of runs."""


class Mail(BaseModel):
    """A mail to one recipient, with the server's last answer. `since` and `next_attempt` are set while it waits."""

    run_id: UUID = Field(examples=[_RUN_ID])
    job_name: str = Field(examples=["daily sales"])
    kind: MailKind = Field(examples=["result"])
    split_value: str | None = Field(examples=[None], description="The slice of the result that the mail has.")
    recipient: str = Field(examples=["reports@example.com"])
    outcome: MailOutcomeName = Field(examples=["accepted"])
    answer: str = Field(examples=["250 2.0.0 Ok: queued"])
    message_id: str = Field(examples=["<3f1d3c0e.result@mail.example.com>"])
    time: datetime = Field(examples=[_TIME])
    since: datetime | None = Field(examples=[None])
    next_attempt: datetime | None = Field(examples=[None])


class MailPage(ItemPage[Mail]):
    """A page of mails."""


class RunAccepted(BaseModel):
    """The run that was requested or cancelled; `GET /runs/{run_id}` returns its progress."""

    run_id: UUID = Field(examples=[_RUN_ID])


class ResendRequested(BaseModel):
    """The id of the request. Its outcome is in the run's timeline and `mails`."""

    request_id: UUID = Field(examples=["7d0c2b1e-93a5-4f61-8a40-2d9f5a9f3c11"])


class EventItem(BaseModel):
    """An event of the log. `seq` is its sequence, `time` the broker's timestamp."""

    seq: int = Field(examples=[42])
    time: datetime = Field(examples=["2026-11-23T08:00:00.009Z"])
    type: str = Field(examples=["run-started"])
    job_name: str = Field(examples=["daily sales"])
    run_id: UUID | None = Field(examples=[_RUN_ID])
    source: str = Field(examples=["runner"])
    data: dict[str, Any] = Field(
        examples=[{"job_name": "daily sales", "run_id": _RUN_ID, "runner": "host-1", "attempt": 1}]
    )


class EventList(BaseModel):
    """Events, oldest first; the last `seq` is the `after` of the next call.

    With `before` or `actor`, newest first; `next_before` is the `before` of the next call, null at the beginning of the log.
    """

    items: list[EventItem]
    next_before: int | None = Field(default=None, examples=[None])


class Slot(BaseModel):
    """A due time and what became of it. `late_seconds` is from the due time to the request of its run.

    `empty`: the run ended as delivered without a row, and its result was mailed to nobody.
    """

    job_name: str = Field(examples=["daily sales"])
    due: datetime = Field(examples=["2026-11-24T08:00:00Z"])
    fate: Literal[
        "due", "requested", "running", "delivered", "failed", "undelivered", "skipped", "missed", "cancelled"
    ] = Field(examples=["delivered"])
    run_id: UUID | None = Field(examples=[_RUN_ID])
    late_seconds: float | None = Field(examples=[0.012])
    empty: bool = Field(examples=[False])


class SlotList(BaseModel):
    """Due times, past and future, in order."""

    items: list[Slot]


class ScheduleNote(BaseModel):
    """A due time that daylight saving time moves or skips, or whose wall-clock time occurs twice."""

    time: datetime = Field(examples=["2026-03-29T03:00:00+02:00"])
    dst: Literal["moved", "repeated", "skipped"]
    text: str = Field(examples=["2026-03-29 02:30 does not exist; it runs right after the gap"])


class HolidayNote(BaseModel):
    """The first due time of a day whose due times the calendar skips, or moves to another day."""

    time: datetime = Field(examples=["2026-12-25T09:00:00+01:00"])
    calendar: Literal["moved", "skipped"]
    text: str = Field(examples=["2026-12-25 is Christmas Day; it is skipped"])


class SchedulePreview(BaseModel):
    """The due times of a job with these fields, in its zone."""

    schedule_time: str | None = Field(examples=["30 2 * * *"])
    schedules: list[str] = Field(examples=[[]])
    timezone: str = Field(examples=["Europe/Paris"])
    calendar: Calendar | None = Field(examples=[None])
    description: str = Field(examples=["At 02:30"])
    next_runs: list[datetime] = Field(examples=[["2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"]])
    notes: list[ScheduleNote | HolidayNote]


class Token(BaseModel):
    """A token without the token itself. `expires_at` null: never."""

    name: str = Field(examples=["dashboard"])
    role: Role
    created_at: datetime = Field(examples=["2026-11-23T15:48:00.000Z"])
    created_by: str = Field(examples=["admin"])
    expires_at: datetime | None = Field(examples=[None])


class Me(BaseModel):
    """The caller. `may` names what its role permits; `expires_at` is the end of its token or session, null: never.

    `sequence` is that of the last event in the lists: an event stream `after` it has everything that they have not.
    """

    name: str = Field(examples=["dashboard"])
    role: Role
    may: list[Literal["read", "edit", "administer"]] = Field(examples=[["read"]])
    expires_at: datetime | None = Field(examples=["2026-12-02T09:00:00.000Z"])
    sequence: int = Field(examples=[42])


class SessionCode(BaseModel):
    """A one-time code: the console signs its holder in, once. `path` is the console's address with the code."""

    code: str = Field(examples=["aSU1gmFkbWluJ0u3r1VZ6mRSVg0kCg"])
    path: str = Field(examples=["/console/#start=aSU1gmFkbWluJ0u3r1VZ6mRSVg0kCg"])
    expires_at: datetime = Field(examples=["2026-11-25T09:10:00.000Z"])


class TokenCreated(Token):
    """A new token. Only this response contains `token`."""

    token: str = Field(examples=["nm_mfrggzdfmztwq2lknnwg23tpob_0aVw…"])


class TokenList(BaseModel):
    """All tokens, by name."""

    items: list[Token]


class Live(BaseModel):
    """The process answers."""

    status: Literal["live"]


class Ready(BaseModel):
    """The value of each of `dependencies` is `ok`, or the reason why it is not."""

    status: Literal["ready", "not ready"]
    dependencies: dict[str, str] = Field(examples=[{"nats": "ok", "projection": "ok"}])
