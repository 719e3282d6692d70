"""The event catalogue: everything that happens in Nightmail, one model per event.

Events are facts in the past. On the wire an event is named by its `name` (`run-requested`, CloudEvents type
`nightmail.run-requested.v1`); a field is never renamed or given another meaning, a changed meaning is a new
version. A reader ignores fields that it does not know.
"""

from datetime import datetime
from typing import Any, ClassVar, Literal
from uuid import UUID

from pydantic import AliasChoices, BaseModel, Field

from nightmail_common.contract.blob import Blob, ResultFigure, ResultFile
from nightmail_common.contract.job import Job
from nightmail_common.contract.kept_input import KeptInput
from nightmail_common.contract.mail_outcomes import RecipientOutcome, WaitingRecipient
from nightmail_common.contract.result_parts import Changes, Runtime
from nightmail_common.contract.split import SplitResult

Trigger = Literal["schedule", "manual"]
Stage = Literal["fetch", "parse", "script", "output", "runner"]
SkipReason = Literal["missed", "overlap", "script", "unchanged", "deleted", "holiday"]
MailKind = Literal["result", "failure", "recovery"]
MailSkipReason = Literal["empty", "unsubscribed", "streak", "deleted"]


class Event(BaseModel, frozen=True):
    """A fact. A subclass is named after the fact, its `name` is the name on the wire, `type_version` the version of that type."""

    name: ClassVar[str]
    type_version: ClassVar[int] = 1
    family: ClassVar[Literal["jobs", "runs"]]

    job_name: str


# --- jobs.<job>.<event>: kept for ever -------------------------------------------------------------------------------


class JobEvent(Event):
    family = "jobs"

    job_id: UUID
    actor: str


class JobVersionEvent(JobEvent):
    """A job has a new version: the whole job, and its `version`, which events of earlier programs have in `job` only."""

    job: Job
    version: int = Field(default_factory=lambda fields: fields["job"].version)


class JobCreated(JobVersionEvent):
    """A job was registered."""

    name = "job-created"


class JobUpdated(JobVersionEvent):
    """A job was changed. `rolled_back_to` is the version whose content it has again."""

    name = "job-updated"

    rolled_back_to: int | None = None


class JobStatusEvent(JobEvent):
    """A job was paused, resumed or deleted. `version` is the job's; events of earlier programs have `job_version` only."""

    job_version: int = Field(validation_alias=AliasChoices("job_version", "version"))
    version: int = Field(default_factory=lambda fields: fields["job_version"])


class JobPaused(JobStatusEvent):
    """A job stops firing. Nothing that falls due while it is paused is caught up."""

    name = "job-paused"


class JobResumed(JobStatusEvent):
    """A paused job fires again, from now on."""

    name = "job-resumed"


class JobDeleted(JobStatusEvent):
    """A job was deleted; its history stays, its name is free."""

    name = "job-deleted"


class RecipientUnsubscribed(JobEvent):
    """A recipient unsubscribed: this address gets no more mail of this job, even if the job still names it."""

    name = "recipient-unsubscribed"

    address: str


class JobErased(JobEvent):
    """A job, its runs and results were purged up to the event `up_to`; only this event remains, without personal data."""

    name = "job-erased"

    events_purged: int
    results_purged: int
    up_to: int = 0


# --- runs.<job>.<event>: kept for RUN_RETENTION ----------------------------------------------------------------------


class RunEvent(Event):
    family = "runs"

    run_id: UUID


class RunOfJob(RunEvent):
    """An event that has the job as it was when the run was requested."""

    job: Job
    trigger: Trigger
    scheduled_at: datetime
    late: bool = False

    @property
    def of_run(self) -> dict[str, Any]:
        """The fields that the request of a run and its outcome have in common."""
        return {name: getattr(self, name) for name in RunOfJob.model_fields}


class RunRequested(RunOfJob):
    """A due time came, or a user asked for a run. A runner needs nothing but this event.

    `scheduled_at` is the due time of a scheduled run and the time of the request of a manual run. `late` marks a run
    for a due time that was missed while the system was down. `missed_before` counts the due times that came before
    this one and got neither a run nor an event of their own (at most 10,000 are counted); `first_missed_at` is the
    first of them, `missed_times` the first 200. More follow from the job's schedule, up to `scheduled_at`.
    """

    name = "run-requested"

    missed_before: int = 0
    first_missed_at: datetime | None = None
    missed_times: tuple[datetime, ...] = ()
    actor: str | None = None


class RunStarted(RunEvent):
    """A runner took the request. `attempt` counts from 1."""

    name = "run-started"

    runner: str
    attempt: int


class RunError(BaseModel, frozen=True):
    """Why a run failed, for the script's owner. `line` counts from 1 in the script's own text."""

    stage: Stage
    type: str
    message: str
    traceback: str | None = None
    line: int | None = None


class AttemptFailed(RunEvent):
    """An attempt did not end the run: it failed and the job has retries, or its runner stopped and returned the run.

    `attempt` is that of its `RunStarted`; the next attempt begins at `retry_at` or soon after.
    """

    name = "attempt-failed"

    attempt: int
    error: RunError
    retry_at: datetime


class Timings(BaseModel, frozen=True):
    """The duration of each stage of a run, in milliseconds. A stage that was not reached is None."""

    fetch_ms: float | None = None
    parse_ms: float | None = None
    script_ms: float | None = None
    output_ms: float | None = None
    total_ms: float


class Note(BaseModel, frozen=True):
    """A decision that a stage of the run took for the job's owner, and that changed or interpreted data."""

    stage: Stage
    text: str


