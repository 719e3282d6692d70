"""Queries about mails: those that recipients did not get, and who got any of a job."""

from dataclasses import dataclass
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import select

from nightmail_api.read_model.mail_projection import PLACES
from nightmail_api.read_model.pages import cursor_of, read_cursor
from nightmail_api.read_model.queries import Queries
from nightmail_api.read_model.schema import jobs, mails, runs

#: Mails of one request: their requests to resend are stored within a second.
MAX_MAILS = 200
#: Enough for one mail more than that, with the recipients that a mail has as a rule; a page may have fewer mails.
_MAX_ROWS = 10 * MAX_MAILS


@dataclass(frozen=True)
class UndeliveredMail:
    """A mail, by the sequence of its last event, and the recipients who did not get it."""

    sequence: int
    run_id: UUID
    job_name: str
    outcome_sequence: int
    recipients: tuple[str, ...]
    split_value: str | None


def mail_recipients(queries: Queries, job_name: str) -> list[str]:
    """Return the recipients of the mails of all jobs that had this name, each once."""
    rows = queries.all_rows(select(mails.c.recipient).where(mails.c.job_name == job_name).distinct())
    return [row["recipient"] for row in rows]


def undelivered_mails(
    queries: Queries, since: str, job_name: str | None, cursor: str | None
) -> tuple[list[UndeliveredMail], str | None]:
    """Return the oldest mails of existing jobs that recipients did not get, up to 200, and the cursor of the next ones.

    A recipient who got the mail when it was sent again, or may have got it, or whose mail waits, is no such recipient.

    Args:
        since: the earliest time of the server's answer, in the ledger's own format.

    Raises:
        ValidationProblem: the cursor is not a cursor of this list.
    """
    after = read_cursor(cursor, "undelivered", int)
    other = mails.alias("other")
    same = (
        other.c.run_id == mails.c.run_id,
        other.c.kind == mails.c.kind,
        other.c.recipient == mails.c.recipient,
        other.c.split_value.is_not_distinct_from(mails.c.split_value),
    )
    is_later = select(other.c.place).where(*same, (other.c.outcome != "refused") | (other.c.place > mails.c.place))
    columns = (
        mails.c.place,
        mails.c.run_id,
        mails.c.recipient,
        mails.c.split_value,
        runs.c.job_name,
        runs.c.outcome_sequence,
    )
    query = (
        select(*columns)
        .join(runs, runs.c.run_id == mails.c.run_id)
        .join(jobs, jobs.c.job_name == runs.c.job_name)
        .where(mails.c.outcome == "refused", mails.c.kind.in_(("result", "failure")), mails.c.time >= since)
        .where(~is_later.exists())
        .where(jobs.c.job_id == runs.c.job_id, jobs.c.status != "deleted", runs.c.outcome_sequence.is_not(None))
        .order_by(mails.c.place)
        .limit(_MAX_ROWS)
    )
    if after is not None:
        query = query.where(mails.c.place > after)
    if job_name is not None:
        query = query.where(mails.c.job_name == job_name)
    rows = queries.all_rows(query)
    found = [_mail(sequence, list(of_mail)) for sequence, of_mail in groupby(rows, _sequence)]
    if len(rows) == _MAX_ROWS:
        found.pop()  # more of its recipients may follow
    page = found[:MAX_MAILS]
    has_more = len(found) > MAX_MAILS or len(rows) == _MAX_ROWS
    return page, cursor_of("undelivered", (page[-1].sequence + 1) * PLACES - 1) if has_more else None


def _sequence(row: dict[str, Any]) -> int:
    sequence: int = row["place"] // PLACES
    return sequence


def _mail(sequence: int, rows: list[dict[str, Any]]) -> UndeliveredMail:
    first = rows[0]
    recipients = tuple(row["recipient"] for row in rows)
    return UndeliveredMail(
        sequence, UUID(first["run_id"]), first["job_name"], first["outcome_sequence"], recipients, first["split_value"]
    )
