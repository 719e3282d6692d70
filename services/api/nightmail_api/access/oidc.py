"""Tokens of an OpenID Connect issuer: JWTs (RFC 7519) that are verified here, with the keys that the issuer publishes.

The issuer's discovery document (OpenID Connect Discovery 1.0) says where its keys are (JWKS, RFC 7517).
"""

import asyncio
import hashlib
import json
import time
import urllib.request
from collections.abc import Iterable
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

import structlog

from nightmail_api.access.tokens import ROLES, Principal, Role

#: Asymmetric ones only: with a shared secret whoever can check tokens can make them.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
#: The claims that may name a role, and what a value begins with where the claim is not ours alone.
ROLE_CLAIM = "nightmail_role"
SHARED_CLAIMS = ("roles", "groups")
SHARED_PREFIX = "nightmail-"

#: After so long the keys are read again, so that one that the issuer has withdrawn goes.
KEYS_SECONDS = 3600.0
#: Between two requests to the issuer, however many tokens name keys that nobody knows.
REFRESH_SECONDS = 10.0
CLOCK_SKEW_SECONDS = 30
TIMEOUT_SECONDS = 5.0
MAX_DOCUMENT_BYTES = 1024 * 1024

logger = structlog.get_logger()


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Make of a redirect the error that it is: an issuer's keys are where it says they are."""


_opener = urllib.request.build_opener(_NoRedirects)


class IssuerNotReachable(Exception):
    """The issuer does not tell its keys: no token of it can be checked."""


class JwtNotValid(Exception):
    """The token was not made by the issuer for this audience, or its time is over; the message says what."""


class NoRole(Exception):
    """The token is good, and no claim of it names a role."""


class Issuer:
    """Verifies the tokens of one issuer, for one audience."""

    def __init__(self, issuer: str, audience: str) -> None:
        self._issuer = issuer
        self._audience = audience
        self._keys: list[dict[str, Any]] = []
        self._read_at = -KEYS_SECONDS
        self._asked_at = -REFRESH_SECONDS
        self._asking = asyncio.Lock()

    async def principal(self, token: str) -> Principal:
        """Return whose token it is.

        Raises:
            JwtNotValid: it is not to be believed.
            NoRole: it is, but names no role.
            IssuerNotReachable: there is no key to check it with.
        """
        import jwt  # with cryptography several MB, which only an API with an issuer needs

        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in ALGORITHMS:
                raise JwtNotValid("the token's algorithm is not allowed")
            claims = jwt.decode(
                token,
                await self._key(header),
                algorithms=ALGORITHMS,
                audience=self._audience,
                issuer=self._issuer,
                leeway=CLOCK_SKEW_SECONDS,
                options={"require": ["exp", "iss", "aud", "sub"], "enforce_minimum_key_length": True},
            )
        except jwt.PyJWTError as error:
            raise JwtNotValid(str(error)) from None
        return Principal(_actor(claims["sub"]), _role(claims))

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
        async with self._asking:
            if time.monotonic() - self._asked_at < REFRESH_SECONDS:
                return
            self._asked_at = time.monotonic()
            try:
                self._keys = await asyncio.to_thread(_published_keys, self._issuer)
            except (OSError, ValueError, HTTPException) as error:
                logger.warning("issuer_keys_not_read", error=str(error))
            else:
                self._read_at = time.monotonic()
                logger.info("issuer_keys_read", count=len(self._keys))


def _published_keys(issuer: str) -> list[dict[str, Any]]:
    """Return an issuer's signing keys.

    Raises:
        OSError, HTTPException: it does not answer.
        ValueError: what it answers is not what it should be.
    """
    document = _document(issuer.rstrip("/") + "/.well-known/openid-configuration")
    if document.get("issuer") != issuer:
        raise ValueError(f"the discovery document is of another issuer: {document.get('issuer')!r}")
    where = str(document.get("jwks_uri"))
    if urlsplit(where).scheme not in {"https", urlsplit(issuer).scheme}:
        raise ValueError("jwks_uri is less protected than the issuer")
    keys = _document(where).get("keys")
    if not isinstance(keys, list):
        raise ValueError("the key set has no keys")
    return [key for key in keys if isinstance(key, dict) and key.get("use", "sig") == "sig"]


def _document(url: str) -> dict[str, Any]:
    with _opener.open(url, timeout=TIMEOUT_SECONDS) as answer:
        read = json.loads(answer.read(MAX_DOCUMENT_BYTES))
    if not isinstance(read, dict):
        raise ValueError(f"{url} is not a JSON object")
    return read


def _actor(subject: Any) -> str:
    """Return the name in events: the `sub` as it is, or what stands for it where it is an address or very long."""
    text = str(subject)
    if "@" in text or len(text) > 64 or not text.isprintable():
        text = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"oidc:{text}"


def _role(claims: dict[str, Any]) -> Role:
    """Return the highest role that the claims name.

    Raises:
        NoRole: they name none.
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
