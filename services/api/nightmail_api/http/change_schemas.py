"""The shapes of the parts of a result: its figures, and what changed since the last delivered one."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field


class RunChanges(BaseModel):
    """Rows that changed since the last delivered result: that of `run_id`, which was due at `since`."""

    run_id: UUID = Field(examples=["01a20996-fe4d-720b-8c70-9ca43442f14c"])
    since: datetime = Field(examples=["2026-11-20T08:00:00Z"])
    added: int = Field(examples=[12])
    removed: int = Field(examples=[3])
    changed: int = Field(examples=[5])
    unchanged: int = Field(examples=[210])


class FigureOfRun(BaseModel):
    """A figure that a run's script drew: `size` is the PNG's in bytes, `width` and `height` are in pixels."""

    name: str = Field(examples=["figure-1.png"])
    alt: str = Field(examples=["Bar chart: Sales by region."])
    width: int = Field(examples=[1280])
    height: int = Field(examples=[960])
    size: int = Field(examples=[38421])
    sha256: str = Field(examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"])
