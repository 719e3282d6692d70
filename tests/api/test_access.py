"""Authentication and permissions: tokens, roles, and the rate limit of wrong tokens."""

import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from nats.aio.client import Client

from api.conftest import TOKEN, Api, MakeReplica, Replica, keys_of
from nightmail_api.access.rate_limit import MAX_FAILURES
from nightmail_api.access.tokens import BUCKET, ROLES
from nightmail_api.http.application import build_application
from nightmail_api.http.middleware import MAX_BODY_BYTES
from nightmail_api.http.routing import ViewerRoute
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.events import JobCreated
from support.deadlines import eventually
from support.job_requests import job_request

OPEN = {"/health/live", "/health/ready"}
#: The documentation page, its files, and the document that it shows: they contain no data.
DOCUMENTATION = {"/docs", "/docs/start.js", "/docs/{name}", "/openapi.json", "/asyncapi", "/asyncapi.json"}
#: The signed links in mails. test_mail_routes.py tests their signatures.
SIGNED = {"/shared/results/{token}", "/shared/slices/{token}", "/unsubscribe/{token}"}
#: Sign-in, sign-out, and the console's own files, which contain no data. test_session.py and test_console_files.py test them.
SIGN_IN = {
    "/session",
    "/session/oidc",
    "/session/oidc/callback",
    "/",
    "/console",
    "/console/assets/{version}/{name}",
    "/console/mail-frame",
    "/console/{path:path}",
}
#: It takes a token, and each tool is a request of its own with that token. e2e/test_mcp.py tests it.
AGENTS = {"/mcp"}
APPLICATION = build_application(None)  # type: ignore[arg-type]
ROUTES = [route for route in APPLICATION.routes if isinstance(route, ViewerRoute)]


async def make_token(api: Api, name: str, role: str) -> str:
    answer = await api.http.post("/tokens", json={"name": name, "role": role})
    assert answer.status_code == 201, answer.text
    token: str = answer.json()["token"]
    return token


def test_every_route_but_health_documentation_and_signed_links_needs_a_role() -> None:
    paths = {route.path for route in ROUTES}
    assert {route.path for route in APPLICATION.routes} - paths == OPEN | DOCUMENTATION | SIGNED | SIGN_IN | AGENTS  # type: ignore[attr-defined]
    assert len(ROUTES) > 20
    described = APPLICATION.openapi()["paths"]
    for route in ROUTES:
        for method in route.methods or ():
            assert described[route.path_format][method.lower()]["security"] == [{"bearer": [route.role]}]


async def test_every_route_requires_a_token_and_a_sufficient_role_before_it_parses_the_body(api: Replica) -> None:
    clients = {role: api.client(await make_token(api, f"the-{role}", role)) for role in ROLES}
    nobody = api.client(None)
    for route in ROUTES:
        path = re.sub(r"\{[^}]+\}", "none", route.path)
        for method in route.methods or ():
            for body in (b"", b"{not json"):
                refused = await nobody.request(method, path, content=body)
                assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer"), path
            for role in ROLES[: ROLES.index(route.role)]:
                assert (await clients[role].request(method, path, content=b"{not json")).status_code == 403, (
                    role,
                    path,
                )
    for client in (nobody, *clients.values()):
        await client.aclose()


async def test_health_and_documentation_need_no_token(shared_api: Api) -> None:
    async with shared_api.client(None) as nobody:
        for path in OPEN | DOCUMENTATION - {"/docs/{name}"}:
            assert (await nobody.get(path)).status_code == 200, path


async def test_an_invalid_token_is_refused(api: Replica) -> None:
    async with api.client(None) as nobody:
        for header in ("", "Bearer", "Basic YTpi", "Bearer wrong", "bearer nm_x_y", "Bearer \xff", "Bearer a b"):
            answer = await nobody.get("/jobs", headers={b"Authorization": header.encode("latin-1")})
            assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json"), header


async def test_a_token_is_shown_once_listed_without_it_and_revoked(api: Replica) -> None:
    token = await make_token(api, "dashboard", "viewer")
    [entry] = (await api.http.get("/tokens")).json()["items"]
    assert (entry["name"], entry["role"], entry["created_by"]) == ("dashboard", "viewer", "admin")
    assert token not in json.dumps(entry)
    async with api.client(token) as dashboard:
        assert (await dashboard.get("/jobs")).status_code == 200
        taken = await api.http.post("/tokens", json={"name": "dashboard", "role": "admin"})
        assert (taken.status_code, taken.json()["errors"][0]["field"]) == (409, "name")
        assert (await api.http.delete("/tokens/dashboard")).status_code == 204
        assert (await dashboard.get("/jobs")).status_code == 401
    assert (await api.http.delete("/tokens/dashboard")).status_code == 404
    assert (await api.http.get("/tokens")).json() == {"items": []}
    assert await make_token(api, "dashboard", "viewer") != token


