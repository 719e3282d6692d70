"""Counters per day and job: the answers are read from counters, and count no rows."""

from pydantic_core import to_json
from sqlalchemy import func, select, tuple_

from nightmail_api.read_model.day_triggers import COUNTERS, MAIL_OUTCOMES, RUN_STATUSES
from nightmail_api.read_model.pages import Page, read_cursor
from nightmail_api.read_model.queries import Queries, Row
from nightmail_api.read_model.schema import days

_SEPARATOR = "\n"


def days_by_job(queries: Queries, first: str, last: str, job_name: str | None, limit: int, cursor: str | None) -> Page:
    """Return a page of the counters of each day and job, in order of day and job.

    Args:
        first: the first day, `2026-11-25`, and `last` the last one, included.

    Raises:
        ValidationProblem: the cursor is not a cursor of this list.
    """
    query = select(days).where(days.c.day >= first, days.c.day <= last)
    if job_name is not None:
        query = query.where(days.c.job_name == job_name)
    if cursor is not None:
        day, _, name = str(read_cursor(cursor, "days", str)).partition(_SEPARATOR)
        query = query.where(tuple_(days.c.day, days.c.job_name) > tuple_(day, name))
    rows = queries.all_rows(query.order_by(days.c.day, days.c.job_name).limit(limit + 1))
    return Page.of(rows, limit, _item, "days", lambda row: f"{row['day']}{_SEPARATOR}{row['job_name']}")


def days_in_all(queries: Queries, first: str, last: str, job_name: str | None) -> Page:
    """Return the counters of each day, over all jobs or of one; `job_name` of an item is null where it is all jobs."""
    sums = [func.sum(days.c[name]).label(name) for name in COUNTERS]
    query = select(days.c.day, *sums).where(days.c.day >= first, days.c.day <= last)
    if job_name is not None:
        query = query.where(days.c.job_name == job_name)
    rows = queries.all_rows(query.group_by(days.c.day).order_by(days.c.day))
    return Page([_item({**row, "job_name": job_name}) for row in rows], None)


def _item(row: Row) -> str:
    return to_json(
        {
            "day": row["day"],
            "job_name": row["job_name"],
            "runs": {status: int(row[f"runs_{status}"]) for status in RUN_STATUSES},
            "rows": int(row["rows"]),
            "bytes": int(row["bytes"]),
            "mails": {outcome: int(row[f"mails_{outcome}"]) for outcome in MAIL_OUTCOMES},
        }
    ).decode()
