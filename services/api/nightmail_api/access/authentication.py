"""Who sends a request: the bearer token to a principal."""

from http import HTTPStatus

import nats.errors
from fastapi import Request

from nightmail_api.access.oidc import Issuer, IssuerNotReachable, JwtNotValid, NoRole
from nightmail_api.access.rate_limit import FailureLimiter
from nightmail_api.access.tokens import Principal, TokenStore
from nightmail_api.http.problems import NotReady, Problem
from nightmail_api.metrics import AUTH_FAILURES


class NotAuthenticated(Problem):
    """The request has no bearer token, or one that is not valid."""

    status = HTTPStatus.UNAUTHORIZED

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"WWW-Authenticate": "Bearer"})


class Forbidden(Problem):
    """The token is valid, but its role may not do this."""

    status = HTTPStatus.FORBIDDEN


class TooManyFailures(Problem):
    """The caller's address sent too many wrong tokens. Valid ones still pass: nobody can lock others out."""

    status = HTTPStatus.TOO_MANY_REQUESTS


class Authenticator:
    """Authenticates requests by our own tokens, and by those of an OpenID Connect issuer if there is one."""

    def __init__(self, tokens: TokenStore, issuer: Issuer | None) -> None:
        self._tokens = tokens
        self._issuer = issuer
        self._limiter = FailureLimiter()

    async def authenticate(self, request: Request) -> Principal:
        """Return the principal of a request.

        Raises:
            NotAuthenticated: the request has no token, or a wrong one.
            TooManyFailures: the token is wrong, and the address exceeds the rate limit.
            Forbidden: the token is valid, but names no role.
            NotReady: the token cannot be checked at the moment.
        """
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            AUTH_FAILURES.labels("missing").inc()
            raise NotAuthenticated("send the header 'Authorization: Bearer TOKEN'")
        address = request.client.host if request.client is not None else ""
        if self._tokens.is_admin(token):
            return Principal("admin", "admin")
        try:
            principal = await self._tokens.principal(token)
            if principal is None and self._issuer is not None and token.count(".") == 2:
                principal = await self._issuer.principal(token)
        except nats.errors.Error as error:
            raise NotReady("the tokens cannot be read at the moment") from error
        except IssuerNotReachable:
            raise NotReady("the issuer's keys cannot be read at the moment", retry_after_seconds=10) from None
        except NoRole:
            raise Forbidden("the token names no role: nightmail_role is viewer, editor or admin") from None
        except JwtNotValid as error:
            raise self._refusal(address, f"the token is not valid: {error}") from None
        if principal is None:
            raise self._refusal(address, "the token is not known")
        return principal

    def _refusal(self, address: str, detail: str) -> Problem:
        seconds = self._limiter.retry_after(address)
        self._limiter.add(address)
        if seconds > 0:
            AUTH_FAILURES.labels("limited").inc()
            return TooManyFailures("too many wrong tokens", headers={"Retry-After": str(int(seconds) + 1)})
        AUTH_FAILURES.labels("wrong").inc()
        return NotAuthenticated(detail)
