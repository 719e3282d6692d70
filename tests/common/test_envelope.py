"""The envelope of an event: CloudEvents' attributes in NATS' headers, as any other program reads them."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from nats.aio.client import Client
from pydantic import ValidationError

from nightmail_common.broker.log import EventLog
from nightmail_common.broker.streams import STREAM
from nightmail_common.broker.tracing import TRACEPARENT
from nightmail_common.contract.envelope import StoredEvent, event_body, event_headers, run_message_id
from nightmail_common.contract.events import JobCreated, RunRequested, RunStarted
from nightmail_common.contract.job import Job

MakeJob = Callable[..., Job]


def stored(subject: str, body: bytes, **headers: str) -> StoredEvent:
    return StoredEvent(1, datetime.now(UTC), subject, headers, body)


async def test_an_event_is_a_cloudevent_in_binary_mode(
    nats_client: Client, event_log: EventLog, make_job: MakeJob
) -> None:
    job, run_id, trace = make_job(), uuid4(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    event = RunRequested(
        job_name=job.job_name, run_id=run_id, trigger="schedule", scheduled_at=datetime.now(UTC), job=job
    )
    await event_log.publish(event, message_id=str(run_id), traceparent=trace)
    raw = await nats_client.jetstream().get_msg(STREAM, seq=1)
    headers = raw.headers or {}
    assert raw.subject == "runs.daily%20sales.run-requested"
    assert headers["ce-specversion"] == "1.0"
    assert headers["ce-type"] == "nightmail.run-requested.v1"
    assert headers["ce-source"] == "test"
    assert headers["content-type"] == "application/json"
    assert headers[TRACEPARENT] == trace
    assert headers["Nats-Msg-Id"] == str(run_id)
    assert headers["Nats-TTL"] == "86400s"
    assert UUID(headers["ce-id"]).version == 7
    assert abs(datetime.now(UTC) - datetime.fromisoformat(headers["ce-time"])) < timedelta(minutes=1)
    assert RunRequested.model_validate_json(raw.data or b"") == event


async def test_events_of_jobs_have_no_ttl(nats_client: Client, event_log: EventLog, make_job: MakeJob) -> None:
    job = make_job()
    await event_log.publish(JobCreated(job_name=job.job_name, job_id=job.job_id, actor="test", job=job))
    raw = await nats_client.jetstream().get_msg(STREAM, seq=1)
    assert "Nats-TTL" not in (raw.headers or {})


def test_no_two_events_have_the_same_id() -> None:
    assert len({event_headers(RunStarted, "test")["ce-id"] for _ in range(1000)}) == 1000


def test_an_unknown_type_or_version_is_no_event() -> None:
    body = b'{"what": "ever"}'
    assert stored("runs.a.run-paused", body, **{"ce-type": "nightmail.run-paused.v1"}).event() is None
    assert stored("runs.a.run-started", body, **{"ce-type": "nightmail.run-started.v2"}).event() is None
    assert stored("runs.a.run-started", body).event() is None


def test_an_unknown_field_is_ignored() -> None:
    known = RunStarted(job_name="a", run_id=uuid4(), runner="here", attempt=1)
    body = known.model_dump_json().replace("{", '{"colour": "green", ', 1).encode()
    assert stored("runs.a.run-started", body, **event_headers(known, "test")).event() == known


@pytest.mark.parametrize("versions", [{"job_version": 3}, {"version": 3}, {"job_version": 3, "version": 3}])
def test_a_change_of_a_jobs_status_names_the_version_as_earlier_and_later_programs_do(versions: dict[str, int]) -> None:
    fields = {"job_name": "a", "job_id": str(uuid4()), "actor": "admin"}
    body = json.dumps(fields | versions).encode()
    event = stored("jobs.a.job-paused", body, **{"ce-type": "nightmail.job-paused.v1"}).event()
    assert event is not None
    assert json.loads(event_body(event)) == fields | {"job_version": 3, "version": 3}


def test_a_change_of_a_jobs_status_without_a_version_is_an_error() -> None:
    body = json.dumps({"job_name": "a", "job_id": str(uuid4()), "actor": "admin"}).encode()
    with pytest.raises(ValidationError, match="job_version"):
        stored("jobs.a.job-deleted", body, **{"ce-type": "nightmail.job-deleted.v1"}).event()


@pytest.mark.parametrize("name", ["job-created", "job-updated"])
def test_a_new_version_of_a_job_names_the_version_beside_the_job(make_job: MakeJob, name: str) -> None:
    job = make_job().model_copy(update={"version": 4})
    event = JobCreated(job_name=job.job_name, job_id=job.job_id, actor="admin", job=job)
    written = json.loads(event_body(event))
    assert written.pop("version") == 4
    earlier = stored(f"jobs.a.{name}", json.dumps(written).encode(), **{"ce-type": f"nightmail.{name}.v1"}).event()
    assert earlier is not None
    assert json.loads(event_body(earlier))["version"] == 4


def test_a_body_that_does_not_fit_its_type_is_an_error() -> None:
    broken = stored("runs.a.run-started", b'{"run_id": 1}', **{"ce-type": "nightmail.run-started.v1"})
    with pytest.raises(ValidationError):
        broken.event()


def test_a_subject_names_the_job_and_the_event() -> None:
    event = stored("runs.v1%2E2%20%E2%82%AC.result-ready", b"", **{"ce-source": "runner"})
    assert (event.name, event.job_name, event.source) == ("result-ready", "v1.2 €", "runner")


def test_the_same_fact_of_a_run_has_the_same_message_id_and_another_fact_another() -> None:
    run_id = uuid4()
    assert run_message_id(run_id) == str(run_id)
    assert run_message_id(run_id, "result", "1") == run_message_id(run_id, "result", "1")
    assert len({run_message_id(run_id, *parts) for parts in ((), ("result",), ("failed",), ("result", "1"))}) == 4
