"""Sessions: sign-in with a token or a one-time code, the cookie, and the proof that a request comes from the console."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from api.conftest import TOKEN, Api, MakeReplica, Replica
from nightmail_api.access.one_time_codes import issue_code
from nightmail_api.access.rate_limit import MAX_FAILURES
from nightmail_api.access.tokens import ADMIN_KEY, token_digest
from support.deadlines import eventually, scaled
from support.job_requests import job_request

SECRET_KEY = "a-secret-key-of-the-tests"
#: What a page of this origin sends with a method that changes something.
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin", "X-Nightmail-Console": "1"}


@pytest.fixture
async def api(make_replica: MakeReplica) -> Replica:
    return await make_replica(secret_key=SECRET_KEY)


async def make_token(api: Replica, role: str = "editor", **fields: Any) -> str:
    answer = await api.http.post("/tokens", json={"name": "ann", "role": role} | fields)
    assert answer.status_code == 201, answer.text
    token: str = answer.json()["token"]
    return token


@asynccontextmanager
async def sign_in(api: Api, **credential: str) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a browser's client: it keeps the cookie and sends no token."""
    async with api.client(None) as browser:
        answer = await browser.post("/session", json=credential)
        assert answer.status_code == 201, answer.text
        yield browser


async def test_a_token_begins_a_session_that_has_its_name_and_role(api: Replica) -> None:
    async with sign_in(api, token=await make_token(api)) as ann:
        me = (await ann.get("/me")).json()
        assert (me["name"], me["role"], me["may"]) == ("ann", "editor", ["read", "edit"])
        assert datetime.fromisoformat(me["expires_at"]) - datetime.now(UTC) > timedelta(days=6)
        assert (await ann.post("/jobs/create", json=job_request(), headers=SAME_ORIGIN)).status_code == 201
        assert (await ann.get("/tokens")).status_code == 403
    events = (await api.http.get("/events")).json()["items"]
    assert events[-1]["data"]["actor"] == "ann"


async def test_the_cookie_is_for_scripts_and_other_sites_out_of_reach_and_contains_no_token(api: Replica) -> None:
    token = await make_token(api)
    async with api.client(None) as browser:
        plain = await browser.post("/session", json={"token": token})
        secure = await browser.post("/session", json={"token": token}, headers={"Host": "nightmail.example.com"})
    for answer, name in ((plain, "nightmail"), (secure, "__Host-nightmail")):
        [header] = answer.headers.get_list("set-cookie")
        value, *attributes = header.split("; ")
        assert value.startswith(f"{name}=")
        assert token not in value
        assert {"HttpOnly", "Path=/", "SameSite=strict"} <= set(attributes)
        assert ("Secure" in attributes) == name.startswith("__Host-")
        assert not any(attribute.startswith("Domain") for attribute in attributes)


async def test_a_code_begins_one_session_on_whichever_replica(make_replica: MakeReplica) -> None:
    replicas = [await make_replica(secret_key=SECRET_KEY) for _ in range(2)]
    code = (await replicas[0].http.post("/session/codes")).json()["code"]
    answers = await asyncio.gather(
        *(replica.http.post("/session", json={"code": code}) for replica in replicas for _ in range(5))
    )
    assert sorted(answer.status_code for answer in answers) == [201] + [401] * 9
    used = await replicas[1].http.post("/session", json={"code": code})
    assert "used already" in used.json()["detail"]


async def test_a_code_is_for_the_token_that_asked_for_it_and_ends_with_it(api: Replica) -> None:
    async with api.client(await make_token(api, "viewer")) as viewer:
        first, second = [(await viewer.post("/session/codes")).json() for _ in range(2)]
    assert first["path"] == f"/console/#start={first['code']}"
    async with sign_in(api, code=first["code"]) as browser:
        assert (await browser.get("/me")).json()["role"] == "viewer"
    await api.http.delete("/tokens/ann")
    await make_token(api, "admin")
    answer = await api.http.post("/session", json={"code": second["code"]})
    assert (answer.status_code, "not valid" in answer.json()["detail"]) == (401, True)


async def test_the_code_that_nightmail_up_issues_without_the_api_is_valid(api: Replica) -> None:
    code, _ = issue_code(SECRET_KEY, ADMIN_KEY, token_digest(TOKEN))
    async with sign_in(api, code=code) as browser:
        assert (await browser.get("/me")).json()["may"] == ["read", "edit", "administer"]
    for other_key, token in (("another-secret-key", TOKEN), (SECRET_KEY, "another-admin-token")):
        forged, _ = issue_code(other_key, ADMIN_KEY, token_digest(token))
        assert (await api.http.post("/session", json={"code": forged})).status_code == 401


@pytest.mark.parametrize("key", ["", ">", "a b", ".a.", "a\0b", "abc\n"])
async def test_a_code_with_a_key_that_no_token_has_is_refused_and_counted(api: Replica, key: str) -> None:
    code, _ = issue_code(SECRET_KEY, key, "")
    async with api.client(None) as guessing:
        for status in [401] * MAX_FAILURES + [429]:
            assert (await guessing.post("/session", json={"code": code})).status_code == status


