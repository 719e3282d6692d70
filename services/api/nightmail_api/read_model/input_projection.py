"""The rows of kept inputs: for each job, those of its last `keep_inputs` runs that have one."""

from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select
from sqlalchemy.engine import Connection

from nightmail_api.read_model.schema import inputs
from nightmail_common.contract.envelope import StoredEvent, iso_time
from nightmail_common.contract.events import InputKept

_RUNS_OF_JOB = (
    select(inputs.c.run_id)
    .where(inputs.c.job_name == bindparam("of_job"))
    .group_by(inputs.c.run_id)
    .order_by(func.min(inputs.c.sequence).desc())
)
_FORGET_RUN = delete(inputs).where(inputs.c.run_id == bindparam("of_run"))


class InputProjection:
    """The inputs that one transaction adds."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: list[dict[str, Any]] = []
        self._keep: dict[str, int] = {}

    def apply(self, event: InputKept, stored: StoredEvent) -> None:
        kept = event.model_dump(exclude={"run_id", "keep_inputs", "validators"})
        self._rows.append(
            kept | {"sequence": stored.sequence, "run_id": str(event.run_id), "kept_at": iso_time(stored.time)}
        )
        self._keep[event.job_name] = event.keep_inputs

    def write(self) -> None:
        """Write the rows, and delete those of earlier runs of the same jobs."""
        if self._rows:
            self._connection.execute(insert(inputs), self._rows)
        for job_name, keep in self._keep.items():
            delete_earlier_inputs(self._connection, job_name, keep)
        self._rows.clear()
        self._keep.clear()


def delete_earlier_inputs(connection: Connection, job_name: str, keep: int) -> None:
    """Delete the rows of a job's inputs, except those of its last runs."""
    run_ids = list(connection.scalars(_RUNS_OF_JOB, {"of_job": job_name}))
    if earlier := run_ids[max(keep, 0) :]:
        connection.execute(_FORGET_RUN, [{"of_run": run_id} for run_id in earlier])
