"""Queries about kept inputs."""

from typing import Any

from sqlalchemy import and_, select

from nightmail_api.read_model.queries import Queries
from nightmail_api.read_model.schema import inputs, runs, versions
from nightmail_common.contract.job import Job


def inputs_of_run(queries: Queries, run_id: str) -> dict[str, dict[str, Any]]:
    """Return the rows of what a run has read, by source."""
    rows = queries.all_rows(select(inputs).where(inputs.c.run_id == run_id).order_by(inputs.c.sequence))
    return {row["source"]: dict(row) for row in rows}


def source_names(queries: Queries, run_id: str) -> list[str]:
    """Return the names of a run's sources, as its version of the job has them."""
    of_run = (versions.c.job_id == runs.c.job_id, versions.c.version == runs.c.job_version)
    rows = queries.all_rows(select(versions.c.definition).join(runs, and_(*of_run)).where(runs.c.run_id == run_id))
    return [name for row in rows for name in Job.model_validate_json(row["definition"]).sources]


def objects_in_use(queries: Queries, since: str) -> set[str]:
    """Return the names of the objects that a run's input needs.

    Args:
        since: inputs that were kept before this time are not needed, in the format of `iso_time`.
    """
    needed = select(inputs.c.object_name).where(inputs.c.object_name.is_not(None), inputs.c.kept_at >= since)
    return {row["object_name"] for row in queries.all_rows(needed.distinct())}
