"""The response to a dry run, as OpenAPI documents it."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from nightmail_api.http.schemas import TIMINGS_EXAMPLE
from nightmail_common.contract.events import Note, RunError, Timings


class PreviewFigure(BaseModel):
    """A figure of a dry run: `png` is its PNG in base64, null if it is too large for the answer."""

    alt: str = Field(examples=["Bar chart: Sales by region."])
    width: int = Field(examples=[1280])
    height: int = Field(examples=[960])
    png: str | None = Field(examples=[None])


class PreviewMail(BaseModel):
    """The mail of a dry run as recipients would see it; its figures are inside `html`."""

    subject: str = Field(examples=["daily sales, 2026-11-23"])
    html: str = Field(examples=["<!doctype html><html><body>…</body></html>"])
    text: str = Field(examples=["daily sales\n…"])


class SentPreview(BaseModel):
    """The one mail of a dry run: what the server made of it, and its reply. Nobody tries again what it deferred."""

    recipient: str = Field(examples=["ann@example.com"])
    outcome: Literal["accepted", "refused", "deferred", "lost"] = Field(
        description="`lost`: the connection ended after the mail was sent; it may have arrived.", examples=["accepted"]
    )
    answer: str = Field(examples=["250 OK"])


class PreviewResponse(BaseModel):
    """The outcome of a dry run: columns, row count and first rows as in the CSV; or only the error.

    `skipped` is the reason with which the script called `skip`.
    """

    columns: list[str] | None = Field(examples=[["region", "amount"]])
    text_columns: list[int] | None = Field(
        description="The positions of the columns that hold text, even if it looks like numbers.", examples=[[0]]
    )
    rows: int | None = Field(examples=[2])
    first_rows: list[list[str]] | None = Field(examples=[[["north", "1200"], ["south", "950"]]])
    figures: list[PreviewFigure] = Field(examples=[[]])
    notes: list[Note] = Field(examples=[[]])
    error: RunError | None = Field(examples=[None])
    skipped: str | None = Field(examples=[None])
    mail: PreviewMail | None = Field(description="With `with_mail`, if there is a result.", examples=[None])
    sent: SentPreview | None = Field(description="With `send_to`, if there is a result.", examples=[None])
    sample_id: UUID | None = Field(description="Of the input, for a further preview; null: not kept.", examples=[None])
    log: str = Field(examples=[""])
    timings: Timings | None = Field(examples=[TIMINGS_EXAMPLE])
