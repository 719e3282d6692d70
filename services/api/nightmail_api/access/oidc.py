"""Tokens of an OpenID Connect issuer: JWTs (RFC 7519), verified with the keys that the issuer publishes.

The issuer's discovery document (OpenID Connect Discovery 1.0) names the URLs of its keys (JWKS, RFC 7517) and of its sign-in.
"""

import asyncio
import hashlib
import json
import time
import urllib.request
from collections.abc import Iterable
from datetime import UTC, datetime
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

import structlog

from nightmail_api.access.tokens import ROLES, Principal, Role
from nightmail_common.contract.envelope import iso_time

#: Asymmetric algorithms only: a shared secret that verifies tokens also creates them.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
#: The claims that may name a role, and the prefix of a role in the claims that other services use too.
ROLE_CLAIM = "nightmail_role"
SHARED_CLAIMS = ("roles", "groups")
SHARED_PREFIX = "nightmail-"

#: The age at which the keys are read again, so that a withdrawn one expires.
KEYS_SECONDS = 3600.0
#: The shortest time between two requests to the issuer, however many tokens name unknown keys.
REFRESH_SECONDS = 10.0
CLOCK_SKEW_SECONDS = 30
TIMEOUT_SECONDS = 5.0
MAX_DOCUMENT_BYTES = 1024 * 1024

logger = structlog.get_logger()


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Refuse a redirect: the issuer publishes its keys at the URL of its discovery document."""


_opener = urllib.request.build_opener(_NoRedirects)


class IssuerNotReachable(Exception):
    """The issuer's documents cannot be read: none of its tokens can be verified, and nobody can sign in there."""


class JwtNotValid(Exception):
    """The token is not the issuer's for this audience, or it has expired; the message says which."""


class NoRole(Exception):
    """The token is valid, but none of its claims names a role."""


class Issuer:
    """Verifies the tokens of one issuer, for one audience."""

    def __init__(self, issuer: str, audience: str) -> None:
        self._issuer = issuer
        self._audience = audience
        self._keys: list[dict[str, Any]] = []
        self._endpoints: dict[str, str] = {}
        self._read_at = -KEYS_SECONDS
        self._requested_at = -REFRESH_SECONDS
        self._refreshing = asyncio.Lock()

    async def endpoint(self, name: str) -> str:
        """Return the URL of an endpoint by its name in the discovery document, such as `token_endpoint`.

        Raises:
            IssuerNotReachable: the document cannot be read, or has no such endpoint.
        """
        if not self._endpoints or time.monotonic() - self._read_at > KEYS_SECONDS:
            await self._refresh()
        if name not in self._endpoints:
            raise IssuerNotReachable
        return self._endpoints[name]

    async def principal(self, token: str, audience: str | None = None, nonce: str | None = None) -> Principal:
        """Verify a token and return its principal.

        Args:
            audience: who the token must be for; by default who the issuer's access tokens are for.
            nonce: what an ID token must repeat (OpenID Connect Core 1.0, section 3.1.3.7).

        Raises:
            JwtNotValid: the token is not valid.
            NoRole: the token is valid, but names no role.
            IssuerNotReachable: the issuer's keys are not known.
        """
        import jwt  # jwt and cryptography take several MB, which only an API with an issuer needs

        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in ALGORITHMS:
                raise JwtNotValid("the token's algorithm is not allowed")
            claims = jwt.decode(
                token,
                await self._key(header),
                algorithms=ALGORITHMS,
                audience=audience or self._audience,
                issuer=self._issuer,
                leeway=CLOCK_SKEW_SECONDS,
                options={"require": ["exp", "iss", "aud", "sub"], "enforce_minimum_key_length": True},
            )
        except jwt.PyJWTError as error:
            raise JwtNotValid(str(error)) from None
        except RecursionError:
            raise JwtNotValid("its JSON is nested too deeply") from None
        if nonce is not None and claims.get("nonce") != nonce:
            raise JwtNotValid("the token is the answer to another sign-in")
        expires_at = iso_time(datetime.fromtimestamp(claims["exp"], UTC))
        return Principal(_actor(claims["sub"]), _role(claims), expires_at=expires_at)

    async def _key(self, header: dict[str, Any]) -> Any:
        import jwt

        key = self._known_key(header)
        if key is None or time.monotonic() - self._read_at > KEYS_SECONDS:
            await self._refresh()
            key = self._known_key(header)
        if key is None:
            if not self._keys:
                raise IssuerNotReachable
            raise JwtNotValid("the token's key is not one of the issuer's")
        return jwt.PyJWK(key, key.get("alg") or header["alg"])

    def _known_key(self, header: dict[str, Any]) -> dict[str, Any] | None:
        wanted = header.get("kid")
        if wanted is None:
            return self._keys[0] if len(self._keys) == 1 else None
        return next((key for key in self._keys if key.get("kid") == wanted), None)

    async def _refresh(self) -> None:
        async with self._refreshing:
            if time.monotonic() - self._requested_at < REFRESH_SECONDS:
                return
            self._requested_at = time.monotonic()
            try:
                self._keys, self._endpoints = await asyncio.to_thread(_published, self._issuer)
            except (OSError, ValueError, HTTPException) as error:
                logger.warning("issuer_keys_not_read", error=str(error))
            else:
                self._read_at = time.monotonic()
                logger.info("issuer_keys_read", count=len(self._keys))


