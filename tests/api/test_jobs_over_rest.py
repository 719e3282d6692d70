"""Jobs over REST: create, read, change, pause, run, delete."""

from typing import Any

import pytest

from api.conftest import ON_BOTH_DATABASES, MakeReplica, Replica, job_path
from nightmail_common.broker.log import EventLog
from support.job_requests import job_request

pytestmark = ON_BOTH_DATABASES


async def test_a_created_job_is_in_the_log_and_is_returned_with_the_services_fields(
    api: Replica, event_log: EventLog
) -> None:
    created = await api.create()
    written = job_request()
    source = written.pop("data_source")
    assert {field: created[field] for field in written} == written
    assert {field: created["data_source"][field] for field in source} == source
    assert {field: created[field] for field in ("status", "version", "last_run")} == {
        "status": "active",
        "version": 1,
        "last_run": None,
    }
    assert created["next_run"].endswith(("T09:00:00+01:00", "T09:00:00+02:00"))
    answer = await api.http.get("/jobs/daily%20sales")
    assert answer.json() | {"warnings": []} == created | {"warnings": []}
    stored = await event_log.last_event("jobs.>")
    assert stored is not None
    assert answer.headers["etag"] == f'"{stored.sequence}"'


async def test_any_name_works_in_a_path(api: Replica) -> None:
    names = (
        "Umsatz für März",
        "日報",
        "100%",
        "a%20b",
        "a.b",
        "create",
        "preview",
        "a*b>c",
        "a+b&c=d?e#f",
        "'; --",
        "👩‍💻",
    )
    for job_name in names:
        await api.create(job_name=job_name)
        answer = await api.http.get(job_path(job_name))
        assert (answer.status_code, answer.json()["job_name"]) == (200, job_name)
        run = await api.http.post(job_path(job_name, "run"))
        assert run.status_code == 202
        events = await api.http.get("/events", params={"job_name": job_name})
        assert [event["type"] for event in events.json()["items"]] == ["job-created", "run-requested"]
        assert (await api.http.delete(job_path(job_name))).status_code == 204
        assert (await api.http.get(job_path(job_name))).status_code == 404


async def test_a_taken_name_is_a_conflict_and_is_free_after_the_deletion(api: Replica) -> None:
    first = await api.create()
    taken = await api.http.post("/jobs", json=job_request())
    assert (taken.status_code, taken.json()["errors"][0]["field"]) == (409, "job_name")
    assert (await api.http.delete("/jobs/daily%20sales")).status_code == 204
    second = await api.create()
    assert second["version"] == 1
    assert second["job_id"] != first["job_id"]


async def test_an_invalid_field_is_named(api: Replica) -> None:
    cases: list[tuple[str, Any]] = [
        ("job_name", "a/b"),
        ("schedule_time", "0 9 * * 8"),
        ("timezone", "Mars/Olympus"),
        ("consumer_emails", []),
        ("processing_script", "return ("),
        ("data_source.location", {"source_type": "api", "location": "ftp://x", "file_type": "csv"}),
        ("nonsense", 1),
    ]
    for field, value in cases:
        answer = await api.http.post("/jobs/create", json=job_request(**{field.partition(".")[0]: value}))
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/problem+json"
        document = answer.json()
        assert [error["field"] for error in document["errors"]] == [field]
        assert (document["status"], document["title"]) == (400, "Bad Request")


async def test_a_script_with_a_forbidden_import_is_refused_with_its_line(make_replica: MakeReplica) -> None:
    api = await make_replica(script_imports=("sklearn",))
    await api.create(processing_script="import math, sklearn\nreturn data")
    forbidden = job_request(processing_script="import math\nfrom os import path\nreturn data")
    created = await api.http.post("/jobs/create", json=forbidden | {"job_name": "another"})
    updated = await api.http.put("/jobs/daily%20sales", json=forbidden)
    for answer in (created, updated):
        assert answer.status_code == 400, answer.text
        [error] = answer.json()["errors"]
        assert error["field"] == "processing_script"
        assert "line 2" in error["detail"]
        assert "'os'" in error["detail"]


async def test_a_blank_script_is_refused_and_names_its_field(api: Replica) -> None:
    for blank in (" \n\t", "# later\n"):
        answer = await api.http.post("/jobs/create", json=job_request(processing_script=blank))
        assert answer.status_code == 400
        [error] = answer.json()["errors"]
        assert error["field"] == "processing_script"
        assert "blank" in error["detail"]


async def test_lists_are_empty_at_first(api: Replica) -> None:
    for path in ("/jobs", "/runs"):
        assert (await api.http.get(path)).json() == {"items": [], "next_cursor": None}
    assert (await api.http.get("/events")).json() == {"items": []}


