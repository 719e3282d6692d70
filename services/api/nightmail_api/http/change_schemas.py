"""The shape of what changed since the last delivered result."""

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
