"""The projection applies every readable event and records every other one, whatever the log holds."""

import json
import random
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nats.aio.client import Client

from api.conftest import ON_BOTH_DATABASES, MakeReplica, NewDatabase, Replica, all_rows
from api.test_metrics import metrics, of
from api.test_runs_over_rest import requested, run_with_status
from nightmail_api.bootstrap import database
from nightmail_api.read_model.event_reader import MAX_NAME_CHARACTERS, MAX_REASON_CHARACTERS
from nightmail_api.read_model.projection import Projection
from nightmail_api.settings import ApiSettings
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.envelope import StoredEvent
from nightmail_common.contract.events import JobCreated, RunRequested, RunStarted
from nightmail_common.contract.job import Job
from nightmail_common.contract.subjects import job_token
from support.deadlines import eventually
from support.job_requests import job_request

RECORDED = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "data" / "log-v1.jsonl").read_text(encoding="utf-8").splitlines()
]
#: One value of each kind that a column, an index, a driver or a query cannot take.
HOSTILE: tuple[Any, ...] = (
    None,
    True,
    -1,
    2**63,
    2**64,
    -(2**63) - 1,
    10**400,
    1e308,
    float("nan"),
    float("inf"),
    "",
    "a\0b",
    "\ud800",
    "x" * 100_000,
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "2026-11-25T09:00:00",
    [],
    {},
    [[]] * 50,
    {"\0": {"a": [1]}},
)


@pytest.fixture
def projection(new_database: NewDatabase, tmp_path: Path) -> Iterator[Projection]:
    """A projection without a log."""
    opened = database(ApiSettings(data_dir=tmp_path, nats_url="nats://nowhere", database_url=new_database()))
    with closing(opened):
        yield Projection(opened)


def body_of(event: Any) -> bytes:
    return json.dumps(event).encode()


