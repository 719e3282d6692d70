"""Every due time has exactly one event while tickers and broker are killed and suspended."""

import random
from itertools import pairwise
from pathlib import Path

from nats.aio.client import Client

from nightmail_common.contract.events import RunRequested, RunSkipped
from support.nats_server import NatsServer
from support.outage import outage
from support.ticker_faults import MINUTE, inject_faults


async def test_no_due_time_is_missed_or_fired_twice_while_tickers_and_broker_are_killed_and_suspended(
    nats_server: NatsServer, nats_client: Client, tmp_path: Path
) -> None:
    seed = random.randrange(10**6)
    report = await inject_faults(nats_server, tmp_path, seconds=10, jobs=30, speed=20, seed=seed)
    assert (report.missed, report.twice) == ([], []), f"seed {seed}, faults {report.faults}"
    assert report.due_times >= 30


async def test_after_all_tickers_were_down_each_job_gets_one_event_that_lists_what_it_missed(
    nats_server: NatsServer, nats_client: Client, tmp_path: Path
) -> None:
    events = await outage(nats_server, tmp_path, minutes=3, speed=40)
    before = {event.job_name: event.scheduled_at for event in events[:2]}
    after = {event.job_name: event for event in events[2:4]}
    late, skipped = after["runs once"], after["skips"]
    assert isinstance(late, RunRequested)
    assert late.late
    assert isinstance(skipped, RunSkipped)
    assert skipped.reason == "missed"
    for event in (late, skipped):
        first, *more = [*event.missed_times, event.scheduled_at]
        assert first == before[event.job_name] + MINUTE
        assert more
        assert all(later - earlier == MINUTE for earlier, later in pairwise([first, *more]))
