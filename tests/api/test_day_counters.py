"""`GET /stats/days`: counters of runs and mails by day and job."""

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from api.conftest import ON_BOTH_DATABASES, Api, NewDatabase, Replica
from api.test_runs_over_rest import inline, mail_sent, requested, result_ready, run_with_status
from api.test_unreadable_events import apply
from nightmail_api.bootstrap import database
from nightmail_api.read_model.projection import Projection
from nightmail_api.settings import ApiSettings
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.envelope import StoredEvent, event_body
from nightmail_common.contract.events import JobErased, MailBounced
from nightmail_common.contract.mail_outcomes import RecipientOutcome
from nightmail_common.contract.subjects import subject_of
from support.deadlines import eventually
from support.histories import random_history

EVENTS = 1500
BATCH = 120


@pytest.fixture
def projection(new_database: NewDatabase, tmp_path: Path) -> Iterator[Projection]:
    opened = database(ApiSettings(data_dir=tmp_path, nats_url="nats://nowhere", database_url=new_database()))
    with closing(opened):
        yield Projection(opened)


def stored_events(seed: int) -> list[StoredEvent]:
    begun = datetime(2026, 11, 20, 23, 50, tzinfo=UTC)
    history = random_history(random.Random(seed))
    return [
        StoredEvent(
            number,
            begun + timedelta(minutes=number),
            subject_of(event),
            {"ce-type": f"nightmail.{event.name}.v1"}
            | ({"Nats-TTL": f"{random.Random(number).randrange(60, 200_000)}s"} if event.family == "runs" else {}),
            event_body(event),
        )
        for number, event in enumerate((next(history) for _ in range(EVENTS)), 1)
    ]


def counted(projection: Projection) -> dict[tuple[str, str], Counter[str]]:
    """Return the counters that the rows of runs and mails give."""
    found: dict[tuple[str, str], Counter[str]] = {}
    with projection.database.read_engine.connect() as connection:
        for row in connection.exec_driver_sql("SELECT scheduled_at, job_name, status, rows, bytes FROM runs"):
            of_day = found.setdefault((row[0][:10], row[1]), Counter())
            of_day.update({f"runs_{row[2]}": 1, "rows": row[3] or 0, "bytes": row[4] or 0})
        for row in connection.exec_driver_sql("SELECT time, job_name, outcome FROM mails"):
            found.setdefault((row[0][:10], row[1]), Counter())[f"mails_{row[2]}"] += 1
    return found


def kept(projection: Projection) -> dict[tuple[str, str], Counter[str]]:
    with projection.database.read_engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM days").mappings().all()
    counters = [dict(row) for row in rows]
    return {(row.pop("day"), row.pop("job_name")): +Counter(row) for row in counters}


@ON_BOTH_DATABASES
@pytest.mark.parametrize("seed", [1, 2])
def test_the_counters_equal_the_rows_after_every_batch_expiry_and_erasure(projection: Projection, seed: int) -> None:
    events = stored_events(seed)
    assert any(stored.name == JobErased.name for stored in events)
    checkpoint = expired = 0
    for start in range(0, EVENTS, BATCH):
        checkpoint = apply(projection, events[start : start + BATCH], checkpoint)
        assert kept(projection) == {key: +counter for key, counter in counted(projection).items()}
        expired += projection.expire(events[min(start + BATCH, EVENTS) - 1].time)
        assert kept(projection) == {key: +counter for key, counter in counted(projection).items()}
    assert expired > 50
    assert len(kept(projection)) > 20
    projection.start_over("another log", 0)
    assert kept(projection) == {}