class ResultReady(RunOfJob):
    """The script returned a DataFrame, and this is its CSV. `attachments` are its other files, as its job asks for them.

    `text_columns` are the positions of the columns that hold text: a reader shows their cells as they are, even if all of
    them look like numbers. It is None in an event of an earlier program. `figures` are in the order of their drawing.
    `changes` is None without `compare_by`, and if there is no earlier result.
    `split` is None without `split_by`.
    """

    name = "result-ready"

    rows: int
    columns: tuple[str, ...]
    text_columns: tuple[int, ...] | None = None
    csv: Blob
    log: str
    timings: Timings
    input_sha256: str
    #: The SHA-256 of the input from each of `more_sources`, by name.
    more_inputs_sha256: dict[str, str] = {}
    script_sha256: str
    runtime: Runtime
    notes: tuple[Note, ...] = ()
    attachments: tuple[ResultFile, ...] = ()
    figures: tuple[ResultFigure, ...] = ()
    changes: Changes | None = None
    split: SplitResult | None = None

    @property
    def blobs(self) -> tuple[Blob, ...]:
        """All files of the result."""
        of_split = () if self.split is None else (self.split.index, self.split.files)
        files = (*(one.blob for one in self.attachments), *(one.blob for one in self.figures))
        return (self.csv, *files, *of_split)


class RunSkipped(RunEvent):
    """A due time that gets no run, or a run that ends without a result and without mail, and why.

    `missed`: the due time was missed. `overlap`: the previous run had not ended. `script`: the script called `skip`,
    `detail` is the reason that it gave, `log` what it printed. `unchanged`: the result is like the last delivered one.
    `deleted`: the job was deleted first. `holiday`: the job's calendar has a holiday, `detail` has its name.
    `missed_before`, `first_missed_at` and `missed_times` are those of `RunRequested`.
    """

    name = "run-skipped"

    job_id: UUID
    job_version: int
    scheduled_at: datetime
    reason: SkipReason
    detail: str
    missed_before: int = 0
    first_missed_at: datetime | None = None
    missed_times: tuple[datetime, ...] = ()
    log: str = ""
    timings: Timings | None = None


class RunCancelled(RunEvent):
    """A user cancelled the run before it had an outcome: it computes nothing more, and nothing of it is mailed."""

    name = "run-cancelled"

    actor: str


class RunFailed(RunOfJob):
    """The run ended without a result."""

    name = "run-failed"

    error: RunError
    log: str
    timings: Timings
    notes: tuple[Note, ...] = ()


class InputKept(KeptInput, RunEvent):
    """A runner keeps what a run has read from one source, or says that it is too large; it comes behind the outcome."""

    name = "input-kept"


class MailEvent(RunEvent):
    """`split_value` is the value of the slice that the mail has, as in every event of a mail; None for another mail."""

    kind: MailKind
    message_id: str
    recipients: tuple[RecipientOutcome, ...]
    attachment_sha256: str | None = None
    split_value: str | None = None


class MailSent(MailEvent):
    """At least one recipient's mail was accepted by the SMTP server."""

    name = "mail-sent"


class MailFailed(MailEvent):
    """No recipient's mail was accepted, and a retry cannot help."""

    name = "mail-failed"

    reason: str


class MailDeferred(RunEvent):
    """A mail waits for its next attempt. Published at the first deferral, and then at most hourly.

    `recipients` still wait; `settled` have their outcome, which the last event of the mail repeats.
    """

    name = "mail-deferred"

    kind: MailKind
    message_id: str
    recipients: tuple[WaitingRecipient, ...]
    settled: tuple[RecipientOutcome, ...] = ()
    split_value: str | None = None


class MailBounced(RunEvent):
    """A recipient's mail was accepted and came back: a delivery status notification (RFC 3464) says that it failed.

    `status` is the enhanced status code (RFC 3463), `answer` the reply of the server that gave up.
    """

    name = "mail-bounced"

    kind: MailKind
    message_id: str
    address: str
    status: str
    answer: str
    split_value: str | None = None


class MailSkipped(RunEvent):
    """A mail is not sent, and why that is right.

    `empty`: the result has no rows and its job says `when_empty: skip`. `unsubscribed`: every recipient unsubscribed.
    `streak`: the recipients got a failure mail of this job less than an hour ago. `deleted`: the job was deleted first.
    """

    name = "mail-skipped"

    kind: MailKind
    reason: MailSkipReason
    split_value: str | None = None


class MailRequested(RunEvent):
    """A user asked to resend the mail of a run. `outcome_sequence` is the sequence of the run's outcome.

    `request_id` distinguishes its mails from earlier ones; `recipients` are all or some of the job's. With `split_value`,
    only the slice of that value is sent; without it, every slice of each recipient.
    """

    name = "mail-requested"

    request_id: UUID
    outcome_sequence: int
    recipients: tuple[str, ...]
    actor: str
    split_value: str | None = None


#: The outcomes that are mailed. Every requested run ends in one of these, unless it is skipped.
RunOutcome = ResultReady | RunFailed

EVENTS: dict[str, type[Event]] = {
    event.name: event
    for event in (
        JobCreated,
        JobUpdated,
        JobPaused,
        JobResumed,
        JobDeleted,
        RecipientUnsubscribed,
        JobErased,
        RunRequested,
        RunSkipped,
        RunCancelled,
        RunStarted,
        AttemptFailed,
        ResultReady,
        RunFailed,
        InputKept,
        MailSent,
        MailFailed,
        MailDeferred,
        MailBounced,
        MailSkipped,
        MailRequested,
    )
}
