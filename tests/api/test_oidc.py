"""Tokens of an OpenID Connect issuer: a local HTTP server with real keys."""

import asyncio
import base64
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import httpx
import jwt
import pytest

from api.conftest import MakeReplica, Replica
from nightmail_api.access.oidc import REFRESH_SECONDS
from nightmail_api.access.oidc_sign_in import OidcSignIn
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.limits import MAX_API_SIGN_INS
from support.deadlines import eventually
from support.job_requests import job_request
from support.oidc_issuer import AUDIENCE, IssuerServer, Key


@pytest.fixture
def issuer() -> Iterator[IssuerServer]:
    server = IssuerServer()
    yield server
    server.close()


@pytest.fixture
async def api(make_replica: MakeReplica, issuer: IssuerServer) -> Replica:
    return await make_replica(oidc_issuer=issuer.url, oidc_audience=AUDIENCE)


async def status(api: Replica, token: str, method: str = "GET", path: str = "/jobs", **request: Any) -> int:
    async with api.client(token) as caller:
        return (await caller.request(method, path, **request)).status_code


async def test_the_issuers_tokens_are_accepted_and_their_subject_is_the_actor(
    api: Replica, issuer: IssuerServer, event_log: EventLog
) -> None:
    for key in issuer.keys:
        assert await status(api, issuer.token(key)) == 200
    assert len(issuer.asked) == 2, "the keys are kept"
    for subject, actor in (("u-1", "oidc:u-1"), ("maria@example.com", None)):
        name = f"of {subject}"
        assert await status(api, issuer.token(sub=subject), "POST", "/jobs", json=job_request(job_name=name)) == 201
        stored = await event_log.last_event("jobs.>")
        assert stored is not None
        found = stored.event().actor  # type: ignore[union-attr]
        assert found == actor if actor else (found.startswith("oidc:") and "@" not in found)


async def test_a_claim_names_the_role(api: Replica, issuer: IssuerServer) -> None:
    for claims, read, write, tokens in (
        ({"nightmail_role": "viewer"}, 200, 403, 403),
        ({"nightmail_role": ["viewer", "editor"]}, 200, 404, 403),
        ({"nightmail_role": "admin"}, 200, 404, 200),
        ({"nightmail_role": None, "roles": ["nightmail-editor", "other"]}, 200, 404, 403),
        ({"nightmail_role": None, "groups": ["nightmail-admin"]}, 200, 404, 200),
        ({"nightmail_role": None, "roles": ["admin"]}, 403, 403, 403),
        ({"nightmail_role": "root"}, 403, 403, 403),
        ({"nightmail_role": {"admin": True}}, 403, 403, 403),
        ({"nightmail_role": None}, 403, 403, 403),
    ):
        token = issuer.token(**claims)
        assert await status(api, token) == read, claims
        assert await status(api, token, "POST", "/jobs/none/pause") == write, claims
        assert await status(api, token, "GET", "/tokens") == tokens, claims


