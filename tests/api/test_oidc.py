"""Tokens of an OpenID Connect issuer: a local HTTP server with real keys."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from api.conftest import MakeReplica, Replica
from nightmail_api.access.oidc import REFRESH_SECONDS
from nightmail_common.broker.log import EventLog
from support.job_requests import job_request

AUDIENCE = "nightmail-tests"


class Key:
    """A signing key of the issuer."""

    def __init__(self, algorithm: str, *, tells_algorithm: bool = True) -> None:
        self.kid = str(uuid4())
        self.algorithm = algorithm
        elliptic = algorithm.startswith("ES")
        self.private: Any = (
            ec.generate_private_key(ec.SECP256R1()) if elliptic else rsa.generate_private_key(65537, 2048)
        )
        made: Any = jwt.algorithms.ECAlgorithm if elliptic else jwt.algorithms.RSAAlgorithm
        self.public: dict[str, Any] = made.to_jwk(self.private.public_key(), as_dict=True) | {
            "kid": self.kid,
            "use": "sig",
        }
        if tells_algorithm:
            self.public["alg"] = algorithm


class IssuerServer:
    """Serves a discovery document and a key set. `keys` are the published ones, `asked` the requested paths."""

    def __init__(self) -> None:
        self.keys = [Key("RS256"), Key("ES256", tells_algorithm=False)]
        self.asked: list[str] = []
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked.append(self.path)
                documents = {
                    "/realm/.well-known/openid-configuration": {"issuer": issuer.url, "jwks_uri": f"{issuer.url}/keys"},
                    "/realm/keys": {"keys": [key.public for key in issuer.keys]},
                }
                body = json.dumps(documents[self.path]).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Log nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/realm"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def token(self, key: Key | None = None, **claims: Any) -> str:
        """Return a token for an editor; `claims` replace or add, and None removes one."""
        key = key or self.keys[0]
        now = int(time.time())
        usual = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "u-1",
            "iat": now,
            "exp": now + 300,
            "nightmail_role": "editor",
        }
        said = {name: value for name, value in (usual | claims).items() if value is not None}
        return jwt.encode(said, key.private, key.algorithm, {"kid": key.kid})

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


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
