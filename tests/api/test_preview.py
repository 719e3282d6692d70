"""Dry runs over REST, by a real runner: the outcome or the error; no event, no mail."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from api.conftest import Api, Replica
from api.test_access import make_token
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.limits import MAX_TOKEN_PREVIEWS, MAX_TOKEN_SAMPLES
from support.deadlines import eventually, scaled
from support.job_requests import job_request
from support.nats_server import NatsServer
from support.runner_process import RunnerProcess

SOURCE = {"source_type": "file", "location": "sales.csv", "file_type": "csv"}


async def preview(api: Api, **fields: Any) -> httpx.Response:
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


async def test_an_invalid_job_is_not_run(shared_api: Api) -> None:
    for fields, field in (
        ({}, "processing_script"),
        ({"processing_script": "return ("}, "processing_script"),
        ({"processing_script": "return data", "data_source": SOURCE | {"location": "../x"}}, "data_source.location"),
        ({"processing_script": "return data", "consumer_emails": ["nobody"]}, "consumer_emails"),
        ({"processing_script": "return data", "nonsense": 1}, "nonsense"),
    ):
        answer = await preview(shared_api, **fields)
        assert answer.status_code == 400
        assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_a_viewer_may_not_preview(shared_api: Api) -> None:
    async with shared_api.client(await make_token(shared_api, "reader", "viewer")) as reader:
        answer = await reader.post("/jobs/preview", json={"data_source": SOURCE, "processing_script": "return data"})
    assert answer.status_code == 403


async def test_a_preview_stops_when_its_caller_goes_away(
    api: Replica, nats_server: NatsServer, nats_client: Client, tmp_path: Path
) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "sales.csv").write_text("region,amount\nnorth,10\n")
    cancelled: list[bytes] = []

    async def note(message: Msg) -> None:
        cancelled.append(message.data)

    await nats_client.subscribe("preview.cancel", cb=note)
    runner = RunnerProcess(nats_server, tmp_path)
    try:
        await runner.ready()
        for _ in range(2):  # as many as run at a time
            with pytest.raises(httpx.ReadTimeout):
                await api.http.post(
                    "/jobs/preview",
                    json={"data_source": SOURCE, "processing_script": "while True: pass"},
                    timeout=httpx.Timeout(scaled(20), read=1.0),
                )
        await eventually(lambda: len(cancelled) == 2, "the runner is asked to stop both")
        assert (await preview(api, processing_script="return data")).json()["rows"] == 1
    finally:
        runner.kill()


async def test_a_token_has_a_few_previews_open_and_the_others_go_on(api: Replica, nats_client: Client) -> None:
    received = 0
    done = asyncio.Event()

    async def answer(message: Msg) -> None:
        nonlocal received
        received += 1
        answering.add(asyncio.create_task(respond(message)))

    async def respond(message: Msg) -> None:
        await done.wait()
        await message.respond(b'{"log": "", "timings": null}')

    answering: set[asyncio.Task[None]] = set()
    await nats_client.subscribe("preview.run", cb=answer)
    await nats_client.flush()
    waiting = [asyncio.create_task(preview(api, processing_script="return data")) for _ in range(MAX_TOKEN_PREVIEWS)]
    await eventually(lambda: received == MAX_TOKEN_PREVIEWS, "all of them wait")
    refused = await preview(api, processing_script="return data")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "5")
    assert f"has {MAX_TOKEN_PREVIEWS} previews open, the most of one token" in refused.json()["detail"]
    async with api.client(await make_token(api, "other", "editor")) as other:
        fields = {"data_source": SOURCE, "processing_script": "return data"}
        waiting.append(asyncio.create_task(other.post("/jobs/preview", json=fields)))
        await eventually(lambda: received == MAX_TOKEN_PREVIEWS + 1, "the other's preview runs")
        done.set()
        assert [answer.status_code for answer in await asyncio.gather(*waiting)] == [200] * len(waiting)


async def test_a_preview_with_a_sample_fetches_nothing(api: Replica, nats_server: NatsServer, tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    data = tmp_path / "files" / "sales.csv"
    data.write_text("region,amount\nnorth,10\n")
    runner = RunnerProcess(nats_server, tmp_path)
    try:
        await runner.ready()
        first = (await preview(api, processing_script="return data.nothing")).json()
        data.write_text("region,amount\nsouth,5\n")
        ids = [(await preview(api, processing_script="return data")).json()["sample_id"] for _ in range(2)]
        again = (await preview(api, processing_script="return data", sample_id=first["sample_id"])).json()
        assert (again["first_rows"], again["sample_id"]) == ([["north", "10"]], first["sample_id"])
        assert "nothing was fetched" in again["notes"][0]["text"]

        async with api.client(await make_token(api, "other", "editor")) as other:
            fields = {"data_source": SOURCE, "processing_script": "return data", "sample_id": first["sample_id"]}
            foreign = (await other.post("/jobs/preview", json=fields)).json()
        assert (foreign["error"]["type"], foreign["columns"]) == ("SampleGone", None)

        for _ in range(MAX_TOKEN_SAMPLES - 2):
            await preview(api, processing_script="return data")
        oldest = (await preview(api, processing_script="return data", sample_id=first["sample_id"])).json()
        kept = (await preview(api, processing_script="return data", sample_id=ids[0])).json()
        assert (oldest["error"]["type"], kept["first_rows"]) == ("SampleGone", [["south", "5"]])
        invalid = await preview(api, processing_script="return data", sample_id="nonsense")
        assert [error["field"] for error in invalid.json()["errors"]] == ["sample_id"]
    finally:
        runner.kill()