def paths_of(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value in a body, the body's own, `()`, included."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from paths_of(item, (*path, key))


def changed(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    """Return a body with another value at a path; without the value if it is `...`."""
    if not path:
        return {} if value is ... else value
    copy = json.loads(json.dumps(body))
    parent = copy
    for key in path[:-1]:
        parent = parent[key]
    if value is ...:
        del parent[path[-1]]
    else:
        parent[path[-1]] = value
    return copy


@st.composite
def hostile_events(draw: st.DrawFn) -> tuple[str, dict[str, str], bytes]:
    """Return subject, headers and body of a recorded event in which one thing is wrong."""
    event = draw(st.sampled_from(RECORDED))
    subject, headers, data = event["subject"], dict(event["headers"]), event["data"]
    match draw(st.sampled_from(("value", "missing", "version", "name", "bytes", "subject", "ttl"))):
        case "value":
            path = draw(st.sampled_from(list(paths_of(data))))
            return subject, headers, body_of(changed(data, path, draw(st.sampled_from(HOSTILE))))
        case "missing":
            return subject, headers, body_of(changed(data, draw(st.sampled_from(list(paths_of(data)))), ...))
        case "version":
            version = draw(st.sampled_from(("", "nightmail.", "nightmail.job-created.v2", "x" * 5000)))
            return subject, headers | {"ce-type": version}, body_of(data)
        case "name":
            family, token, _ = subject.split(".")
            return (
                f"{family}.{token}.{draw(st.sampled_from(('x', 'job-created', 'mail-sent')))}",
                headers,
                body_of(data),
            )
        case "bytes":
            return (
                subject,
                headers,
                draw(st.sampled_from((b"", b"\xff\xfe", b"{", b"[" * 5000, b'"\\ud800"', b"NaN", b"null"))),
            )
        case "subject":
            token = draw(st.sampled_from(("%FF", "%00", "%ED%A0%80", "other", "%", "n" * 1000)))
            return f"{subject.split('.')[0]}.{token}.{subject.split('.')[2]}", headers, body_of(data)
        case _:
            ttl = draw(st.sampled_from(("9" * 30 + "s", "²s", "-1s", "never", "s")))
            return subject, headers | {"Nats-TTL": ttl}, body_of(data)


def sound_events(job: Job) -> list[tuple[str, bytes]]:
    """Return subject and body of a job's creation and of a run that starts."""
    run_id = uuid4()
    events = (
        JobCreated(job_name=job.job_name, job_id=job.job_id, actor="maria", job=job),
        RunRequested(job_name=job.job_name, run_id=run_id, job=job, trigger="manual", scheduled_at=job.created_at),
        RunStarted(job_name=job.job_name, run_id=run_id, runner="r", attempt=1),
    )
    return [
        (f"{event.family}.{job_token(job.job_name)}.{event.name}", event.model_dump_json().encode()) for event in events
    ]


def apply(projection: Projection, batch: list[StoredEvent], checkpoint: int) -> int:
    """Apply a batch as the read model does: past events about an erased job, which are deleted from the log."""
    up_to = checkpoint
    while True:
        applied = projection.apply(batch, log_id=projection.position()[1], after=checkpoint, up_to=up_to)
        if applied.late is None:
            return applied.checkpoint
        up_to = applied.late.sequence
        batch = [stored for stored in batch if stored.sequence > up_to]


@ON_BOTH_DATABASES
@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(hostile=st.lists(hostile_events(), min_size=1, max_size=12), seed=st.integers(0, 2**32))
def test_sound_events_between_hostile_ones_are_applied(
    hostile: list[tuple[str, dict[str, str], bytes]],
    seed: int,
    projection: Projection,
    make_job: Callable[..., Job],
) -> None:
    rng = random.Random(seed)
    job = make_job(job_name=f"sound {seed}")
    sound = [
        (subject, {"ce-type": f"nightmail.{subject.rpartition('.')[2]}.v1"}, body)
        for subject, body in sound_events(job)
    ]
    mixed = list(hostile)
    for place, event in zip(sorted(rng.randrange(len(mixed) + 1) for _ in sound), sound, strict=True):
        mixed.insert(place + sound.index(event), event)
    time = job.created_at
    log = [StoredEvent(number, time, *event) for number, event in enumerate(mixed, 1)]
    cut = rng.randrange(len(log) + 1)
    projection.start_over(f"log of {uuid4()}", 0)
    checkpoint = 0
    for batch in (log[:cut], log[cut:]):
        checkpoint = apply(projection, batch, checkpoint)
    assert checkpoint == len(log)
    with projection.database.read_engine.connect() as connection:
        statuses = connection.exec_driver_sql("SELECT job_name, status FROM runs").all()
        names = connection.exec_driver_sql("SELECT job_name FROM jobs").scalars().all()
        unreadable = connection.exec_driver_sql("SELECT sequence, reason FROM unreadable").all()
    assert (job.job_name, "running") in [tuple(row) for row in statuses]
    assert job.job_name in names
    of_the_job = {stored.sequence for stored in log if job_token(job.job_name) in stored.subject}
    assert not of_the_job & {sequence for sequence, _ in unreadable}
    assert all(0 < len(reason) <= MAX_REASON_CHARACTERS for _, reason in unreadable)


@ON_BOTH_DATABASES
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"rows": 2**64}, "OverflowError|DataError"),
        ({"rows": "many"}, "rows: int_parsing"),
        ({"scheduled_at": "9999-12-31T23:59:59-14:00"}, None),
        ({"run_id": None}, "run_id: uuid_type"),
        ({"job_name": "another"}, "job_name: not the name in the subject"),
    ],
)
async def test_an_unreadable_event_is_recorded_and_counted_and_the_next_one_is_applied(
    api: Replica, event_log: EventLog, nats_client: Client, change: dict[str, Any], reason: str | None
) -> None:
    run_id, job = await requested(api, event_log)
    before = (await metrics(api))[of("nightmail_api_unreadable_events_total")]
    recorded = next(event for event in RECORDED if event["subject"].endswith(".result-ready"))
    data = recorded["data"] | {"job_name": job.job_name, "run_id": str(run_id)} | change
    subject = f"runs.{job_token(job.job_name)}.result-ready"
    headers = {"ce-type": "nightmail.result-ready.v1"}
    ack = await nats_client.jetstream().publish(subject, body_of(data), headers=headers)

    await event_log.publish(RunStarted(job_name=job.job_name, run_id=run_id, runner="r", attempt=1))
    await run_with_status(api, run_id, "running" if reason else "processed")
    after = (await metrics(api))[of("nightmail_api_unreadable_events_total")]
    await api.stop()
    rows = all_rows(api.settings)["unreadable"]
    if reason is None:
        assert (rows, after - before) == ([], 0)
        return
    [row] = rows
    assert (row["sequence"], row["subject"]) == (ack.seq, subject)
    assert row["reason"] in reason.split("|")
    assert after - before == 1


