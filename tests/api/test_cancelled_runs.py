"""A run is cancelled once, before its result is stored, and nothing of it counts afterwards."""

from typing import Any
from uuid import uuid4

from api.conftest import Api, Replica
from api.test_runs_over_rest import CSV, inline, requested, result_ready
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.envelope import run_message_id
from nightmail_common.contract.events import (
    RunStarted,
)
from support.deadlines import eventually


async def test_a_queued_run_can_be_cancelled_once(api: Replica, event_log: EventLog) -> None:
    run_id, _ = await requested(api, event_log)
    cancelled = await api.http.post(f"/runs/{run_id}/cancel")
    assert (cancelled.status_code, cancelled.json()) == (202, {"run_id": str(run_id)})
    run = (await api.http.get(f"/runs/{run_id}")).json()
    assert (run["status"], run["mails"]) == ("cancelled", [])
    assert run["finished_at"] is not None
    assert [event["type"] for event in run["timeline"]] == ["run-requested", "run-cancelled"]
    [event] = (await api.http.get("/events", params={"type": "run-cancelled"})).json()["items"]
    assert event["data"]["actor"] == "admin"
    assert (await api.http.get("/runs", params={"status": "cancelled"})).json()["items"][0]["run_id"] == str(run_id)
    again = await api.http.post(f"/runs/{run_id}/cancel")
    assert (again.status_code, again.json()["detail"]) == (409, "the run has ended: it is cancelled")


async def test_a_run_whose_result_is_stored_first_cannot_be_cancelled(api: Replica, event_log: EventLog) -> None:
    run_id, job = await requested(api, event_log)
    await event_log.publish(result_ready(run_id, job, inline(CSV)), message_id=run_message_id(run_id, "outcome"))
    cancelled = await api.http.post(f"/runs/{run_id}/cancel")
    assert cancelled.status_code == 409
    run = (await api.http.get(f"/runs/{run_id}")).json()
    assert (run["status"], run["rows"]) == ("processed", 1)


async def test_what_a_runner_publishes_of_a_cancelled_run_changes_nothing(api: Replica, event_log: EventLog) -> None:
    run_id, job = await requested(api, event_log)
    assert (await api.http.post(f"/runs/{run_id}/cancel")).status_code == 202
    late = await event_log.publish(result_ready(run_id, job, inline(CSV)), message_id=run_message_id(run_id, "outcome"))
    assert late.duplicate
    started = RunStarted(job_name=job.job_name, run_id=run_id, runner="host/1", attempt=1)
    await event_log.publish(started)

    async def run() -> dict[str, Any]:
        found: dict[str, Any] = (await api.http.get(f"/runs/{run_id}")).json()
        return found

    async def shown() -> bool:
        timeline: list[dict[str, Any]] = (await run())["timeline"]
        return bool(timeline[-1]["type"] == "run-started")

    await eventually(shown, "the event is applied")
    assert (await run())["status"] == "cancelled"


async def test_a_run_that_does_not_exist_cannot_be_cancelled(shared_api: Api) -> None:
    assert (await shared_api.http.post(f"/runs/{uuid4()}/cancel")).status_code == 404
