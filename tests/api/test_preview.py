"""Dry runs over REST, by a real runner: the outcome or the error; no event, no mail."""

from pathlib import Path
from typing import Any

import httpx
from nats.aio.client import Client

from api.conftest import Replica
from api.test_access import make_token
from nightmail_common.broker.log import EventLog
from support.job_requests import job_request
from support.nats_server import NatsServer
from support.runner_process import RunnerProcess

SOURCE = {"source_type": "file", "location": "sales.csv", "file_type": "csv"}


async def preview(api: Replica, **fields: Any) -> httpx.Response:
    return await api.http.post("/jobs/preview", json={"data_source": SOURCE} | fields)


async def test_a_runner_runs_a_preview_and_stores_nothing(
    api: Replica, nats_server: NatsServer, nats_client: Client, event_log: EventLog, tmp_path: Path
) -> None:
    nobody = await preview(api, processing_script="return data")
    assert (nobody.status_code, nobody.json()["detail"]) == (503, "no runner is available for the preview")
    assert int(nobody.headers["retry-after"]) > 0

    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "sales.csv").write_text("region,amount\nnorth,10\nsouth,5\n")
    runner = RunnerProcess(nats_server, tmp_path)
    try:
        await runner.ready()
        good = await preview(api, processing_script="print('hello')\nreturn data.head(1)")
        whole = await api.http.post("/jobs/preview", json=job_request(processing_script="return data"))
        bad = await preview(api, processing_script="x = 1\nreturn data.nothing")
        lost = await preview(api, processing_script="return data", data_source=SOURCE | {"location": "none.csv"})
    finally:
        runner.kill()

    assert good.status_code == 200, good.text
    answer = good.json()
    assert (answer["columns"], answer["rows"], answer["first_rows"]) == (["region", "amount"], 1, [["north", "10"]])
    assert (answer["log"], answer["error"]) == ("hello\n", None)
    assert answer["timings"]["total_ms"] > 0
    assert whole.json()["rows"] == 2
    assert (bad.status_code, bad.json()["columns"], bad.json()["rows"]) == (200, None, None)
    assert (bad.json()["error"]["stage"], bad.json()["error"]["line"]) == ("script", 2)
    assert (lost.status_code, lost.json()["error"]["stage"]) == (200, "fetch")
    assert await event_log.last_sequence() == 0
    assert (await api.http.get("/jobs")).json()["items"] == []


async def test_an_invalid_job_is_not_run(api: Replica) -> None:
    for fields, field in (
        ({}, "processing_script"),
        ({"processing_script": "return ("}, "processing_script"),
        ({"processing_script": "return data", "data_source": SOURCE | {"location": "../x"}}, "data_source.location"),
        ({"processing_script": "return data", "consumer_emails": ["nobody"]}, "consumer_emails"),
        ({"processing_script": "return data", "nonsense": 1}, "nonsense"),
    ):
        answer = await preview(api, **fields)
        assert answer.status_code == 400
        assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_a_viewer_may_not_preview(api: Replica) -> None:
    async with api.client(await make_token(api, "reader", "viewer")) as reader:
        answer = await reader.post("/jobs/preview", json={"data_source": SOURCE, "processing_script": "return data"})
    assert answer.status_code == 403