@ON_BOTH_DATABASES
async def test_a_job_can_be_changed_after_an_unreadable_event_about_it(api: Replica, nats_client: Client) -> None:
    await api.create()
    headers = {"ce-type": "nightmail.job-updated.v2"}
    await nats_client.jetstream().publish("jobs.daily%20sales.job-updated", b"{}", headers=headers)

    async def is_changed() -> bool:
        return (await api.http.put("/jobs/daily sales", json=job_request(description="after"))).status_code == 200

    await eventually(is_changed, "the job can be changed")
    assert (await api.http.get("/jobs/daily sales")).json()["description"] == "after"


@ON_BOTH_DATABASES
async def test_erasure_deletes_the_records_of_unreadable_events(api: Replica, nats_client: Client) -> None:
    for name in ("daily sales", "daily sales 2"):
        await api.create(job_name=name)
        for family in ("jobs", "runs"):
            await nats_client.jetstream().publish(f"{family}.{job_token(name)}.surprise", b"\xff")
    assert (await api.http.delete("/jobs/daily sales?erase=true")).status_code == 204
    await api.stop()
    subjects = {row["subject"] for row in all_rows(api.settings)["unreadable"]}
    assert subjects == {"jobs.daily%20sales%202.surprise", "runs.daily%20sales%202.surprise"}


@ON_BOTH_DATABASES
async def test_unreadable_events_leave_the_rows_as_they_leave_the_log(
    make_replica: MakeReplica, nats_client: Client
) -> None:
    api = await make_replica()
    await nats_client.jetstream().publish("runs.any.surprise", b"{}", headers={"Nats-TTL": "2s"})
    await api.create()
    await eventually(lambda: not all_rows(api.settings)["unreadable"], "the record has expired")


@pytest.mark.parametrize(
    ("token", "body", "data", "run_id"),
    [
        ("any", b"\xff", None, None),
        ("any", b'{"rows": NaN}', None, None),
        ("any", b'{"run_id": 7}', {"run_id": 7}, None),
        ("any", b'["run_id"]', ["run_id"], None),
        ("%FF", b'{"run_id": "a"}', {"run_id": "a"}, "a"),
    ],
)
async def test_the_audit_log_lists_an_unreadable_event(
    api: Replica, nats_client: Client, token: str, body: bytes, data: Any, run_id: str | None
) -> None:
    await nats_client.jetstream().publish(f"runs.{token}.surprise", body)
    answer = await api.http.get("/events")
    assert answer.status_code == 200
    [event] = answer.json()["items"]
    assert (event["type"], event["job_name"], event["data"], event["run_id"]) == ("surprise", token, data, run_id)


@pytest.mark.parametrize("new_database", ["postgresql"], indirect=True)
def test_the_longest_name_fits_an_index(projection: Projection, make_job: Callable[..., Job]) -> None:
    widest = max(
        (chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000),
        key=lambda char: len((char + char.casefold()).encode()),
    )
    name = "".join(random.Random(1).choices((widest, "\U0001f600", "\u0390"), k=MAX_NAME_CHARACTERS))
    job = make_job().model_copy(update={"job_name": name})
    log = [
        StoredEvent(1, job.created_at, subject, {"ce-type": "nightmail.job-created.v1"}, body)
        for subject, body in sound_events(job)[:1]
    ]
    projection.start_over("a log", 0)
    assert apply(projection, log, 0) == 1
    with projection.database.read_engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT job_name FROM jobs").scalars().all() == [name]
