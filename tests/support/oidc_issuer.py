"""An OpenID Connect issuer for tests: a local HTTP server with real keys."""

import base64
import hashlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

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
    """Serves a discovery document, a key set, and a sign-in page at which everybody is signed in at once.

    `keys` are the published ones, `asked` the requested paths. `claims` are added to the ID tokens; `refusal` is an error
    with which the sign-in page sends everybody back. `secret` is what the client must send, if it is set.
    """

    def __init__(self) -> None:
        self.keys = [Key("RS256"), Key("ES256", tells_algorithm=False)]
        self.asked: list[str] = []
        self.claims: dict[str, Any] = {}
        self.refusal: str | None = None
        self.secret: str | None = None
        self._codes: dict[str, dict[str, str]] = {}
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked.append(self.path)
                path, _, query = self.path.partition("?")
                documents = {
                    "/realm/.well-known/openid-configuration": {
                        "issuer": issuer.url,
                        "jwks_uri": f"{issuer.url}/keys",
                        "authorization_endpoint": f"{issuer.url}/authorize",
                        "token_endpoint": f"{issuer.url}/token",
                    },
                    "/realm/keys": {"keys": [key.public for key in issuer.keys]},
                }
                if path == "/realm/authorize":
                    self.send_response(303)
                    self.send_header("Location", issuer.authorize(dict(parse_qsl(query))))
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                else:
                    self.answer(200, documents[path])

            def do_POST(self) -> None:
                form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
                self.answer(*issuer.redeem(form, self.headers.get("Authorization")))

            def answer(self, status: int, document: object) -> None:
                body = json.dumps(document).encode()
                self.send_response(status)
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

    def authorize(self, query: dict[str, str]) -> str:
        """Return where a browser goes from the sign-in page."""
        assert (query["response_type"], query["code_challenge_method"]) == ("code", "S256")
        assert "openid" in query["scope"].split()
        code = str(uuid4())
        self._codes[code] = query
        answer = {"error": self.refusal} if self.refusal else {"code": code, "iss": self.url}
        return f"{query['redirect_uri']}?{urlencode(answer | {'state': query['state']})}"

    def redeem(self, form: dict[str, str], authorization: str | None) -> tuple[int, dict[str, Any]]:
        """Return the status and the answer for a code, which is good once and for its holder only."""
        query = self._codes.pop(form["code"], None)
        pair = f"{form['client_id']}:{self.secret}".encode()
        known = self.secret is None or authorization == f"Basic {base64.b64encode(pair).decode()}"
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        if (
            query is None
            or not known
            or form["redirect_uri"] != query["redirect_uri"]
            or base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != query["code_challenge"]
        ):
            return 400, {"error": "invalid_grant"}
        claims = {"aud": query["client_id"], "nonce": query["nonce"]} | self.claims
        return 200, {"token_type": "Bearer", "access_token": "opaque", "id_token": self.token(**claims)}

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