async def test_an_invalid_jwt_is_refused(api: Replica, issuer: IssuerServer) -> None:
    now = int(time.time())
    good = issuer.token()
    head, body, signature = good.split(".")
    stranger = Key("RS256")
    public = issuer.keys[0].public["n"]
    for why, token in {
        "over": issuer.token(exp=now - 60),
        "not yet": issuer.token(nbf=now + 300),
        "another issuer": issuer.token(iss="https://elsewhere.example"),
        "another audience": issuer.token(aud="other"),
        "no audience": issuer.token(aud=None),
        "for ever": issuer.token(exp=None),
        "nobody": issuer.token(sub=None),
        "another key": issuer.token(stranger),
        "another key by a known name": jwt.encode(
            jwt.decode(good, options={"verify_signature": False}),
            stranger.private,
            "RS256",
            {"kid": issuer.keys[0].kid},
        ),
        "unsigned": jwt.encode({"iss": issuer.url, "aud": AUDIENCE, "sub": "x", "exp": now + 300}, "", "none"),
        "a public key as a secret": jwt.encode(
            {"iss": issuer.url, "aud": AUDIENCE, "sub": "x", "exp": now + 300, "nightmail_role": "admin"},
            public,
            "HS256",
            {"kid": issuer.keys[0].kid},
        ),
        "no signature": f"{head}.{body}.",
        "cut": good[:-8],
        "another body": f"{head}.{body[:-4]}AAAA.{signature}",
        "dots": "..",
        "nonsense": "a.b.c",
        "nested": f"{base64.urlsafe_b64encode(b'[' * 6000).decode()}.b.c",
    }.items():
        async with api.client(token) as caller:
            answer = await caller.get("/jobs")
        assert answer.status_code == 401, why
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_new_key_is_fetched_on_use_and_unknown_keys_do_not_flood_the_issuer(
    make_replica: MakeReplica, issuer: IssuerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = await make_replica(oidc_issuer=issuer.url, oidc_audience=AUDIENCE)
    assert await status(api, issuer.token()) == 200
    for _ in range(5):
        assert await status(api, issuer.token(Key("ES256"))) == 401
    assert len(issuer.asked) == 2
    monkeypatch.setattr("nightmail_api.access.oidc.REFRESH_SECONDS", 0.0)
    new = Key("ES256")
    issuer.keys = [new]
    assert await status(api, issuer.token(new)) == 200
    assert REFRESH_SECONDS >= 1


async def test_an_unreachable_issuer_is_answered_503(make_replica: MakeReplica, issuer: IssuerServer) -> None:
    token = issuer.token()
    api = await make_replica(oidc_issuer=f"{issuer.url}/nowhere", oidc_audience=AUDIENCE)
    async with api.client(token) as caller:
        answer = await caller.get("/jobs")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
    assert (await api.http.get("/jobs")).status_code == 200


async def test_without_an_issuer_its_tokens_are_refused(make_replica: MakeReplica, issuer: IssuerServer) -> None:
    api = await make_replica()
    assert await status(api, issuer.token()) == 401


CLIENT = "the-console"
CALLBACK = "/session/oidc/callback"


async def sign_in(api: Replica, browser: httpx.AsyncClient, path: str = "/console/jobs?q=a") -> httpx.Response:
    """Go through the issuer's page, as a browser does; return the answer of the callback."""
    begun = await browser.get("/session/oidc", params={"next": path})
    assert begun.status_code == 303, begun.text
    async with httpx.AsyncClient() as elsewhere:
        page = await elsewhere.get(begun.headers["location"])
    return await browser.get(page.headers["location"])


def failure(answer: httpx.Response) -> str:
    assert answer.status_code == 303, answer.text
    assert "set-cookie" not in answer.headers or "sign-in=" in answer.headers["set-cookie"]
    return str(answer.headers["location"]).removeprefix("/console/#sign-in=")


@pytest.mark.parametrize("secret", [None, "a secret: 100 %"])
async def test_a_person_signs_in_at_the_issuer_with_pkce(
    make_replica: MakeReplica, issuer: IssuerServer, secret: str | None
) -> None:
    issuer.secret = None if secret is None else quote(secret, safe="")
    settings = {"oidc_issuer": issuer.url, "oidc_audience": AUDIENCE, "oidc_client_id": CLIENT}
    api = await make_replica(**settings, **({} if secret is None else {"oidc_client_secret": secret}))
    async with api.client(None) as browser:
        assert (await browser.get("/session")).json() == {"oidc": issuer.url}
        answer = await sign_in(api, browser)
        assert (answer.status_code, answer.headers["location"]) == (303, "/console/jobs?q=a"), answer.text
        session, forgotten = answer.headers.get_list("set-cookie")
        assert session.startswith("nightmail=")
        assert {"HttpOnly", "SameSite=strict"} <= set(session.split("; "))
        assert forgotten.startswith('nightmail-sign-in=""')
        me = (await browser.get("/me")).json()
        assert (me["name"], me["role"]) == ("oidc:u-1", "editor")
        left = datetime.fromisoformat(me["expires_at"]) - datetime.now(UTC)
        assert timedelta(hours=7) < left <= timedelta(hours=8)
        for stranger in ("https://elsewhere.example/", "//elsewhere.example", "/jobs"):
            assert (await sign_in(api, browser, stranger)).headers["location"] == "/console/"


async def test_a_sign_in_that_fails_leads_back_with_the_reason(make_replica: MakeReplica, issuer: IssuerServer) -> None:
    api = await make_replica(oidc_issuer=issuer.url, oidc_audience=AUDIENCE, oidc_client_id=CLIENT)
    async with api.client(None) as browser:
        assert failure(await browser.get(CALLBACK, params={"code": "x", "state": "y"})) == "expired"
        for claims, why in (
            ({"nightmail_role": None}, "no-role"),
            ({"nonce": "another"}, "failed"),
            ({"aud": AUDIENCE}, "failed"),
            ({"exp": int(time.time()) - 60}, "failed"),
        ):
            issuer.claims = claims
            assert failure(await sign_in(api, browser)) == why, claims
        issuer.claims = {}
        issuer.refusal = "access_denied"
        assert failure(await sign_in(api, browser)) == "refused"
        issuer.refusal = None

        begun = await browser.get("/session/oidc")
        async with httpx.AsyncClient() as elsewhere:
            back = str((await elsewhere.get(begun.headers["location"])).headers["location"])
        async with api.client(None) as victim:
            assert failure(await victim.get(back)) == "expired", "an answer without the browser's own cookie"
            await victim.get("/session/oidc")
            assert failure(await victim.get(back)) == "expired", "an answer to another browser's sign-in"
        assert failure(await browser.get(back.replace("iss=", "iss=https%3A%2F%2Felsewhere"))) == "failed"
        begun = await browser.get("/session/oidc")
        query = dict(parse_qsl(urlsplit(begun.headers["location"]).query))
        unknown = {"state": query["state"], "code": "unknown"}
        assert failure(await browser.get(CALLBACK, params=unknown)) == "failed"
        assert failure(await browser.get(CALLBACK, params=unknown)) == "expired", "a sign-in ends once"
        assert (await browser.get("/me")).status_code == 401


async def test_without_a_client_nobody_signs_in_at_the_issuer(api: Replica, make_replica: MakeReplica) -> None:
    async with api.client(None) as browser:
        assert (await browser.get("/session")).json() == {"oidc": None}
        assert (await browser.get("/session/oidc")).status_code == 404
    away = await make_replica(oidc_issuer="http://127.0.0.1:9/x", oidc_audience=AUDIENCE, oidc_client_id=CLIENT)
    async with away.client(None) as browser:
        assert failure(await browser.get("/session/oidc")) == "unreachable"


async def test_one_sign_in_too_many_leads_back_to_the_sign_in_page(
    make_replica: MakeReplica, issuer: IssuerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = await make_replica(oidc_issuer=issuer.url, oidc_audience=AUDIENCE, oidc_client_id=CLIENT)
    release = asyncio.Event()
    waiting: list[OidcSignIn] = []
    finish = OidcSignIn.finish

    async def slow_finish(sign_in: OidcSignIn, *given: Any) -> Any:
        waiting.append(sign_in)
        await release.wait()
        return await finish(sign_in, *given)

    monkeypatch.setattr(OidcSignIn, "finish", slow_finish)
    async with AsyncExitStack() as browsers, asyncio.TaskGroup() as tasks:

        async def browser() -> httpx.AsyncClient:
            return await browsers.enter_async_context(api.client(None))

        for _ in range(MAX_API_SIGN_INS):
            tasks.create_task(sign_in(api, await browser()))
        await eventually(lambda: len(waiting) == MAX_API_SIGN_INS, "the sign-ins wait for the issuer")
        assert failure(await sign_in(api, await browser())) == "unreachable"
        release.set()
