"""`GET /jobs`: summaries, orders and failing jobs."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from api.conftest import ON_BOTH_DATABASES, Api, Replica
from api.test_runs_over_rest import inline, mail_sent, requested, result_ready, run_with_status
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.events import RunError, RunFailed, Timings
from support.job_requests import job_request


async def create(api: Replica, name: str, **fields: Any) -> None:
    answer = await api.http.post("/jobs", json=job_request(job_name=name, **fields))
    assert answer.status_code == 201, answer.text


async def listed(api: Replica, **query: str) -> list[dict[str, Any]]:
    """Return the whole list, read in pages of two."""
    items: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        given = query | {"limit": "2"} | ({} if cursor is None else {"cursor": cursor})
        answer = await api.http.get("/jobs", params=given)
        assert answer.status_code == 200, answer.text
        items += answer.json()["items"]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return items


async def run_again(api: Replica, job_name: str) -> UUID:
    return UUID((await api.http.post(f"/jobs/{job_name}/run")).json()["run_id"])


async def test_a_summary_has_the_last_fates_and_the_usual_rows_and_no_script(api: Replica, event_log: EventLog) -> None:
    run_id, job = await requested(api, event_log)
    ids = [run_id, *[await run_again(api, job.job_name) for _ in range(13)]]
    for one, rows in zip(ids, (30, 50, 40), strict=False):
        event = result_ready(one, job, inline(b"a\n1\n")).model_copy(update={"rows": rows})
        await event_log.publish(event)
        await event_log.publish(mail_sent(one, job))
        await run_with_status(api, one, "delivered")
    [summary] = await listed(api, view="summary")
    whole = (await api.http.get(f"/jobs/{job.job_name}")).json()
    assert "processing_script" not in summary
    assert whole | summary == summary | {"processing_script": whole["processing_script"]}
    assert [fate["run_id"] for fate in summary["fates"]] == [str(one) for one in ids[::-1]][:12]
    assert [fate["rows"] for fate in summary["fates"]][-1] == 40
    assert (summary["usual_rows"], summary["failing"]) == (40, False)


async def test_jobs_are_listed_by_their_next_run(api: Replica) -> None:
    await create(api, "b weekly", schedule_time="0 9 * * 1")
    await create(api, "a yearly", schedule_time="0 9 1 1 *")
    await create(api, "d paused", schedule_time="* * * * *")
    await create(api, "c minutely", schedule_time="* * * * *")
    await api.http.post("/jobs/d paused/pause")
    items = await listed(api, sort="next_run")
    assert items[0]["job_name"] == "c minutely"
    assert items[-1]["job_name"] == "d paused"
    times = [item["next_run"] for item in items[:-1]]
    assert times == sorted(times)
    assert [item["job_name"] for item in await listed(api, sort="name")] == sorted(i["job_name"] for i in items)


@ON_BOTH_DATABASES
async def test_many_jobs_of_one_due_time_are_listed_by_name_over_pages(api: Replica) -> None:
    for name in ("e", "b", "d", "a", "c"):
        await create(api, name, schedule_time="0 9 1 1 *", timezone="UTC")
    await create(api, "z earlier", schedule_time="59 8 1 1 *", timezone="UTC")
    await create(api, "f same time, other zone", schedule_time="0 10 1 1 *", timezone="Europe/Paris")
    for name in ("b", "e"):
        await api.http.post(f"/jobs/{name}/pause")
    expected = ["z earlier", "a", "c", "d", "f same time, other zone", "b", "e"]
    assert [item["job_name"] for item in await listed(api, sort="next_run")] == expected
    assert [item["job_name"] for item in await listed(api, sort="next_run", status="paused")] == ["b", "e"]
    assert [item["job_name"] for item in await listed(api, sort="next_run", q="OTHER")] == ["f same time, other zone"]
    assert await listed(api, sort="next_run", failing="true") == []


@ON_BOTH_DATABASES
async def test_jobs_are_listed_by_their_last_run_and_those_that_fail_alone(api: Replica, event_log: EventLog) -> None:
    for name in ("never", "first", "second"):
        await create(api, name)
    for name in ("first", "second"):
        await api.http.post(f"/jobs/{name}/run")
    assert [item["job_name"] for item in await listed(api, sort="last_run")] == ["second", "first", "never"]
    run_id, job = await requested(api, event_log, job_name="broken")
    error = RunError(stage="script", type="ValueError", message="no sales")
    failed = RunFailed(
        job_name=job.job_name,
        run_id=run_id,
        job=job,
        trigger="manual",
        scheduled_at=datetime.now(UTC),
        error=error,
        log="",
        timings=Timings(total_ms=1.0),
    )
    await event_log.publish(failed)
    await run_with_status(api, run_id, "failed")
    [failing] = await listed(api, failing="true", view="summary")
    assert (failing["job_name"], failing["failing"]) == ("broken", True)
    assert [item["job_name"] for item in await listed(api, failing="true", sort="next_run")] == ["broken"]
    again = await run_again(api, "broken")
    assert await listed(api, failing="true") == []
    await event_log.publish(failed.model_copy(update={"run_id": again}))
    await run_with_status(api, again, "failed")
    await event_log.publish(mail_sent(run_id, job))  # a mail of the run before says nothing about the last one
    await run_with_status(api, run_id, "delivered")
    assert [item["job_name"] for item in await listed(api, failing="true")] == ["broken"]


async def test_a_cursor_of_another_list_or_order_is_refused(api: Replica) -> None:
    for number in range(3):
        await api.create(job_name="\U0001f4c8" * 127 + str(number))
    orders = [{}, {"sort": "next_run"}, {"sort": "last_run"}]
    for order in orders:
        cursor = (await api.http.get("/jobs", params=order | {"limit": "1"})).json()["next_cursor"]
        for other in orders:
            answer = await api.http.get("/jobs", params=other | {"limit": "1", "cursor": cursor})
            assert answer.status_code == (200 if other == order else 400), (order, other)
        for path in ("/runs", "/mails", "/stats/days"):
            answer = await api.http.get(path, params={"cursor": cursor})
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "cursor")


@pytest.mark.parametrize(
    "query", [{"sort": "size"}, {"view": "short"}, {"failing": "perhaps"}, {"cursor": "IiI", "sort": "next_run"}]
)
async def test_an_order_that_does_not_exist_is_refused(shared_api: Api, query: dict[str, str]) -> None:
    answer = await shared_api.http.get("/jobs", params=query)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] in query
