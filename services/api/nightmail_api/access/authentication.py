"""What a route lets whom do."""

import time
from collections import OrderedDict
from http import HTTPStatus

import nats.errors
import structlog
from fastapi import Request
from fastapi.security import HTTPBearer

from nightmail_api.access.oidc import IssuerNotReachable, JwtNotValid, NoRole
from nightmail_api.access.tokens import ROLES, Principal, Role
from nightmail_api.http.problems import NotReady, Problem
from nightmail_api.metrics import AUTH_FAILURES

#: So many wrong tokens of one address within the window, and the next ones are told to wait.
MAX_FAILURES = 20
#: So many, and the admin's token is not looked for among them: unlike the others, a person may have chosen it.
MAX_GUESSES = 200
FAILURE_WINDOW_SECONDS = 60.0
REMEMBERED_ADDRESSES = 10_000

logger = structlog.get_logger()


class NotAuthenticated(Problem):
    """The request has no bearer token, or one that is not known."""

    status = HTTPStatus.UNAUTHORIZED

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"WWW-Authenticate": "Bearer"})


class Forbidden(Problem):
    """The token is good, but its role may not do this."""

    status = HTTPStatus.FORBIDDEN


class TooManyFailures(Problem):
    """The caller's address sent too many wrong tokens. Good ones still get through: nobody locks others out."""

    status = HTTPStatus.TOO_MANY_REQUESTS


class Failures:
    """Wrong tokens per address, in windows of a minute."""

    def __init__(self) -> None:
        self._windows: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._admins: OrderedDict[str, None] = OrderedDict()

    def seconds_to_wait(self, address: str) -> float:
        """Return for how long an address is told to wait; 0 if it is not."""
        count, end = self._windows.get(address, (0, 0.0))
        return max(0.0, end - time.monotonic()) if count >= MAX_FAILURES else 0.0

    def is_guessing(self, address: str) -> bool:
        """Say whether an address tries tokens in numbers, and the admin's was never good from there."""
        count, end = self._windows.get(address, (0, 0.0))
        return count >= MAX_GUESSES and time.monotonic() < end and address not in self._admins

    def add(self, address: str) -> None:
        """Count a wrong token."""
        now = time.monotonic()
        count, end = self._windows.pop(address, (0, 0.0))
        self._windows[address] = (count + 1, end) if now < end else (1, now + FAILURE_WINDOW_SECONDS)
        if count + 1 == MAX_FAILURES:
            logger.warning("wrong_tokens_limited", seconds=FAILURE_WINDOW_SECONDS)
        if len(self._windows) > REMEMBERED_ADDRESSES:
            self._windows.popitem(last=False)

    def remember_admin(self, address: str) -> None:
        self._admins[address] = None
        self._admins.move_to_end(address)
        if len(self._admins) > REMEMBERED_ADDRESSES:
            self._admins.popitem(last=False)


class Permission(HTTPBearer):
    """A route's dependency: lets in who has this role or a higher one, and returns who it is."""

    def __init__(self, role: Role) -> None:
        super().__init__(
            scheme_name="bearer",
            description="A token, as `nightmail up` or `POST /tokens` made it, or one of the OIDC issuer.",
        )
        self.role = role
        self._rank = ROLES.index(role)

    async def __call__(self, request: Request) -> Principal:  # type: ignore[override]
        """Return who was let in before the request was read."""
        admitted: Principal = request.state.principal
        return admitted

    async def admit(self, request: Request) -> None:
        """Let a request in.

        Raises:
            NotAuthenticated: it has no token, or a wrong one.
            TooManyFailures: it has a wrong one, as many before it from the same address.
            Forbidden: the token's role may not do this.
            NotReady: the token cannot be checked right now.
        """
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            AUTH_FAILURES.labels("missing").inc()
            raise NotAuthenticated("send the header 'Authorization: Bearer TOKEN'")
        principal = await _principal(request, token.strip())
        if ROLES.index(principal.role) < self._rank:
            raise Forbidden(f"this needs the role {self.role}; the token's is {principal.role}")
        request.state.principal = principal


async def _principal(request: Request, token: str) -> Principal:
    parts = request.app.state.parts
    address = request.client.host if request.client is not None else ""
    if parts.tokens.is_admin(token) and not parts.failures.is_guessing(address):
        parts.failures.remember_admin(address)
        return Principal("admin", "admin")
    try:
        known: Principal | None = await parts.tokens.principal(token)
        if known is not None:
            return known
        if parts.issuer is not None and token.count(".") == 2:
            issued: Principal = await parts.issuer.principal(token)
            return issued
    except nats.errors.Error as error:
        raise NotReady("the tokens cannot be read right now") from error
    except IssuerNotReachable:
        raise NotReady("the keys of the token's issuer cannot be read right now", retry_after_seconds=10) from None
    except NoRole:
        raise Forbidden("the token names no role: nightmail_role is viewer, editor or admin") from None
    except JwtNotValid as error:
        raise _refusal(request, address, f"the token is not valid: {error}") from None
    raise _refusal(request, address, "the token is not known")


def _refusal(request: Request, address: str, detail: str) -> Problem:
    failures: Failures = request.app.state.parts.failures
    seconds = failures.seconds_to_wait(address)
    failures.add(address)
    if seconds > 0:
        AUTH_FAILURES.labels("limited").inc()
        return TooManyFailures("too many wrong tokens", headers={"Retry-After": str(int(seconds) + 1)})
    AUTH_FAILURES.labels("wrong").inc()
    return NotAuthenticated(detail)


viewer = Permission("viewer")
editor = Permission("editor")
admin = Permission("admin")
