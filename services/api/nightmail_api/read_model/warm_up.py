"""Finds the next due times and the warnings of all jobs before a request needs them.

Those of a thousand timetables take 0.2 s, which the first list of jobs or of due times would take longer otherwise.
"""

import asyncio
import gc
from collections import deque
from datetime import UTC, datetime, timedelta
from itertools import islice
from time import perf_counter

from sqlalchemy import select

from nightmail_api.http.serialization import warm_outlook
from nightmail_api.read_model.database import DatabaseUnavailable
from nightmail_api.read_model.due_times import KEPT_TIMETABLES, MAX_KEPT, Span, due_times_of
from nightmail_api.read_model.fixed_query import FixedQuery
from nightmail_api.read_model.queries import Queries
from nightmail_api.read_model.query_executor import QueryExecutor
from nightmail_api.read_model.read_model import POLL_INTERVAL_SECONDS, ReadModel
from nightmail_api.read_model.schema import jobs
from nightmail_common.broker.patches import raise_if_cancelled

#: Less than the age at which warnings are found again (`serialization.py`).
WARM_UP_SECONDS = 1500.0
#: The due times of the page of the next day.
SPAN = timedelta(days=1)
#: How long the event loop is blocked at a time, and the pause that follows.
SLICE_SECONDS = 0.002
PAUSE_SECONDS = 0.005

_TIMETABLES = FixedQuery(select(jobs.c.timetable).where(jobs.c.status == "active").distinct().limit(KEPT_TIMETABLES))


async def keep_warm(read: QueryExecutor, model: ReadModel) -> None:
    """Warm up once the read model has caught up, and again before what was found is too old, for ever."""
    frozen = False
    while True:
        raise_if_cancelled()
        if model.reason_not_ready() is not None:
            await asyncio.sleep(POLL_INTERVAL_SECONDS)
            continue
        try:
            timetables = await read(_active_timetables)
        except DatabaseUnavailable:  # logged by what follows the log
            await asyncio.sleep(POLL_INTERVAL_SECONDS)
            continue
        await warm_up(timetables)
        if not frozen:
            # The objects that exist now stay: the garbage collector need not visit them.
            gc.collect()
            gc.freeze()
            frozen = True
        await asyncio.sleep(WARM_UP_SECONDS)


def _active_timetables(queries: Queries) -> list[str]:
    return [timetable for (timetable,) in queries.tuples_of(_TIMETABLES)]


async def warm_up(timetables: list[str]) -> None:
    """Find the next due times and the warnings of timetables."""
    now = datetime.now(UTC)
    span = Span.of(now, now + SPAN)
    began = perf_counter()
    for timetable in timetables:
        warm_outlook(timetable, now)
        # More due times are not kept.
        deque(islice(due_times_of(timetable).between(span), MAX_KEPT + 1), maxlen=0)
        if perf_counter() - began > SLICE_SECONDS:
            await asyncio.sleep(PAUSE_SECONDS)
            began = perf_counter()
