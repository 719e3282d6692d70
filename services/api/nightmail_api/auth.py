"""What a route lets whom do."""

import time
from collections import OrderedDict
from http import HTTPStatus

import nats.errors
from fastapi import Request
from fastapi.security import HTTPBearer

from nightmail_api.problems import NotReady, Problem
from nightmail_api.tokens import ROLES, Principal, Role

#: So many wrong tokens of one address within the window, and the next ones are not looked at.
MAX_FAILURES = 20
FAILURE_WINDOW_SECONDS = 60.0
REMEMBERED_ADDRESSES = 10_000


class NotAuthenticated(Problem):
    """The request has no bearer token, or one that is not known."""

    status = HTTPStatus.UNAUTHORIZED

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"WWW-Authenticate": "Bearer"})


class Forbidden(Problem):
    """The token is good, but its role may not do this."""

    status = HTTPStatus.FORBIDDEN


class TooManyFailures(Problem):
    """The caller's address sent too many wrong tokens; only tokens known to be good get through for a while."""

    status = HTTPStatus.TOO_MANY_REQUESTS


class Failures:
    """Wrong tokens per address, in windows of a minute."""

    def __init__(self) -> None:
        self._windows: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def seconds_to_wait(self, address: str) -> float:
        """Return for how long an address' tokens are not looked at; 0 if they are."""
        count, end = self._windows.get(address, (0, 0.0))
        return max(0.0, end - time.monotonic()) if count >= MAX_FAILURES else 0.0

    def add(self, address: str) -> None:
        now = time.monotonic()
        count, end = self._windows.pop(address, (0, 0.0))
        self._windows[address] = (count + 1, end) if now < end else (1, now + FAILURE_WINDOW_SECONDS)
        if len(self._windows) > REMEMBERED_ADDRESSES:
            self._windows.popitem(last=False)


class Permission(HTTPBearer):
    """A route's dependency: lets in who has this role or a higher one, and returns who it is."""

    def __init__(self, role: Role) -> None:
        super().__init__(scheme_name="bearer", description="A token, as `nightmail up` or `POST /tokens` made it.")
        self.role = role
        self._rank = ROLES.index(role)

    async def __call__(self, request: Request) -> Principal:  # type: ignore[override]
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise NotAuthenticated("send the header 'Authorization: Bearer TOKEN'")
        principal = await _principal(request, token.strip())
        if ROLES.index(principal.role) < self._rank:
            raise Forbidden(f"this needs the role {self.role}; the token's is {principal.role}")
        return principal


async def _principal(request: Request, token: str) -> Principal:
    tokens, failures = request.app.state.parts.tokens, request.app.state.parts.failures
    known: Principal | None = tokens.known(token)
    if known is not None:
        return known
    address = request.client.host if request.client is not None else ""
    if (seconds := failures.seconds_to_wait(address)) > 0:
        raise TooManyFailures("too many wrong tokens", headers={"Retry-After": str(int(seconds) + 1)})
    try:
        principal: Principal | None = await tokens.principal(token)
    except nats.errors.Error as error:
        raise NotReady("the tokens cannot be read right now") from error
    if principal is None:
        failures.add(address)
        raise NotAuthenticated("the token is not known")
    return principal


viewer = Permission("viewer")
editor = Permission("editor")
admin = Permission("admin")
