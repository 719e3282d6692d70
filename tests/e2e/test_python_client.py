"""The Python client against a running Nightmail, blocking and with asyncio."""

import importlib.util
from pathlib import Path

import pytest

from e2e.conftest import DataServer
from e2e.conftest import Nightmail as RunningNightmail
from nightmail_client import (
    AsyncNightmail,
    CannotReach,
    JobChanged,
    NameTaken,
    Nightmail,
    NightmailError,
    NotAllowed,
    NotThere,
    RunTimeout,
)
from support.deadlines import scaled
from support.job_requests import job_request
from support.ports import free_port

GENERATE = Path(__file__).parents[2] / "libs" / "client" / "generate.py"
SALES = b"region,amount\nnorth,10\nsouth,5\n"


@pytest.fixture
def job(source: DataServer, request: pytest.FixtureRequest) -> dict[str, object]:
    """A valid job with the test's name."""
    data_source = {"source_type": "api", "location": source.serve("/client.csv", SALES), "file_type": "csv"}
    return job_request(job_name=request.node.name, data_source=data_source)


@pytest.fixture
def client(nightmail: RunningNightmail) -> Nightmail:
    return Nightmail(nightmail.url, nightmail.token)


def test_the_blocking_client_is_the_other_one_without_await() -> None:
    spec = importlib.util.spec_from_file_location("generate", GENERATE)
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    for path, text in generate.modules().items():
        assert path.read_text() == text, f"run python {GENERATE.relative_to(GENERATE.parents[2])}"


def test_a_job_is_created_run_and_its_result_read(client: Nightmail, job: dict[str, object]) -> None:
    name = client.jobs.create(job)["job_name"]
    run = client.runs.wait(client.jobs.run(name), timeout_seconds=scaled(60))
    assert (run["status"], run["rows"]) == ("delivered", 2)
    assert client.runs.result(run["run_id"][:13]) == SALES
    assert client.runs.input(run["run_id"][:13]) == SALES
    assert [one["run_id"] for one in client.runs.list(job_name=name)] == [run["run_id"]]
    assert {event["type"] for event in client.events.list(run_id=run["run_id"])} >= {"run-requested", "mail-sent"}
    assert next(client.mails.list(job_name=name))["outcome"] == "accepted"
    assert client.runs.rows(run["run_id"], sort="-amount", limit=1)["rows"] == [["north", 10]]
    assert "north" in client.runs.mail(run["run_id"], "text")
    assert [fate["status"] for fate in next(client.jobs.summaries(q=name, sort="last_run"))["fates"]] == ["delivered"]
    newest = [event["type"] for event in client.events.backwards(job_name=name, actor=client.me()["name"])]
    assert newest == ["run-requested", "job-created"]
    assert client.jobs.version(name, 1)["job"]["job_name"] == name


def test_a_file_is_uploaded_replaced_and_deleted(client: Nightmail) -> None:
    stored = client.files.put("client/été.csv", SALES)
    assert client.files.get("client/été.csv") == SALES
    assert stored in client.files.list()
    with pytest.raises(JobChanged):
        client.files.put("client/été.csv", b"other", sha256="0" * 64)
    replaced = client.files.put("client/été.csv", iter([b"a\n", b"1\n"]), size=4, sha256=stored["sha256"])
    assert replaced["size"] == 4
    client.files.delete("client/été.csv", sha256=replaced["sha256"])
    with pytest.raises(NotThere):
        client.files.get("client/été.csv")


async def test_the_asyncio_client_does_the_same(nightmail: RunningNightmail, job: dict[str, object]) -> None:
    async with AsyncNightmail(nightmail.url, nightmail.token) as client:
        name = (await client.jobs.create(job))["job_name"]
        run = await client.runs.wait(await client.jobs.run(name), timeout_seconds=scaled(60))
        assert await client.runs.result(run["run_id"]) == SALES
        assert await client.runs.input(run["run_id"]) == SALES
        assert [one["run_id"] async for one in client.runs.list(job_name=name)] == [run["run_id"]]
        async for event in client.events.follow(run_id=run["run_id"], after=0):
            if event["type"] == "mail-sent":
                break


