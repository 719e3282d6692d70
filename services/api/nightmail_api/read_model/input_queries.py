"""Queries about kept inputs."""

from typing import Any

from sqlalchemy import select

from nightmail_api.read_model.queries import Queries
from nightmail_api.read_model.schema import inputs


def input_of_run(queries: Queries, run_id: str, source: str) -> dict[str, Any] | None:
    """Return the row of what a run has read from a source; None without one."""
    rows = queries.all_rows(select(inputs).where(inputs.c.run_id == run_id, inputs.c.source == source))
    return dict(rows[-1]) if rows else None


def objects_in_use(queries: Queries, since: str) -> set[str]:
    """Return the names of the objects that a run's input needs.

    Args:
        since: inputs that were kept before this time are not needed, in the format of `iso_time`.
    """
    needed = select(inputs.c.object_name).where(inputs.c.object_name.is_not(None), inputs.c.kept_at >= since)
    return {row["object_name"] for row in queries.all_rows(needed.distinct())}