async def test_an_expired_code_is_refused(api: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nightmail_api.access.one_time_codes.CODE_SECONDS", -1)
    code = (await api.http.post("/session/codes")).json()["code"]
    answer = await api.http.post("/session", json={"code": code})
    assert (answer.status_code, "expired" in answer.json()["detail"]) == (401, True)


async def test_wrong_codes_and_tokens_are_rate_limited(api: Replica) -> None:
    async with api.client(None) as guessing:
        for number in range(MAX_FAILURES):
            wrong = {"code": f"wrong{number}"} if number % 2 else {"token": "wrong"}
            assert (await guessing.post("/session", json=wrong)).status_code == 401
        limited = await guessing.post("/session", json={"code": "wrong"})
    assert limited.status_code == 429
    assert int(limited.headers["retry-after"]) >= 1


@pytest.mark.parametrize("body", [{}, {"token": "a", "code": "b"}, {"token": ""}, {"password": "x"}])
async def test_a_sign_in_names_either_a_token_or_a_code(shared_api: Api, body: dict[str, str]) -> None:
    assert (await shared_api.http.post("/session", json=body)).status_code == 400


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin", "X-Nightmail-Console": "1"}, 201),
        ({"Origin": "http://{host}", "X-Nightmail-Console": "1"}, 201),
        ({"X-Nightmail-Console": "1"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 403),
        ({"Origin": "http://{host}"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://{host}", "X-Nightmail-Console": "1"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "X-Nightmail-Console": "1"}, 403),
        ({"Origin": "http://evil.example.com", "X-Nightmail-Console": "1"}, 403),
        ({"Origin": "null", "X-Nightmail-Console": "1"}, 403),
    ],
)
async def test_a_change_with_a_session_must_come_from_the_console(
    shared_api: Api, headers: dict[str, str], status: int
) -> None:
    async with sign_in(shared_api, token=TOKEN) as browser:
        sent = {name: value.format(host=f"127.0.0.1:{shared_api.port}") for name, value in headers.items()}
        assert (await browser.post("/jobs/create", json=job_request(), headers=sent)).status_code == status
        assert (await browser.get("/jobs")).status_code == 200


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://evil.example.com"}])
async def test_a_page_of_another_origin_signs_nobody_in_or_out(shared_api: Api, headers: dict[str, str]) -> None:
    async with shared_api.client(None) as browser:
        assert (await browser.post("/session", json={"token": TOKEN}, headers=headers)).status_code == 403
        assert (await browser.delete("/session", headers=headers)).status_code == 403


async def test_signing_out_deletes_the_cookie(api: Replica) -> None:
    async with sign_in(api, token=TOKEN) as browser:
        assert (await browser.delete("/session", headers=SAME_ORIGIN)).status_code == 204
        assert (await browser.get("/me")).status_code == 401


async def test_a_session_ends_with_its_token_on_every_replica_and_a_new_token_does_not_revive_it(
    make_replica: MakeReplica,
) -> None:
    one, two = [await make_replica(secret_key=SECRET_KEY) for _ in range(2)]
    async with sign_in(one, token=await make_token(one)) as ann:
        elsewhere = f"http://127.0.0.1:{two.port}/me"
        assert (await ann.get(elsewhere)).status_code == 200
        await one.http.delete("/tokens/ann")
        await make_token(one, "admin")

        async def refused() -> bool:
            return (await ann.get(elsewhere)).status_code == 401

        await eventually(refused, "the other replica refuses the session", seconds=1)
        assert (await ann.get("/me")).status_code == 401


async def test_a_session_lasts_no_longer_than_its_token(api: Replica) -> None:
    end = datetime.now(UTC) + timedelta(hours=1)
    async with sign_in(api, token=await make_token(api, expires_at=end.isoformat())) as ann:
        expires_at = datetime.fromisoformat((await ann.get("/me")).json()["expires_at"])
    assert abs(expires_at - end) < timedelta(seconds=1)


async def test_a_forged_cookie_is_refused(api: Replica) -> None:
    async with sign_in(api, token=TOKEN) as browser:
        cookie = browser.cookies["nightmail"]
    body, _, mac = cookie.partition(".")
    for forged in ("", "x", body, f"{body}.{mac[::-1]}", f"{body}x.{mac}"):
        async with api.client(None) as client:
            assert (await client.get("/me", headers={"Cookie": f"nightmail={forged}"})).status_code == 401


@pytest.mark.parametrize("with_session", [True, False])
async def test_an_open_stream_ends_when_its_token_is_revoked(api: Replica, *, with_session: bool) -> None:
    token = await make_token(api, "viewer")
    opened = asyncio.Event()

    async def read_until_the_end(reader: httpx.AsyncClient) -> list[str]:
        async with reader.stream("GET", "/events/stream") as stream:
            assert stream.status_code == 200
            opened.set()
            return [line async for line in stream.aiter_lines() if line.startswith("data: ")]

    async with sign_in(api, token=token) if with_session else api.client(token) as reader:
        reading = asyncio.create_task(read_until_the_end(reader))
        await opened.wait()
        # Another token's creation ends no stream.
        await api.http.post("/tokens", json={"name": "bo", "role": "viewer"})
        await api.create()
        await api.http.delete("/tokens/ann")
        async with asyncio.timeout(scaled(5)):
            lines = await reading
    assert len(lines) <= 1