def test_a_change_is_never_overwritten_with_an_older_etag(client: Nightmail, job: dict[str, object]) -> None:
    client.jobs.create(job)
    stored, etag = client.jobs.get_with_etag(str(job["job_name"]))
    assert client.jobs.update(stored["job_name"], job | {"retries": 1}, etag=etag)["version"] == 2
    with pytest.raises(JobChanged):
        client.jobs.update(stored["job_name"], job | {"retries": 2}, etag=etag)
    assert [version["version"] for version in client.jobs.versions(stored["job_name"])] == [2, 1]


def test_each_refusal_has_its_own_error(client: Nightmail, nightmail: RunningNightmail, job: dict[str, object]) -> None:
    client.jobs.create(job)
    with pytest.raises(NameTaken):
        client.jobs.create(job)
    with pytest.raises(NotThere):
        client.jobs.get("no such job")
    with pytest.raises(NotThere, match="no run whose id begins"):
        client.runs.get("ffffffff")
    with pytest.raises(NotAllowed):
        Nightmail(nightmail.url, "wrong").me()
    with pytest.raises(NightmailError) as refused:
        client.jobs.create(job | {"schedule_time": "61 * * * *"})
    assert [field.field for field in refused.value.fields] == ["schedule_time"]
    with pytest.raises(CannotReach):
        Nightmail(f"http://127.0.0.1:{free_port()}", "any").me()


def test_waiting_for_a_long_run_ends_in_time(client: Nightmail, job: dict[str, object]) -> None:
    client.jobs.create(job | {"processing_script": "import time\nwhile True:\n    time.sleep(0.05)"})
    run_id = client.jobs.run(str(job["job_name"]))
    with pytest.raises(RunTimeout):
        client.runs.wait(run_id, timeout_seconds=0.2)
    assert client.runs.cancel(run_id) == run_id
    assert client.runs.wait(run_id, timeout_seconds=scaled(30))["status"] == "cancelled"
    [day] = client.runs.days(job_name=str(job["job_name"]))
    assert (day["runs"]["cancelled"], day["rows"]) == (1, 0)


def test_a_list_is_read_to_its_end_or_to_its_limit(client: Nightmail, job: dict[str, object]) -> None:
    for number in range(3):
        client.jobs.create(job | {"job_name": f"{job['job_name']} {number}"})
    names = [one["job_name"] for one in client.jobs.list(q=str(job["job_name"]))]
    assert names == [f"{job['job_name']} {number}" for number in range(3)]
    assert len(list(client.jobs.list(q=str(job["job_name"]), limit=2))) == 2


def test_time_and_access_are_read(client: Nightmail) -> None:
    assert client.me()["may"] == ["read", "edit", "administer"]
    preview = client.schedules.preview("0 9 * * 1-5", "Europe/Paris", count=2)
    assert len(preview["next_runs"]) == 2
    calendar = {"country": "DE", "on_holiday": "next_business_day"}
    several = client.schedules.preview(
        timezone="Europe/Berlin",
        schedules=["0 9 25 12 *", "0 9 28 12 *"],
        calendar=calendar,
        count=1,
        after="2026-12-01T00:00:00Z",
    )
    assert several["next_runs"] == ["2026-12-28T09:00:00+01:00"]
    assert client.runs.resend_undelivered("2026-01-01T00:00:00Z") == []
    token = client.tokens.create("client-test", "viewer")
    assert "client-test" in {one["name"] for one in client.tokens.list()}
    with pytest.raises(NotAllowed):
        Nightmail(client.url, token["token"]).tokens.list()
    client.tokens.revoke("client-test")
