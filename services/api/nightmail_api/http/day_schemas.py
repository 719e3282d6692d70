"""The shapes of `GET /stats/days`."""

from datetime import date

from pydantic import BaseModel, Field

from nightmail_api.http.schemas import ItemPage


class RunCounts(BaseModel):
    """How many runs of a day have which status now."""

    requested: int = Field(examples=[0])
    running: int = Field(examples=[0])
    processed: int = Field(examples=[0])
    delivered: int = Field(examples=[12])
    failed: int = Field(examples=[1])
    undelivered: int = Field(examples=[0])
    skipped: int = Field(examples=[0])
    cancelled: int = Field(examples=[0])


class MailCounts(BaseModel):
    """How many mails of a day, each to one recipient, have which outcome now."""

    accepted: int = Field(examples=[31])
    refused: int = Field(examples=[1])
    uncertain: int = Field(examples=[0])
    waiting: int = Field(examples=[0])
    bounced: int = Field(examples=[0])


class DayCounters(BaseModel):
    """The counters of a day in UTC. A run counts for the day of its due time, a mail for the day of the last answer.

    `rows` and `bytes` are those of the results (as CSV).
    """

    day: date = Field(examples=["2026-11-25"])
    job_name: str | None = Field(examples=["daily sales"])
    runs: RunCounts
    rows: int = Field(examples=[372])
    bytes: int = Field(examples=[24_310])
    mails: MailCounts


class DayCounterPage(ItemPage[DayCounters]):
    """A page of counters."""
