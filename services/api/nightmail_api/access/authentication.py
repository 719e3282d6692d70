"""Who sends a request: the bearer token, or the session in the cookie, to a principal."""

from http import HTTPStatus

import nats.errors
from fastapi import Request

from nightmail_api.access.oidc import Issuer, IssuerNotReachable, JwtNotValid, NoRole
from nightmail_api.access.one_time_codes import CodeNotValid
from nightmail_api.access.rate_limit import FailureLimiter
from nightmail_api.access.session_cookie import check_same_origin, cookie_name
from nightmail_api.access.sessions import Sessions
from nightmail_api.access.tokens import Principal, TokenStore
from nightmail_api.http.problems import Forbidden, NotReady, Problem
from nightmail_api.metrics import AUTH_FAILURES


class NotAuthenticated(Problem):
    """The request has no bearer token, or one that is not valid."""

    status = HTTPStatus.UNAUTHORIZED

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"WWW-Authenticate": "Bearer"})


class TooManyFailures(Problem):
    """The caller's address sent too many wrong tokens. Valid ones still pass: nobody can lock others out."""

    status = HTTPStatus.TOO_MANY_REQUESTS


class Authenticator:
    """Authenticates requests by our own tokens, those of an OpenID Connect issuer if there is one, and sessions."""

    def __init__(self, tokens: TokenStore, issuer: Issuer | None, sessions: Sessions) -> None:
        self._tokens = tokens
        self._issuer = issuer
        self._sessions = sessions
        self._limiter = FailureLimiter()

    async def authenticate(self, request: Request) -> Principal:
        """Return the principal of a request. A token counts before a session.

        Raises:
            NotAuthenticated: the request has no token and no session, or a wrong one.
            TooManyFailures: the token is wrong, and the address exceeds the rate limit.
            Forbidden: the token is valid, but names no role; or another site may have made the browser send it.
            NotReady: the token cannot be checked at the moment.
        """
        header = request.headers.get("authorization")
        cookie = request.cookies.get(cookie_name(request)) if header is None else None
        if cookie is not None:
            check_same_origin(request)
            return await self._session_principal(cookie)
        scheme, _, token = (header or "").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            AUTH_FAILURES.labels("missing").inc()
            raise NotAuthenticated("send the header 'Authorization: Bearer TOKEN'")
        return await self.token_principal(token, address(request))

    async def token_principal(self, token: str, address: str) -> Principal:
        """Return the principal of a token from an address; raises what `authenticate` raises."""
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

    async def code_principal(self, code: str, address: str) -> Principal:
        """Return the principal of a one-time code and use the code up; raises what `authenticate` raises."""
        try:
            return await self._sessions.redeem(code)
        except nats.errors.Error as error:
            raise NotReady("the codes cannot be checked at the moment") from error
        except CodeNotValid as error:
            raise self._refusal(address, str(error)) from None

    async def _session_principal(self, cookie: str) -> Principal:
        try:
            principal = await self._sessions.principal(cookie)
        except nats.errors.Error as error:
            raise NotReady("the tokens cannot be read at the moment") from error
        if principal is None:
            AUTH_FAILURES.labels("session").inc()
            raise NotAuthenticated("the session has ended: sign in again")
        return principal

    def _refusal(self, address: str, detail: str) -> Problem:
        seconds = self._limiter.retry_after(address)
        self._limiter.add(address)
        if seconds > 0:
            AUTH_FAILURES.labels("limited").inc()
            return TooManyFailures("too many wrong tokens", headers={"Retry-After": str(int(seconds) + 1)})
        AUTH_FAILURES.labels("wrong").inc()
        return NotAuthenticated(detail)


def address(request: Request) -> str:
    """Return the address that the rate limit counts."""
    return request.client.host if request.client is not None else ""
