"""The shapes of `GET /system`."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field

from nightmail_common.contract.job_definition import normalise_email


class ReplicaStatus(BaseModel):
    """A process of a service, as it announces itself.

    The value of each of `dependencies` is `ok`, or the reason why the process is not ready. `facts` depend on the service:
    the SMTP server of a mailer, the slots of a runner, whether a ticker leads.
    """

    instance: str = Field(examples=["host-1/4711"])
    version: str = Field(examples=["2.0.0"])
    started_at: datetime = Field(examples=["2026-11-23T15:48:00.000Z"])
    ready: bool = Field(examples=[True])
    dependencies: dict[str, str] = Field(examples=[{"nats": "ok", "queue": "ok"}])
    unreadable_events: int = Field(examples=[0])
    facts: dict[str, Any] = Field(examples=[{"slots": 1}])


class ServiceStatus(BaseModel):
    """A service: ready if one of its replicas is. `version` is null if there is none, or several.

    `backlog` counts the events that wait for the service, or are in progress; null if no queue exists.
    """

    name: str = Field(examples=["runner"])
    ready: bool = Field(examples=[True])
    version: str | None = Field(examples=["2.0.0"])
    backlog: int | None = Field(examples=[0])
    replicas: list[ReplicaStatus]


class SmtpStatus(BaseModel):
    """The SMTP server as the mailers see it. `reason` is the last error while it is not reachable.

    `catcher`: it is the one of `nightmail up` that keeps every mail, and delivers none.
    """

    server: str | None = Field(examples=["mail.example.com:587"])
    security: str | None = Field(examples=["starttls"])
    sender: str | None = Field(examples=["reports@example.com"])
    catcher: bool = Field(examples=[False])
    reachable: bool = Field(examples=[True])
    reason: str | None = Field(examples=[None])


class LogStatus(BaseModel):
    """The log, and how far this replica's read model has applied it. `bytes` are those on the broker's disk."""

    messages: int | None = Field(examples=[4711])
    bytes: int | None = Field(examples=[2097152])
    last_sequence: int = Field(examples=[4711])
    applied_sequence: int = Field(examples=[4711])


class UnreadableItem(BaseModel):
    """An event that the read model could not apply, and why."""

    sequence: int = Field(examples=[42])
    subject: str = Field(examples=["runs.daily%20sales.run-started"])
    reason: str = Field(examples=["of type nightmail.run-started.v9"])


class UnreadableEvents(BaseModel):
    """The events that the read model could not apply: how many, and the newest ones."""

    count: int = Field(examples=[0])
    items: list[UnreadableItem] = Field(examples=[[]])


class Finding(BaseModel):
    """The result of a check, as `nightmail doctor` shows it. `fix` is null if the state is `ok`."""

    name: str = Field(examples=["runners"])
    state: Literal["ok", "warning", "problem"] = Field(examples=["problem"])
    detail: str = Field(examples=["12 events waiting or in progress, and no runner pulls them"])
    fix: str | None = Field(examples=["start a runner, or find out why none is ready"])


class SystemStatus(BaseModel):
    """The state of the system. `state` is the worst of its checks; `smtp` is null while no mailer runs."""

    state: Literal["ok", "warning", "problem"] = Field(examples=["ok"])
    time: datetime = Field(examples=["2026-11-23T15:48:00.000Z"])
    version: str = Field(examples=["2.0.0"])
    services: list[ServiceStatus]
    smtp: SmtpStatus | None
    log: LogStatus
    unreadable: UnreadableEvents
    checks: list[Finding]


class TestMailRequest(BaseModel, extra="forbid"):
    """Who gets the test mail."""

    recipient: Annotated[str, AfterValidator(normalise_email)] = Field(max_length=320, examples=["ann@example.com"])


class SmtpStep(BaseModel):
    """A step of the SMTP session: `detail` is the server's reply, or why the step failed and which setting to check."""

    step: str = Field(examples=["RCPT TO"])
    ok: bool = Field(examples=[True])
    detail: str = Field(examples=["250 OK"])


class TestMailResult(BaseModel):
    """Whether the server accepted the test mail, and the steps up to the first that failed."""

    ok: bool = Field(examples=[True])
    failed_at: str | None = Field(examples=[None])
    steps: list[SmtpStep]
