"""Several replicas on one log: one wins a race, no edit is lost, and all have the same rows."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from api.conftest import ON_BOTH_DATABASES, MakeReplica, NewDatabase, Replica, all_rows
from api.test_runs_over_rest import requested
from nightmail_api.read_model.read_model import ReadModel
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.events import RunStarted
from support.deadlines import eventually
from support.job_requests import job_request

pytestmark = ON_BOTH_DATABASES


async def test_of_fifty_clients_that_create_one_name_at_two_replicas_one_succeeds(make_replica: MakeReplica) -> None:
    replicas = [await make_replica(), await make_replica()]
    answers = await asyncio.gather(
        *(replicas[number % 2].http.post("/jobs/create", json=job_request()) for number in range(50))
    )
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 49}


async def test_no_edit_with_if_match_is_lost_over_two_replicas(make_replica: MakeReplica) -> None:
    replicas = [await make_replica(), await make_replica()]
    await replicas[0].create(description="0")

    async def count_up(replica: Replica, times: int) -> None:
        while times:
            seen = await replica.http.get("/jobs/daily sales")
            if seen.status_code != 200:
                continue
            counted = job_request(description=str(int(seen.json()["description"]) + 1))
            answer = await replica.http.put(
                "/jobs/daily sales", json=counted, headers={"If-Match": seen.headers["etag"]}
            )
            assert answer.status_code in {200, 412}
            times -= answer.status_code == 200

    await asyncio.gather(*(count_up(replica, 3) for replica in replicas * 2))
    last = max([(await replica.http.get("/jobs/daily sales")).json()["version"] for replica in replicas])
    assert last == 13
    [counted] = {
        job["description"]
        for job in [(await replica.http.get("/jobs/daily sales")).json() for replica in replicas]
        if job["version"] == 13
    }
    assert counted == "12"


async def test_a_caller_who_knows_an_event_gets_no_older_answer_from_another_replica(make_replica: MakeReplica) -> None:
    first, second = await make_replica(), await make_replica()
    for number in range(10):
        await first.create(job_name=f"job {number}")
        known = (await first.http.get("/me")).json()["sequence"]
        answer = await second.http.get(f"/jobs/job {number}", headers={"X-Nightmail-After": str(known)})
        assert answer.status_code == 200
    next_event = {"X-Nightmail-After": str(known + 1)}
    waiting = asyncio.create_task(second.http.get("/jobs/the next", headers=next_event))
    await first.create(job_name="the next")
    assert (await waiting).status_code == 200
    for wrong in ("-1", "1a", "9" * 20):
        refused = await second.http.get("/jobs", headers={"X-Nightmail-After": wrong})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "X-Nightmail-After")


async def test_an_event_that_is_not_applied_yet_and_one_behind_the_end_of_the_log_have_different_answers(
    make_replica: MakeReplica, event_log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    replica = await make_replica()
    run_id, job = await requested(replica, event_log)
    known = await event_log.last_sequence()
    after_next = {"X-Nightmail-After": str(known + 1)}
    restored = await replica.http.get("/jobs", headers=after_next)
    says = f"the log ends at event {known}: it was restored from a backup since; read all of it again"
    assert (restored.status_code, restored.json()["errors"]) == (400, [{"field": "X-Nightmail-After", "detail": says}])

    may_apply = asyncio.Event()
    apply = ReadModel._apply_slice

    async def apply_later(*arguments: Any, **options: Any) -> set[int]:
        await may_apply.wait()
        return await apply(*arguments, **options)

    monkeypatch.setattr(ReadModel, "_apply_slice", apply_later)
    await event_log.publish(RunStarted(job_name=job.job_name, run_id=run_id, runner="r", attempt=1))
    late = await replica.http.get("/jobs", headers=after_next)
    may_apply.set()
    assert (late.status_code, late.headers["Retry-After"]) == (503, "1")
    assert late.json()["detail"] == f"this replica has not applied event {known + 1} yet"


async def test_the_same_idempotency_key_at_two_replicas_requests_one_run(make_replica: MakeReplica) -> None:
    replicas = [await make_replica(), await make_replica()]
    await replicas[0].create()

    async def known(replica: Replica) -> bool:
        return (await replica.http.get("/jobs/daily sales")).status_code == 200

    await eventually(lambda: known(replicas[1]), "the other replica knows the job")
    answers = await asyncio.gather(
        *(
            replicas[number % 2].http.post("/jobs/daily sales/run", headers={"Idempotency-Key": "once"})
            for number in range(10)
        )
    )
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["run_id"] for answer in answers}) == 1
    assert len((await replicas[0].http.get("/runs")).json()["items"]) == 1


async def test_expired_runs_are_deleted_from_the_rows_as_from_the_log(
    make_replica: MakeReplica, event_log: EventLog, new_database: NewDatabase
) -> None:
    api = await make_replica(run_retention=timedelta(seconds=2))
    run_id, job = await requested(api, event_log, job_name="short")
    assert (await api.http.get(f"/runs/{run_id}")).status_code == 200
    # Its later events stay in the log a moment longer; they make no row.
    await event_log.publish(RunStarted(job_name=job.job_name, run_id=run_id, runner="r", attempt=1))

    async def gone() -> bool:
        return (await api.http.get(f"/runs/{run_id}")).status_code == 404

    await eventually(gone, "the run has expired")
    assert (await api.http.get("/jobs/short")).json()["last_run"] is None

    async def dropped() -> bool:
        return not (await api.http.get("/events?type=run-requested")).json()["items"]

    await eventually(dropped, "the log has dropped the request")
    fresh = await make_replica(database_url=new_database())
    await api.stop()
    await fresh.stop()
    assert all_rows(api.settings) == all_rows(fresh.settings)
