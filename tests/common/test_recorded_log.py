"""Mixed versions: a log that the first version wrote is read by this one, and a newer version's by it, too.

`tests/data/log-v1.jsonl` was recorded from a running system of version 0.1.0 (one event a line: sequence, the broker's time,
subject, headers, body; the machine's name replaced), with every type of event of that version. It is never changed: what stands in it
stands in somebody's log.

`tests/data/log-v2.jsonl` has every type of event and every field of a later state of version 0.1.0. `tests/support/record_log.py`
recorded it, and records the next one: never change a file that exists.
"""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from nightmail_api.read_model.input_queries import inputs_of_run, source_names
from nightmail_api.read_model.job_lists import list_jobs
from nightmail_api.read_model.projection import Applied, Projection
from nightmail_api.read_model.queries import Queries
from nightmail_api.read_model.sqlite import SqliteDatabase
from nightmail_common.contract.envelope import StoredEvent
from nightmail_common.contract.events import EVENTS
from nightmail_ticker.jobs import JobProjection
from nightmail_ticker.runs import RunStates

DATA = Path(__file__).parents[1] / "data"
#: The recorded logs, and the types of events that came later.
LOGS: dict[str, set[str]] = {
    "log-v1.jsonl": {"input-kept", "mail-bounced", "mail-deferred", "run-cancelled"},
    "log-v2.jsonl": set(),
}


def recorded(log: str = "log-v1.jsonl", **changed: Any) -> Iterator[StoredEvent]:
    """Yield the events; `changed` are further fields in each body."""
    for line in (DATA / log).read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        data = json.dumps(event["data"] | changed).encode()
        time = datetime.fromisoformat(event["time"])
        yield StoredEvent(event["sequence"], time, event["subject"], event["headers"], data)


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[tuple[Projection, Queries]]:
    database = SqliteDatabase(tmp_path / "projection.sqlite")
    projection = Projection(database)
    with closing(database), database.read_engine.connect() as connection:
        yield projection, Queries(connection)


@pytest.mark.parametrize("log", LOGS)
def test_every_type_of_event_of_a_version_is_recorded_and_readable(log: str) -> None:
    events = list(recorded(log))
    assert {stored.name for stored in events} == set(EVENTS) - LOGS[log]
    for stored in events:
        event = stored.event()
        assert event is not None, stored.subject
        assert event.job_name == stored.job_name
        known = event.model_dump(mode="json", exclude_none=True)
        lost = set(json.loads(stored.data)) - set(known)
        assert not lost, f"{stored.name}: a field is gone or has another name: {lost}"


def test_the_read_model_of_a_recorded_log_has_the_recorded_history(rows: tuple[Projection, Queries]) -> None:
    projection, queries = rows
    events = list(recorded())
    assert projection.apply(events, log_id="", after=0).late is None
    now = datetime(2026, 12, 1, tzinfo=UTC)
    jobs = {job["job_name"]: job for job in map(json.loads, list_jobs(queries, limit=100, now=now).items)}
    assert set(jobs) == {"daily sales", "brüche 50%.*", "every minute", "nothing new", "refused"}
    assert jobs["daily sales"]["version"] == 3
    assert jobs["daily sales"]["schedule_time"] == "0 9 * * 1-5", "rolled back to version 1"
    ended = {name: job["last_run"]["status"] for name, job in jobs.items() if name != "every minute"}
    assert ended == {
        "daily sales": "delivered",
        "brüche 50%.*": "delivered",
        "nothing new": "delivered",
        "refused": "undelivered",
    }
    assert queries.known_job("gone") is not None
    first = queries.run(json.loads(events[1].data)["run_id"])
    assert first is not None
    assert [entry["type"] for entry in first["timeline"]][:2] == ["run-requested", "run-started"]


def test_the_read_model_of_the_second_log_has_every_run_and_input(rows: tuple[Projection, Queries]) -> None:
    projection, queries = rows
    events = list(recorded("log-v2.jsonl"))
    assert projection.apply(events, log_id="", after=0) == Applied(events[-1].sequence)
    runs = {stored.event().run_id for stored in events if stored.name == "run-requested"}  # type: ignore[union-attr]
    found = [queries.run(str(run_id)) for run_id in runs]
    assert sorted(run["status"] for run in found if run) == ["cancelled", "delivered", "failed", "skipped"]
    [delivered] = [run for run in found if run and run["status"] == "delivered"]
    assert [mail["outcome"] for mail in delivered["mails"]] == ["bounced", "waiting"]
    kept = inputs_of_run(queries, delivered["run_id"])
    assert {name: row["object_name"] is not None for name, row in kept.items()} == {"data": True, "plan": False}
    assert source_names(queries, delivered["run_id"])[:2] == ["data", "regions"]


def test_the_ticker_reads_the_second_log() -> None:
    jobs, runs = JobProjection(), RunStates()
    for stored in recorded("log-v2.jsonl"):
        jobs.apply(stored) if stored.subject.startswith("jobs.") else runs.apply(stored)
    assert {job.job_name for job in jobs.active()} == {"sales 50%.*", "plain"}


def test_a_ticker_reads_a_recorded_log() -> None:
    jobs, runs = JobProjection(), RunStates()
    for stored in recorded():
        jobs.apply(stored) if stored.subject.startswith("jobs.") else runs.apply(stored)
    active = {job.job_name: job for job in jobs.active()}
    assert set(active) == {"daily sales", "brüche 50%.*", "every minute", "nothing new", "refused"}
    assert runs.state_of(active["every minute"]).last_fired is not None, "a fired due time does not fire again"


def test_fields_and_events_of_a_newer_version_are_ignored(rows: tuple[Projection, Queries]) -> None:
    projection, queries = rows
    events = list(recorded(what_the_next_version_says={"more": [1, 2]}))
    newer = events[-1]
    unknown = StoredEvent(
        newer.sequence + 1, newer.time, "runs.daily%20sales.run-audited", newer.headers, b'{"new": 1}'
    )
    headers = {**newer.headers, "ce-type": "nightmail.run-requested.v2"}
    changed = StoredEvent(newer.sequence + 2, newer.time, "runs.daily%20sales.run-requested", headers, b'{"new": 1}')
    assert unknown.event() is None
    assert changed.event() is None
    assert projection.apply([*events, unknown, changed], log_id="", after=0).checkpoint == newer.sequence + 2
    assert len(list_jobs(queries, limit=100, now=newer.time).items) == 5
