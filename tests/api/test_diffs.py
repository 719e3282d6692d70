"""`GET /runs/{run_id}/diff/{other_run_id}`: what differs between the results of two runs."""

import asyncio
import io
from uuid import UUID, uuid4

import pytest
from nats.aio.client import Client

from api.conftest import Replica
from api.test_runs_over_rest import inline, requested, result_ready, run_with_status
from nightmail_api.read_model import result_diffs
from nightmail_common.broker.log import EventLog
from nightmail_common.broker.results import ResultStore
from nightmail_common.broker.streams import RESULTS
from nightmail_common.contract.blob import Blob
from nightmail_common.contract.job import CsvOptions, Job

MONDAY = "region,product,amount\nnorth,tea,1.10\nsouth,tea,5\nwest,milk,7\n"
TUESDAY = "region,product,amount,currency\nwest,milk,7,EUR\neast,tea,3,EUR\nnorth,tea,1.1,EUR\n"


async def run_with_result(api: Replica, log: EventLog, job: Job, csv: str | Blob) -> UUID:
    """Request a run of an existing job, publish this result of it, and return the run's id."""
    run_id = UUID((await api.http.post(f"/jobs/{job.job_name}/run")).json()["run_id"])
    blob = inline(csv.encode()) if isinstance(csv, str) else csv
    await log.publish(result_ready(run_id, job, blob))
    await run_with_status(api, run_id, "processed")
    return run_id


async def two_runs(api: Replica, log: EventLog, first: str | Blob = MONDAY, second: str | Blob = TUESDAY) -> list[UUID]:
    _, job = await requested(api, log)
    return [await run_with_result(api, log, job, csv) for csv in (first, second)]


@pytest.mark.parametrize("swapped", [False, True])
async def test_a_diff_by_key_goes_from_the_earlier_to_the_later_run(
    api: Replica, event_log: EventLog, swapped: bool
) -> None:
    first, second = await two_runs(api, event_log)
    named = (second, first) if swapped else (first, second)
    for query in ({"key": "region,product"}, {"key": ["region", "product"]}):
        answer = await api.http.get(f"/runs/{named[0]}/diff/{named[1]}", params=query)
        assert answer.status_code == 200, answer.text
        assert answer.json() == {
            "before": str(first),
            "after": str(second),
            "key": ["region", "product"],
            "columns": {
                "before": ["region", "product", "amount"],
                "after": ["region", "product", "amount", "currency"],
                "added": {"count": 1, "items": ["currency"]},
                "removed": {"count": 0, "items": []},
            },
            "rows": {
                "added": {"count": 1, "items": [["east", "tea", "3", "EUR"]]},
                "removed": {"count": 1, "items": [["south", "tea", "5"]]},
                "changed": {
                    "count": 1,
                    "items": [
                        {
                            "key": ["north", "tea"],
                            "cells": [{"column": "amount", "before": "1.10", "after": "1.1"}],
                        }
                    ],
                },
                "unchanged": 1,
            },
        }


async def test_a_diff_without_a_key_compares_multisets(api: Replica, event_log: EventLog) -> None:
    first, second = await two_runs(api, event_log, "a\n1\n1\n2\n", "a\n2\n1\n3\n")
    rows = (await api.http.get(f"/runs/{first}/diff/{second}")).json()["rows"]
    assert (rows["added"], rows["removed"]) == ({"count": 1, "items": [["3"]]}, {"count": 1, "items": [["1"]]})
    assert (rows["changed"]["count"], rows["unchanged"]) == (0, 2)


async def test_results_in_different_formats_are_compared_by_their_cells(api: Replica, event_log: EventLog) -> None:
    _, job = await requested(api, event_log)
    first = await run_with_result(api, event_log, job, "a,b\n1,x;y\n")
    excel = job.model_copy(update={"csv": CsvOptions(delimiter=";", decimal=",", bom=True)})
    second = await run_with_result(api, event_log, excel, '\ufeffa;b\n1;"x;y"\n')
    answer = (await api.http.get(f"/runs/{first}/diff/{second}", params={"key": "a"})).json()
    assert answer["rows"]["unchanged"] == 1
    assert answer["rows"]["changed"]["count"] == 0


async def test_a_key_that_does_not_fit_is_named(api: Replica, event_log: EventLog) -> None:
    first, second = await two_runs(api, event_log)
    for key, said in (
        ("product", f"two rows of the run {first} have the same key: product = 'tea'"),
        ("regoin", f"the column 'regoin' of the run {first} does not exist; there are region, product, amount"),
        ('"region', "not a record of CSV"),
    ):
        answer = await api.http.get(f"/runs/{first}/diff/{second}", params={"key": key})
        [error] = answer.json()["errors"]
        assert (answer.status_code, error["field"]) == (400, "key")
        assert error["detail"].startswith(said)


async def test_what_cannot_be_compared_says_why(api: Replica, event_log: EventLog, nats_client: Client) -> None:
    _, job = await requested(api, event_log)
    kept = await run_with_result(api, event_log, job, MONDAY)
    stored = await ResultStore(nats_client.jetstream()).put(
        job.job_name, uuid4(), io.BytesIO(TUESDAY.encode()), max_inline_bytes=0
    )
    gone = await run_with_result(api, event_log, job, stored)
    assert (await api.http.get(f"/runs/{kept}/diff/{gone}")).status_code == 200
    await (await nats_client.jetstream().object_store(RESULTS)).delete(stored.object_name or "")
    answer = await api.http.get(f"/runs/{kept}/diff/{gone}")
    assert (answer.status_code, answer.json()["detail"]) == (410, f"the result of the run {gone} is kept no longer")
    assert (await api.http.get(f"/runs/{gone}/result")).status_code == 404
    unended = (await api.http.post(f"/jobs/{job.job_name}/run")).json()["run_id"]
    for other in (uuid4(), unended):
        answer = await api.http.get(f"/runs/{kept}/diff/{other}")
        assert (answer.status_code, str(other) in answer.json()["detail"]) == (404, True)


async def test_results_that_are_too_large_are_refused(
    api: Replica, event_log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await two_runs(api, event_log)
    monkeypatch.setattr(result_diffs, "MAX_COMPARED_BYTES", len(MONDAY))
    answer = await api.http.get(f"/runs/{first}/diff/{second}")
    assert answer.status_code == 413
    assert f"the result of the run {second} has {len(TUESDAY)} bytes" in answer.json()["detail"]


async def test_a_comparison_that_needs_too_much_memory_is_refused_and_others_go_on(
    api: Replica, event_log: EventLog, nats_client: Client
) -> None:
    store = ResultStore(nats_client.jetstream())
    # Each comma of this header is a Python object of its own.
    wide = b"," * (16 * 1024**2) + b"\n"
    _, job = await requested(api, event_log)
    stored = await store.put(job.job_name, uuid4(), io.BytesIO(wide))
    first = await run_with_result(api, event_log, job, stored)
    second = await run_with_result(api, event_log, job, MONDAY)
    comparing = asyncio.create_task(api.http.get(f"/runs/{first}/diff/{second}"))
    while not comparing.done():
        assert (await api.http.get(f"/runs/{second}")).status_code == 200
    answer = await comparing
    assert answer.status_code == 413
    assert "too much memory" in answer.json()["detail"]
