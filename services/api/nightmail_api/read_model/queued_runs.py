"""Counts the runs that wait for a runner, so that neither a job nor a token fills the queue."""

import json

from sqlalchemy import ColumnElement, func, select

from nightmail_api.read_model.queries import Queries
from nightmail_api.read_model.schema import runs


def count_queued_of_job(queries: Queries, job_name: str, up_to: int) -> int:
    """Return the number of queued runs of a job, scheduled ones too; at most `up_to`."""
    return _count(queries, runs.c.job_name == job_name, up_to=up_to)


def count_queued_of_token(queries: Queries, name: str, up_to: int) -> int:
    """Return the number of queued runs that a token has requested; at most `up_to`."""
    # These are all details of a run that has not started (`run_projection`).
    details = json.dumps({"actor": name}, ensure_ascii=False)
    return _count(queries, runs.c.trigger == "manual", runs.c.details == details, up_to=up_to)


def _count(queries: Queries, *conditions: ColumnElement[bool], up_to: int) -> int:
    found = select(runs.c.sequence).where(runs.c.status == "requested", *conditions).limit(up_to).subquery()
    [row] = queries.all_rows(select(func.count().label("queued")).select_from(found))
    queued: int = row["queued"]
    return queued
