"""Every due time, exactly once, whatever happens to the tickers."""

import random
from itertools import pairwise
from pathlib import Path

from nats.aio.client import Client

from nightmail_common.contract.events import RunRequested, RunSkipped
from support.nats_server import NatsServer
from support.outage import outage
from support.ticker_faults import MINUTE, harass


async def test_no_due_time_is_missed_and_none_comes_twice_while_tickers_and_broker_are_killed_and_stopped(
    nats_server: NatsServer, nats_client: Client, tmp_path: Path
) -> None:
    seed = random.randrange(10**6)
    report = await harass(nats_server, tmp_path, seconds=10, jobs=30, speed=20, seed=seed)
    assert (report.missed, report.twice) == ([], []), f"seed {seed}, faults {report.faults}"
    assert report.due_times >= 30


async def test_after_all_tickers_were_down_run_once_ran_once_skip_did_not_and_the_events_say_what_was_missed(
    nats_server: NatsServer, nats_client: Client, tmp_path: Path
) -> None:
    told = await outage(nats_server, tmp_path, minutes=3, speed=40)
    before = {event.job_name: event.scheduled_at for event in told[:2]}
    after = {event.job_name: event for event in told[2:4]}
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
