"""What the event of a result says about earlier ones: what changed."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from nightmail_common.contract.comparison import RowMark


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
