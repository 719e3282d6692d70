"""Sign-in at an OpenID Connect issuer: the authorization code flow with PKCE, by the API.

OpenID Connect Core 1.0 section 3.1, RFC 7636 (S256), RFC 9207. The browser holds what a sign-in began with in a signed
cookie, so that any replica can end it; the tokens of the issuer never reach the browser.
"""

import asyncio
import base64
import hashlib
import hmac
import secrets
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from typing import Literal
from urllib.parse import quote, urlencode

import structlog

from nightmail_api.access.oidc import Issuer, IssuerNotReachable, JwtNotValid, NoRole, read_document
from nightmail_api.access.tokens import Principal
from nightmail_common.contract import signing
from nightmail_common.contract.envelope import iso_time

#: How long a person may take at the issuer's page.
SIGN_IN_LIFE = timedelta(minutes=10)
#: A working day: the issuer cannot end a session before, and says a role only at the next sign-in.
OIDC_SESSION_LIFE = timedelta(hours=8)

_PURPOSE = "oidc-sign-in"

Failure = Literal["expired", "refused", "no-role", "unreachable", "failed"]

logger = structlog.get_logger()


class SignInFailed(Exception):
    """Nobody is signed in; `failure` says why in a word that is safe to show, the log has the rest."""

    def __init__(self, failure: Failure, reason: str) -> None:
        super().__init__(reason)
        self.failure = failure


@dataclass(frozen=True)
class OidcSignIn:
    """Signs people in at one issuer.

    `client_secret` is None for a public client, which PKCE protects alone.
    """

    issuer: Issuer
    issuer_url: str
    client_id: str
    client_secret: str | None
    secret_key: str

    async def begin(self, redirect_uri: str, console_path: str) -> tuple[str, str]:
        """Return the issuer's page to go to, and the cookie that `finish` needs.

        Args:
            redirect_uri: where the issuer sends the browser back to.
            console_path: the page of the console to show then.

        Raises:
            SignInFailed: the issuer cannot be reached.
        """
        try:
            page = await self.issuer.endpoint("authorization_endpoint")
        except IssuerNotReachable:
            raise SignInFailed("unreachable", "the issuer's discovery document cannot be read") from None
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        digest = hashlib.sha256(verifier.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": redirect_uri,
            "scope": "openid",
            "state": state,
            "nonce": nonce,
            "code_challenge": signing.encode_base64url(digest),
            "code_challenge_method": "S256",
        }
        kept = {"state": state, "nonce": nonce, "verifier": verifier, "path": console_path}
        cookie = signing.sign(self.secret_key, _PURPOSE, kept, datetime.now(UTC) + SIGN_IN_LIFE)
        return f"{page}{'&' if '?' in page else '?'}{urlencode(query)}", cookie

    async def finish(self, redirect_uri: str, cookie: str, query: Mapping[str, str]) -> tuple[Principal, str]:
        """Return who signed in, until when, and the page of the console to show.

        Args:
            redirect_uri: the same as at the begin.
            query: the parameters with which the issuer sent the browser back.

        Raises:
            SignInFailed: for each reason.
        """
        try:
            kept = signing.read(self.secret_key, _PURPOSE, cookie)
        except signing.LinkNotValid as error:
            raise SignInFailed("expired", str(error)) from None
        if not hmac.compare_digest(query.get("state", "").encode(), kept["state"].encode()):
            raise SignInFailed("expired", "the state is that of another sign-in")
        if query.get("iss", self.issuer_url) != self.issuer_url:
            raise SignInFailed("failed", "the answer is of another issuer")
        if "code" not in query:
            raise SignInFailed("refused", f"the issuer answered {query.get('error', 'without a code')[:100]!r}")
        try:
            url = await self.issuer.endpoint("token_endpoint")
            answer = await asyncio.to_thread(
                read_document, self._token_request(url, redirect_uri, query["code"], kept["verifier"])
            )
            principal = await self.issuer.principal(str(answer.get("id_token")), self.client_id, kept["nonce"])
        except IssuerNotReachable:
            raise SignInFailed("unreachable", "the issuer's documents cannot be read") from None
        except (OSError, HTTPException, ValueError) as error:
            raise SignInFailed("failed", f"the issuer gives no token for the code: {error}") from None
        except JwtNotValid as error:
            raise SignInFailed("failed", f"the ID token is not valid: {error}") from None
        except NoRole:
            raise SignInFailed("no-role", "the ID token names no role") from None
        until = iso_time(datetime.now(UTC) + OIDC_SESSION_LIFE)
        return replace(principal, expires_at=until), kept["path"]

    def _token_request(self, url: str, redirect_uri: str, code: str, verifier: str) -> urllib.request.Request:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "client_id": self.client_id,
            "code_verifier": verifier,
        }
        request = urllib.request.Request(url, urlencode(form).encode(), {"Accept": "application/json"})  # noqa: S310 # http or https, as the issuer
        if self.client_secret is not None:
            # RFC 6749, section 2.3.1: both parts are form-encoded first.
            pair = f"{quote(self.client_id, safe='')}:{quote(self.client_secret, safe='')}"
            request.add_header("Authorization", f"Basic {base64.b64encode(pair.encode()).decode()}")
        return request
