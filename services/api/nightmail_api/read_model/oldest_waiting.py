"""Since when the oldest run waits for a runner, and the oldest mail for the SMTP server."""

from datetime import datetime
from typing import get_args

from sqlalchemy import func, select

from nightmail_api.read_model.queries import Queries
from nightmail_api.read_model.schema import mails, runs
from nightmail_common.contract.events import Trigger

_OLDEST_MAIL = select(func.min(mails.c.since).label("since")).where(mails.c.outcome == "waiting")


def oldest_waiting(queries: Queries) -> tuple[datetime | None, datetime | None]:
    """Return when the run was requested that waits longest, and since when the mail waits that does; None if none waits."""
    # The index of the lists has the first run of each trigger.
    times = [
        row["requested_at"]
        for trigger in get_args(Trigger)
        for row in queries.all_rows(
            select(runs.c.requested_at)
            .where(runs.c.status == "requested", runs.c.trigger == trigger)
            .order_by(runs.c.sequence)
            .limit(1)
        )
    ]
    [mail] = queries.all_rows(_OLDEST_MAIL)
    return _moment(min(times, default=None)), _moment(mail["since"])


def _moment(time: str | None) -> datetime | None:
    return None if time is None else datetime.fromisoformat(time)