async def test_the_bucket_holds_hashes_only(api: Replica, nats_client: Client) -> None:
    token = await make_token(api, "dashboard", "viewer")
    kv = await nats_client.jetstream().key_value(BUCKET)
    [key] = await keys_of(nats_client, BUCKET)
    value = (await kv.get(key)).value
    assert value is not None
    assert token.encode() not in value
    assert token.split("_", 2)[2].encode() not in value


async def test_a_token_is_valid_and_is_revoked_on_every_replica(make_replica: MakeReplica) -> None:
    one, two = await make_replica(), await make_replica()
    token = await make_token(one, "editor-1", "editor")
    async with two.client(token) as editor:
        assert (await editor.get("/jobs")).status_code == 200
        await one.http.delete("/tokens/editor-1")

        async def refused() -> bool:
            return (await editor.get("/jobs")).status_code == 401

        await eventually(refused, "the other replica refuses the token", seconds=0.5)


async def test_the_name_of_the_token_is_the_actor(api: Replica, event_log: EventLog) -> None:
    async with api.client(await make_token(api, "maria", "editor")) as maria:
        assert (await maria.post("/jobs/create", json=job_request())).status_code == 201
    stored = await event_log.last_event("jobs.>")
    assert stored is not None
    event = stored.event()
    assert isinstance(event, JobCreated)
    assert event.actor == "maria"


async def test_wrong_tokens_of_an_address_are_rate_limited_and_valid_ones_are_not(api: Replica) -> None:
    async with api.client("wrong") as guessing:
        for _ in range(MAX_FAILURES):
            assert (await guessing.get("/jobs")).status_code == 401
        limited = await guessing.get("/jobs")
    assert limited.status_code == 429
    assert 1 <= int(limited.headers["retry-after"]) <= 60
    assert (await api.http.get("/jobs")).status_code == 200


async def test_a_token_used_for_the_first_time_passes_from_a_rate_limited_address(api: Replica) -> None:
    token = await make_token(api, "dashboard", "viewer")
    async with api.client("wrong") as guessing:
        while (await guessing.get("/jobs")).status_code != 429:
            pass
    async with api.client(token) as dashboard:
        assert (await dashboard.get("/jobs")).status_code == 200


async def test_wrong_tokens_of_a_proxys_address_keep_nobody_out(api: Replica) -> None:
    token = await make_token(api, "dashboard", "viewer")
    async with api.client("wrong") as guessing:
        for _ in range(220):
            await guessing.get("/jobs")
    for right in (TOKEN, token):
        async with api.client(right) as caller:
            assert (await caller.get("/jobs")).status_code == 200


@pytest.mark.parametrize("trusted", [(), ("127.0.0.1",)])
async def test_a_forwarded_address_counts_only_from_a_trusted_proxy(
    make_replica: MakeReplica, trusted: tuple[str, ...]
) -> None:
    replica = await make_replica(trusted_proxies=trusted)
    async with replica.client("wrong") as guessing:
        answers = [
            await guessing.get("/jobs", headers={"X-Forwarded-For": f"10.0.0.{number}"})
            for number in range(MAX_FAILURES + 1)
        ]
    assert answers[-1].status_code == (401 if trusted else 429)


async def test_a_token_expires(api: Replica) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=1)
    wanted = {"name": "guest", "role": "viewer", "expires_at": soon.isoformat()}
    made = (await api.http.post("/tokens", json=wanted)).json()
    async with api.client(made["token"]) as guest:
        assert (await guest.get("/jobs")).status_code == 200

        async def refused() -> bool:
            return (await guest.get("/jobs")).status_code == 401

        await eventually(refused, "the token has expired")
    over = await api.http.post("/tokens", json=wanted | {"name": "late"})
    assert (over.status_code, over.json()["errors"][0]["field"]) == (400, "expires_at")


async def test_a_larger_body_than_the_limit_is_refused(shared_api: Api) -> None:
    large = b'"' + b"x" * MAX_BODY_BYTES + b'"'

    async def in_parts() -> AsyncIterator[bytes]:
        yield large

    headers = {"Content-Type": "application/json"}
    for content in (large, in_parts()):
        answer = await shared_api.http.post("/jobs", content=content, headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")


async def test_responses_have_the_security_headers(shared_api: Api) -> None:
    for path in ("/jobs", "/nowhere"):
        headers = (await shared_api.http.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert "access-control-allow-origin" not in headers


async def test_cors_allows_only_the_configured_origins(api: Replica, make_replica: MakeReplica) -> None:
    async def allowed(replica: Replica, origin: str) -> str | None:
        answer = await replica.http.get("/jobs", headers={"Origin": origin})
        allowed_origin: str | None = answer.headers.get("access-control-allow-origin")
        return allowed_origin

    assert await allowed(api, "https://reports.example.com") is None
    named = await make_replica(cors_origins="https://reports.example.com, https://other.example.com")
    assert await allowed(named, "https://other.example.com") == "https://other.example.com"
    assert await allowed(named, "https://evil.example.com") is None
    asked = {
        "Origin": "https://reports.example.com",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization,x-nightmail-after",
    }
    assert (await named.http.options("/jobs", headers=asked)).status_code == 200
