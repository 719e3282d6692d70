"""Runs that wait for a runner have a ceiling for each job and for each token."""

import pytest

from api.conftest import ON_BOTH_DATABASES, Replica
from api.test_access import make_token
from api.test_metrics import metrics, of
from nightmail_api.commands import job_commands
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.events import RunCancelled
from support.deadlines import eventually


@ON_BOTH_DATABASES
async def test_a_run_beyond_the_queued_ones_of_its_job_is_refused_until_one_ends(
    api: Replica, event_log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_commands, "MAX_QUEUED_RUNS_OF_JOB", 3)
    for name in ("daily sales", "other"):
        await api.create(job_name=name)
    before = (await metrics(api)).get(of("nightmail_api_quota_refusals_total", kind="queued runs of a job"), 0)
    keyed = {"Idempotency-Key": "first"}
    accepted = [await api.http.post("/jobs/daily sales/run", headers=keyed)]
    accepted += [await api.http.post("/jobs/daily sales/run") for _ in range(2)]
    assert {answer.status_code for answer in accepted} == {202}

    refused = await api.http.post("/jobs/daily sales/run")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "30")
    assert "the job 'daily sales' has 3 runs that wait" in refused.json()["detail"]
    after = (await metrics(api))[of("nightmail_api_quota_refusals_total", kind="queued runs of a job")]
    assert after - before == 1

    assert (await api.http.post("/jobs/daily sales/run", headers=keyed)).json() == accepted[0].json()
    assert (await api.http.post("/jobs/other/run")).status_code == 202
    ended = RunCancelled(job_name="daily sales", run_id=accepted[1].json()["run_id"], actor="test")
    await event_log.publish(ended)

    async def is_accepted() -> bool:
        return (await api.http.post("/jobs/daily sales/run")).status_code == 202

    await eventually(is_accepted, "a run is accepted once another has ended")


@ON_BOTH_DATABASES
async def test_a_token_has_a_ceiling_of_queued_runs_and_the_others_go_on(
    api: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_commands, "MAX_QUEUED_RUNS_OF_TOKEN", 4)
    for name in ("a", "b"):
        await api.create(job_name=name)
    async with api.client(await make_token(api, "maria@example.com", "editor")) as editor:
        for number in range(4):
            assert (await editor.post(f"/jobs/{'ab'[number % 2]}/run")).status_code == 202
        refused = await editor.post("/jobs/a/run")
        assert refused.status_code == 429
        assert "has 4 runs that wait for a runner" in refused.json()["detail"]
    assert (await api.http.post("/jobs/a/run")).status_code == 202
