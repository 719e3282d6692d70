"""What the event of a result says about its run: the versions that it ran on, and what changed since an earlier one."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from nightmail_common.contract.comparison import RowMark


class Runtime(BaseModel):
    """The versions that a script ran on."""

    model_config = ConfigDict(frozen=True)

    python: str
    pandas: str


class Changes(BaseModel):
    """What changed since the last delivered result: that of the run `run_id`, which was due at `since`.

    Rows are identified by the job's `compare_by`. `marks` are those of the result's first rows, as many as a mail shows.
    """

    model_config = ConfigDict(frozen=True)

    run_id: UUID
    since: datetime
    added: int
    removed: int
    changed: int
    unchanged: int
    marks: tuple[RowMark, ...] = ()
