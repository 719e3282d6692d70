"""The versions of a job, their changes, and rollback."""

from api.conftest import ON_BOTH_DATABASES, Replica
from support.job_requests import job_request

pytestmark = ON_BOTH_DATABASES


async def test_every_version_has_its_actor_time_and_changes(api: Replica) -> None:
    await api.create(description="first")
    await api.http.put("/jobs/daily%20sales", json=job_request(description="second", schedule_time="10:00"))
    await api.http.post("/jobs/daily%20sales/pause")
    newest, oldest = (await api.http.get("/jobs/daily%20sales/versions")).json()["items"]
    assert (oldest["version"], oldest["actor"], oldest["changes"]) == (1, "admin", [])
    assert {change["field"]: (change["before"], change["after"]) for change in newest["changes"]} == {
        "description": ("first", "second"),
        "schedule_time": ("0 9 * * 1-5", "10:00"),
    }
    assert (newest["version"], newest["sequence"], newest["rolled_back_to"]) == (2, 2, None)
    first = (await api.http.get("/jobs/daily%20sales/versions/1")).json()
    assert first["job"]["description"] == "first"
    assert (await api.http.get("/jobs/daily%20sales/versions/3")).status_code == 404
    page = (await api.http.get("/jobs/daily%20sales/versions?limit=1")).json()
    [last] = (await api.http.get(f"/jobs/daily%20sales/versions?cursor={page['next_cursor']}")).json()["items"]
    assert last == oldest


async def test_a_rollback_is_a_new_version_with_rolled_back_to(api: Replica) -> None:
    await api.create(description="first")
    await api.http.put("/jobs/daily%20sales", json=job_request(description="second"))
    back = await api.http.post("/jobs/daily%20sales/rollback", json={"version": 1})
    assert (back.status_code, back.json()["version"], back.json()["description"]) == (200, 3, "first")
    newest = (await api.http.get("/jobs/daily%20sales/versions")).json()["items"][0]
    assert (newest["version"], newest["rolled_back_to"]) == (3, 1)
    again = await api.http.post("/jobs/daily%20sales/rollback", json={"version": 1})
    assert again.json()["version"] == 3
    none = await api.http.post("/jobs/daily%20sales/rollback", json={"version": 9})
    assert (none.status_code, none.json()["errors"][0]["field"]) == (400, "version")


async def test_a_run_names_the_version_that_ran(api: Replica) -> None:
    await api.create()
    run_id = (await api.http.post("/jobs/daily%20sales/run")).json()["run_id"]
    await api.http.put("/jobs/daily%20sales", json=job_request(description="later"))
    assert (await api.http.get(f"/runs/{run_id}")).json()["job_version"] == 1


async def test_a_new_job_does_not_inherit_the_versions_of_a_deleted_one(api: Replica) -> None:
    await api.create(description="old")
    await api.http.delete("/jobs/daily%20sales")
    assert (await api.http.get("/jobs/daily%20sales/versions")).status_code == 404
    await api.create(description="new")
    [only] = (await api.http.get("/jobs/daily%20sales/versions")).json()["items"]
    assert only["version"] == 1
