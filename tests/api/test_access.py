"""Who may do what: tokens, roles, and what an address that guesses is told."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

from fastapi.routing import APIRoute
from nats.aio.client import Client

from api.conftest import MakeReplica, Replica, keys_of
from nightmail_api.access.authentication import MAX_FAILURES, MAX_GUESSES, Failures
from nightmail_api.access.tokens import BUCKET, ROLES
from nightmail_api.http.application import build_application
from nightmail_api.http.middleware import MAX_BODY_BYTES
from nightmail_api.http.routing import permissions
from nightmail_common.broker.log import EventLog
from nightmail_common.contract.events import JobCreated
from support.deadlines import eventually
from support.job_requests import job_request

OPEN = {"/health/live", "/health/ready"}
#: What the API is, which is nobody's data: the page, its files, and the document that it shows.
DOCUMENTATION = {"/docs", "/docs/start.js", "/docs/{name}", "/openapi.json"}
#: A signed link in a mail is its own permission: what is signed, and until when, is tested where it is made.
SIGNED = {"/shared/results/{token}", "/unsubscribe/{token}"}
APPLICATION = build_application(None)  # type: ignore[arg-type]
ROUTES = [route for route in APPLICATION.routes if isinstance(route, APIRoute) and route.path not in DOCUMENTATION]


async def make_token(api: Replica, name: str, role: str) -> str:
    answer = await api.http.post("/tokens", json={"name": name, "role": role})
    assert answer.status_code == 201, answer.text
    token: str = answer.json()["token"]
    return token


def test_every_route_declares_one_permission_but_health() -> None:
    assert {route.path for route in APPLICATION.routes} == {route.path for route in ROUTES} | DOCUMENTATION  # type: ignore[attr-defined]
    assert len(ROUTES) > 25
    for route in ROUTES:
        declared = list(permissions(route.dependant))
        assert len(declared) == (0 if route.path in OPEN | SIGNED else 1), route.path


async def test_every_route_asks_for_a_token_and_for_a_role_that_may(api: Replica) -> None:
    clients = {role: api.client(await make_token(api, f"the-{role}", role)) for role in ROLES}
    nobody = api.client(None)
    for route in (route for route in ROUTES if route.path not in SIGNED):
        path = route.path.format(job_name="none", run_id="none", version="none", name="none")
        for method in route.methods or ():
            if route.path in OPEN | DOCUMENTATION:
                assert (await nobody.request(method, path)).status_code == 200
                continue
            for body in (b"", b"{not json"):
                refused = await nobody.request(method, path, content=body)
                assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer"), path
            [permission] = permissions(route.dependant)
            for role in ROLES[: ROLES.index(permission.role)]:
                assert (await clients[role].request(method, path)).status_code == 403, (role, path)
    for client in (nobody, *clients.values()):
        await client.aclose()


async def test_what_is_no_good_token_is_refused(api: Replica) -> None:
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


async def test_a_token_works_on_every_replica_and_ends_on_every_replica(make_replica: MakeReplica) -> None:
    one, two = await make_replica(), await make_replica()
    token = await make_token(one, "editor-1", "editor")
    async with two.client(token) as editor:
        assert (await editor.get("/jobs")).status_code == 200
        await one.http.delete("/tokens/editor-1")

        async def refused() -> bool:
            return (await editor.get("/jobs")).status_code == 401

        await eventually(refused, "the other replica refuses the token", seconds=0.5)


async def test_the_tokens_name_is_the_actor(api: Replica, event_log: EventLog) -> None:
    async with api.client(await make_token(api, "maria", "editor")) as maria:
        assert (await maria.post("/jobs/create", json=job_request())).status_code == 201
    stored = await event_log.last_event("jobs.>")
    assert stored is not None
    event = stored.event()
    assert isinstance(event, JobCreated)
    assert event.actor == "maria"


async def test_an_address_that_guesses_is_slowed_down_and_good_tokens_are_not(api: Replica) -> None:
    async with api.client("wrong") as guessing:
        for _ in range(MAX_FAILURES):
            assert (await guessing.get("/jobs")).status_code == 401
        limited = await guessing.get("/jobs")
    assert limited.status_code == 429
    assert 1 <= int(limited.headers["retry-after"]) <= 60
    assert (await api.http.get("/jobs")).status_code == 200


async def test_a_token_that_was_never_used_before_is_good_behind_an_address_that_guesses(api: Replica) -> None:
    token = await make_token(api, "dashboard", "viewer")
    async with api.client("wrong") as guessing:
        while (await guessing.get("/jobs")).status_code != 429:
            pass
    async with api.client(token) as dashboard:
        assert (await dashboard.get("/jobs")).status_code == 200


def test_an_address_that_guesses_on_and_on_cannot_guess_the_admins_token_unless_the_admin_is_there() -> None:
    failures = Failures()
    failures.remember_admin("10.0.0.1")
    for _ in range(MAX_GUESSES):
        assert not failures.is_guessing("10.0.0.2")
        for address in ("10.0.0.1", "10.0.0.2"):
            failures.add(address)
    assert failures.is_guessing("10.0.0.2")
    assert not failures.is_guessing("10.0.0.1")
    assert not failures.is_guessing("10.0.0.3")


async def test_a_tokens_time_may_end(api: Replica) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=1)
    wanted = {"name": "guest", "role": "viewer", "expires_at": soon.isoformat()}
    made = (await api.http.post("/tokens", json=wanted)).json()
    async with api.client(made["token"]) as guest:
        assert (await guest.get("/jobs")).status_code == 200

        async def refused() -> bool:
            return (await guest.get("/jobs")).status_code == 401

        await eventually(refused, "the token's time is over")
    over = await api.http.post("/tokens", json=wanted | {"name": "late"})
    assert (over.status_code, over.json()["errors"][0]["field"]) == (400, "expires_at")


async def test_a_body_that_is_too_large_is_refused(api: Replica) -> None:
    large = b'"' + b"x" * MAX_BODY_BYTES + b'"'

    async def in_parts() -> AsyncIterator[bytes]:
        yield large

    headers = {"Content-Type": "application/json"}
    for content in (large, in_parts()):
        answer = await api.http.post("/jobs", content=content, headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")


async def test_answers_tell_browsers_to_be_careful(api: Replica) -> None:
    for path in ("/jobs", "/nowhere"):
        headers = (await api.http.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert "access-control-allow-origin" not in headers


async def test_other_sites_may_call_only_when_they_are_named(api: Replica, make_replica: MakeReplica) -> None:
    async def allowed(replica: Replica, origin: str) -> str | None:
        answer = await replica.http.get("/jobs", headers={"Origin": origin})
        allowed_origin: str | None = answer.headers.get("access-control-allow-origin")
        return allowed_origin

    assert await allowed(api, "https://reports.example.com") is None
    named = await make_replica(cors_origins="https://reports.example.com, https://other.example.com")
    assert await allowed(named, "https://other.example.com") == "https://other.example.com"
    assert await allowed(named, "https://evil.example.com") is None
