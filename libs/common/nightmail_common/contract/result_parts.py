"""The facts about a run in the event of its result: the versions that it ran on, and what changed since an earlier one."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from nightmail_common.contract.comparison import RowMark


class Runtime(BaseModel, frozen=True):
    """The versions that a script ran on."""

    python: str
    pandas: str


class Changes(BaseModel, frozen=True):
    """What changed since the last delivered result: that of the run `run_id`, which was due at `since`.

    Rows are identified by the job's `compare_by`. `marks` are those of the result's first rows, as many as a mail shows.
    """

    run_id: UUID
    since: datetime
    added: int
    removed: int
    changed: int
    unchanged: int
    marks: tuple[RowMark, ...] = ()
