"""Erasure of a job: in the log, in the stores, in the rows, on disk."""

import hashlib
from pathlib import Path

import pytest
from nats.aio.client import Client
from nats.js.errors import KeyNotFoundError

from api.conftest import ON_BOTH_DATABASES, Replica, keys_of
from api.test_runs_over_rest import mail_sent, requested, result_ready, run_with_status
from nightmail_api.commands.erasure import Erasure
from nightmail_common.broker.log import EventLog
from nightmail_common.broker.streams import MAILED, RESULTS, STREAKS
from nightmail_common.contract.blob import Blob, ResultFigure, ResultFile
from nightmail_common.contract.events import RunStarted
from nightmail_common.contract.mail_outcomes import RecipientOutcome
from support.deadlines import eventually
from support.nats_server import NatsServer

pytestmark = ON_BOTH_DATABASES

ADDRESS = "forget-me@example.com"


def files_with(text: str, *folders: Path) -> list[Path]:
    """Return every file below the folders whose bytes contain the text."""
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if text.encode() in path.read_bytes()]


async def test_no_file_contains_an_erased_job(
    api: Replica, event_log: EventLog, nats_client: Client, nats_server: NatsServer
) -> None:
    folders = (nats_server._folder, api.settings.data_dir)
    js = nats_client.jetstream()
    await api.create(job_name="stays")
    run_id, job = await requested(api, event_log, job_name="personal", consumer_emails=[ADDRESS])
    large = f"address\n{ADDRESS}\n".encode() * 10_000
    await (await js.object_store(RESULTS)).put("a-result", large)
    blob = Blob(size=len(large), sha256=hashlib.sha256(large).hexdigest(), bucket=RESULTS, object_name="a-result")
    await (await js.object_store(RESULTS)).put("a-file", large)
    of_file = blob.model_copy(update={"object_name": "a-file"})
    files = {
        "attachments": (ResultFile(format="xlsx", blob=of_file),),
        "figures": (ResultFigure(name="figure-1.png", alt=ADDRESS, width=1, height=1, blob=of_file),),
    }
    await event_log.publish(result_ready(run_id, job, blob).model_copy(update=files))
    recipient = RecipientOutcome(address=ADDRESS, outcome="accepted", answer=f"250 <{ADDRESS}> ok")
    await event_log.publish(mail_sent(run_id, job).model_copy(update={"recipients": (recipient,)}))
    mailed = await js.key_value(MAILED)
    await mailed.put(f"{run_id}.result.0", b"accepted")
    await mailed.put("another-run.result.0", b"accepted")
    streaks = await js.key_value(STREAKS)
    await streaks.put(str(job.job_id), b"failed twice")
    await streaks.put("another-job", b"failed once")
    await run_with_status(api, run_id, "delivered")
    assert files_with(ADDRESS, *folders)

    assert (await api.http.delete("/jobs/personal?erase=true")).status_code == 204

    assert files_with(ADDRESS, *folders) == []
    assert await keys_of(nats_client, MAILED) == ["another-run.result.0"]
    assert await keys_of(nats_client, STREAKS) == ["another-job"]
    assert (await api.http.get("/jobs/personal")).status_code == 404
    assert (await api.http.get(f"/runs/{run_id}")).status_code == 404
    [left] = (await api.http.get("/events?job_name=personal")).json()["items"]
    assert (left["type"], left["data"]["actor"]) == ("job-erased", "admin")
    assert (left["data"]["events_purged"], left["data"]["results_purged"]) == (5, 1)
    assert (await api.http.get("/jobs/stays")).status_code == 200
    assert (await api.create(job_name="personal"))["version"] == 1


async def test_events_about_an_erased_job_that_arrive_later_are_erased(
    api: Replica, event_log: EventLog, nats_client: Client, nats_server: NatsServer
) -> None:
    run_id, job = await requested(api, event_log, job_name="personal", consumer_emails=[ADDRESS])
    assert (await api.http.delete("/jobs/personal?erase=true")).status_code == 204
    streaks = await nats_client.jetstream().key_value(STREAKS)
    await streaks.put(str(job.job_id), b"failed once")
    recipient = RecipientOutcome(address=ADDRESS, outcome="accepted", answer="250")
    for event in (
        RunStarted(job_name=job.job_name, run_id=run_id, runner="r1", attempt=1),
        result_ready(run_id, job, Blob(size=1, sha256=hashlib.sha256(b"x").hexdigest(), data=b"x")),
        mail_sent(run_id, job).model_copy(update={"recipients": (recipient,)}),
    ):
        await event_log.publish(event)
    await eventually(lambda: _only_the_erasure(api), "the late events are gone")
    assert files_with(ADDRESS, nats_server._folder, api.settings.data_dir) == []
    with pytest.raises(KeyNotFoundError):
        await streaks.get(str(job.job_id))


async def test_a_late_event_is_erased_even_if_the_replica_that_read_it_dies_first(
    api: Replica, event_log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id, job = await requested(api, event_log, job_name="personal", consumer_emails=[ADDRESS])
    assert (await api.http.delete("/jobs/personal?erase=true")).status_code == 204

    async def die(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as dying:
        dying.setattr(Erasure, "erase_late", die)
        await event_log.publish(mail_sent(run_id, job))
        with pytest.raises(RuntimeError):
            await api.ended()
    await api.start()
    await eventually(lambda: _only_the_erasure(api), "the late event is gone")


async def _only_the_erasure(api: Replica) -> bool:
    items = (await api.http.get("/events?job_name=personal")).json()["items"]
    return [event["type"] for event in items] == ["job-erased"]


async def test_a_deleted_job_can_be_erased_and_an_unknown_one_cannot(api: Replica) -> None:
    await api.create()
    await api.http.delete("/jobs/daily%20sales")
    assert (await api.http.delete("/jobs/daily%20sales?erase=true")).status_code == 204
    assert (await api.http.delete("/jobs/never?erase=true")).status_code == 404


async def test_only_an_admin_erases(api: Replica) -> None:
    await api.create()
    token = (await api.http.post("/tokens", json={"name": "maria", "role": "editor"})).json()["token"]
    async with api.client(token) as maria:
        assert (await maria.delete("/jobs/daily%20sales?erase=true")).status_code == 403
        assert (await maria.delete("/jobs/daily%20sales")).status_code == 204
