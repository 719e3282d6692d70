"""What the first page shows: which jobs need a person, which are due next, and what became of the mails."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import func, select

from nightmail_api.read_model.day_triggers import MAIL_OUTCOMES
from nightmail_api.read_model.job_lists import list_jobs
from nightmail_api.read_model.queries import Queries
from nightmail_api.read_model.schema import days, jobs, mails
from nightmail_common.contract.envelope import iso_time

SHOWN_FAILING, SHOWN_NEXT, SHOWN_REFUSED = 10, 12, 5
REFUSED_SINCE = timedelta(days=1)


class OverviewParts(NamedTuple):
    """Items are JSON as in the lists of jobs and mails. `mails_today` counts by outcome, of the day in UTC."""

    jobs: int
    paused: int
    failing: list[str]
    more_failing: bool
    next: list[str]
    refused: list[str]
    mails_today: dict[str, int]
    was_mailed: bool


def overview(queries: Queries, now: datetime) -> OverviewParts:
    """Return the parts of the first page; each is bounded, and no count reads more than the jobs or the day's counters."""
    counts = {
        row["status"]: row["count"]
        for row in queries.all_rows(select(jobs.c.status, func.count().label("count")).group_by(jobs.c.status))
    }
    failing = list_jobs(queries, failing=True, summary=True, limit=SHOWN_FAILING, now=now)
    following = list_jobs(queries, sort="next_run", summary=True, limit=SHOWN_NEXT, now=now)
    refused = queries.mails(
        recipient=None,
        outcome="refused",
        job_name=None,
        message_id=None,
        since=iso_time(now - REFUSED_SINCE),
        limit=SHOWN_REFUSED,
        cursor=None,
    )
    sums = [func.coalesce(func.sum(days.c[f"mails_{one}"]), 0).label(one) for one in MAIL_OUTCOMES]
    [today] = queries.all_rows(select(*sums).where(days.c.day == now.astimezone(UTC).date().isoformat()))
    accepted = queries.all_rows(select(mails.c.place).where(mails.c.outcome == "accepted").limit(1))
    return OverviewParts(
        jobs=sum(counts.values()),
        paused=counts.get("paused", 0),
        failing=failing.items,
        more_failing=failing.next_cursor is not None,
        next=following.items,
        refused=refused.items,
        mails_today={one: int(today[one]) for one in MAIL_OUTCOMES},
        was_mailed=bool(accepted),
    )