async def test_jobs_are_listed_by_name_in_pages_and_found_by_a_part_of_it(api: Replica) -> None:
    for job_name in ("beta", "Alpha", "gamma sales", "DAILY SALES"):
        await api.create(job_name=job_name)
    first = (await api.http.get("/jobs", params={"limit": 3})).json()
    rest = (await api.http.get("/jobs", params={"limit": 3, "cursor": first["next_cursor"]})).json()
    names = [job["job_name"] for job in first["items"] + rest["items"]]
    assert names == sorted(names)
    assert (len(names), rest["next_cursor"]) == (4, None)
    found = (await api.http.get("/jobs", params={"q": "Sales"})).json()["items"]
    assert [job["job_name"] for job in found] == ["DAILY SALES", "gamma sales"]
    wrong = await api.http.get("/jobs", params={"cursor": "nonsense"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, "cursor")


async def test_a_paused_job_has_no_next_run_until_it_is_resumed(api: Replica) -> None:
    await api.create()
    paused = (await api.http.post("/jobs/daily%20sales/pause")).json()
    assert (paused["status"], paused["next_run"]) == ("paused", None)
    assert [job["status"] for job in (await api.http.get("/jobs?status=paused")).json()["items"]] == ["paused"]
    assert (await api.http.get("/jobs?status=active")).json()["items"] == []
    resumed = (await api.http.post("/jobs/daily%20sales/resume")).json()
    assert resumed["status"] == "active"
    assert resumed["next_run"] is not None


async def test_a_change_creates_a_version_and_the_same_content_does_not(api: Replica, event_log: EventLog) -> None:
    created = await api.create()
    changed = await api.http.put("/jobs/daily%20sales", json=job_request(schedule_time="10:00"))
    assert changed.status_code == 200
    assert (changed.json()["version"], changed.json()["created_at"]) == (2, created["created_at"])
    last = await event_log.last_sequence()
    again = await api.http.put("/jobs/daily%20sales", json=job_request(schedule_time="10:00"))
    assert again.json() == changed.json()
    assert await event_log.last_sequence() == last


async def test_what_the_api_answers_can_be_changed_and_sent_back(api: Replica, event_log: EventLog) -> None:
    await api.create()
    await api.http.post("/jobs/daily%20sales/pause")
    answer = (await api.http.get("/jobs/daily%20sales")).json()
    last = await event_log.last_sequence()
    unchanged = await api.http.put("/jobs/daily%20sales", json=answer)
    assert (unchanged.status_code, await event_log.last_sequence()) == (200, last), unchanged.text
    changed = (await api.http.put("/jobs/daily%20sales", json=answer | {"description": "mine"})).json()
    assert (changed["description"], changed["version"], changed["status"]) == ("mine", 2, "paused")
    assert changed["job_id"] == answer["job_id"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"status": "active"}, "status"), ({"job_id": None, "nonsense": 1}, "nonsense"), ({"version": 1}, "version")],
)
async def test_a_change_of_what_a_definition_does_not_have_is_refused(
    api: Replica, fields: dict[str, object], field: str
) -> None:
    await api.create()
    await api.http.post("/jobs/daily%20sales/pause")
    answer = await api.http.put("/jobs/daily%20sales", json=job_request(**fields))
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (400, [field])
    assert (await api.http.get("/jobs/daily%20sales")).json()["version"] == 1


async def test_a_job_keeps_its_name(api: Replica) -> None:
    await api.create()
    answer = await api.http.put("/jobs/daily%20sales", json=job_request(job_name="other"))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "job_name")


async def test_a_change_with_an_outdated_etag_is_refused(api: Replica) -> None:
    await api.create()
    etag = (await api.http.get("/jobs/daily%20sales")).headers["etag"]
    mine = await api.http.put("/jobs/daily%20sales", json=job_request(description="mine"), headers={"If-Match": etag})
    assert mine.status_code == 200
    theirs = await api.http.put(
        "/jobs/daily%20sales", json=job_request(description="theirs"), headers={"If-Match": etag}
    )
    assert theirs.status_code == 412
    assert (await api.http.delete("/jobs/daily%20sales", headers={"If-Match": etag})).status_code == 412
    assert (await api.http.get("/jobs/daily%20sales")).json()["description"] == "mine"
    assert (await api.http.delete("/jobs/daily%20sales", headers={"If-Match": "nonsense"})).status_code == 400
    current = (await api.http.get("/jobs/daily%20sales")).headers["etag"]
    for several, status in ((f'"7", {etag}', 412), (f'"7", nonsense, {current}', 400), (f'"7" ,"a,b",{current}', 200)):
        paused = await api.http.post("/jobs/daily%20sales/pause", headers={"If-Match": several})
        assert paused.status_code == status, several
    for other in ('"nonsense"', 'W/"1"', f'"{"9" * 40}"', '""'):
        refused = await api.http.delete("/jobs/daily%20sales", headers={"If-Match": other})
        assert refused.status_code == 412, other
    assert (await api.http.delete("/jobs/daily%20sales", headers={"If-Match": "*"})).status_code == 204


async def test_an_unknown_job_run_or_path_is_a_problem_document(api: Replica) -> None:
    no_run = "/runs/00000000-0000-0000-0000-000000000000"
    for method, path in (
        ("GET", "/jobs/none"),
        ("PUT", "/jobs/daily%20sales"),
        ("DELETE", "/jobs/none"),
        ("POST", "/jobs/none/pause"),
        ("POST", "/jobs/none/run"),
        ("GET", "/jobs/none/runs"),
        ("GET", "/jobs/%00"),
        ("GET", "/jobs/a%2Fb"),
        ("GET", no_run),
        ("GET", f"{no_run}/result"),
        ("GET", f"{no_run}/log"),
        ("GET", "/nowhere"),
    ):
        answer = await api.http.request(method, path, json=job_request() if method == "PUT" else None)
        assert (answer.status_code, answer.json()["status"]) == (404, 404), path
        assert answer.headers["content-type"] == "application/problem+json"


async def test_requests_with_one_idempotency_key_give_one_run(api: Replica, event_log: EventLog) -> None:
    await api.create()
    headers = {"Idempotency-Key": "once"}
    first, second = [(await api.http.post("/jobs/daily%20sales/run", headers=headers)).json() for _ in range(2)]
    assert first == second
    other = (await api.http.post("/jobs/daily%20sales/run")).json()
    assert other != first
    assert await event_log.last_sequence() == 3
