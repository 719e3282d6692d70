"""`/files`: what is uploaded comes back, no change is lost, and every ceiling holds."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from nats.aio.client import Client
from prometheus_client import REGISTRY

from api.conftest import Api, MakeReplica, Replica
from api.test_access import make_token
from nightmail_api.http.routes import files
from nightmail_common.broker.file_store import FileStore
from nightmail_common.broker.object_bucket import ObjectChanged
from support.job_requests import job_request

CSV = b"region,amount\nnorth,10\n"


def etag(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()}"'


async def put(api: Api, path: str, content: Any, **headers: str) -> Any:
    return await api.http.put(f"/files/{path}", content=content, headers=headers)


async def test_an_uploaded_file_is_listed_and_comes_back(api: Replica) -> None:
    assert (await api.http.get("/files")).json() == {"items": []}
    made = await put(api, "sales/2026 é.csv", CSV)
    assert (made.status_code, made.headers["etag"]) == (201, etag(CSV))
    stored = {"path": "sales/2026 é.csv", "size": len(CSV), "sha256": hashlib.sha256(CSV).hexdigest()}
    assert made.json() == stored | {"modified_at": made.json()["modified_at"]}
    [listed] = (await api.http.get("/files")).json()["items"]
    assert listed | {"modified_at": ""} == stored | {"modified_at": ""}
    answer = await api.http.get("/files/sales/2026 é.csv")
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (200, CSV, etag(CSV))
    assert answer.headers["content-type"] == "application/octet-stream"
    replaced = await put(api, "sales/2026 é.csv", b"")
    assert (replaced.status_code, replaced.json()["size"]) == (200, 0)
    assert (await api.http.get("/files/sales/2026 é.csv")).content == b""


async def test_a_slash_in_a_path_may_be_encoded(api: Replica) -> None:
    assert (await put(api, "sales%2F2026.csv", CSV)).status_code == 201
    assert (await api.http.get("/files/sales/2026.csv")).content == CSV
    for outside in ("..%2Fa.csv", "%2Fa.csv", "a%2F..%2F..%2Fa.csv"):
        assert (await put(api, outside, CSV)).status_code == 400, outside


async def test_every_replica_has_the_files(make_replica: MakeReplica) -> None:
    one, other = await make_replica(), await make_replica()
    large = bytes(range(256)) * 4096  # 1 MiB, several pieces
    assert (await put(one, "a.bin", large)).status_code == 201
    assert (await other.http.get("/files/a.bin")).content == large
    assert (await other.http.delete("/files/a.bin")).status_code == 204
    assert (await one.http.get("/files/a.bin")).status_code == 404
    assert (await one.http.delete("/files/a.bin")).status_code == 404
    assert (await put(one, "a.bin", CSV)).status_code == 201


async def test_a_change_of_another_file_than_the_caller_read_is_refused(api: Replica) -> None:
    assert (await put(api, "a.csv", CSV, **{"If-Match": "*"})).status_code == 412
    await put(api, "a.csv", CSV)
    assert (await put(api, "a.csv", b"x", **{"If-Match": etag(b"other")})).status_code == 412
    assert (await put(api, "a.csv", b"x", **{"If-Match": "W/1"})).status_code == 400
    assert (await put(api, "a.csv", b"x", **{"If-Match": '"another"'})).status_code == 412
    assert (await put(api, "a.csv", b"x", **{"If-Match": etag(CSV)})).status_code == 200
    assert (await api.http.delete("/files/a.csv", headers={"If-Match": etag(CSV)})).status_code == 412
    assert (await api.http.delete("/files/a.csv", headers={"If-Match": etag(b"x")})).status_code == 204


async def test_a_file_that_must_be_new_replaces_no_other(api: Replica) -> None:
    new = {"If-None-Match": "*"}
    answers = await asyncio.gather(*(put(api, "a.csv", b"%d" % n, **new) for n in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 412, 412, 412]
    refused = await put(api, "a.csv", CSV, **new)
    assert refused.status_code == 412
    assert "the file 'a.csv' exists" in refused.json()["detail"]
    assert (await put(api, "a.csv", CSV, **{"If-None-Match": etag(CSV)})).status_code == 400


async def test_of_two_changes_of_the_same_file_one_wins(api: Replica) -> None:
    await put(api, "a.csv", CSV)
    answers = await asyncio.gather(*(put(api, "a.csv", b"%d" % n, **{"If-Match": etag(CSV)}) for n in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 3
    without = await asyncio.gather(*(put(api, "b.csv", b"%d" % n) for n in range(4)))
    assert sorted(answer.status_code for answer in without) == [200, 200, 200, 201]


@pytest.mark.parametrize("path", ["a//b", "%2e%2e/a", "a/%2e/b", "a%5Cb", "a%00b", "a" * 513, "a%0Ab"])
async def test_a_path_that_is_none_is_refused(shared_api: Api, path: str) -> None:
    assert (await put(shared_api, path, CSV)).status_code in {400, 404, 405}
    assert (await shared_api.http.get("/files")).json() == {"items": []}


async def test_a_file_that_a_job_reads_is_deleted_by_force_only(api: Replica) -> None:
    for path in ("sales.csv", "2026-11-25.csv", "other.csv"):
        await put(api, path, CSV)
    await api.http.post("/jobs", json=job_request(job_name="one"))
    dated = {"source_type": "file", "location": "{{ scheduled_at | date('%Y-%m-%d') }}.csv", "file_type": "csv"}
    await api.http.post("/jobs", json=job_request(job_name="two", data_source=dated))
    refused = await api.http.delete("/files/sales.csv")
    assert refused.status_code == 409
    assert "'one'" in refused.json()["detail"]
    assert "`nightmail files delete --force`" in refused.json()["errors"][0]["hint"]
    assert "'two'" in (await api.http.delete("/files/2026-11-25.csv")).json()["detail"]
    assert (await api.http.delete("/files/other.csv?force=true")).status_code == 204
    assert (await api.http.delete("/files/sales.csv?force=true")).status_code == 204
    await api.http.delete("/jobs/two")
    more = {"targets": {"source_type": "file", "location": "targets.csv", "file_type": "csv"}}
    await api.http.post("/jobs", json=job_request(job_name="three", more_sources=more))
    await put(api, "targets.csv", CSV)
    assert "'three'" in (await api.http.delete("/files/targets.csv")).json()["detail"]
    assert (await api.http.delete("/files/2026-11-25.csv")).status_code == 204


async def test_the_jobs_that_read_a_file_are_listed_with_it(api: Replica) -> None:
    for path in ("sales.csv", "other.csv"):
        await put(api, path, CSV)
    for name in ("two", "one"):
        await api.http.post("/jobs", json=job_request(job_name=name))
    [listed] = (await api.http.get("/files", params={"path": "sales.csv"})).json()["items"]
    assert (listed["path"], listed["read_by"]) == ("sales.csv", ["one", "two"])
    [unread] = (await api.http.get("/files", params={"path": "other.csv"})).json()["items"]
    assert unread["read_by"] == []
    assert (await api.http.get("/files", params={"path": "none.csv"})).json() == {"items": []}
    assert all("read_by" not in one for one in (await api.http.get("/files")).json()["items"])


async def test_a_file_that_is_too_large_is_refused_and_leaves_nothing(
    api: Replica, nats_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nightmail_api.http.middleware.MAX_FILE_BYTES", 300_000)

    async def without_length() -> AsyncIterator[bytes]:
        for _ in range(4):
            yield bytes(100_000)

    assert (await put(api, "a", bytes(300_001))).status_code == 413
    assert (await put(api, "a", without_length())).status_code == 413
    store = FileStore(nats_client.jetstream())
    assert await store.list() == []
    assert await store.stored_bytes() == 0


async def test_files_have_a_ceiling_in_number_and_in_all(api: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_FILES", 1)
    assert (await put(api, "a", CSV)).status_code == 201
    assert (await put(api, "b", CSV)).status_code == 413
    assert (await put(api, "a", b"x")).status_code == 200
    monkeypatch.setattr(files, "MAX_FILES_BYTES", 10)
    assert "delete some" in (await put(api, "a", CSV)).json()["detail"]


async def test_the_files_of_one_token_leave_room_for_others(api: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_TOKEN_FILES_BYTES", 50)
    refusals = ("nightmail_api_quota_refusals_total", {"kind": "bytes of files of a token"})
    before = REGISTRY.get_sample_value(*refusals) or 0
    async with api.client(await make_token(api, "filler", "editor")) as filler:
        assert (await filler.put("/files/a", content=bytes(30))).status_code == 201
        refused = await filler.put("/files/b", content=bytes(30))
        assert refused.status_code == 413
        assert "the token 'filler' stored have at most 50 bytes; delete some" in refused.json()["detail"]
        assert (await filler.put("/files/a", content=bytes(50))).status_code == 200  # in place of its own
        assert (await put(api, "b", bytes(30))).status_code == 201
        assert (await put(api, "a", bytes(10))).status_code == 200  # now it counts for the other token
        assert (await filler.put("/files/c", content=bytes(50))).status_code == 201
    assert (REGISTRY.get_sample_value(*refusals) or 0) == before + 1


async def test_a_viewer_lists_files_and_reads_none(api: Replica) -> None:
    await put(api, "a.csv", CSV)
    async with api.client(await make_token(api, "reader", "viewer")) as viewer:
        assert len((await viewer.get("/files")).json()["items"]) == 1
        for method in ("GET", "PUT", "DELETE"):
            assert (await viewer.request(method, "/files/a.csv", content=b"x")).status_code == 403


async def test_a_file_that_is_replaced_while_it_is_read_is_never_cut_silently(
    api: Replica, nats_client: Client
) -> None:
    store = FileStore(nats_client.jetstream())
    await put(api, "a", bytes(300_000))
    entry = await store.find("a")
    assert entry is not None
    reading = store.read(entry)
    assert len(await anext(reading)) == 128 * 1024
    await put(api, "a", CSV)
    with pytest.raises(ObjectChanged):
        await anext(reading)