def _published(issuer: str) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Return an issuer's signing keys, and its endpoints by their names.

    Raises:
        OSError, HTTPException: the issuer does not answer.
        ValueError: the answer is not a discovery document or a key set.
    """
    document = read_document(issuer.rstrip("/") + "/.well-known/openid-configuration")
    if document.get("issuer") != issuer:
        raise ValueError(f"the discovery document is of another issuer: {document.get('issuer')!r}")
    url = str(document.get("jwks_uri"))
    if not _is_safe(url, issuer):
        raise ValueError("jwks_uri is less protected than the issuer")
    keys = read_document(url).get("keys")
    if not isinstance(keys, list):
        raise ValueError("the key set has no keys")
    found = [key for key in keys if isinstance(key, dict) and key.get("use", "sig") == "sig"]
    return found, {name: url for name, url in document.items() if name.endswith("_endpoint") and _is_safe(url, issuer)}


def _is_safe(url: object, issuer: str) -> bool:
    """Return whether a URL is no less protected than the issuer's own."""
    return isinstance(url, str) and urlsplit(url).scheme in {"https", urlsplit(issuer).scheme}


def read_document(url: str | urllib.request.Request) -> dict[str, Any]:
    """Return the JSON object at a URL of the issuer.

    Raises:
        OSError, HTTPException: the issuer does not answer, or refuses.
        ValueError: the answer is not a JSON object.
    """
    with _opener.open(url, timeout=TIMEOUT_SECONDS) as response:
        document = json.loads(response.read(MAX_DOCUMENT_BYTES))
    if not isinstance(document, dict):
        raise ValueError("the answer is not a JSON object")
    return document


def _actor(subject: Any) -> str:
    """Return the `actor` of events: the `sub`, or a hash of it if it is an e-mail address or too long."""
    text = str(subject)
    if "@" in text or len(text) > 64 or not text.isprintable():
        text = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"oidc:{text}"


def _role(claims: dict[str, Any]) -> Role:
    """Return the highest role that the claims name.

    Raises:
        NoRole: the claims name no role.
    """
    named = set(_texts(claims.get(ROLE_CLAIM)))
    for claim in SHARED_CLAIMS:
        named |= {
            text.removeprefix(SHARED_PREFIX) for text in _texts(claims.get(claim)) if text.startswith(SHARED_PREFIX)
        }
    found = [role for role in ROLES if role in named]
    if not found:
        raise NoRole
    return found[-1]


def _texts(claim: Any) -> Iterable[str]:
    if isinstance(claim, str):
        return (claim,)
    return (item for item in claim if isinstance(item, str)) if isinstance(claim, list) else ()
