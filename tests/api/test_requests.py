"""Invalid requests and their responses: malformed bodies, parameters, paths, methods."""

import asyncio
import json
from typing import Any

import pytest

from api.conftest import Api, Replica, job_path
from support.deadlines import scaled
from support.job_requests import job_request

JSON = {"Content-Type": "application/json"}
JOB = json.dumps(job_request())


BODIES = [
    b"{not json",
    b'"text"',
    b"[]",
    b"null",
    b"",
    JOB.encode("utf-16"),
    JOB.encode()[:-1] + b', "description": "\xff"}',
    JOB[:-1].encode() + b', "description": "\\u0000"}'[:-2] + b'\x00"}',
    JOB[:-1].encode() + b', "job_name": "twice"}',
    JOB[:-1].encode() + b', "retries": NaN}',
    JOB[:-1].encode() + b', "retries": 1e999}',
    JOB[:-1].encode() + b', "retries": ' + b"9" * 5000 + b"}",
    JOB[:-1].encode() + b', "description": "\\ud800"}',
    b"[" * 100_000 + b"]" * 100_000,
    b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
]
PARAMETERS = [
    ("/jobs?limit=0", "limit"),
    ("/jobs?limit=1001", "limit"),
    ("/jobs?limit=-1", "limit"),
    ("/jobs?limit=99999999999999999999", "limit"),
    ("/jobs?limit=many", "limit"),
    ("/jobs?stauts=paused", "stauts"),
    ("/jobs?status=asleep", "status"),
    ("/jobs?limit=1&limit=2", "limit"),
    ("/jobs/a?erase=true", "erase"),
    ("/jobs?cursor=%00", "cursor"),
    ("/runs?since=yesterday", "since"),
    ("/runs?since=2026-11-23T00:00:00", "since"),
    ("/runs?until=0.5", "until"),
    ("/runs?until=9999-12-31T23:59:59-14:00", "until"),
    ("/stats/days?from=0001-01-01T00:00:00%2B14:00", "from"),
    ("/schedules/preview?schedule_time=09:00&after=0001-01-01T00:00:00%2B14:00", "after"),
    ("/runs?until=1700000000", "until"),
    ("/runs?status=", "status"),
    ("/events?after=-1", "after"),
    ("/events?type=*", "type"),
    ("/schedules/preview?schedule_time=0 9 * * 8", "schedule_time"),
    ("/schedules/preview?schedule_time=09:00&timezone=Mars/Olympus", "timezone"),
    ("/schedules/preview", "schedule_time"),
]


async def test_an_invalid_body_is_a_problem_that_names_the_field(shared_api: Api) -> None:
    for body in BODIES:
        answer = await shared_api.http.post("/jobs/create", content=body, headers=JSON)
        assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json"), body[-80:]
        assert answer.json()["errors"]
        assert all(error["field"] for error in answer.json()["errors"]), answer.text


async def test_a_name_that_occurs_twice_among_many_is_found_at_once(shared_api: Api) -> None:
    body = "{" + "".join(f'"{number}":0,' for number in range(90_000)) + '"twice":0,"twice":0}'
    # Anybody may send this, and the event loop of the API answers nobody else meanwhile.
    async with asyncio.timeout(scaled(5)), shared_api.client(None) as stranger:
        answer = await stranger.post("/session", content=body, headers=JSON)
    assert "the name 'twice' occurs twice" in answer.json()["errors"][0]["detail"]


async def test_a_byte_order_mark_is_accepted(shared_api: Api) -> None:
    answer = await shared_api.http.post("/jobs/create", content=b"\xef\xbb\xbf" + JOB.encode(), headers=JSON)
    assert answer.status_code == 201