async def stats(api: Replica, **query: Any) -> list[dict[str, Any]]:
    answer = await api.http.get("/stats/days", params=query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


@ON_BOTH_DATABASES
async def test_the_days_of_jobs_are_listed_by_job_and_in_all(api: Replica, event_log: EventLog) -> None:
    day = datetime.now(UTC).date().isoformat()  # another day may begin while the test runs: its counters are added
    for name in ("one", "two"):
        run_id, job = await requested(api, event_log, job_name=name, consumer_emails=["a@example.com", "b@example.com"])
        await event_log.publish(result_ready(run_id, job, inline(b"a\n1\n")))
        sent = tuple(
            RecipientOutcome(address=address, outcome=outcome, answer="250 ok")
            for address, outcome in (("a@example.com", "accepted"), ("b@example.com", "refused"))
        )
        mailed = mail_sent(run_id, job).model_copy(update={"recipients": sent})
        await event_log.publish(mailed)
        run = await run_with_status(api, run_id, "delivered")

    async def of_jobs(**query: Any) -> dict[str | None, Counter[str]]:
        found: dict[str | None, Counter[str]] = {}
        for item in await stats(api, **{"from": day} | query):
            counts = {"delivered": item["runs"]["delivered"], "rows": item["rows"], "bytes": item["bytes"]}
            found.setdefault(item["job_name"], Counter()).update(counts)
        return found

    each = Counter(delivered=1, rows=run["rows"], bytes=run["bytes"])
    assert each["bytes"] > 0
    assert await of_jobs() == {"one": each, "two": each}
    assert await of_jobs(job_name="two") == {"two": each}
    assert await of_jobs(group_by="day") == {None: each + each}
    assert await of_jobs(group_by="day", job_name="one") == {"one": each}
    mails: Counter[str] = Counter()
    for item in await stats(api, group_by="day"):
        mails.update({outcome: item["mails"][outcome] for outcome in ("accepted", "refused", "bounced")})
    assert mails == Counter(accepted=2, refused=2)
    bounced = MailBounced(
        job_name="one",
        run_id=run_id,
        kind="result",
        message_id=mailed.message_id,
        address="a@example.com",
        status="5.1.1",
        answer="no",
    )
    await event_log.publish(bounced.model_copy(update={"job_name": "two"}))

    async def has_bounced() -> bool:
        items = await stats(api, job_name="two", group_by="day")
        return any((item["mails"]["accepted"], item["mails"]["bounced"]) == (0, 1) for item in items)

    await eventually(has_bounced, "the bounce is counted in place of the acceptance")


async def test_the_list_is_paged_and_a_moment_is_its_day_in_utc(api: Replica, event_log: EventLog) -> None:
    runs = []
    for name in ("a", "b", "c"):
        run_id, job = await requested(api, event_log, job_name=name)
        await event_log.publish(result_ready(run_id, job, inline(b"a\n1\n")))
        runs.append(await run_with_status(api, run_id, "processed"))
    day = runs[0]["scheduled_at"][:10]
    first = (await api.http.get("/stats/days", params={"from": day, "limit": 2})).json()
    rest = (await api.http.get("/stats/days", params={"from": day, "limit": 2, "cursor": first["next_cursor"]})).json()
    assert [item["job_name"] for item in first["items"] + rest["items"]] == ["a", "b", "c"]
    assert rest["next_cursor"] is None
    late_evening = f"{datetime.fromisoformat(day).date() - timedelta(1)}T23:30:00-01:00"
    assert {item["day"] for item in await stats(api, **{"from": late_evening, "until": day})} == {day}


async def test_an_impossible_span_is_refused_by_its_field(shared_api: Api) -> None:
    for query, field in (
        ({"from": "2026-11-02", "until": "2026-11-01"}, "until"),
        ({"from": "2020-01-01", "until": "2026-11-01"}, "until"),
        ({"from": "yesterday"}, "from"),
        ({"until": "2026-13-01"}, "until"),
        ({"cursor": "x", "from": "2026-11-01", "until": "2026-11-02"}, "cursor"),
    ):
        answer = await shared_api.http.get("/stats/days", params=query)
        assert answer.status_code == 400, (query, answer.text)
        assert answer.json()["errors"][0]["field"] == field
