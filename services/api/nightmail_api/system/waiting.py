"""The state of the system by the read model: unreadable events, what waits, and a clock that was ahead."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from nightmail_api.read_model.due_times import utc_text
from nightmail_api.read_model.oldest_waiting import oldest_waiting
from nightmail_api.read_model.queries import Queries
from nightmail_api.read_model.schema import runs, unreadable
from nightmail_common.broker.checks import Check
from nightmail_common.contract.envelope import AHEAD_TOLERANCE

#: The unreadable events that the answer names, the newest ones.
SHOWN_UNREADABLE = 20
#: A run begins within seconds if there are enough runners.
LONG_WAIT_OF_RUN = timedelta(minutes=10)
#: Greylisting makes a mail wait for minutes.
LONG_WAIT_OF_MAIL = timedelta(hours=1)


@dataclass(frozen=True)
class Waiting:
    """What waits, and since when; what the read model could not apply; how many due times to come have a run."""

    unreadable: int
    unreadable_items: list[dict[str, Any]]
    oldest_run: datetime | None
    oldest_mail: datetime | None
    ahead: int


def read_waiting(queries: Queries, now: datetime) -> Waiting:
    """Return what waits. Each part is read from an index."""
    newest = select(unreadable.c.sequence, unreadable.c.subject, unreadable.c.reason)
    [count] = queries.all_rows(select(func.count().label("count")).select_from(unreadable))
    ahead = select(func.count().label("count")).where(
        runs.c.scheduled_at > utc_text(now + AHEAD_TOLERANCE), runs.c.trigger == "schedule"
    )
    oldest_run, oldest_mail = oldest_waiting(queries)
    return Waiting(
        unreadable=count["count"],
        unreadable_items=queries.all_rows(newest.order_by(unreadable.c.sequence.desc()).limit(SHOWN_UNREADABLE)),
        oldest_run=oldest_run,
        oldest_mail=oldest_mail,
        ahead=queries.all_rows(ahead)[0]["count"],
    )


def check_waiting(waiting: Waiting, now: datetime) -> Iterator[Check]:
    """Check what waits for too long, what was unreadable, and whether a clock was ahead."""
    fix = "upgrade the API if a newer version wrote them; else find out who wrote them (GET /events has them)"
    if waiting.unreadable:
        detail = f"the read model could not apply {waiting.unreadable} events; `unreadable` lists the newest"
        yield Check("unreadable events", "warning", detail, fix)
    else:
        yield Check("unreadable events", "ok", "none")
    yield _check_wait("waiting runs", "run", waiting.oldest_run, now, LONG_WAIT_OF_RUN, "start more runners")
    mail_fix = "nightmail mails list --outcome waiting shows the server's answers"
    yield _check_wait("waiting mails", "mail", waiting.oldest_mail, now, LONG_WAIT_OF_MAIL, mail_fix)
    if waiting.ahead:
        detail = f"the clock was ahead: {waiting.ahead} due times to come were fired already"
        fix = "synchronise the clock (chrony, systemd-timesyncd); check the runs of that time, which are not repeated"
        yield Check("clock history", "warning", detail, fix)


def _check_wait(name: str, kind: str, since: datetime | None, now: datetime, limit: timedelta, fix: str) -> Check:
    if since is None:
        return Check(name, "ok", "none")
    minutes = max((now - since).total_seconds() / 60, 0.0)
    detail = f"the oldest {kind} waits for {minutes:.0f} min"
    return Check(name, "warning", detail, fix) if now - since > limit else Check(name, "ok", detail)