async def test_a_body_of_another_type_is_refused(shared_api: Api) -> None:
    for headers in ({"Content-Type": "application/x-www-form-urlencoded"}, {"Content-Type": "text/plain"}, {}):
        answer = await shared_api.http.post("/jobs/create", content=JOB, headers=headers)
        assert (answer.status_code, answer.json()["status"]) == (415, 415)
    answer = await shared_api.http.post("/jobs/create", content=JOB, headers=JSON | {"Content-Encoding": "gzip"})
    assert answer.status_code == 415
    answer = await shared_api.http.post(
        "/jobs", content=JOB, headers={"Content-Type": "application/json; charset=utf-8"}
    )
    assert answer.status_code == 201


async def test_an_invalid_unknown_or_repeated_parameter_is_named(shared_api: Api) -> None:
    for path, field in PARAMETERS:
        answer = await shared_api.http.get(path)
        assert answer.status_code == 400, answer.text
        assert [error["field"] for error in answer.json()["errors"]] == [field], path


async def test_any_path_is_answered_and_an_encoded_slash_reaches_no_other_route(shared_api: Api) -> None:
    await shared_api.create(job_name="a")
    names = (
        "a..",
        "a b",
        "100%",
        "🌙",
        "日報",
        "%",
        "%25",
        "a%2Fruns",
        "\u202e",
        "\x00",
        "x" * 129,
        "a?b",
        "a#b",
    )
    for name in names:
        for more in ((), ("runs",), ("versions",)):
            answer = await shared_api.http.get(job_path(name, *more))
            assert answer.status_code == 404, (name, more)
    for raw in ("/jobs/a%2fruns", "/jobs/a%2Frun", "/jobs//", "/jobs/%ff", "/jobs/a/", "/jobs/a;b", "//jobs"):
        # A whole URL: as a reference, `//jobs` would be a host.
        assert (await shared_api.http.get(f"http://127.0.0.1:{shared_api.port}{raw}")).status_code == 404, raw
    assert (await shared_api.http.post("/jobs/a%2Frun")).status_code == 404


async def test_a_method_that_a_path_does_not_allow_is_answered_with_the_allowed_ones(shared_api: Api) -> None:
    for method, path, allowed in (
        ("PATCH", "/jobs", "GET, HEAD, POST"),
        ("DELETE", "/jobs", "GET, HEAD, POST"),
        ("OPTIONS", "/jobs/a", "DELETE, GET, HEAD, PUT"),
        ("GET", "/jobs/a/run", "POST"),
        ("TRACE", "/health/live", "GET, HEAD"),
        ("POST", "/openapi.json", "GET, HEAD"),
    ):
        answer = await shared_api.http.request(method, path)
        assert (answer.status_code, answer.headers["allow"]) == (405, allowed), (method, path)
        assert answer.headers["content-type"] == "application/problem+json"


async def test_head_is_get_without_the_body(shared_api: Api) -> None:
    await shared_api.create()
    head, get = await shared_api.http.head("/jobs/daily%20sales"), await shared_api.http.get("/jobs/daily%20sales")
    assert (head.status_code, head.content) == (200, b"")
    assert {name: head.headers[name] for name in ("etag", "content-length")} == {
        name: get.headers[name] for name in ("etag", "content-length")
    }
    assert (await shared_api.client(None).head("/jobs")).status_code == 401
    assert (await shared_api.http.head("/events/stream")).status_code == 405


async def test_an_internal_error_is_a_problem_with_the_security_headers(api: Replica, monkeypatch: Any) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr("nightmail_api.http.routes.jobs.list_of_jobs", broken)
    answer = await api.http.get("/jobs")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "a secret" not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/runs?since=",
        "/runs?until=",
        "/mails?since=",
        "/slots?from=",
        "/stats/days?from=",
        "/schedules/preview?schedule_time=10:00&after=",
    ],
)
async def test_an_offset_in_a_url_needs_no_encoding(shared_api: Api, path: str) -> None:
    plain, encoded = [await shared_api.http.get(f"{path}2026-11-27T00:00:00{plus}01:00") for plus in ("+", "%2B")]
    assert (plain.status_code, plain.json()) == (200, encoded.json())
    local = await shared_api.http.get(f"{path}2026-11-27%2009:00")
    assert (local.status_code, "offset" in local.text) == (400, True)
