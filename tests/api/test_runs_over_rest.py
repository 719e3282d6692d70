"""Runs over REST, from the events that the other services publish."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from nats.aio.client import Client

from api.conftest import ON_BOTH_DATABASES, Replica
from nightmail_common.broker.log import EventLog
from nightmail_common.broker.streams import RESULTS
from nightmail_common.contract.blob import Blob, ResultFigure
from nightmail_common.contract.events import (
    Event,
    MailSent,
    MailSkipped,
    Note,
    ResultReady,
    RunError,
    RunFailed,
    RunRequested,
    RunSkipped,
    RunStarted,
    Timings,
)
from nightmail_common.contract.job import Job
from nightmail_common.contract.mail_outcomes import RecipientOutcome
from nightmail_common.contract.result_parts import Changes, Runtime
from nightmail_common.contract.run import scheduled_run_id
from support.deadlines import eventually

pytestmark = ON_BOTH_DATABASES

CSV = "région,amount\nnorth,17\n".encode()
PNG = b"\x89PNG\r\n\x1a\n and pixels"
DUE = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


async def requested(api: Replica, log: EventLog, **fields: Any) -> tuple[UUID, Job]:
    """Request a run of a new job over REST, and return its id and the job as a runner reads it."""
    name = (await api.create(**fields))["job_name"]
    run_id = UUID((await api.http.post(f"/jobs/{name}/run")).json()["run_id"])
    stored = await log.last_event("runs.*.run-requested")
    assert stored is not None
    event = stored.event()
    assert isinstance(event, RunRequested)
    return run_id, event.job


def result_ready(run_id: UUID, job: Job, csv: Blob) -> ResultReady:
    return ResultReady(
        job_name=job.job_name,
        run_id=run_id,
        job=job,
        trigger="manual",
        scheduled_at=DUE,
        rows=1,
        columns=("région", "amount"),
        csv=csv,
        log="printed\n",
        timings=Timings(total_ms=12.5, script_ms=3.0),
        input_sha256="0" * 64,
        script_sha256="0" * 64,
        runtime=Runtime(python="3.11", pandas="3.0"),
        notes=(Note(stage="parse", text="line 2 had fewer fields than the header"),),
    )


def inline(data: bytes) -> Blob:
    return Blob(size=len(data), sha256=hashlib.sha256(data).hexdigest(), data=data)


def mail_sent(run_id: UUID, job: Job) -> MailSent:
    recipients = (
        RecipientOutcome(address="reports@example.com", outcome="accepted", answer="250 OK"),
        RecipientOutcome(address="gone@example.com", outcome="refused", answer="550 no such user"),
    )
    return MailSent(
        job_name=job.job_name, run_id=run_id, kind="result", message_id="<1@nightmail>", recipients=recipients
    )


async def run_with_status(api: Replica, run_id: UUID, status: str) -> dict[str, Any]:
    async def look() -> dict[str, Any] | None:
        run: dict[str, Any] = (await api.http.get(f"/runs/{run_id}")).json()
        return run if run.get("status") == status else None

    found: dict[str, Any] = await eventually(look, f"run is {status}")
    return found


async def test_a_due_time_is_empty_until_a_mail_of_its_result_is_sent(api: Replica, event_log: EventLog) -> None:
    job = (await requested(api, event_log))[1]
    run_id = scheduled_run_id(job.job_id, DUE)
    request = RunRequested(job_name=job.job_name, run_id=run_id, job=job, trigger="schedule", scheduled_at=DUE)
    await event_log.publish(request)
    ready = result_ready(run_id, job, inline(b"amount\n")).model_copy(update={"trigger": "schedule", "rows": 0})
    await event_log.publish(ready)
    await event_log.publish(MailSkipped(job_name=job.job_name, run_id=run_id, kind="result", reason="empty"))
    await run_with_status(api, run_id, "delivered")
    span = {"from": DUE.isoformat(), "until": (DUE + timedelta(minutes=1)).isoformat()}

    async def slot() -> tuple[str, bool]:
        [item] = (await api.http.get("/slots", params=span)).json()["items"]
        return item["fate"], item["empty"]

    assert await slot() == ("delivered", True)
    await event_log.publish(mail_sent(run_id, job))  # somebody asked for it
    await eventually(lambda: mailed(api, run_id), "the mail is in the read model")
    assert await slot() == ("delivered", False)


async def mailed(api: Replica, run_id: UUID) -> bool:
    return bool((await api.http.get(f"/runs/{run_id}")).json()["mails"])


async def test_a_runs_events_make_its_status_timeline_and_the_jobs_last_run(api: Replica, event_log: EventLog) -> None:
    run_id, job = await requested(api, event_log)
    await run_with_status(api, run_id, "requested")
    await event_log.publish(RunStarted(job_name=job.job_name, run_id=run_id, runner="r1", attempt=1))
    running = await run_with_status(api, run_id, "running")
    assert running["started_at"] is not None
    await event_log.publish(result_ready(run_id, job, inline(CSV)))
    processed = await run_with_status(api, run_id, "processed")
    assert (processed["rows"], processed["timings"]["total_ms"]) == (1, 12.5)
    assert (processed["job_id"], processed["timezone"]) == (str(job.job_id), job.timezone)
    assert (processed["runner"], processed["attempts"], processed["bytes"]) == ("r1", 1, len(CSV))
    assert processed["columns"] == ["région", "amount"]
    assert processed["result_sha256"] == hashlib.sha256(CSV).hexdigest()
    assert processed["runtime"] == {"python": "3.11", "pandas": "3.0"}
    assert processed["notes"] == [{"stage": "parse", "text": "line 2 had fewer fields than the header"}]
    await event_log.publish(mail_sent(run_id, job))
    delivered = await run_with_status(api, run_id, "delivered")
    assert {mail["address"]: mail["outcome"] for mail in delivered["mails"]} == {
        "reports@example.com": "accepted",
        "gone@example.com": "refused",
    }
    timeline = delivered["timeline"]
    assert [entry["type"] for entry in timeline] == ["run-requested", "run-started", "result-ready", "mail-sent"]
    assert [entry["sequence"] for entry in timeline] == [2, 3, 4, 5]
    last_run = (await api.http.get("/jobs/daily%20sales")).json()["last_run"]
    assert (last_run["run_id"], last_run["status"]) == (str(run_id), "delivered")
    assert last_run["finished_at"] == delivered["finished_at"]
    events = (await api.http.get("/events", params={"run_id": str(run_id)})).json()["items"]
    assert [(event["seq"], event["type"], event["time"]) for event in events] == [
        (entry["sequence"], entry["type"], entry["time"]) for entry in timeline
    ]


async def test_the_result_has_the_stored_bytes_and_the_log_the_scripts_output(
    api: Replica, event_log: EventLog
) -> None:
    run_id, job = await requested(api, event_log)
    assert (await api.http.get(f"/runs/{run_id}/result")).status_code == 404
    assert (await api.http.get(f"/runs/{run_id}/log")).text == ""
    await event_log.publish(result_ready(run_id, job, inline(CSV)))
    await run_with_status(api, run_id, "processed")
    answer = await api.http.get(f"/runs/{run_id}/result")
    assert (answer.content, answer.headers["content-type"]) == (CSV, "text/csv; charset=utf-8")
    assert (await api.http.get(f"/runs/{run_id}/log")).text == "printed\n"


async def test_the_figures_of_a_run_are_listed_and_read_by_number(
    api: Replica, event_log: EventLog, nats_client: Client
) -> None:
    run_id, job = await requested(api, event_log)
    small, large = PNG, PNG + bytes(100)
    store = await nats_client.jetstream().object_store(RESULTS)
    await store.put("a-figure", large)
    stored = Blob(size=len(large), sha256=hashlib.sha256(large).hexdigest(), bucket=RESULTS, object_name="a-figure")
    figures = tuple(
        ResultFigure(name=f"figure-{number}.png", alt=f"Chart {number}.", width=1280, height=960, blob=blob)
        for number, blob in enumerate((inline(small), stored), 1)
    )
    assert (await api.http.get(f"/runs/{run_id}")).json()["figures"] == []
    await event_log.publish(result_ready(run_id, job, inline(CSV)).model_copy(update={"figures": figures}))
    run = await run_with_status(api, run_id, "processed")

    first, second = [await api.http.get(f"/runs/{run_id}/figures/{number}") for number in (1, 2)]
    assert (first.content, second.content) == (small, large)
    assert (first.headers["content-type"], first.headers["x-content-type-options"]) == ("image/png", "nosniff")
    assert first.headers["content-disposition"] == f'inline; filename="{run_id}-1.png"'
    assert run["figures"][1] == {
        "name": "figure-2.png",
        "alt": "Chart 2.",
        "width": 1280,
        "height": 960,
        "size": len(large),
        "sha256": stored.sha256,
    }
    assert (await api.http.get(f"/runs/{run_id}/figures/3")).status_code == 404
    assert (await api.http.get(f"/runs/{run_id}/figures/0")).status_code == 400
    assert (await api.http.get(f"/runs/{uuid4()}/figures/1")).status_code == 404
    await store.delete("a-figure")
    assert (await api.http.get(f"/runs/{run_id}/figures/2")).status_code == 410


async def test_a_large_result_comes_from_the_object_store(
    api: Replica, event_log: EventLog, nats_client: Client
) -> None:
    run_id, job = await requested(api, event_log)
    large = b"n\n" + b"1234567\n" * 100_000
    await (await nats_client.jetstream().object_store(RESULTS)).put("a-result", large)
    sha256 = hashlib.sha256(large).hexdigest()
    blob = Blob(size=len(large), sha256=sha256, bucket=RESULTS, object_name="a-result")
    await event_log.publish(result_ready(run_id, job, blob))
    await run_with_status(api, run_id, "processed")
    assert (await api.http.get(f"/runs/{run_id}/result")).content == large


@pytest.mark.parametrize("gone", ["$O.RESULTS.C.*", "$O.RESULTS.>"], ids=["its pieces first", "all of it"])
async def test_an_expired_result_is_not_found(
    api: Replica, event_log: EventLog, nats_client: Client, gone: str
) -> None:
    run_id, job = await requested(api, event_log)
    js = nats_client.jetstream()
    await (await js.object_store(RESULTS)).put("a-result", CSV)
    blob = Blob(size=len(CSV), sha256=hashlib.sha256(CSV).hexdigest(), bucket=RESULTS, object_name="a-result")
    await event_log.publish(result_ready(run_id, job, blob))
    await run_with_status(api, run_id, "processed")
    assert (await api.http.get(f"/runs/{run_id}/result")).content == CSV
    await js.purge_stream(f"OBJ_{RESULTS}", subject=gone)
    answer = await api.http.get(f"/runs/{run_id}/result")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.json()["detail"] == f"the result of the run {run_id} is kept no longer"
    assert (await api.http.get(f"/runs/{run_id}")).json()["status"] == "processed"


async def test_a_damaged_result_is_answered_with_an_error_that_says_so(
    api: Replica, event_log: EventLog, nats_client: Client
) -> None:
    run_id, job = await requested(api, event_log)
    await (await nats_client.jetstream().object_store(RESULTS)).put("a-result", CSV + b"more")
    blob = Blob(size=len(CSV), sha256=hashlib.sha256(CSV).hexdigest(), bucket=RESULTS, object_name="a-result")
    await event_log.publish(result_ready(run_id, job, blob))
    await run_with_status(api, run_id, "processed")
    answer = await api.http.get(f"/runs/{run_id}/result")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.json()["detail"] == f"the result of the run {run_id} is damaged in the store"


async def test_a_failed_run_has_its_error_and_stays_failed_after_its_mail(api: Replica, event_log: EventLog) -> None:
    run_id, job = await requested(api, event_log)
    error = RunError(stage="script", type="KeyError", message="'x'", traceback="...", line=2)
    failed = RunFailed(
        job_name=job.job_name,
        run_id=run_id,
        job=job,
        trigger="manual",
        scheduled_at=DUE,
        error=error,
        log="so far\n",
        timings=Timings(total_ms=1.0),
    )
    await event_log.publish(failed)
    run = await run_with_status(api, run_id, "failed")
    assert run["error"] == error.model_dump()
    await event_log.publish(mail_sent(run_id, job).model_copy(update={"kind": "failure"}))
    await eventually(lambda: _mails(api, run_id), "the run shows the failure mail")
    assert (await run_with_status(api, run_id, "failed"))["mails"][0]["kind"] == "failure"
    assert (await api.http.get(f"/runs/{run_id}/log")).text == "so far\n"


async def _mails(api: Replica, run_id: UUID) -> Any:
    return (await api.http.get(f"/runs/{run_id}")).json()["mails"]


async def test_a_run_that_its_script_skipped_has_the_reason_and_the_log_and_no_mail(
    api: Replica, event_log: EventLog
) -> None:
    run_id, job = await requested(api, event_log)
    await event_log.publish(RunStarted(job_name=job.job_name, run_id=run_id, runner="r1", attempt=1))
    await event_log.publish(
        RunSkipped(
            job_name=job.job_name,
            run_id=run_id,
            job_id=job.job_id,
            job_version=1,
            scheduled_at=DUE,
            reason="script",
            detail="no sales yesterday",
            log="looked\n",
            timings=Timings(total_ms=12.5),
        )
    )
    run = await run_with_status(api, run_id, "skipped")
    assert run["skipped"] == {"reason": "script", "detail": "no sales yesterday"}
    assert (run["error"], run["rows"], run["timings"]["total_ms"]) == (None, None, 12.5)
    assert (await api.http.get(f"/runs/{run_id}/log")).text == "looked\n"
    assert (await api.http.get(f"/runs/{run_id}/result")).status_code == 404
    assert (await api.http.post(f"/runs/{run_id}/resend")).status_code == 404


async def test_runs_are_listed_newest_first_filtered_and_paged_while_more_arrive(
    api: Replica, event_log: EventLog, make_job: Callable[..., Job]
) -> None:
    def request(job: Job, **fields: Any) -> RunRequested:
        return RunRequested(
            job_name=job.job_name, run_id=uuid4(), job=job, trigger="schedule", scheduled_at=DUE, **fields
        )

    daily, weekly = make_job(job_name="daily"), make_job(job_name="weekly")
    events: list[Event] = [request(daily if number % 2 else weekly) for number in range(10)]
    skipped = RunSkipped(
        job_name="weekly",
        run_id=uuid4(),
        job_id=weekly.job_id,
        job_version=1,
        scheduled_at=DUE + timedelta(days=1),
        reason="missed",
        detail="down",
    )
    for event in (*events, skipped):
        last = await event_log.publish(event)
    await eventually(lambda: _count(api, last.sequence), "all are applied")
    page = (await api.http.get("/runs", params={"limit": 4})).json()
    await event_log.publish(request(daily))
    seen = page["items"]
    while page["next_cursor"] is not None:
        page = (await api.http.get("/runs", params={"limit": 4, "cursor": page["next_cursor"]})).json()
        seen += page["items"]
    assert [run["run_id"] for run in seen] == [
        str(event.run_id) for event in reversed([*events, skipped]) if isinstance(event, RunRequested | RunSkipped)
    ]
    [one] = (await api.http.get("/runs", params={"status": "skipped"})).json()["items"]
    assert (one["job_name"], one["trigger"], one["finished_at"] is not None) == ("weekly", "schedule", True)
    of_daily = (await api.http.get("/runs", params={"job_name": "daily"})).json()["items"]
    assert {run["job_name"] for run in of_daily} == {"daily"}
    assert (await api.http.get("/runs", params={"trigger": "manual"})).json()["items"] == []
    since = seen[4]["requested_at"]
    later = (await api.http.get("/runs", params={"since": since})).json()["items"]
    assert all(run["requested_at"] >= since for run in later)
    earlier = (await api.http.get("/runs", params={"until": since})).json()["items"]
    assert all(run["requested_at"] < since for run in earlier)


async def _count(api: Replica, sequence: int) -> bool:
    items = (await api.http.get("/runs", params={"limit": 1000})).json()["items"]
    return len(items) == sequence


async def test_an_invalid_filter_is_named(api: Replica) -> None:
    for query in ("limit=0", "limit=x", "status=nope", "since=yesterday", "cursor=%22x%22", "trigger=x"):
        answer = await api.http.get(f"/runs?{query}")
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, query.partition("=")[0])


async def test_an_invalid_run_id_is_not_found(api: Replica) -> None:
    for path in ("/runs/nope", "/runs/nope/result", "/runs/nope/log"):
        answer = await api.http.get(path)
        assert (answer.status_code, answer.json()["detail"]) == (404, "there is no run 'nope'")
    assert (await api.http.post("/runs/nope/resend")).status_code == 404


async def test_what_changed_since_the_last_delivered_result_is_in_the_run(api: Replica, event_log: EventLog) -> None:
    run_id, job = await requested(api, event_log)
    assert (await api.http.get(f"/runs/{run_id}")).json()["changes"] is None
    counts = {"added": 12, "removed": 3, "changed": 5, "unchanged": 7}
    before = uuid4()
    changes = Changes(run_id=before, since=DUE, **counts, marks=("new",))
    await event_log.publish(result_ready(run_id, job, inline(CSV)).model_copy(update={"changes": changes}))
    run = await run_with_status(api, run_id, "processed")
    assert run["changes"] == {"run_id": str(before), "since": "2026-03-02T08:00:00Z"} | counts


async def test_a_run_whose_result_did_not_change_is_skipped_with_the_reason(api: Replica, event_log: EventLog) -> None:
    run_id, job = await requested(api, event_log)
    skipped = RunSkipped(
        job_name=job.job_name,
        run_id=run_id,
        job_id=job.job_id,
        job_version=job.version,
        scheduled_at=DUE,
        reason="unchanged",
        detail="the result is that of yesterday",
        log="looked\n",
    )
    await event_log.publish(skipped)
    run = await run_with_status(api, run_id, "skipped")
    assert run["skipped"] == {"reason": "unchanged", "detail": "the result is that of yesterday"}
    assert (await api.http.get(f"/runs/{run_id}/log")).text == "looked\n"
